"""The one way in for access events: badges go to the windows, doors forced or held open become sensor rows.

What is refused is counted, and told once until something good comes from the same side again. Persons are never logged.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.access.errors import AccessError
from edge.access.events import AccessEvent, parse_events
from edge.contracts import SensorRow, instant

CONTROLLER: Final = "access"
"""The `reader` of rows that a controller told; the central makes each an alert of its own."""
RATE_PER_S: Final = 20
BURST: Final = 200
"""A full lift shows its badges within seconds, and a controller that comes back tells what it kept."""


@dataclass(slots=True)
class AccessCounters:
    """Counts since the start.

    Attributes:
        badges: badges taken.
        doors: doors forced or held open, as controllers told.
        refused: messages of which nothing was taken.
        flooded: those of them that were refused since too many came.
    """

    badges: int = 0
    doors: int = 0
    refused: int = 0
    flooded: int = 0


class AccessDesk:
    """All calls belong on the event loop.

    Args:
        portals: those of this gateway.
        badge: takes portal, person and time, UTC microseconds.
        note: takes a row for the log.
        now_us: the host's clock.
        steady_us: a clock that no one sets.
        log: logger.
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
    ) -> None:
        self._portals, self._badge, self._note = frozenset(portals), badge, note
        self._now_us, self._steady_us, self._log = now_us, steady_us, log
        self._tokens, self._filled_us = float(BURST), steady_us()
        self._told: set[str] = set()
        self.counters = AccessCounters()

    def take(self, payload: bytes, source: str) -> int:
        """Take what `source` sent and return how many events it was; `AccessError` if nothing of it was taken."""
        try:
            events = parse_events(payload, portals=self._portals, now_us=self._now_us())
            self._admit(len(events))
        except AccessError as error:
            self.refuse(str(error), source)
            raise
        for event in events:
            self._take(event)
        if source in self._told:
            self._told.discard(source)
            self._log.info("access events are understood again", source=source)
        return len(events)

    def refuse(self, problem: str, source: str) -> None:
        """Count something that can't be taken, and tell of the first."""
        self.counters.refused += 1
        if source not in self._told:
            self._told.add(source)
            self._log.warning("access events are refused", source=source, problem=problem)

    def _take(self, event: AccessEvent) -> None:
        if event.kind == "badge":
            self.counters.badges += 1
            self._badge(event.portal, event.person, event.at_us)
            return
        self.counters.doors += 1
        at = instant(event.at_us)
        self._note(SensorRow(seq=0, reader=CONTROLLER, gpi=1, kind=event.kind, state=True, at=at, portal=event.portal))

    def _admit(self, count: int) -> None:
        now_us = self._steady_us()
        self._tokens = min(BURST, self._tokens + (now_us - self._filled_us) * RATE_PER_S / 1e6)
        self._filled_us = now_us
        if count > self._tokens:
            self.counters.flooded += 1
            raise AccessError(f"too many events: no more than {RATE_PER_S} a second are taken, send them again later")
        self._tokens -= count
