"""Is each doorway watched? Told from what the readers say; a gap begins at the last proof of life. Pure."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from structlog.typing import FilteringBoundLogger

from edge.config import EdgeConfig
from edge.contracts import MAX_GAPS, AntennaHealth, CoverageGap, PortalHealth, ReaderHealth, instant, instant_us

WatchState = Literal["watching", "partial", "dark"]

_BLIND: Final = frozenset({"fault"})
_DOUBTED: Final = frozenset({"fault", "silent"})


@dataclass(frozen=True, slots=True)
class Doorway:
    """A portal and the antennas that watch it: reader and port."""

    id: str
    antennas: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A doorway's state became another one."""

    portal: str
    before: WatchState
    now: PortalHealth


@dataclass(frozen=True, slots=True)
class _Blindness:
    """Why an antenna sees nothing, and since when; `sure` is False where it may only have nothing to see."""

    since_us: int
    reason: str
    sure: bool


def doorways(config: EdgeConfig) -> tuple[Doorway, ...]:
    """Return the configured portals."""
    return tuple(
        Doorway(portal.id, tuple((antenna.reader, antenna.port) for antenna in portal.antennas))
        for portal in config.portals
    )


class Coverage:
    """All doorways of one agent.

    Args:
        portals: the doorways.
        now_us: when the agent started: until a reader is in session nothing is watched.
    """

    def __init__(self, portals: Sequence[Doorway], *, now_us: int) -> None:
        self._portals = tuple(portals)
        self._states = {
            portal.id: PortalHealth(id=portal.id, state="dark", since=instant(now_us), reason="the agent starts")
            for portal in portals
        }
        self._closed: deque[CoverageGap] = deque(maxlen=MAX_GAPS)

    def look(self, readers: Sequence[ReaderHealth], now_us: int) -> list[Change]:
        """Take what the readers say now; return the doorways whose state changed."""
        by_id = {reader.id: reader for reader in readers}
        changes = []
        for portal in self._portals:
            before = self._states[portal.id]
            after = _judge(portal, by_id, now_us)
            if after.state == before.state:
                self._states[portal.id] = PortalHealth(
                    id=portal.id, state=before.state, since=before.since, reason=after.reason
                )
                continue
            after = self._not_before(before, after)
            self._close(before, after)
            self._states[portal.id] = after
            changes.append(Change(portal.id, before.state, after))
        return changes

    def portals(self) -> list[PortalHealth]:
        """Return all doorways as last judged."""
        return [self._states[portal.id] for portal in self._portals]

    def gaps(self) -> list[CoverageGap]:
        """Return the newest gaps, those that last among them, in the order in which they began."""
        lasting = [_gap(state, None) for state in self._states.values() if state.state != "watching"]
        found = [*self._closed, *(gap for gap in lasting if gap is not None)]
        return sorted(found, key=lambda gap: gap.from_)[-MAX_GAPS:]

    def _not_before(self, before: PortalHealth, after: PortalHealth) -> PortalHealth:
        """A state begins at the earliest with the one before it: proofs of life may be older than that."""
        since = max(before.since, after.since)
        return PortalHealth(id=after.id, state=after.state, since=since, reason=after.reason)

    def _close(self, before: PortalHealth, after: PortalHealth) -> None:
        gap = _gap(before, after)
        if gap is not None:
            self._closed.append(gap)


def tell_doorway(change: Change, log: FilteringBoundLogger) -> None:
    """Tell once that a doorway is not watched, or not whole, and once that it is again."""
    if change.now.state == "watching":
        log.info("portal is watched", portal=change.portal, since=change.now.since)
    else:
        words = "portal is dark" if change.now.state == "dark" else "portal is partly blind"
        log.warning(words, portal=change.portal, since=change.now.since, reason=change.now.reason)


def _gap(state: PortalHealth, until: PortalHealth | None) -> CoverageGap | None:
    if state.state == "watching":
        return None
    to = None if until is None else until.since
    return CoverageGap(portal=state.id, state=state.state, from_=state.since, to=to, reason=state.reason)


def _judge(portal: Doorway, readers: Mapping[str, ReaderHealth], now_us: int) -> PortalHealth:
    blind, seeing_us = [], []
    for name, port in portal.antennas:
        reader = readers.get(name)
        antenna = None if reader is None else _antenna(reader, port)
        found = _blindness(name, port, reader, antenna, now_us)
        if found is not None:
            blind.append(found)
        elif reader is not None:
            # A session that has just begun still holds what its antennas were like before it.
            since = [reader.since, antenna.since if antenna is not None else None]
            seeing_us.append(max((instant_us(one) for one in since if one is not None), default=now_us))
    if not blind:
        return PortalHealth(id=portal.id, state="watching", since=instant(max(seeing_us, default=now_us)))
    reason = "; ".join(dict.fromkeys(one.reason for one in blind))[:500]
    if len(blind) == len(portal.antennas) and all(one.sure for one in blind):
        since_us = max(one.since_us for one in blind)
        return PortalHealth(id=portal.id, state="dark", since=instant(since_us), reason=reason)
    since_us = min(one.since_us for one in blind)
    return PortalHealth(id=portal.id, state="partial", since=instant(since_us), reason=reason)


def _blindness(
    name: str, port: int, reader: ReaderHealth | None, antenna: AntennaHealth | None, now_us: int
) -> _Blindness | None:
    if reader is None:
        return _Blindness(now_us, f"reader {name} is not there", sure=True)
    if reader.state != "connected":
        words = "is being dialled" if reader.state == "connecting" else "is lost"
        return _Blindness(_since_us(reader.since, now_us), f"reader {name} {words}", sure=True)
    if reader.busy_since is not None:
        return _Blindness(instant_us(reader.busy_since), f"reader {name} {reader.busy}", sure=True)
    if antenna is None or antenna.state not in _DOUBTED:
        return None
    since_us = _since_us(antenna.since, now_us)
    return _Blindness(since_us, f"antenna {port} of {name}: {antenna.reason}", sure=antenna.state in _BLIND)


def _antenna(reader: ReaderHealth, port: int) -> AntennaHealth | None:
    return next((antenna for antenna in reader.antennas if antenna.port == port), None)


def _since_us(since: str | None, now_us: int) -> int:
    return now_us if since is None else instant_us(since)
