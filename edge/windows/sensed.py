"""Door contacts, light beams and badges of a group of readers, as evidence on the time of the reads.

What was told is kept a little longer than the longest visit, and an answer depends only on what had happened by the
instant that is asked about: the same events in the same places of the stream give the same answers.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import BeamWay, Door
from edge.windows.settings import PortalSettings, SensorSettings

KEEP_US: Final = L.VISIT_MAX_US + 60_000_000
"""A visit is cut after ten minutes, and decided within the minute after."""
MOST_CHANGES: Final = 4096
"""Kept of one input: six a second over a whole visit, more than any door or beam gives once it is debounced."""
JOIN_US: Final = 1_500_000
"""Between two beams 0.8 m apart a body of 0.5 m, at 0.3 m/s, breaks neither for a second: that is one passing."""
LOOK_US: Final = 30_000_000
"""A beam that has been broken for longer is blocked: what breaks the other one passes by."""
NEAR_US: Final = 1_500_000
"""A crossing is placed to half a second, and the last of a group follows its trolley by a second."""
CLEAR_US: Final = 4_000_000
"""Few reads place a crossing badly: only where no beam was broken for so long about it was none broken by it."""
BADGE_BEFORE_US: Final = 10_000_000
BADGE_AFTER_US: Final = 5_000_000
"""A badge belongs to a crossing within -10/+5 s of it (contracts: What is an exit)."""

Side = Literal["inside", "outside"]


@dataclass(slots=True)
class Input:
    """One input's changes in time order; `states` says broken or open."""

    times: list[int] = field(default_factory=list)
    states: list[bool] = field(default_factory=list)

    def note(self, at_us: int, *, active: bool) -> bool:
        """Take a change; return False where it says nothing new."""
        place = bisect_right(self.times, at_us)
        if place and self.states[place - 1] == active:
            return False
        self.times.insert(place, at_us)
        self.states.insert(place, active)
        if place + 1 < len(self.states) and self.states[place + 1] == active:
            del self.times[place + 1], self.states[place + 1]
        self._forget(self.times[-1] - KEEP_US)
        return True

    def at(self, at_us: int) -> bool | None:
        """Return the state at an instant, None before anything was told."""
        place = bisect_right(self.times, at_us)
        return self.states[place - 1] if place else None

    def changes(self, after_us: int, until_us: int) -> Iterator[tuple[int, bool]]:
        """Yield the changes after one instant and up to another."""
        for place in range(bisect_right(self.times, after_us), bisect_right(self.times, until_us)):
            yield self.times[place], self.states[place]

    def _forget(self, before_us: int) -> None:
        """Let go of what is older, but for the state that held then."""
        spare = max(bisect_right(self.times, before_us) - 1, len(self.times) - MOST_CHANGES)
        if spare > 0:
            del self.times[:spare], self.states[:spare]


@dataclass(slots=True)
class Passing:
    """Both beams from the first break until neither has been broken for a while."""

    first: Side
    second_us: int | None = None
    last: Side | None = None

    @property
    def way(self) -> BeamWay:
        """Way of the passing: from the beam that was broken first to the one that was clear last."""
        if self.second_us is None:
            return "none"
        if self.last == self.first:
            return "both"
        return "out" if self.first == "inside" else "in"


@dataclass(slots=True)
class Watch:
    """What watches one portal."""

    doors: list[Input] = field(default_factory=list)
    beams: dict[Side, Input] = field(default_factory=dict)
    badges: list[tuple[int, str]] = field(default_factory=list)


