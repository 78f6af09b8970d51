"""What a signed count didn't find: it moves nothing and leaves the place in doubt until something sees the asset."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from central.domain.story.belief import STAYS, Step
from central.domain.story.order import Item
from central.domain.story.records import MISSED, Act, Belief

UNFOUND: Final = 0.5
"""Confidence, at most, of a place that was searched in vain: it is there and was overlooked, or it isn't."""


def unfound(items: Iterable[Item], steps: Iterable[Step], before: Act | None) -> Act | None:
    """Return the newest miss since which nothing saw or heard the asset; `before` is the one that stood before them."""
    seen = {id(step.item) for step in steps if step.reading not in STAYS}
    missed = before
    for item in items:
        if isinstance(item, Act) and item.kind == MISSED:
            missed = item
        elif id(item) in seen:
            missed = None
    return missed


def doubted(belief: Belief | None, missed: Act | None) -> Belief | None:
    """Return a belief as a miss in its very place leaves it."""
    if belief is None or missed is None or missed.location != belief.place:
        return belief
    told = f"Not found in {belief.place} by signed {(missed.subject or 'count').replace('/', ' ')}"
    doubt = f"{told}. {belief.doubt}" if belief.doubt else f"{told}: it was overlooked there, or it is elsewhere."
    return replace(belief, confidence=min(belief.confidence, UNFOUND), doubt=doubt)
