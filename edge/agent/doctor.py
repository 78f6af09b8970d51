"""The body of `stockgate-edge doctor`: everything that may be wrong with an agent and its machine, running or not.

A running agent is asked how it is, since a reader serves one client and an outbox one holder; what no agent holds is
looked at from here. Exit codes: 0 all is well; 1 something should be seen to; 2 something is bad.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge import config as settings
from edge.agent import check
from edge.agent.compose import OUTBOX_FILE
from edge.agent.doctor_readers import reader_faults
from edge.agent.doctor_store import folder_faults, kernel_faults, outbox_faults
from edge.agent.machine import look_at
from edge.agent.status_command import data_folder
from edge.agent.status_socket import AgentStatus, NotRunningError, StatusError, ask
from edge.agent.tables import console, show_json, show_table
from edge.agent.trial_files import TrialFiles
from edge.agent.unwell import Fault, Severity, certificate_faults, clock_notes, machine_faults, status_faults
from edge.uplink import UplinkSettingsError, parse_url, runs_out, try_broker

EXIT_SEE_TO: Final = 1
EXIT_BAD: Final = 2
ORDER: Final = {"bad": 0, "see to": 1, "note": 2}
DAY_S: Final = 86_400.0
BUILT: Final = 1_735_689_600.0
"""2025-01-01: no clock that is right is before this."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to look: longest wait for the broker and each reader, and how long to try antennas (0: not at all)."""

    timeout_s: float = 5.0
    listen_s: float = 0.0
    as_json: bool = False


def run_doctor(path: Path, data_dir: Path | None, wish: Wish) -> int:
    """Look at everything, print what was found and return the exit code."""
    looked, faults = examine(path, data_dir, wish)
    faults = sorted(faults, key=lambda fault: ORDER[fault.severity])
    worst = {fault.severity for fault in faults}
    code = EXIT_BAD if "bad" in worst else EXIT_SEE_TO if "see to" in worst else 0
    if wish.as_json:
        show_json({"exit_code": code, "looked_at": looked, "found": [fault._asdict() for fault in faults]})
        return code
    out = console()
    if faults:
        show_table(out, ("", "what", "is", "do"), [tuple(map(str, fault)) for fault in faults])
    out.print(f"looked at: {', '.join(looked)}", soft_wrap=True)
    out.print("all is well" if code == 0 else f"{sum(fault.severity != 'note' for fault in faults)} things to see to")
    return code


def examine(path: Path, data_dir: Path | None, wish: Wish) -> tuple[list[str], list[Fault]]:
    """Return what was looked at and what was found; without a usable configuration that is all there is to tell."""
    found = list(_config_faults(path))
    if any(fault.severity == "bad" for fault in found):
        return ["configuration"], found
    config, base = settings.load(path), path.resolve().parent
    folder = data_folder(config, path, data_dir)
    status, silence = _ask(folder)
    found += silence
    found += _trial_faults(path.resolve(), status)
    found += folder_faults(folder, max_bytes=settings.outbox_settings(config).max_bytes)
    found += _clock_faults(time.time())
    looked = ["configuration", "data directory", "disk", "clock", "processor", "power"]
    if status is not None:
        found += [*status_faults(status), *machine_faults(status.machine), *clock_notes(status.machine)]
        if status.health.uplink == "offline":  # which step fails the agent can't say
            found += [one for one in _broker_faults(config, base, wish.timeout_s) if one not in found]
        return [*looked, "running agent: broker, readers, antennas, portals, outbox, backlog, kernels"], found
    found += _own_look(folder)
    found += _broker_faults(config, base, wish.timeout_s)
    if silence and silence[0].severity == "bad":  # it runs and doesn't answer: it holds readers and outbox
        return [*looked, "broker"], found
    found += outbox_faults(folder / OUTBOX_FILE, now_us=time.time_ns() // 1000)
    found += asyncio.run(reader_faults(config, base=base, timeout_s=wish.timeout_s, listen_s=wish.listen_s))
    found += kernel_faults()
    return [*looked, "broker", "outbox", "backlog", "readers", "kernels"], found


def _ask(folder: Path) -> tuple[AgentStatus | None, list[Fault]]:
    try:
        return ask(folder), []
    except NotRunningError as error:
        return None, [Fault("see to", "agent", str(error), "start it: systemctl start stockgate-edge")]
    except StatusError as error:
        return None, [Fault("bad", "agent", str(error))]


def _config_faults(path: Path) -> Iterator[Fault]:
    for finding in check.examine(path).findings:
        severity: Severity = "bad" if finding.severity == "error" else "see to"
        yield Fault(severity, f"configuration {finding.key}".strip(), finding.what, finding.do or f"change {path}")


def _own_look(folder: Path) -> Iterator[Fault]:
    seen = look_at(folder if folder.exists() else folder.parent, outbox_file=OUTBOX_FILE)
    yield from machine_faults(seen)
    yield from clock_notes(seen)


def _trial_faults(path: Path, status: AgentStatus | None) -> Iterator[Fault]:
    """Yield that a trial of a pushed configuration was never ended; of one that goes on the agent tells itself."""
    try:
        left = TrialFiles(path).is_open()
    except OSError:
        return  # told by whoever reads the configuration
    if not left or (status is not None and status.trial is not None):
        return
    back = f"the next start goes back to what lies in {path.name}.before"
    if status is None:
        what = f"the agent ended while a pushed configuration was on trial: {back}"
        yield Fault("see to", "configuration", what, "start it: the centre is told; push it again if it is wanted")
        return
    what = f"the trial of a pushed configuration is over, and the disk could not take that: {back}"
    do = f"free or mend the disk, then restart the agent; to keep what lies in {path.name}, reload the agent instead"
    yield Fault("see to", "configuration", what, do)


def _clock_faults(now_s: float) -> Iterator[Fault]:
    if now_s < BUILT:
        year = time.gmtime(now_s).tm_year
        do = "let it reach a time server (timedatectl)"
        yield Fault("bad", "clock", f"this machine believes that it is {year}", do)


def _broker_faults(config: settings.EdgeConfig, base: Path, timeout_s: float) -> Iterable[Fault]:
    knobs = settings.uplink_settings(config, base=base)
    try:
        tried = try_broker(knobs, client_id=f"stockgate-{config.gateway}-doctor", timeout_s=timeout_s)
    except UplinkSettingsError as error:
        return [Fault("bad", "broker", str(error))]
    address = parse_url(knobs.url)
    name = f"broker {address.host}:{address.port}"
    found = [Fault("bad", name, tried.what, tried.do)] if tried.step else []
    return [*found, *_own_certificate(knobs.certificate_file, time.time())]


def _own_certificate(file: Path | None, now_s: float) -> Iterator[Fault]:
    if file is not None:
        with suppress(UplinkSettingsError):  # told where it is loaded
            yield from certificate_faults((runs_out(file).timestamp() - now_s) / DAY_S)
