"""The fold: an asset's story is a function of the set of its crossings, hearings and acts."""

from central.domain.story.absence import doubted, unfound
from central.domain.story.belief import Course, believe, believed, course, doubtful, misread, missed
from central.domain.story.findings import findings
from central.domain.story.order import Item, in_order
from central.domain.story.records import Belief, Checkpoint, Crossing, Story, Told, Transits, World
from central.domain.story.routes import Routes
from central.domain.story.transit import follow

_NOTHING = Transits()


def fold(told: Told, world: World, routes: Routes) -> Story:
    """Return the story; order and repetition in `told` change nothing. `routes` are those of `world`, made once.

    From a checkpoint on, `missed` and `misread` tell only what came out after it; all else is told in full.
    """
    begin = told.begin
    before = begin.belief if begin is not None else None
    items = in_order(told.crossings, told.acts, told.heard, begin)
    likeliest = course(items, routes, begin)
    mark = likeliest.mark.items if likeliest.mark is not None else None
    stood = begin.transits if begin is not None else _NOTHING
    transits, marked = follow(items, likeliest.steps, world, told.permits, begin=stood, mark=mark)
    belief = believe(likeliest, before)
    missed_by = unfound(items, likeliest.steps, begin.missed if begin is not None else None)
    return Story(
        belief=doubted(belief, missed_by),
        legs=transits.legs,
        missed=missed(likeliest.steps),
        misread=misread(likeliest.steps),
        findings=(*findings(transits, world), *doubtful(likeliest, belief)),
        checkpoint=_checkpoint(items, likeliest, before, marked, begin),
    )


def _checkpoint(
    items: list[Item], done: Course, before: Belief | None, transits: Transits, begin: Checkpoint | None
) -> Checkpoint | None:
    """Return the newest point from which the story may be told on; none if a clock that wasn't set comes after it."""
    if done.mark is None:
        return begin
    if any(isinstance(one, Crossing) and not one.synced for one in items[done.mark.items :]):
        return None
    settled = items[: done.mark.items]
    last = next((one for one in reversed(settled) if isinstance(one, Crossing)), begin.last if begin else None)
    belief = believed(done.steps[: done.mark.steps], before)
    missed_by = unfound(settled, done.steps[: done.mark.steps], begin.missed if begin is not None else None)
    return Checkpoint(settled[-1].at, belief, done.mark.coarse, last, transits, missed_by)
