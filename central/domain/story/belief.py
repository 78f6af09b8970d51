"""Where an asset is: the likeliest course through all that was seen and said of it.

After each crossing the asset is beyond the door, or (read the wrong way round) before it, or (no crossing at all) where
it was. Each has a likelihood, times that of the way from where it was before; the likeliest course (Viterbi) is the
belief, and what it takes for granted are missed crossings and misread ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from central.domain.story.order import Item
from central.domain.story.records import Act, Basis, Belief, Crossing, Finding, Misread, Missed
from central.domain.story.routes import HERE, Routes, Way

CERTAIN: Final = 0.95
"""A place less likely than this is in doubt."""
BELIEVED: Final = frozenset({"seen", "dispatch_scanned", "receipt_scanned"})
"""Acts by which somebody saw the asset at a location."""
_WRONG_SCAN: Final = 0.0002
_LEAST_DOUBT: Final = 0.0005
_WRONG_WAY, _NO_CROSSING = 0.3, 0.7
"""How the doubt in a crossing divides: gone the other way, or turned back at the door."""
_KEPT: Final = 4
"""Places that are followed; the fifth likeliest has never come back."""

Reading = Literal["placed", "seen", "straight", "wrong_way", "no_crossing"]


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
    step: Step
    before: "_State | None"


@dataclass(frozen=True, slots=True)
class Course:
    """The likeliest course, and how likely its end is against the other ends."""

    steps: tuple[Step, ...]
    likelihood: float = 0.0
    rival: Step | None = None
    """The likeliest other end."""


def course(items: Iterable[Item], routes: Routes) -> Course:
    """Return the likeliest course through items in their order.

    What the book says may be coarse: an asset recorded in a building may be in any of its rooms until something saw it.
    """
    states: list[_State] = []
    coarse = False
    for item in items:
        if isinstance(item, Crossing):
            states = _cross(states, item, routes, coarse=coarse)
            coarse = False
        elif item.kind == "placed" and item.location is not None:
            states, coarse = [_place(states, item, item.location)], True
        elif item.kind in BELIEVED and item.location is not None:
            states, coarse = _see(states, item, item.location, routes, coarse=coarse), False
    return _best(states)


def _place(states: Sequence[_State], act: Act, location: str) -> _State:
    last = states[0] if states else None
    return _State(1.0, Step(act, "placed", last.step.place if last else None, location), last)


def _see(states: Sequence[_State], act: Act, location: str, routes: Routes, *, coarse: bool) -> list[_State]:
    found: dict[str, _State] = {}
    for last in states:
        way = _way(routes, last.step.place, location, coarse=coarse)
        _keep(found, last, Step(act, "seen", last.step.place, location, way), way.likelihood * (1 - _WRONG_SCAN))
        _keep(found, last, Step(act, "no_crossing", last.step.place, last.step.place), _WRONG_SCAN)
    return _pruned(found) or [_State(1.0, Step(act, "seen", None, location), None)]


def _cross(states: Sequence[_State], one: Crossing, routes: Routes, *, coarse: bool) -> list[_State]:
    doubt = max(_LEAST_DOUBT, (1 - one.confidence) ** 2)
    found: dict[str, _State] = {}
    for last in states:
        place = last.step.place
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


def _way(routes: Routes, origin: str, destination: str, *, coarse: bool) -> Way:
    return HERE if coarse and routes.within(destination, origin) else routes.way(origin, destination)


def _start(found: dict[str, _State], step: Step, likelihood: float) -> None:
    found[step.place] = _State(likelihood, step, None)


def _keep(found: dict[str, _State], last: _State, step: Step, likelihood: float) -> None:
    """Keep the likeliest way to each place; of equals the first, so that the order of states decides, not chance."""
    likelihood *= last.likelihood
    known = found.get(step.place)
    if known is None or likelihood > known.likelihood:
        found[step.place] = _State(likelihood, step, last)


def _pruned(found: dict[str, _State]) -> list[_State]:
    """Order states by likelihood and scale them, so that long logs don't vanish."""
    ordered = sorted(found.values(), key=lambda state: (-state.likelihood, state.step.place))[:_KEPT]
    total = sum(state.likelihood for state in ordered)
    return [_State(state.likelihood / total, state.step, state.before) for state in ordered]


def _best(states: Sequence[_State]) -> Course:
    if not states:
        return Course(())
    steps: list[Step] = []
    state: _State | None = states[0]
    while state is not None:
        steps.append(state.step)
        state = state.before
    return Course(tuple(reversed(steps)), states[0].likelihood, states[1].step if len(states) > 1 else None)


def believe(done: Course) -> Belief | None:
    """Return where the course ends, since when, and what speaks against it."""
    if not done.steps:
        return None
    last = done.steps[-1]
    arrival = next((step for step in reversed(done.steps) if step.reading != "no_crossing"), last)
    doubt = _doubt(done, last) if done.likelihood < CERTAIN else None
    told = arrival.item.confidence if isinstance(arrival.item, Crossing) else 1.0
    confidence = told if doubt is None else min(told, done.likelihood)
    passage = arrival.item.passage if isinstance(arrival.item, Crossing) else None
    return Belief(arrival.place, arrival.item.at, confidence, _basis(arrival), passage, doubt)


def _basis(step: Step) -> Basis:
    if step.reading == "placed":
        return "recorded"
    return "observed" if step.reading in {"straight", "seen"} and step.unseen.free else "inferred"


def _doubt(done: Course, last: Step) -> str:
    other = f" or it is in {done.rival.place}" if done.rival is not None else ""
    if isinstance(last.item, Act):
        return f"Seen in {last.item.location}, where no door saw it go{other}."
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


def doubtful(done: Course) -> Iterable[Finding]:
    """Yield that the place is in doubt, if it is."""
    belief = believe(done)
    if belief is not None and belief.doubt is not None:
        yield Finding("location_doubtful", belief.place, done.steps[-1].item.at, {"why": belief.doubt})


def missed(steps: Iterable[Step]) -> tuple[Missed, ...]:
    """Return each door's share in the crossings that the course takes to have been missed."""
    return tuple(Missed(portal, step.item.at, share) for step in steps for portal, share in step.unseen.shares)


def misread(steps: Iterable[Step]) -> tuple[Misread, ...]:
    """Return the crossings that the course doesn't take at their word."""
    return tuple(
        Misread(step.item.portal, step.item.at, step.item.passage, step.reading)
        for step in steps
        if isinstance(step.item, Crossing) and step.reading in {"wrong_way", "no_crossing"}
    )
