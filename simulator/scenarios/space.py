"""The parts of a scenario that stand: walls, doors, shelves, doorways, readers and sensors."""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simulator.server.profiles import model_of

LONGEST_S: Final = 2_678_400
"""31 days: no scenario, and no moment in one, is longer."""
MOST_TAGS: Final = 100_000
Coordinate = Annotated[float, Field(ge=-10_000, le=10_000)]
Moment = Annotated[float, Field(ge=0, le=LONGEST_S)]
Duration = Annotated[float, Field(gt=0, le=LONGEST_S)]
Degrees = Annotated[float, Field(ge=-360, le=360)]
Point = tuple[Coordinate, Coordinate, Coordinate]
Place = tuple[Coordinate, Coordinate]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Layout = Literal["two-sided", "one-sided", "overhead", "corners", "two-readers", "beam", "single"]


def _numbers(given: object) -> object:
    """Numbers and spans such as "11..60" as a flat tuple."""
    if isinstance(given, str | int):
        given = (given,)
    if not isinstance(given, list | tuple):
        return given
    numbers: list[object] = []
    for part in given:
        numbers += _span(part)
        if len(numbers) > MOST_TAGS:
            raise ValueError(f"{given[-1]!r}: so many tags there can't be: a list names {MOST_TAGS:,} at most")
    return tuple(numbers)


def _span(part: object) -> Iterable[object]:
    if not isinstance(part, str):
        return (part,)
    first, dots, last = part.partition("..")
    if not (dots and _is_number(first) and _is_number(last)) or int(first) > int(last):
        raise ValueError(f'{part!r} is no span of tags; write a number, or first and last such as "11..60"')
    if int(last) - int(first) >= MOST_TAGS:
        raise ValueError(f"{part!r} is too long a span of tags: {MOST_TAGS:,} at most")
    return range(int(first), int(last) + 1)


def _is_number(text: str) -> bool:
    """Whether it is a number of few enough digits to be a tag's."""
    return re.fullmatch(r"\s*[0-9]{1,12}\s*", text) is not None


TagNumbers = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_numbers)]
"""Numbers of tags; in TOML a number, a span such as "11..60", or a list of both."""


