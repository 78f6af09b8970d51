"""The body of `stockgate-edge status`.

Exit codes: 0 all is well; 1 it runs, but something should be seen to; 2 the configuration can't be used; 3 no agent
answers.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from edge import config as settings
from edge.agent.at_the_door import AtTheDoor, PortalMode, counts
from edge.agent.status_socket import AgentStatus, Movement, StatusError, ask
from edge.agent.tables import complain, console, show_json, show_table
from edge.agent.unwell import machine_faults, status_faults, trial_words
from edge.contracts import Health

EXIT_SEE_TO: Final = 1
EXIT_UNUSABLE: Final = 2
EXIT_NOT_RUNNING: Final = 3
GIB: Final = 1024**3


def data_folder(config: settings.EdgeConfig, path: Path, given: Path | None) -> Path:
    """Return the data directory that `run` takes with this configuration."""
    return given if given is not None else path.resolve().parent / config.agent.data_dir


def run_status(path: Path, data_dir: Path | None, *, as_json: bool) -> int:
    """Ask the running agent, print what it says and return the exit code."""
    try:
        status = ask(data_folder(settings.load(path), path, data_dir))
    except settings.ConfigError as error:
        complain(str(error))
        return EXIT_UNUSABLE
    except StatusError as error:
        if as_json:
            show_json({"exit_code": EXIT_NOT_RUNNING, "running": False, "problem": str(error)})
        else:
            complain(f"{error}: see what its log says, or ask stockgate-edge doctor")
        return EXIT_NOT_RUNNING
    found = (*status_faults(status), *machine_faults(status.machine))
    faults = [fault.words for fault in found if fault.severity != "note"]
    code = EXIT_SEE_TO if faults else 0
    if as_json:
        show_json({"exit_code": code, "running": True, "see_to": faults, **msgspec.to_builtins(status)})
    else:
        _print(status, faults)
    return code


def _print(status: AgentStatus, faults: list[str]) -> None:
    out, health = console(), status.health
    watchdog = "no watchdog" if status.watchdog_s is None else f"watchdog of {status.watchdog_s:g} s"
    out.print(
        f"{status.site}/{health.gateway}: version {status.version}, process {status.pid}, up {_span(health.uptime_s)}, "
        f"{watchdog}; kernels {_kernels(status)}"
    )
    out.print(f"uplink {health.uplink}: {status.broker}{_uplink(status)}")
    if status.trial is not None:
        out.print(f"configuration {trial_words(status.trial)}", soft_wrap=True)
    out.print(_machine(status))
    if (gate := health.gate) is not msgspec.UNSET and gate.generation is not None:
        refused = f"; messages refused: {counts(gate.refused)}" if gate.refused else ""
        out.print(f"gate snapshot {gate.generation}.{gate.n}: {gate.entries} entries, until {gate.expires_at}{refused}")
    _print_door(out, status.door)
    _print_readers(out, health)
    portals = [(portal.id, portal.state, portal.since, portal.reason) for portal in health.portals]
    show_table(out, ("portal", "state", "since", "why"), portals)
    streams = [
        (one.stream, str(one.written), str(one.pending), f"{one.oldest_s:.1f}", str(one.dropped))
        for one in health.streams
    ]
    show_table(out, ("stream", "rows", "wait", "oldest s", "dropped"), streams)
    if status.movements:
        heads = ("last movements", "portal", "kind", "EPC", "confidence", "gate")
        show_table(out, heads, [_movement(one) for one in status.movements])
    for fault in faults:
        out.print(f"see to: {fault}", soft_wrap=True)
    if not faults:
        out.print("all is well")


def _print_door(out: Console, door: AtTheDoor) -> None:
    if door.fire:
        out.print(f"fire alarm: {', '.join(door.fire)}: all sirens are muted")
    if door.modes:
        show_table(out, ("portal", "mode", "else", "until"), [_mode(one) for one in door.modes])
    if door.access:
        rows = [
            (one.way, one.state, one.heard_at or "-", counts(one.refused) or "-", one.problem) for one in door.access
        ]
        show_table(out, ("access events by", "state", "last heard", "refused", "why"), rows)


def _mode(one: PortalMode) -> tuple[str, ...]:
    usual = "-" if one.usual == one.mode else one.usual
    return one.portal, one.mode if one.known else f"{one.mode} (no snapshot names it)", usual, one.until or "-"


def _print_readers(out: Console, health: Health) -> None:
    heads = ("reader", "state", "since", "reads", "reconnects", "lost reports", "clock offset ms", "antennas")
    show_table(out, heads, _reader_rows(health))
    antennas = [
        (one.id, str(port.port), port.state, f"{port.read_rate:.1f}", _level(port.rssi_cdbm), port.reason)
        for one in health.readers
        for port in one.antennas
    ]
    if antennas:
        show_table(out, ("reader", "antenna", "state", "reads/s", "dBm", "why"), antennas)


def _reader_rows(health: Health) -> Iterator[tuple[str, ...]]:
    for one in health.readers:
        told = one.clock is not None and one.clock.source == "reader"
        offset = f"{one.clock.offset_us / 1e3:.1f}" if told and one.clock is not None else "-"
        states = Counter(antenna.state for antenna in one.antennas)
        antennas = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "-"
        yield (
            one.id,
            one.busy or one.state,
            one.since or "-",
            str(one.reads),
            str(one.reconnects),
            str(one.lost_reports),
            offset,
            antennas,
        )


def _movement(row: Movement) -> tuple[str, ...]:
    kind = row.kind if row.final else f"{row.kind} (provisional)"
    return row.at, row.portal, kind, row.epc, f"{row.confidence:.3f}", row.verdict or "-"


def _uplink(status: AgentStatus) -> str:
    days = status.certificate_days_left
    words = "" if days is None else f", certificate for {days:.0f} days"
    if status.health.uplink != "offline" and not status.central_heard:
        words += ", the central is not heard"
    return words if not status.uplink_failures else f"{words}; {status.uplink_failures} connections failed in a row"


def _machine(status: AgentStatus) -> str:
    seen = status.machine
    parts = [f"data in {seen.folder}"]
    if seen.disk_free_bytes is not None and seen.disk_bytes:
        share = seen.disk_free_bytes / seen.disk_bytes
        parts.append(f"{seen.disk_free_bytes / GIB:.2f} GiB free ({share:.0%})")
    if seen.outbox_bytes is not None:
        parts.append(f"outbox {seen.outbox_bytes / 1024**2:.1f} MiB")
    parts.append("clock synchronised" if seen.clock_set else "nobody synchronises the clock")
    if seen.cpu_celsius is not None:
        parts.append(f"processor {seen.cpu_celsius:.0f} °C")
    return ", ".join(parts)


def _kernels(status: AgentStatus) -> str:
    words = f"ready in {status.kernels.seconds:.1f} s"
    return f"{words}, {status.kernels.compiled} compiled" if status.kernels.compiled else f"{words} from the cache"


def _level(cdbm: int | None) -> str:
    return "-" if cdbm is None else f"{cdbm / 100:.1f}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
