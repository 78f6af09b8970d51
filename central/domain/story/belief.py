"""Where an asset is: the likeliest course through all that was seen and said of it.

After each crossing the asset is beyond the door, or (read the wrong way round) before it, or (no crossing at all) where
it was; after a hearing it is in that room, or (heard through the wall) where it was. Each has a likelihood, times that
of the way from where it was before; the likeliest course (Viterbi) is the belief, and what it takes for granted are
missed crossings and misread ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from central.domain.story.hearing import Heard
from central.domain.story.order import Item
from central.domain.story.records import VERIFIED, Act, Basis, Belief, Checkpoint, Crossing, Finding, Misread, Missed
from central.domain.story.routes import HERE, Routes, Way

CERTAIN: Final = 0.95
"""A place less likely than this is in doubt."""
_WRONG_SCAN: Final = 0.0002
_LEAST_DOUBT: Final = 0.0005
_WRONG_WAY, _NO_CROSSING = 0.3, 0.7
"""How the doubt in a crossing divides: gone the other way, or turned back at the door."""
SETTLED_AFTER: Final = 64
"""Items after which a course may be settled: a long log needn't be folded from its beginning each time."""
_SETTLED_BY: Final = 256
_SURE: Final = 0.99
_KEPT: Final = 4
"""Places that are followed; the fifth likeliest has never come back."""

Reading = Literal["placed", "seen", "heard", "straight", "wrong_way", "no_crossing", "stray"]
STAYS: Final = frozenset({"no_crossing", "stray"})
"""Readings by which the asset is where it was."""


@dataclass(frozen=True, slots=True)
class Step:
    """One item of the likeliest course: from where to where it took the asset, and by which unseen way before that."""

    item: Item
    reading: Reading
    before: str | None
    place: str
    unseen: Way = HERE

    @property
    def moved(self) -> bool:
        """Whether the place changed."""
        return self.before != self.place


class _State(NamedTuple):
    likelihood: float
    place: str
    step: Step | None
    before: "_State | None"


