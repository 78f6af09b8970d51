"""Scenarios as data: readers, doorways, tags and walks in one TOML file (the descriptions are the manual)."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from simulator.faults import FaultPlan, checked, span

Point = tuple[float, float, float]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


class Part(BaseModel):
    """Common to all parts: frozen, and a key that isn't known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AntennaPart(Part):
    """One antenna of a reader."""

    port: int = Field(ge=1, le=4, description="LLRP antenna port.")
    portal: Identifier = Field(description="The portal in whose frame position and aim are given.")
    position: Point = Field(description="Metres in the portal's frame: x outwards, y along the wall, z up.")
    aim: Point = Field(description="A point that the antenna looks at, in the portal's frame.")
    gain_dbi: float = Field(6.0, ge=-10, le=15, description="Gain in boresight.")
    cable_loss_db: float = Field(2.0, ge=0, le=20, description="Loss of its cable, each way.")


class ReaderPart(Part):
    """One LLRP reader."""

    id: Identifier = Field(description="The reader's name, as in the agent's configuration.")
    region: Literal["fcc", "etsi"] = Field("fcc", description="50 hopping channels, or 4 fixed ones.")
    power_dbm: float = Field(30.0, ge=0, le=33, description="Transmit power where the client sets none.")
    antennas: tuple[AntennaPart, ...] = Field(min_length=1, max_length=4, description="Antennas in use.")


class PortalPart(Part):
    """One doorway; its own frame has the plane at x = 0 and the outside at x > 0."""

    id: Identifier = Field(description="The portal's name, as in the agent's configuration.")
    layout: Literal["two-sided", "single"] = Field(
        "two-sided", description="single can't tell a direction: all is near."
    )
    at: tuple[float, float] = Field((0.0, 0.0), description="Where the middle of the doorway is on the site, metres.")
    facing_deg: float = Field(0.0, description="Direction of its outside on the site, counter-clockwise from +x.")
    width_m: float = Field(1.2, gt=0, le=20, description="Width of the opening.")


class TagsPart(Part):
    """Tags, numbered from 1: the EPC is the prefix and the number in hexadecimal."""

    epc_prefix: str = Field(pattern=r"^([0-9a-f]{2})+$", description="First bytes of every EPC.")
    number_bytes: int = Field(1, ge=1, le=8, description="Bytes of the number behind the prefix.")
    count: int = Field(0, ge=0, le=100_000, description="How many tags there are.")
    loss_db: float = Field(9.0, ge=0, le=40, description="What a laptop takes from a label on it, one way, on average.")
    loss_spread_db: float = Field(1.5, ge=0, le=10, description="Standard deviation of that loss from tag to tag.")
    sensitivity_dbm: float = Field(-20.0, ge=-30, le=0, description="Power that wakes a tag.")


class ResidentPart(Part):
    """A tag that lies in range and never moves."""

    tag: int = Field(ge=1, description="The tag's number.")
    portal: Identifier = Field(description="The portal in whose frame the position is.")
    position: Point = Field(description="Metres in the portal's frame.")
    extra_loss_db: float = Field(0.0, ge=-20, le=40, description="What shelf and neighbours take, one way.")


class RoutePart(Part):
    """A path through or past one portal."""

    id: Identifier = Field(description="The route's name.")
    portal: Identifier = Field(description="The portal in whose frame the points are.")
    points: tuple[tuple[float, float] | tuple[float, float, float], ...] = Field(
        min_length=2, description="x, y and, as a third number, seconds of standing there."
    )


