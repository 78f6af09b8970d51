"""What is not as it should be with a running agent and its machine, in plain words and with what to do. Pure."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from msgspec import UNSET

from edge.agent.at_the_door import AtTheDoor, counts
from edge.agent.fitness import OnTrial
from edge.agent.machine import Machine
from edge.agent.status_socket import AgentStatus
from edge.contracts import Health, ReaderHealth, instant_us

Severity = Literal["bad", "see to", "note"]

HEARD_S: Final = 15.0
"""The central speaks every two seconds to each gateway that it knows, and the broker keeps the last word."""
LAG_S: Final = 60.0
"""An event waits for a second or two where the central is there."""
OLD_BACKLOG_S: Final = 86_400.0
"""After a day somebody should have looked: the centre knows nothing of what went through the door since."""
MIB: Final = 1024 * 1024
FULL_BYTES: Final = 16 * MIB
"""With less than this SQLite's log soon finds no room, and events wait in memory."""
NEARLY_FULL_BYTES: Final = 256 * MIB
HOT_CELSIUS: Final = 80.0
"""A Raspberry Pi 4 and 5 begin to throttle here."""
WARM_CELSIUS: Final = 70.0
CLOCK_OFF_S: Final = 60.0
"""Reads are placed in time by the machine's clock; a reader that is a minute off was never given a time server."""
WARN_DAYS: Final = 14.0
HARMLESS: Final = frozenset({"replayed", "unwanted"})
"""Why gate messages are refused where a broker only tells once more what is old."""


class Fault(NamedTuple):
    """One thing: how bad, of what, what is wrong and what to do. A note needs nothing done."""

    severity: Severity
    about: str
    what: str
    do: str = ""

    @property
    def words(self) -> str:
        """In one line."""
        return f"{self.about}: {self.what}: {self.do}" if self.do else f"{self.about}: {self.what}"


def status_faults(status: AgentStatus) -> Iterator[Fault]:
    """Yield what the running agent says that isn't well."""
    for words in status.stuck:
        yield Fault("bad", "agent", words, "restart it: systemctl restart stockgate-edge")
    if status.trial is not None:
        yield Fault("note", "configuration", trial_words(status.trial), "wait, and ask again")
    if status.outbox_problem:
        waits = f"{status.held} events wait in memory"
        yield Fault("bad", "outbox", f"can't be written ({status.outbox_problem}); {waits}", "free or mend the disk")
    if status.set_aside:
        yield Fault(
            "see to",
            "outbox",
            f"{status.set_aside} damaged files were set aside since the start; gap rows say what is lost",
            "check the SD card, and replace it if this happens again",
        )
    for reader in status.health.readers:
        yield from reader_faults(reader)
    yield from _portals(status.health)
    yield from _gate(status.health)
    yield from _door(status.door)
    yield from _uplink(status)
    yield from _streams(status.health)
    if status.kernels.compiled:
        words = f"{status.kernels.compiled} were compiled at the last start, which took {status.kernels.seconds:.0f} s"
        do = "run stockgate-edge warm as the agent's user and with its NUMBA_CACHE_DIR"
        yield Fault("see to", "kernels", words, do)


def trial_words(trial: OnTrial) -> str:
    """Return what is on trial, until when, and what happens then."""
    words = (
        f"pushed and on trial ({trial.changed or 'nothing changed'}): it stays once all is well for "
        f"{trial.steady_s:g} s on end; if that isn't so within {trial.left_s:.0f} s, the one before is taken back"
    )
    return f"{words}; not well yet: {'; '.join(trial.problems)}" if trial.problems else words


def reader_faults(reader: ReaderHealth) -> Iterator[Fault]:
    """Yield what isn't well with one reader and its antennas."""
    name = f"reader {reader.id}"
    if reader.state != "connected":
        # What keeps it away says by itself what to do.
        yield Fault("bad", name, f"is not in session: {reader.problem or 'it is being dialled'}")
        return
    if reader.problem:
        yield Fault("see to", name, reader.problem, "compare the configuration with the reader and its wires")
    if reader.lost_reports:
        yield Fault("see to", name, f"{reader.lost_reports} reports were lost", "look at its network and its load")
    clock = reader.clock
    if clock is not None and clock.source == "reader" and abs(clock.offset_us) > CLOCK_OFF_S * 1e6:
        yield Fault("see to", name, f"its clock is {abs(clock.offset_us) / 1e6:.0f} s off", "give it a time server")
    for antenna in reader.antennas:
        if antenna.state in {"fault", "silent"}:
            do = "screw its cable on at both ends; if it stays, change cable or antenna"
            yield Fault("bad", f"antenna {antenna.port} of {name}", antenna.reason or antenna.state, do)


def machine_faults(machine: Machine) -> Iterator[Fault]:
    """Yield what isn't well with the machine."""
    free = machine.disk_free_bytes
    if machine.read_only:
        do = "remount it for writing; a card that keeps going read-only is worn out: replace it"
        yield Fault("bad", "disk", f"{machine.folder} is read-only", do)
    elif free is not None and free < FULL_BYTES:
        yield Fault("bad", "disk", f"full: {free // MIB} MiB left for {machine.folder}", "free space on it")
    elif free is not None and free < NEARLY_FULL_BYTES:
        yield Fault("see to", "disk", f"nearly full: {free // MIB} MiB left for {machine.folder}", "free space on it")
    if not machine.clock_believed:
        do = "let the machine reach a time server (timedatectl), or give it a clock with a battery"
        yield Fault("bad", "clock", "nothing has set the machine's clock since it started", do)
    celsius = machine.cpu_celsius
    if celsius is not None and celsius >= WARM_CELSIUS:
        severity: Severity = "bad" if celsius >= HOT_CELSIUS else "see to"
        yield Fault(severity, "processor", f"{celsius:.0f} °C", "give it air, or a cooler; it slows down at 80 °C")
    for words in machine.power:
        past = words.endswith("since the start")
        yield Fault(
            "see to" if past else "bad", "power", words, "use the maker's own supply and a short cable; cool the board"
        )


