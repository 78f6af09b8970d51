"""An asset's story: where it is held to be, what is on its way, and which doors must have missed it.

`fold` makes it from the set of the asset's final crossings, hearings and acts, in whatever order they come and however
often.
No clock, no I/O, no errors: what contradicts itself is a finding.
"""

from central.domain.story.fold import fold
from central.domain.story.hearing import Heard
from central.domain.story.records import (
    Act,
    Belief,
    Checkpoint,
    Crossing,
    Due,
    Finding,
    Gap,
    Leg,
    Misread,
    Missed,
    Story,
    Told,
    World,
)
from central.domain.story.routes import Routes

__all__ = [
    "Act",
    "Belief",
    "Checkpoint",
    "Crossing",
    "Due",
    "Finding",
    "Gap",
    "Heard",
    "Leg",
    "Misread",
    "Missed",
    "Routes",
    "Story",
    "Told",
    "World",
    "fold",
]
