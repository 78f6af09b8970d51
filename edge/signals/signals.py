"""All outputs of a gateway: what the gate decided, whether doors are watched, and whether there is a fire alarm."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.contracts import PortalHealth, ReaderHealth
from edge.readers.outputs import OutputPort
from edge.signals.acting import Alarm, Alive
from edge.signals.driver import Driver
from edge.signals.latency import Latency
from edge.signals.lost import LostReaders
from edge.signals.rules import Mode, OutputRule, Verdict

FRESH_US: Final = 10_000_000
"""What comes later was kept in a reader: who is told of it at the door has long gone (contracts: What is an exit)."""


@dataclass(slots=True)
class SignalsCounters:
    """Counts since the start.

    Attributes:
        acted: verdicts that switched something on, or kept it on.
        buffered: verdicts that came too late to be shown.
        muted: times that something would have sounded but for a fire alarm or quiet hours.
        gone: times that a lost reader was sounded for.
        failures: times that a device could not be switched.
    """

    acted: int = 0
    buffered: int = 0
    muted: int = 0
    gone: int = 0
    failures: int = 0


class Signals:
    """The gate's way to lights and sirens; all calls belong on the event loop that `run` runs on.

    Order: outputs are driven independently, each in the order of its calls. Loss: a verdict that can't be shown since
    the device is away is tried for as long as it would have been shown.

    Args:
        rules: the outputs.
        ports: by device, what gives the outputs of its session.
        serving: by portal, the readers that serve it.
        now_us: the host's clock, UTC.
        steady_us: a clock that no one sets.
        local: local time of an instant of the host's clock; None while that clock can't be believed, then no hour is
            quiet.
        fires: fire alarm inputs that were active when the agent ended: the last word of a lost device holds.
        keep_fires: told of the active ones whenever they are others.
        log: logger.
    """

    def __init__(
        self,
        rules: Sequence[OutputRule],
        ports: Mapping[str, Callable[[], OutputPort]],
        *,
        serving: Mapping[str, Sequence[str]],
        now_us: Callable[[], int],
        steady_us: Callable[[], int],
        local: Callable[[int], datetime | None],
        log: FilteringBoundLogger,
        fires: Iterable[tuple[str, int]] = (),
        keep_fires: Callable[[Collection[tuple[str, int]]], None] = lambda _: None,
    ) -> None:
        self._now_us, self._steady_us, self._local, self._log = now_us, steady_us, local, log
        self._serving = serving
        self._counters = SignalsCounters()
        self.latency = Latency()
        """From a verdict to the device's word that the light is on."""
        self._fires, self._keep_fires = set(fires), keep_fires
        if self._fires:
            log.warning("there was a fire alarm when the agent ended: sirens stay muted", inputs=sorted(self._fires))
        self._alarms: list[tuple[Alarm, Driver]] = []
        self._alive: list[tuple[Alive, Driver]] = []
        self._lost = LostReaders()
        for rule in rules:
            self._add(rule, ports[rule.device])

    @property
    def counters(self) -> SignalsCounters:
        """Return the counts as of now."""
        self._counters.failures = sum(driver.failures for driver in self._drivers)
        return self._counters

    async def run(self) -> None:
        """Drive the outputs until cancelled; what is on then is switched off."""
        async with asyncio.TaskGroup() as group:
            for driver in self._drivers:
                group.create_task(driver.run(), name=driver.rule.name)
            await asyncio.Event().wait()

    def judged(
        self, portal: str, verdict: Verdict, crossed_at_us: int, arrived_at_us: int, mode: Mode
    ) -> int | None:  # fmt: skip
        """Show a verdict if the portal's mode is `alarm` and the reads are fresh; returns at once.

        Returns:
            when the outputs were told, UTC microseconds, None where none was; `latency` counts how long they took.
        """
        if mode != "alarm":
            return None
        if arrived_at_us - crossed_at_us > FRESH_US:
            self._counters.buffered += 1
            return None
        told = [
            self._call(alarm, driver)
            for alarm, driver in self._alarms
            if driver.rule.portal == portal and driver.rule.kind != "gone" and verdict in driver.rule.verdicts
        ]
        if not any(told):
            return None
        self._counters.acted += 1
        return self._now_us()

    def would_show(self, portal: str, verdict: Verdict) -> tuple[list[str], list[str]]:
        """Return the outputs that a verdict would switch on now in the mode `alarm`, and those that are muted."""
        shown, muted = list[str](), list[str]()
        for _, driver in self._alarms:
            rule = driver.rule
            if rule.portal == portal and rule.kind != "gone" and verdict in rule.verdicts:
                (muted if self._mutes(rule) else shown).append(f"{rule.kind}, {rule.name}")
        return shown, muted

    def fire(self, device: str, gpi: int, *, active: bool) -> None:
        """Take a fire alarm input: while one is active nothing sounds, and what was called meanwhile stays silent."""
        if ((device, gpi) in self._fires) == active:
            return
        before = bool(self._fires)
        (self._fires.add if active else self._fires.discard)((device, gpi))
        self._keep_fires(self._fires)
        if before == bool(self._fires):
            return
        if self._fires:
            self._log.warning("fire alarm: all sirens of this gateway are muted", device=device, gpi=gpi)
            now_us = self._steady_us()
            for alarm, driver in self._alarms:
                if driver.rule.sounds:
                    alarm.hush(now_us)
                    driver.hush()
        else:
            self._log.info("fire alarm is over: sirens may sound again", device=device, gpi=gpi)

    @property
    def fires(self) -> list[tuple[str, int]]:
        """Return the fire alarm inputs that are active, each a device and its input."""
        return sorted(self._fires)

    @property
    def on_fire(self) -> bool:
        """Whether a fire alarm input is active."""
        return bool(self._fires)

    def drives(self, device: str, output: int) -> bool:
        """Whether an output is one of the gate's lights and sirens."""
        return any(driver.is_for(device, output) for driver in self._drivers)

    def refusal(self, device: str, output: int, *, on: bool) -> str:
        """Return in words why a person may not switch an output now, "" where that may be."""
        now_us = self._steady_us()
        mine = [(alarm, driver) for alarm, driver in self._alarms if driver.is_for(device, output)]
        if on and self.on_fire and any(driver.rule.sounds for _, driver in mine):
            return "is a siren, and there is a fire alarm: wait until it is over"
        if any(alarm.runs(now_us) for alarm, _ in mine):
            return "shows an alarm now: wait until it is over"
        return ""

    def lend(self, device: str, output: int, on_ms: int) -> None:
        """Take it that a person's pulse begins on an output: whoever drives it takes over after it."""
        for driver in self._drivers:
            if driver.is_for(device, output):
                driver.lend(on_ms)

    def look(self, readers: Sequence[ReaderHealth], portals: Sequence[PortalHealth]) -> None:
        """Take how readers and doorways are, some times a second."""
        now_us = self._steady_us()
        states = {portal.id: portal.state for portal in portals}
        for alive, driver in self._alive:
            if alive.look(states.get(driver.rule.portal, "dark"), now_us):
                driver.wake()
        lost = self._lost.look(readers, now_us)
        for alarm, driver in self._alarms:
            mine = driver.rule.kind == "gone" and lost.intersection(self._serving.get(driver.rule.portal, ()))
            if mine and self._call(alarm, driver):
                self._counters.gone += 1
                self._log.warning("a lost reader is sounded for", portal=driver.rule.portal, readers=sorted(mine))

    def _call(self, alarm: Alarm, driver: Driver) -> bool:
        """Switch one on; return whether that may be."""
        if self._mutes(driver.rule):
            self._counters.muted += 1
            return False
        now_us = self._steady_us()
        alarm.call(now_us)
        driver.wake(now_us)
        return True

    def _mutes(self, rule: OutputRule) -> bool:
        return rule.sounds and (bool(self._fires) or self._quiet(rule))

    def _quiet(self, rule: OutputRule) -> bool:
        if not rule.quiet:
            return False
        local = self._local(self._now_us())
        return local is not None and any(span.holds(60 * local.hour + local.minute) for span in rule.quiet)

    def _add(self, rule: OutputRule, port: Callable[[], OutputPort]) -> None:
        def drive(acting: Alarm | Alive) -> Driver:
            lit = self.latency.note if rule.kind == "light" else _ignore
            return Driver(rule, acting, port, steady_us=self._steady_us, lit=lit, log=self._log)

        if rule.kind == "alive":
            alive = Alive()
            self._alive.append((alive, drive(alive)))
        else:
            alarm = Alarm(rule.pattern, rule.seconds)
            self._alarms.append((alarm, drive(alarm)))

    @property
    def _drivers(self) -> list[Driver]:
        return [driver for _, driver in (*self._alarms, *self._alive)]


def _ignore(_seconds: float) -> None:
    """Only lights are measured."""