class Sensed:
    """The sensors of some portals; portals are meant by their place in the group."""

    def __init__(self, portals: Iterable[PortalSettings], sensors: Iterable[SensorSettings]) -> None:
        self._inputs: dict[tuple[str, int, str], list[tuple[SensorSettings, Input]]] = {}
        self._watches = {portal.id: Watch() for portal in portals}
        self._order = list(self._watches.values())
        for sensor in sensors:
            watch = self._watches.get(sensor.portal)
            if watch is None:
                continue
            mine = Input()
            self._inputs.setdefault((sensor.reader, sensor.gpi, sensor.kind), []).append((sensor, mine))
            if sensor.kind == "door":
                watch.doors.append(mine)
            elif sensor.side is not None:
                watch.beams[sensor.side] = mine

    def watches(self, portal: int) -> bool:
        """Say whether anything was ever told of a portal."""
        watch = self._order[portal]
        return bool(watch.badges) or any(one.times for one in (*watch.doors, *watch.beams.values()))

    def wires(self, reader: str, gpi: int, kind: str) -> bool:
        """Say whether some portal here learns from an input."""
        return (reader, gpi, kind) in self._inputs

    def note(self, reader: str, gpi: int, kind: str, *, state: bool, at_us: int) -> None:
        """Take an input's level."""
        for sensor, one in self._inputs.get((reader, gpi, kind), []):
            one.note(at_us, active=state == sensor.active_high)

    def badge(self, portal: str, person: str, at_us: int) -> None:
        """Take a badge that was shown at a portal."""
        badges = self._watches[portal].badges
        badges.append((at_us, person))
        badges.sort()
        while badges[0][0] < badges[-1][0] - KEEP_US or len(badges) > MOST_CHANGES:
            del badges[0]

    def clear(self) -> None:
        """Forget when things were: the time has begun anew. Levels stay, from ever on."""
        for mine in (one for inputs in self._inputs.values() for _, one in inputs):
            if mine.times:
                mine.times, mine.states = [-L.NEVER_US], mine.states[-1:]
        for watch in self._order:
            watch.badges.clear()

    def door(self, portal: int, start_us: int, end_us: int) -> Door | None:
        """Say what a portal's door was from one instant to another; of several leaves one open is open."""
        doors = self._order[portal].doors
        told = [one.at(start_us) for one in doors]
        changes = [change for one in doors for change in one.changes(start_us, end_us)]
        if not changes:
            return None if all(state is None for state in told) else "open" if any(told) else "shut"
        return "opened" if any(one.at(end_us) for one in doors) else "closed"

    def moves(self, portal: int, start_us: int, end_us: int) -> list[tuple[int, bool]]:
        """Return when a portal's leaves began to open or had shut, in order."""
        doors = self._order[portal].doors
        return sorted(change for one in doors for change in one.changes(start_us, end_us))

    def is_open(self, portal: int, at_us: int) -> bool | None:
        """Say whether a portal's door was open at an instant; None where that isn't known."""
        told = [one.at(at_us) for one in self._order[portal].doors]
        return None if all(state is None for state in told) else any(told)

    def beams(
        self, portal: int, visit: tuple[int, int], near_us: int, now_us: int
    ) -> tuple[BeamWay | None, int | None]:
        """Return in which way the beams were broken nearest to an instant, by what had happened up to another.

        `none` is said only where neither beam, or just one for a moment, was broken for some seconds before and after
        the instant, as far as the visit lasted. None: there are not two beams with an order, one of them hasn't told
        its level yet, or what was broken was not so near to the instant that it must be of it.

        Args:
            portal: place of the portal.
            visit: begin and end of the tag's visit.
            near_us: when it crossed, as far as that is known.
            now_us: what happens later isn't known yet.
        """
        beams = self._order[portal].beams
        if len(beams) < 2:  # noqa: PLR2004 (a way has two ends)
            return None, None
        begin_us = max(visit[0] - NEAR_US, near_us - CLEAR_US)
        end_us = min(now_us, visit[1] + NEAR_US, near_us + CLEAR_US)
        seen = list(_passings(beams, min(begin_us, near_us) - LOOK_US, max(end_us, min(now_us, near_us + NEAR_US))))
        ended = [(abs(one.second_us - near_us), one.second_us, one.way) for one in seen if one.second_us is not None]
        if ended and min(ended)[0] <= NEAR_US:
            _, at_us, way = min(ended)
            return way, at_us
        clear = all(one.at(begin_us) is False and one.at(end_us) is False for one in beams.values())
        both = all(any(state for _, state in one.changes(begin_us, end_us)) for one in beams.values())
        return ("none", None) if clear and not both else (None, None)

    def badges_near(self, portal: int, near_us: int, now_us: int) -> tuple[str, ...] | None:
        """Return the persons whose badges were shown about an instant, the nearest first; None where none ever was.

        All of them: a colleague's badge right after takes nothing from who carries it out.
        """
        badges = self._order[portal].badges
        if not badges:
            return None
        near = [
            (abs(at_us - near_us), person)
            for at_us, person in badges
            if -BADGE_BEFORE_US <= at_us - near_us <= BADGE_AFTER_US and at_us <= now_us
        ]
        return tuple(dict.fromkeys(person for _, person in sorted(near)))


def _passings(beams: dict[Side, Input], begin_us: int, end_us: int) -> Iterator[Passing]:
    """Yield the passings of a stretch in order; a beam that was broken before it is no beginning."""
    broken = {side: beam.at(begin_us) or False for side, beam in beams.items()}
    edges = sorted(
        (at_us, side, state) for side, beam in beams.items() for at_us, state in beam.changes(begin_us, end_us)
    )
    now: Passing | None = None
    clear_us = begin_us
    for at_us, side, state in edges:
        idle = not any(broken.values())
        broken[side] = state
        if state:
            if now is None or (idle and at_us - clear_us > JOIN_US):
                if now is not None:
                    yield now
                now = Passing(side) if idle else None
            elif side != now.first and now.second_us is None:
                now.second_us = at_us
        elif not any(broken.values()):
            clear_us = at_us
            if now is not None:
                now.last = side
    if now is not None:
        yield now