def clock_notes(machine: Machine) -> Iterator[Fault]:
    """Yield what the kernel says of the clock where the agent believes it all the same."""
    if machine.clock_believed and not machine.clock_set:
        what = "the kernel says that nothing synchronises it; in a container or virtual machine its host does"
        yield Fault("note", "clock", what, "on a machine of its own: timedatectl set-ntp true")


def _portals(health: Health) -> Iterator[Fault]:
    for portal in health.portals:
        if portal.state != "watching":
            severity: Severity = "bad" if portal.state == "dark" else "see to"
            words = "is not watched" if portal.state == "dark" else "is not wholly watched"
            yield Fault(severity, f"portal {portal.id}", f"{words} since {portal.since}: {portal.reason}")


def _gate(health: Health) -> Iterator[Fault]:
    gate = health.gate
    do = "see that the central is reached, and that [trust] central_keys has the key that it signs with"
    if gate is UNSET:
        return
    if gate.generation is None:
        yield Fault("see to", "gate", "no verified snapshot is held: every crossing is told as stale", do)
    elif gate.expires_at is not None and instant_us(gate.expires_at) <= instant_us(health.at):
        yield Fault("bad", "gate", f"the snapshot ran out at {gate.expires_at}: crossings are told as stale", do)

    ours = {why: count for why, count in gate.refused.items() if why not in HARMLESS}
    if ours:
        what = f"messages were refused since the start: {counts(ours)}"
        yield Fault(
            "see to", "gate", what, "see who else may publish on the gate's topics; the log has the first of each"
        )


def _door(door: AtTheDoor) -> Iterator[Fault]:
    if door.fire:
        do = "if there is no fire, mend what is wired to it"
        yield Fault("bad", "fire alarm", f"{', '.join(door.fire)} is active: all sirens are muted", do)
    if door.lacks_delta:
        what = "its last changes were lost on the disk and are asked for: what it allows is told as stale until then"
        yield Fault("bad", "gate", what, "see that broker and central are reached, and check the SD card")
    for one in door.access:
        name = f"access events by {one.way}"
        if one.state == "shut":
            yield Fault("bad", name, f"can't be heard: {one.problem}", "badges and forced doors are missed until then")
        elif one.heard_at is None and one.refused:
            what = f"nothing that came was taken: {counts(one.refused)}"
            yield Fault("see to", name, what, "the log says what to change for the first of each")


def _uplink(status: AgentStatus) -> Iterator[Fault]:
    if status.health.uplink == "offline":
        why = status.uplink_problem or "it is being dialled"
        yield Fault("bad", "broker", f"{status.broker} is not reached ({why})", "events are kept until it is back")
    elif status.uplink_failures:
        why = f"connected, but the central isn't heard since {status.uplink_failures} connections"
        yield Fault("see to", "central", why, "see that the central service runs and reads from this broker")
    elif not status.central_heard and status.health.uptime_s > HEARD_S:
        what = f"{status.broker} is reached, but the central has not spoken to us over it"
        me = f"{status.site}/{status.health.gateway}"
        do = f"see that the central service runs, reads from this broker, and has {me} in its registry"
        yield Fault("see to", "central", what, do)
    yield from certificate_faults(status.certificate_days_left)
    if status.certificate_problem:
        what = f"the new certificate isn't used: {status.certificate_problem}"
        yield Fault("see to", "broker", what, "the one before is used until the agent is restarted")


def certificate_faults(days: float | None) -> Iterator[Fault]:
    """Yield that our certificate at the broker runs out, where there is one and it does."""
    if days is not None and days < WARN_DAYS:
        severity: Severity = "bad" if days <= 0 else "see to"
        words = f"our certificate runs out in {days:.0f} days" if days > 0 else "our certificate has run out"
        yield Fault(severity, "broker", words, "put a new one in the place of the old files")


def _streams(health: Health) -> Iterator[Fault]:
    for stream in health.streams:
        yield from backlog_faults(stream.stream, stream.pending, stream.oldest_s, stream.dropped)


def backlog_faults(stream: str, pending: int, oldest_s: float, dropped: int) -> Iterator[Fault]:
    """Yield what isn't well with what waits in a stream of the outbox."""
    if pending and oldest_s > LAG_S:
        severity: Severity = "bad" if oldest_s > OLD_BACKLOG_S else "see to"
        do = "see that broker and central are reached and run; nothing is lost while there is room on the disk"
        yield Fault(severity, "backlog", f"{pending} {stream} rows wait, the oldest for {_age(oldest_s)}", do)
    if dropped:
        do = "look at the centre's gaps; give the outbox more room ([outbox] max_mib) or the centre a better line"
        yield Fault("see to", "outbox", f"{dropped} {stream} rows were dropped or lost; gap rows say which", do)


def _age(seconds: float) -> str:
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * OLD_BACKLOG_S else f"{seconds / OLD_BACKLOG_S:.0f} days"