class Mark(NamedTuple):
    """A point of a course that is settled: so many items and so many steps lie before it."""

    items: int
    steps: int
    coarse: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The likeliest course, and how likely its end is against the other ends. `mark` is the last settled point."""

    steps: tuple[Step, ...]
    likelihood: float = 1.0
    rival: str | None = None
    """The likeliest other end."""
    mark: Mark | None = None


def course(items: Sequence[Item], routes: Routes, begin: Checkpoint | None = None) -> Course:
    """Return the likeliest course through items in their order, from a checkpoint on.

    What the book says may be coarse: an asset recorded in a building may be in any of its rooms until something saw it.
    Now and then, where the place is as good as certain, the course is settled: what comes later changes nothing before.
    """
    place = begin.belief.place if begin is not None and begin.belief is not None else None
    states = [] if place is None else [_State(1.0, place, None, None)]
    coarse = begin is not None and begin.coarse
    mark, settled, steps = None, 0, 0
    for number, item in enumerate(items):
        if number - settled >= SETTLED_AFTER and items[number - 1].at < item.at and _sure(states, number - settled):
            states, settled = [state._replace(likelihood=1.0) for state in states[:1]], number
            mark = Mark(number, steps, coarse)
        moved = _take(states, item, routes.at(item.at), coarse=coarse)
        if moved:
            coarse = _coarse(states, moved, item) if coarse else isinstance(item, Act) and item.kind == "placed"
            states, steps = moved, steps + 1
    return _best(states, mark)


def _coarse(before: Sequence[_State], after: Sequence[_State], item: Item) -> bool:
    """Tell whether a place that only the book named is still no finer: not once something saw or heard it in a part."""
    if isinstance(item, Heard) or (isinstance(item, Act) and item.kind == VERIFIED):
        return before[0].place == after[0].place
    return isinstance(item, Act) and item.kind == "placed"


def _sure(states: Sequence[_State], waited: int) -> bool:
    return not states or states[0].likelihood >= _SURE or waited >= _SETTLED_BY


def _take(states: Sequence[_State], item: Item, routes: Routes, *, coarse: bool) -> list[_State]:
    """Return the states after an item; none where it says nothing about the place."""
    if isinstance(item, Crossing):
        return _cross(states, item, routes, coarse=coarse)
    if isinstance(item, Heard):
        return _hear(states, item, routes, coarse=coarse)
    if item.location is None:
        return []
    if item.kind == "placed":
        return [_place(states, item, item.location)]
    return _see(states, item, item.location, routes, coarse=coarse) if item.believed else []


def _place(states: Sequence[_State], act: Act, location: str) -> _State:
    last = states[0] if states else None
    return _State(1.0, location, Step(act, "placed", last.place if last else None, location), last)


def _see(states: Sequence[_State], act: Act, location: str, routes: Routes, *, coarse: bool) -> list[_State]:
    """Take a sighting; a verification in a place around that where the asset is held to be says that it is there."""
    found: dict[str, _State] = {}
    for last in states:
        if act.kind == VERIFIED and routes.within(last.place, location):
            _keep(found, last, Step(act, "seen", last.place, last.place), 1 - _WRONG_SCAN)
            continue
        way = _way(routes, last.place, location, coarse=coarse)
        _keep(found, last, Step(act, "seen", last.place, location, way), way.likelihood * (1 - _WRONG_SCAN))
        _keep(found, last, Step(act, "no_crossing", last.place, last.place), _WRONG_SCAN)
    return _pruned(found) or [_State(1.0, location, Step(act, "seen", None, location), None)]


def _hear(states: Sequence[_State], one: Heard, routes: Routes, *, coarse: bool) -> list[_State]:
    """Take a hearing; a room within the place that was heard stays what it is, and says as much."""
    if one.stray >= 1:
        return []
    found: dict[str, _State] = {}
    for last in states:
        if routes.within(last.place, one.location):
            _keep(found, last, Step(one, "heard", last.place, last.place), 1 - one.stray)
            continue
        way = _way(routes, last.place, one.location, coarse=coarse)
        _keep(found, last, Step(one, "heard", last.place, one.location, way), way.likelihood * (1 - one.stray))
        _keep(found, last, Step(one, "stray", last.place, last.place), one.stray)
    return _pruned(found) or [_State(1.0, one.location, Step(one, "heard", None, one.location), None)]


def _cross(states: Sequence[_State], one: Crossing, routes: Routes, *, coarse: bool) -> list[_State]:
    doubt = 1 - sure_of(one.confidence)
    found: dict[str, _State] = {}
    for last in states:
        place = last.place
        to_origin = _way(routes, place, one.origin, coarse=coarse)
        to_other = _way(routes, place, one.destination, coarse=coarse)
        straight = Step(one, "straight", place, one.destination, to_origin)
        _keep(found, last, straight, to_origin.likelihood * (1 - doubt))
        wrong = Step(one, "wrong_way", place, one.origin, to_other)
        _keep(found, last, wrong, to_other.likelihood * doubt * _WRONG_WAY)
        _keep(found, last, Step(one, "no_crossing", place, place), doubt * _NO_CROSSING)
    if states:
        return _pruned(found)
    _start(found, Step(one, "straight", None, one.destination), 1 - doubt)
    _start(found, Step(one, "wrong_way", None, one.origin), doubt)
    return _pruned(found)


def sure_of(confidence: float) -> float:
    """Return how likely (0 to 1) what a door is so sure of is so: its doubt counts squared, and never for nothing."""
    return 1 - max(_LEAST_DOUBT, (1 - confidence) ** 2)


def _way(routes: Routes, origin: str, destination: str, *, coarse: bool) -> Way:
    return HERE if coarse and routes.within(destination, origin) else routes.way(origin, destination)


def _start(found: dict[str, _State], step: Step, likelihood: float) -> None:
    found[step.place] = _State(likelihood, step.place, step, None)


def _keep(found: dict[str, _State], last: _State, step: Step, likelihood: float) -> None:
    """Keep the likeliest way to each place; of equals the first, so that the order of states decides, not chance."""
    likelihood *= last.likelihood
    known = found.get(step.place)
    if known is None or likelihood > known.likelihood:
        found[step.place] = _State(likelihood, step.place, step, last)


def _pruned(found: dict[str, _State]) -> list[_State]:
    """Order states by likelihood and scale them, so that long logs don't vanish."""
    ordered = sorted(found.values(), key=lambda state: (-state.likelihood, state.place))[:_KEPT]
    total = sum(state.likelihood for state in ordered)
    return [_State(likelihood / total, place, step, before) for likelihood, place, step, before in ordered]


