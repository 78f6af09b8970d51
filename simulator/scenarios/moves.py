"""The parts of a scenario that move or are carried: tags, routes, walks, badges, traffic, load and faults."""

from collections import Counter
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simulator.faults import checked, checked_action
from simulator.scenarios.space import (
    MOST_TAGS,
    Coordinate,
    Duration,
    Identifier,
    Moment,
    Part,
    Place,
    Point,
    TagNumbers,
)

Carry = Literal["none", "hand", "face-to-face", "backpack", "foil-bag", "cart", "pallet", "arm", "dragged"]
Share = Annotated[float, Field(ge=0, le=1)]
Speed = Annotated[float, Field(ge=0.05, le=10)]
Stop = tuple[Coordinate, Coordinate, Moment]
"""A point of a route, and seconds of standing there."""


class TagsPart(Part):
    """Tags, numbered from 1: the EPC is the prefix and the number in hexadecimal."""

    epc_prefix: str = Field(pattern=r"^([0-9a-f]{2})+$", max_length=108, description="First bytes of every EPC.")
    number_bytes: int = Field(1, ge=1, le=8, description="Bytes of the number behind the prefix.")
    count: int = Field(0, ge=0, le=MOST_TAGS, description="How many tags there are.")
    loss_db: float = Field(9.0, ge=0, le=40, description="What a laptop takes from a label on it, one way, on average.")
    loss_spread_db: float = Field(1.5, ge=0, le=10, description="Standard deviation of that loss from tag to tag.")
    sensitivity_dbm: float = Field(-20.0, ge=-30, le=0, description="Power that wakes a tag.")
    dead_share: Share = Field(0.0, description="Share of tags that are never readable, drawn by the seed.")
    authorised: TagNumbers = Field((), description="Tags that may leave: for whoever judges alarms by the truth.")

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        needed = (self.count.bit_length() + 7) // 8
        if needed > self.number_bytes:
            raise ValueError(
                f"count = {self.count} doesn't fit number_bytes = {self.number_bytes}: say number_bytes = {needed}"
            )
        return self


class TagTypePart(Part):
    """Tags that differ from the others."""

    tags: TagNumbers = Field(min_length=1, description="Which.")
    loss_db: float | None = Field(None, ge=0, le=40, description="What label and object take, one way.")
    sensitivity_dbm: float | None = Field(None, ge=-30, le=0, description="Power that wakes it.")
    mount: Literal["label", "label-on-metal", "on-metal"] = Field(
        "label", description="A plain label on metal is dead; a tag made for metal is fine on one side only."
    )
    dead: bool = Field(default=False, description="Never readable at all.")


class ResidentPart(Part):
    """A tag that lies in range and never moves."""

    tag: int = Field(ge=1, description="The tag's number.")
    portal: Identifier = Field(description="The portal in whose frame the position is.")
    position: Point = Field(description="Metres in the portal's frame.")
    extra_loss_db: float = Field(0.0, ge=-20, le=40, description="What shelf and neighbours take, one way.")
    from_s: Moment = Field(0.0, description="From when on it is there: a lift's doors open.")
    to_s: Duration | None = Field(None, description="Until when; left out: to the end.")


class CornerPart(Part):
    """One point of a route, in long form."""

    x: Coordinate = Field(description="Metres.")
    y: Coordinate = Field(description="Metres.")
    z: Coordinate = Field(0.0, description="Height of the floor there, metres: a lift moves.")
    pause_s: Moment = Field(0.0, description="How long the walker stands there.")
    speed_mps: Speed | None = Field(None, description="Speed from here on; left out: as before.")


def _stand(point: Place | Stop | CornerPart) -> tuple[Point, float]:
    """Where a point is, and for how long somebody stands there."""
    if isinstance(point, CornerPart):
        return (point.x, point.y, point.z), point.pause_s
    x, y, pause_s = (*point, 0.0)[:3]
    return (x, y, 0.0), pause_s