class WalkPart(Part):
    """Somebody walks a route with one tag or several."""

    at_s: float = Field(ge=0, description="Start, in seconds of the scenario or of its cycle.")
    route: Identifier = Field(description="The route's name.")
    reverse: bool = Field(default=False, description="Walk it from its last point to its first.")
    tags: tuple[int, ...] = Field(min_length=1, description="Numbers of the tags that are carried.")
    speed_mps: float = Field(1.2, gt=0, le=10, description="Walking speed.")
    carry: Literal["hand", "cart"] = Field("hand", description="Under an arm, beside a body; or on a cart in front.")


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
    at_s: float = Field(ge=0, description="From when on, in seconds of the scenario.")
    for_s: float | None = Field(None, gt=0, description="For how long; left out: to the end.")
    switches: dict[str, Any] = Field(
        min_length=1, description="What it does, by the names in `simulator/faults/model.py`, such as `no_keepalives`."
    )

    @field_validator("switches")
    @classmethod
    def _are_switches(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {switch: checked(switch, value) for switch, value in given.items()}


class Scenario(Part):
    """A whole scenario."""

    name: Identifier = Field(description="The scenario's name.")
    description: str = Field("", description="What it shows.")
    seed: int = Field(1, ge=0, description="Seed of everything random, where the command line gives none.")
    cycle_s: float | None = Field(None, gt=0, description="Repeat the walks with variations every so many seconds.")
    quiet_end_s: float = Field(6.0, ge=0, description="No walk is under way in the last seconds of a limited run.")
    readers: tuple[ReaderPart, ...] = Field(min_length=1, description="The readers.")
    portals: tuple[PortalPart, ...] = Field(min_length=1, description="The doorways.")
    tags: TagsPart = Field(description="The tags.")
    residents: tuple[ResidentPart, ...] = Field((), description="Tags in range that never move.")
    routes: tuple[RoutePart, ...] = Field((), description="Paths.")
    walks: tuple[WalkPart, ...] = Field((), description="Who walks when.")
    faults: tuple[FaultPart, ...] = Field((), description="Readers that misbehave, and when.")
    crowd: CrowdPart | None = Field(None, description="Load instead of walks.")

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        portals = [portal.id for portal in self.portals]
        readers = [reader.id for reader in self.readers]
        routes = [route.id for route in self.routes]
        for what, known in (("reader", readers), ("portal", portals), ("route", routes)):
            _unique(what, known)
        antennas = [antenna for reader in self.readers for antenna in reader.antennas]
        for placed in (antennas, self.residents, self.routes):
            for name in (part.portal for part in placed):
                _known("portal", name, portals)
        for walk in self.walks:
            _known("route", walk.route, routes)
        for fault in self.faults:
            _known("reader", fault.reader, readers)
        if self.crowd is not None:
            _known("reader", self.crowd.reader, readers)
            _known("portal", self.crowd.portal, portals)
        for reader in self.readers:
            _unique(f"port of reader {reader.id}", [antenna.port for antenna in reader.antennas])
        return self

    @model_validator(mode="after")
    def _tags_exist(self) -> Self:
        carried = [tag for walk in self.walks for tag in walk.tags]
        for tag in (*carried, *(resident.tag for resident in self.residents)):
            if not 1 <= tag <= self.tags.count:
                raise ValueError(f"tag {tag} doesn't exist: tags.count is {self.tags.count}")
        both = sorted({resident.tag for resident in self.residents} & set(carried))
        if both:
            raise ValueError(f"tag {both[0]} is a resident and walks: it can be one of them only")
        if self.walks and self.crowd:
            raise ValueError("a scenario has walks or a crowd, not both")
        return self

    def fault_plan(self) -> FaultPlan:
        """The faults as changes of switches; each run wants a plan of its own."""
        return FaultPlan(
            change
            for fault in self.faults
            for switch, value in fault.switches.items()
            for change in span(
                fault.reader,
                switch,
                value,
                from_us=round(1e6 * fault.at_s),
                to_us=None if fault.for_s is None else round(1e6 * (fault.at_s + fault.for_s)),
            )
        )

    def epc(self, number: int) -> bytes:
        """EPC of the tag with that number."""
        return bytes.fromhex(self.tags.epc_prefix) + number.to_bytes(self.tags.number_bytes)


def _unique(what: str, names: list[str] | list[int]) -> None:
    twice = sorted({str(name) for name in names if names.count(name) > 1})  # type: ignore[arg-type]  # one type a call
    if twice:
        raise ValueError(f"{what} {twice[0]} is given twice")


def _known(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise ValueError(f"{what} {name!r} doesn't exist: there are {', '.join(known) or 'none'}")