def _best(states: Sequence[_State], mark: Mark | None) -> Course:
    if not states:
        return Course((), mark=mark)
    steps: list[Step] = []
    state: _State | None = states[0]
    while state is not None and state.step is not None:
        steps.append(state.step)
        state = state.before
    rival = states[1].place if len(states) > 1 else None
    return Course(tuple(reversed(steps)), states[0].likelihood, rival, mark)


def believe(done: Course, before: Belief | None = None) -> Belief | None:
    """Return where the course ends, since when, and what speaks against it; `before` is what a checkpoint believed."""
    belief = believed(done.steps, before)
    if belief is None or not done.steps or done.likelihood >= CERTAIN:
        return belief
    confidence = min(belief.confidence, done.likelihood)
    return replace(belief, confidence=confidence, doubt=_doubt(done, done.steps[-1]))


def believed(steps: Sequence[Step], before: Belief | None) -> Belief | None:
    """Return the place to which steps lead, doubt apart."""
    arrival = next((step for step in reversed(steps) if _arrives(step)), None)
    if arrival is None:
        return before
    item, basis = arrival.item, _basis(arrival)
    if isinstance(item, Crossing):
        return Belief(arrival.place, item.at, item.confidence, basis, item.passage)
    confidence = 1.0 - item.stray if isinstance(item, Heard) else 1.0
    return Belief(arrival.place, item.at, confidence, basis)


def _arrives(step: Step) -> bool:
    """Tell whether a step says since when the asset is where it is; who confirms where it was already doesn't."""
    confirms = step.reading == "heard" or (isinstance(step.item, Act) and step.item.confirms)
    return step.reading not in STAYS and (step.moved or not confirms)


def _basis(step: Step) -> Basis:
    if step.reading == "placed":
        return "recorded"
    return "observed" if step.reading in {"straight", "seen", "heard"} and step.unseen.free else "inferred"


def _doubt(done: Course, last: Step) -> str:
    other = f" or it is in {done.rival}" if done.rival is not None else ""
    if isinstance(last.item, Act):
        return f"Seen in {last.item.location}, where no door saw it go{other}."
    if isinstance(last.item, Heard):
        return _doubt_of_hearing(last, last.item, other)
    door = last.item.portal
    if last.before == last.item.destination:
        return f"Crossed {door} to {last.item.destination} twice in a row: a way back was missed{other}."
    if last.reading == "no_crossing":
        return f"Seen at {door}, too far from {last.place} to be believed{other}."
    if not last.unseen.free:
        return (
            f"Crossed {door} from {last.item.origin}, believed in {last.before} until then: doors were missed{other}."
        )
    return f"The crossing of {door} is uncertain{other}."


def _doubt_of_hearing(last: Step, heard: Heard, other: str) -> str:
    if last.reading == "stray":
        return f"Heard in {heard.location}, maybe through the wall of {last.place}{other}."
    if last.moved:
        return f"Heard in {heard.location} for the first time, where no door saw it go{other}."
    return f"Heard in {heard.location}, which doesn't settle what was in doubt{other}."


def doubtful(done: Course, belief: Belief | None) -> Iterable[Finding]:
    """Yield that the place is in doubt, if it is."""
    if belief is not None and belief.doubt is not None:
        yield Finding("location_doubtful", belief.place, done.steps[-1].item.at, {"why": belief.doubt})


def missed(steps: Iterable[Step]) -> tuple[Missed, ...]:
    """Return each door's share in the crossings that the course takes to have been missed."""
    return tuple(
        Missed(portal, step.item.at, share)
        for step in steps
        if not _is_carried(step)
        for portal, share in step.unseen.shares
    )


def misread(steps: Iterable[Step]) -> tuple[Misread, ...]:
    """Return the crossings that the course doesn't take at their word."""
    return tuple(
        Misread(step.item.portal, step.item.at, step.item.passage, step.reading)
        for step in steps
        if isinstance(step.item, Crossing) and step.reading in {"wrong_way", "no_crossing"} and not step.item.carried
    )


def _is_carried(step: Step) -> bool:
    return isinstance(step.item, Crossing) and step.item.carried