class RoutePart(Part):
    """A path through or past one doorway, or over the site."""

    id: Identifier = Field(description="The route's name.")
    portal: Identifier | None = Field(
        None, description="The doorway in whose frame the points are; left out: the site's."
    )
    points: tuple[Place | Stop | CornerPart, ...] = Field(
        min_length=2, description="x, y and, as a third number, seconds of standing there; or the long form."
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        for place, (before, after) in enumerate(pairwise(map(_stand, self.points)), start=1):
            if before[0] == after[0] and not before[1] and not after[1]:
                raise ValueError(
                    f"points {place} and {place + 1} of route {self.id} are the same, with nothing between: leave one "
                    "out, or give one a third number, seconds of standing there"
                )
        return self


class WalkPart(Part):
    """Somebody or something takes a route, with tags or without."""

    id: Identifier | None = Field(
        None, description="Its name, which is the group in the truth; left out: walk-<place>."
    )
    at_s: Moment = Field(description="Start, in seconds of the scenario or of its cycle.")
    route: Identifier = Field(description="The route's name.")
    reverse: bool = Field(default=False, description="Walk it from its last point to its first.")
    tags: TagNumbers = Field((), description='Tags that are carried: numbers, or spans such as "11..60".')
    peeled: TagNumbers = Field((), description="Assets that are carried without their tags, which stay where they are.")
    speed_mps: Speed = Field(1.2, description="Speed.")
    hesitation: Share = Field(0.0, description="Chance a metre of a short stop, drawn by the seed.")
    carry: Carry = Field(
        "hand",
        description="none: a walker alone. hand: under an arm. face-to-face: under an arm, lids together. backpack: "
        "against the back. foil-bag: in metal. cart: pushed, in rows. pallet: on a forklift, in layers. arm: a hand "
        "alone reaches or passes on. dragged: along the floor.",
    )
    height_m: float | None = Field(None, ge=0, le=5, description="Height of the tags; left out: as carried.")
    lies: Literal["never", "before", "after", "both"] = Field(
        "never",
        description="Whether the tags lie at the route's ends before and after, instead of being out of the world.",
    )

    @field_validator("tags")
    @classmethod
    def _each_once(cls, tags: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(tags)) < len(tags):
            twice, _ = Counter(tags).most_common(1)[0]
            raise ValueError(f"tag {twice} is given twice: a walk carries each tag once")
        return tags


class BadgePart(Part):
    """Somebody shows a badge at a portal."""

    at_s: Moment = Field(description="When, in seconds of the scenario or of its cycle.")
    portal: Identifier = Field(description="Where.")
    person: Identifier = Field(description="Whose badge it is.")


class TrafficPart(Part):
    """A working day drawn by the seed: people who walk, carry, stop, turn back and pass by, at all portals."""

    seconds: Duration = Field(28_800.0, description="How long it lasts.")
    people: int = Field(ge=1, le=10_000, description="Who works there.")
    trips_per_person: float = Field(6.0, gt=0, le=200, description="Walks of each, on average.")
    carrying: Share = Field(0.3, description="Share of the walks that carry tags.")
    group_share: Share = Field(0.3, description="Share of those that carry several.")
    group_max: int = Field(12, ge=2, le=500, description="How many at most.")
    turning_back: Share = Field(0.05, description="Share that turn back at the doorway.")
    passing_by: Share = Field(0.2, description="Share that only pass by.")
    stopping: Share = Field(0.03, description="Share that stop in the doorway for 5 to 60 s.")
    speeds_mps: tuple[Speed, Speed] = Field((0.6, 1.8), description="Slowest and fastest.")
    tags: TagNumbers = Field(
        min_length=1, description="Tags that are carried; each is on one side of each door at a time."
    )

    @model_validator(mode="after")
    def _slowest_first(self) -> Self:
        if self.speeds_mps[0] > self.speeds_mps[1]:
            raise ValueError(f"speeds_mps = {list(self.speeds_mps)}: write the slowest first")
        return self


class CrowdPart(Part):
    """Tags that pass one antenna once and never come again: load, without the cost of radio physics."""

    reader: Identifier = Field(description="The reader that hears them.")
    port: int = Field(1, ge=1, le=4, description="Its antenna.")
    portal: Identifier = Field(description="The portal that the passes belong to.")
    passes_per_s: float = Field(200.0, gt=0, le=5000, description="New tags a second.")
    reads_per_pass: int = Field(10, ge=1, le=1000, description="Reads of each.")
    pass_s: float = Field(0.5, gt=0, le=60, description="How long each is heard.")


class FaultPart(Part):
    """A reader misbehaves for a while."""

    reader: Identifier = Field(description="The reader.")
    at_s: Moment = Field(description="From when on, in seconds of the scenario.")
    for_s: Duration | None = Field(None, description="For how long; left out: to the end.")
    switches: dict[str, Any] = Field({}, description="What it does meanwhile, by the names in the table of switches.")
    actions: dict[str, dict[str, Any]] = Field(
        {},
        description="What happens once, at `at_s`, by the names in the table of actions, such as `drop = {}`.",
    )

    @field_validator("switches")
    @classmethod
    def _are_switches(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {switch: checked(switch, value) for switch, value in given.items()}

    @field_validator("actions")
    @classmethod
    def _are_actions(cls, given: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {action: checked_action(action, arguments) for action, arguments in given.items()}

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.switches and not self.actions:
            raise ValueError("a fault needs switches or actions")
        return self
