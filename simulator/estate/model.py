"""An estate's scenario as data: one TOML file, which its keys' descriptions explain."""

import tomllib
from datetime import datetime
from importlib import resources
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Rate = Annotated[float, Field(ge=0.0)]


class EstateError(Exception):
    """A scenario that can't be played; the message says which, and what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlacePart(_Part):
    """Sites and what they are made of."""

    sites: int = Field(6, ge=2, le=12, description="Sites, in the regions of three countries in turn.")
    two_buildings: Share = Field(0.34, description="Share of sites that have a second building.")
    zone_readers: Share = Field(0.7, description="Share of stockrooms and labs whose shelves have readers.")
    sweeps: Share = Field(0.6, description="Share of floors that are swept.")
    second_door: Share = Field(0.4, description="Share of stockrooms with a second portal.")
    hatch: Share = Field(0.3, description="Share of stockrooms with an opening that nothing watches.")


class HabitPart(_Part):
    """What people do."""

    carriers: int = Field(400, ge=0, description="Laptops that are carried in and out on a standing authorisation.")
    movers: int = Field(1600, ge=0, description="Other assets that move at least once in every 30 days.")
    carry_days: Share = Field(0.6, description="Share of working days on which a carrier is at the office.")
    extra_moves: Rate = Field(0.5, description="Mean of a mover's further moves in 30 days.")
    rest_moves: Rate = Field(0.02, description="Mean of any other asset's moves in 30 days.")
    manifest: int = Field(12, ge=1, le=40, description="Most assets of a transfer.")
    approved_late: Share = Field(0.03, description="Share of exits whose approval is recorded only afterwards.")
    forgotten: Share = Field(0.01, description="Share of exits that nobody approves, without anything bad in mind.")
    bypass: Share = Field(0.005, description="Share of walks through an unwatched opening where there is one.")
    never_sent: Share = Field(0.05, description="Share of approved transfers that never leave.")
    came_back: Share = Field(0.04, description="Share of transfers that come back to the same site within the hour.")
    misdirected: Share = Field(0.04, description="Share of transfers that arrive at a wrong building.")
    left_behind: Share = Field(0.08, description="Share of a manifest's assets that stay where they were.")
    receipts_scanned: Share = Field(0.2, description="Share of receipts that are scanned by hand too.")
    thefts: Rate = Field(15, description="Thefts in 30 days.")
    dead_tags: Share = Field(0.0002, description="Share of tags that die in 30 days.")


class DoorPart(_Part):
    """How well doors see."""

    read: tuple[Share, Share] = Field((0.7, 1.0), description="Each portal's read probability lies between these.")
    wrong_way: Share = Field(0.002, description="Share of read crossings that are called the other way.")
    misjudged: Share = Field(0.004, description="Share of read crossings that are called near or turned back.")
    unresolved: Share = Field(0.008, description="Share of read crossings that are left undecided.")
    phantom: Share = Field(0.0005, description="Share of visits without a crossing that are called one.")
    visits: Rate = Field(4.0, description="Visits without a crossing, a portal and day.")
    provisional: Share = Field(0.6, description="Share of passages that are told early.")
    contradicted: Share = Field(0.006, description="Share of early words that the last word takes back.")


class FaultPart(_Part):
    """What fails."""

    reader_down: Rate = Field(2.0, description="Times in 30 days that a portal, or a zone, is not watched.")
    reader_down_h: float = Field(1.5, gt=0.0, description="Median of how long, in hours.")
    offline: Rate = Field(1.5, description="Times in 30 days that a gateway has no network.")
    offline_h: float = Field(2.0, gt=0.0, description="Median of how long, in hours.")
    duplicated: Share = Field(0.02, description="Share of envelopes that come twice.")
    delayed: Share = Field(0.01, description="Share of envelopes that others overtake.")
    new_epoch: Share = Field(0.1, description="Share of gateways whose outbox is made anew once.")


class ZonePart(_Part):
    """How well shelves and sweeps see."""

    span_h: int = Field(4, ge=1, le=24, description="Length of a shelf reader's span, in hours.")
    sweep_days: int = Field(7, ge=1, description="Days between two sweeps of a floor.")
    shadowed: Share = Field(0.05, description="Share of tags that lie badly: read with 0.3 to 0.8 a span.")
    middling: Share = Field(0.15, description="Share of tags that are read with 0.8 to 0.97 a span.")


class EstateScenario(_Part):
    """A whole scenario."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$", description="Its name.")
    seed: int = Field(ge=0, description="Seed of everything random.")
    start: AwareDatetime = Field(description="When it begins; a Monday's midnight UTC reads best.")
    days: int = Field(ge=1, le=400, description="How long it lasts.")
    assets: int = Field(ge=50, le=2_000_000, description="Assets in all.")
    places: PlacePart = Field(default_factory=lambda: PlacePart.model_validate({}))
    habits: HabitPart = Field(default_factory=lambda: HabitPart.model_validate({}))
    doors: DoorPart = Field(default_factory=lambda: DoorPart.model_validate({}))
    faults: FaultPart = Field(default_factory=lambda: FaultPart.model_validate({}))
    zones: ZonePart = Field(default_factory=lambda: ZonePart.model_validate({}))

    @property
    def start_us(self) -> int:
        """Return the beginning in UTC microseconds."""
        return int(self.start.timestamp()) * 1_000_000


_PACKAGE: Final = "simulator.estate"


def names() -> list[str]:
    """Return the names of the scenarios that come with the simulator."""
    files = (entry.name for entry in resources.files(_PACKAGE).iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def load_estate(name: str) -> EstateScenario:
    """Load a scenario that comes with the simulator.

    Raises:
        EstateError: there is none of that name, or it is wrong.
    """
    if name not in names():
        raise EstateError(f"there is no estate {name!r}: there are {', '.join(names())}")
    return parse_estate(text_of(name), name)


def text_of(name: str) -> str:
    """Return a scenario's TOML as it stands."""
    return resources.files(_PACKAGE).joinpath(f"{name}.toml").read_text("utf-8")


def parse_estate(text: str, where: str) -> EstateScenario:
    """Read a scenario's TOML.

    Raises:
        EstateError: it is no TOML, or a key of it is wrong.
    """
    try:
        scenario = EstateScenario.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise EstateError(f"estate {where}: {error}") from error
    if scenario.habits.carriers + scenario.habits.movers > scenario.assets:
        raise EstateError(f"estate {where}: assets: more carriers and movers than assets: raise it")
    return scenario


def at_us(at: datetime) -> int:
    """Return an instant in UTC microseconds."""
    return int(at.timestamp() * 1_000_000)