class Part(BaseModel):
    """Common to all parts: frozen; a key that isn't known is an error, and so is a number that isn't finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SitePart(Part):
    """The radio that the whole site has in common."""

    environment: Literal["office", "warehouse", "open"] = Field(
        "office", description="Sets the three figures below: how fast power falls, how much is scattered, the floor."
    )
    path_exponent: float | None = Field(
        None, ge=1.5, le=4, description="How fast power falls with distance; 2 is free."
    )
    rician_k_db: float | None = Field(None, ge=-10, le=30, description="Direct against scattered power, in sight.")
    ground_reflection: float | None = Field(None, ge=0, le=1, description="Amplitude that the floor reflects.")


class GatewayPart(Part):
    """One edge gateway; without any, all readers belong to `sim-1` of site `sim`."""

    id: Identifier = Field(description="The gateway's name.")
    site: Identifier = Field("sim", description="The site that it stands in.")


class AntennaPart(Part):
    """One antenna of a reader."""

    port: int = Field(ge=1, le=16, description="LLRP antenna port.")
    portal: Identifier = Field(description="The portal in whose frame position and aim are given.")
    position: Point = Field(description="Metres in the portal's frame: x outwards, y along the wall, z up.")
    aim: Point = Field(description="A point that the antenna looks at, in the portal's frame.")
    side: Literal["inside", "outside"] | None = Field(
        None, description="Its side of the plane, for the agent; left out: as its position says."
    )
    gain_dbi: float = Field(6.0, ge=-10, le=15, description="Gain in boresight.")
    beam_deg: float = Field(70.0, ge=20, le=180, description="Half-power beam width.")
    polarisation: Literal["circular", "vertical", "horizontal"] = Field("circular", description="How its field turns.")
    cable_loss_db: float = Field(2.0, ge=0, le=20, description="Loss of its cable, each way.")


class ReaderPart(Part):
    """One LLRP reader."""

    id: Identifier = Field(description="The reader's name, as in the agent's configuration.")
    gateway: Identifier | None = Field(None, description="The gateway that drives it; left out: the first one.")
    model: str = Field("impinj/speedway", description="What kind of reader it plays: a profile of firmware_profiles/.")
    region: Literal["fcc", "etsi"] = Field("fcc", description="50 hopping channels, or 4 fixed ones.")
    power_dbm: float = Field(30.0, ge=0, le=33, description="Transmit power where the client sets none.")
    antennas: tuple[AntennaPart, ...] = Field(min_length=1, max_length=16, description="Antennas in use.")

    @model_validator(mode="after")
    def _is_a_model_with_these_ports(self) -> Self:
        model_of(self.model, self.region, ports=max(antenna.port for antenna in self.antennas))
        return self


class DoorwayPart(Part):
    """A way through a wall; its own frame has the plane at x = 0 and the outside at x > 0."""

    id: Identifier = Field(description="Its name; a portal's is the same as in the agent's configuration.")
    at: Place = Field((0.0, 0.0), description="Where the middle of the doorway is on the site, metres.")
    facing_deg: Degrees = Field(0.0, description="Direction of its outside on the site, counter-clockwise from +x.")
    width_m: float = Field(1.2, gt=0, le=20, description="Width of the opening.")
    inside: Identifier = Field("inside", description="The location on its inner side.")
    outside: Identifier = Field("outside", description="The location on its outer side.")


class PortalPart(DoorwayPart):
    """A doorway with antennas."""

    layout: Layout = Field(
        "two-sided", description="How its antennas stand; single can't tell a direction: all is near."
    )


class OpeningPart(DoorwayPart):
    """A doorway without antennas: what crosses it is in the truth, and nobody hears it."""


class WallPart(Part):
    """A wall along points of the site; every doorway within 0.3 m of it leaves its width open."""

    points: tuple[Place, ...] = Field(min_length=2, description="Metres on the site.")
    material: Literal["drywall", "glass", "brick", "concrete", "metal"] = Field(
        "drywall", description="What it takes from a ray: 3, 3, 6, 12 or 40 dB."
    )
    height_m: float = Field(3.0, gt=0, le=20, description="Its height.")


class DoorPart(Part):
    """The door in a doorway: one leaf or two, hinged at the opening's sides."""

    id: Identifier = Field(description="The door's name.")
    doorway: Identifier = Field(description="The portal or opening that it shuts.")
    leaves: Literal[1, 2] = Field(1, description="One leaf, hinged at the opening's left as seen from outside, or two.")
    material: Literal["metal", "wood", "glass"] = Field(
        "metal", description="Metal shadows and mirrors, the others less."
    )
    swings: Literal["in", "out"] = Field("in", description="To which side it opens.")
    opens: Literal["for-walkers", "always", "never"] | tuple[tuple[Moment, Moment], ...] = Field(
        "for-walkers",
        description="Opened by who comes near, propped open, shut; or spans in seconds, such as [[10.0, 7210.0]].",
    )
    opening_s: float = Field(1.0, gt=0, le=30, description="How long a leaf takes for its quarter turn.")
    angle_deg: float = Field(90.0, gt=0, le=180, description="How far it opens; ajar is a small angle.")


class ShelfPart(Part):
    """A shelf with tags in rows; it stands in the way of rays as its material says."""

    id: Identifier = Field(description="The shelf's name.")
    portal: Identifier | None = Field(None, description="The doorway in whose frame `at` is; left out: the site's.")
    at: Place = Field(description="Its middle.")
    size: Place = Field(
        (0.5, 2.0),
        description="Along x and along y, metres; its back panel stands in the middle, along the longer side.",
    )
    height_m: float = Field(2.0, gt=0, le=10, description="Its height.")
    levels: int = Field(4, ge=1, le=20, description="Boards on which tags lie.")
    material: Literal["metal", "wood"] = Field(
        "metal", description="Metal takes 15 dB from a ray through its back panel, wood 3."
    )
    tags: TagNumbers = Field((), description='Tags that lie on it, as numbers or as spans such as "11..60".')
    extra_loss_db: float = Field(0.0, ge=-20, le=40, description="What neighbours take from each tag, one way.")


class SensorPart(Part):
    """A light beam, motion sensor, door contact or badge reader wired to a reader's input."""

    id: Identifier = Field(description="The sensor's name.")
    kind: Literal["beam", "motion", "contact", "badge"] = Field(
        description="A beam is broken by what crosses it, motion sees walkers, a contact follows its door, a badge "
        "reader gives a pulse of half a second."
    )
    portal: Identifier = Field(description="The portal that it belongs to.")
    reader: Identifier = Field(description="The reader that it is wired to.")
    gpi: int = Field(ge=1, le=16, description="The input.")
    x_m: Coordinate = Field(0.0, description="A beam's place across the doorway, in the portal's frame.")
    range_m: float = Field(2.5, gt=0, le=20, description="How far from the doorway motion is seen.")
    door: Identifier | None = Field(None, description="The door whose contact it is; needed for a contact.")
    active_high: bool = Field(default=True, description="The input's level while broken, moving, open or badged.")
    reads_s: float | None = Field(
        None,
        ge=0.1,
        le=3600,
        description="Its reader reads only for so long after it was broken, moved, opened or badged; left out: always.",
    )
