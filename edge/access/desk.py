"""The one way in for access events: badges go to the windows, doors forced or held open become sensor rows.

What is refused is counted by kind, and each kind told once until something good comes from the same side again. Persons
are never logged.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.access.errors import AccessError, Refusal
from edge.access.events import AccessEvent, parse_events
from edge.contracts import SensorRow, instant

CONTROLLER: Final = "access"
"""The `reader` of rows that a controller told; the central makes each an alert of its own."""
RATE_PER_S: Final = 20
BURST: Final = 200
"""A full lift shows its badges within seconds, and a controller that comes back tells what it kept."""
FLOOD_OVER_US: Final = 60_000_000
"""A flood is over once nothing was refused for it for so long: while it lasts an event gets in now and then."""
OF_STRANGERS: Final[frozenset[Refusal]] = frozenset({"stranger", "crowded", "broken"})
"""Somebody else's doing: a good event of the controller doesn't end it."""
TELL_AGAIN_US: Final = 600_000_000
"""What strangers do is told again once it has rested for so long."""


@dataclass(slots=True)
class AccessCounters:
    """Counts since the start.

    Attributes:
        badges: badges taken.
        doors: doors forced or held open, as controllers told.
        refused: messages and connections of which nothing was taken, by source and why.
        heard_us: when something was taken last, by source, UTC microseconds.
    """

    badges: int = 0
    doors: int = 0
    refused: dict[tuple[str, Refusal], int] = field(default_factory=dict)
    heard_us: dict[str, int] = field(default_factory=dict)

    def refused_by(self, source: str) -> dict[str, int]:
        """Return what one source was refused, by why."""
        return {why: count for (who, why), count in self.refused.items() if who == source}


class AccessDesk:
    """All calls belong on the event loop.

    Args:
        portals: those of this gateway.
        badge: takes portal, person and time, UTC microseconds.
        note: takes a row for the log.
        now_us: the host's clock.
        steady_us: a clock that no one sets.
        log: logger.
        believed: tells whether the host's clock was set.
    """

    def __init__(
        self,
        portals: Collection[str],
        *,
        badge: Callable[[str, str, int], None],
        note: Callable[[SensorRow], None],
        now_us: Callable[[], int],
        steady_us: Callable[[], int],
        log: FilteringBoundLogger,
        believed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._believed = believed
        self._portals, self._badge, self._note = frozenset(portals), badge, note
        self._now_us, self._steady_us, self._log = now_us, steady_us, log
        self._left: dict[tuple[str, bool], tuple[float, int]] = {}
        self._told: dict[tuple[str, Refusal], int] = {}
        self.counters = AccessCounters()

    def take(self, payload: bytes, source: str) -> int:
        """Take what `source` sent and return how many events it was; `AccessError` if nothing of it was taken."""
        try:
            events = parse_events(payload, portals=self._portals, now_us=self._now_us(), believed=self._believed())
            self._admit(source, events)
        except AccessError as error:
            self.refuse(error, source)
            raise
        for event in events:
            self._take(event)
        self.counters.heard_us[source] = self._now_us()
        over = [told for told, at_us in self._told.items() if told[0] == source and self._is_over(told[1], at_us)]
        for told in over:
            del self._told[told]
        if over:
            self._log.info("access events are understood again", source=source)
        return len(events)

    def refuse(self, error: AccessError, source: str) -> None:
        """Count something that can't be taken, and tell of the first of its kind."""
        kind, now_us = (source, error.why), self._steady_us()
        self.counters.refused[kind] = self.counters.refused.get(kind, 0) + 1
        before_us = self._told.get(kind)
        self._told[kind] = now_us
        if before_us is None or (error.why in OF_STRANGERS and now_us - before_us > TELL_AGAIN_US):
            words = "access events are refused; more of this kind are only counted"
            self._log.warning(words, source=source, why=error.why, problem=str(error))

    def _take(self, event: AccessEvent) -> None:
        if event.kind == "badge":
            self.counters.badges += 1
            self._badge(event.portal, event.person, event.at_us)
            return
        self.counters.doors += 1
        at = instant(event.at_us)
        self._note(SensorRow(seq=0, reader=CONTROLLER, gpi=1, kind=event.kind, state=True, at=at, portal=event.portal))

    def _is_over(self, why: Refusal, at_us: int) -> bool:
        """Tell whether a good event ends what was refused last at an instant."""
        if why == "flood":
            return self._steady_us() - at_us > FLOOD_OVER_US
        return why not in OF_STRANGERS

    def _admit(self, source: str, events: Collection[AccessEvent]) -> None:
        """Take so many from each source, and doors beside badges: a mad badge reader hides no door that was forced."""
        now_us = self._steady_us()
        doors = sum(event.kind != "badge" for event in events)
        left: dict[tuple[str, bool], tuple[float, int]] = {}
        for kind, count in (((source, True), doors), ((source, False), len(events) - doors)):
            before, filled_us = self._left.get(kind, (float(BURST), now_us))
            tokens = min(BURST, before + (now_us - filled_us) * RATE_PER_S / 1e6)
            if count > tokens:
                what = "doors" if kind[1] else "badges"
                words = f"too many {what}: no more than {RATE_PER_S} a second are taken, send them again later"
                raise AccessError(words, "flood")
            left[kind] = (tokens - count, now_us)
        self._left |= left
