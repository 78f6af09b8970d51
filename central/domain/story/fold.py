"""The fold: an asset's story is a function of the set of its crossings and acts."""

from central.domain.story.belief import believe, course, doubtful, misread, missed
from central.domain.story.order import in_order
from central.domain.story.records import Story, Told, World
from central.domain.story.routes import Routes
from central.domain.story.transit import follow


def fold(told: Told, world: World, routes: Routes) -> Story:
    """Return the story; order and repetition in `told` change nothing. `routes` are those of `world`, made once."""
    items = in_order(told.crossings, told.acts)
    likeliest = course(items, routes)
    legs, findings = follow(items, likeliest.steps, world, told.permits)
    return Story(
        belief=believe(likeliest),
        legs=legs,
        missed=missed(likeliest.steps),
        misread=misread(likeliest.steps),
        findings=(*findings, *doubtful(likeliest)),
    )
