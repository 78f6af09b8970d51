"""A scenario as data: one TOML file with a place, tags, and who moves when (the descriptions are the manual)."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.faults import FaultAction, FaultPlan, span
from simulator.scenarios.moves import (
    BadgePart,
    CrowdPart,
    FaultPart,
    ResidentPart,
    RoutePart,
    TagsPart,
    TagTypePart,
    TrafficPart,
    WalkPart,
)
from simulator.scenarios.space import (
    LONGEST_S,
    DoorPart,
    Duration,
    GatewayPart,
    Identifier,
    Moment,
    OpeningPart,
    Part,
    PortalPart,
    ReaderPart,
    SensorPart,
    ShelfPart,
    SitePart,
    WallPart,
)

__all__ = ["CrowdPart", "PortalPart", "ReaderPart", "Scenario", "WalkPart"]


class Scenario(Part):
    """A whole scenario."""

    name: Identifier = Field(description="The scenario's name.")
    description: str = Field("", description="What it shows.")
    seed: int = Field(1, ge=0, lt=1 << 63, description="Seed of everything random, where the command line gives none.")
    seconds: Duration | None = Field(None, description="How long it lasts; left out: until the last walk has ended.")
    cycle_s: Annotated[float, Field(ge=0.1, le=LONGEST_S)] | None = Field(
        None, description="Repeat the walks with variations every so many seconds."
    )
    quiet_end_s: Moment = Field(6.0, description="No walk is under way in the last seconds of a limited run.")
    site: SitePart = Field(default_factory=lambda: SitePart.model_validate({}), description="The site's radio.")
    gateways: tuple[GatewayPart, ...] = Field(
        default_factory=lambda: (GatewayPart.model_validate({"id": "sim-1"}),),
        min_length=1,
        description="The gateways.",
    )
    readers: tuple[ReaderPart, ...] = Field(min_length=1, description="The readers.")
    portals: tuple[PortalPart, ...] = Field(min_length=1, description="The doorways with antennas.")
    openings: tuple[OpeningPart, ...] = Field((), description="The doorways without.")
    walls: tuple[WallPart, ...] = Field((), description="The walls.")
    doors: tuple[DoorPart, ...] = Field((), description="The doors in doorways.")
    shelves: tuple[ShelfPart, ...] = Field((), description="Shelves, and the tags on them.")
    sensors: tuple[SensorPart, ...] = Field((), description="What is wired to readers' inputs.")
    tags: TagsPart = Field(description="The tags.")
    tag_types: tuple[TagTypePart, ...] = Field((), description="Tags that differ; the last that names a tag holds.")
    residents: tuple[ResidentPart, ...] = Field((), description="Tags in range that never move.")
    routes: tuple[RoutePart, ...] = Field((), description="Paths.")
    walks: tuple[WalkPart, ...] = Field((), description="Who walks when.")
    badges: tuple[BadgePart, ...] = Field((), description="Who shows a badge when.")
    traffic: TrafficPart | None = Field(None, description="A working day, beside the walks.")
    faults: tuple[FaultPart, ...] = Field((), description="Readers that misbehave, and when.")
    crowd: CrowdPart | None = Field(None, description="Load instead of walks.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _unique("gateway", [gateway.id for gateway in self.gateways])
        _unique("reader", self._reader_ids)
        _unique("doorway", self._doorway_ids)
        _unique("route", [route.id for route in self.routes])
        _unique("door", [door.id for door in self.doors])
        _unique("shelf", [shelf.id for shelf in self.shelves])
        _unique("walk", [walk.id for walk in self.walks if walk.id is not None])
        _unique("input", [f"{sensor.reader}/{sensor.gpi}" for sensor in self.sensors])
        for reader in self.readers:
            _unique(f"port of reader {reader.id}", [str(antenna.port) for antenna in reader.antennas])
        return self

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        portals = [portal.id for portal in self.portals]
        antennas = [antenna for reader in self.readers for antenna in reader.antennas]
        for parts in (antennas, self.sensors, self.badges):
            _known("portal", (part.portal for part in parts), portals)
        for stood in (self.residents, self.shelves, self.routes):
            _known("doorway", (part.portal for part in stood), self._doorway_ids)
        _known("doorway", (door.doorway for door in self.doors), self._doorway_ids)
        _known("gateway", (reader.gateway for reader in self.readers), [gateway.id for gateway in self.gateways])
        _known("route", (walk.route for walk in self.walks), [route.id for route in self.routes])
        for wired in (self.faults, self.sensors):
            _known("reader", (part.reader for part in wired), self._reader_ids)
        _known("door", (sensor.door for sensor in self.sensors), [door.id for door in self.doors])
        if self.crowd is not None:
            _known("reader", [self.crowd.reader], self._reader_ids)
            _known("portal", [self.crowd.portal], portals)
        return self

    @model_validator(mode="after")
    def _tags_exist(self) -> Self:
        carried = {tag for walk in self.walks for tag in walk.tags}
        still = [resident.tag for resident in self.residents] + [tag for shelf in self.shelves for tag in shelf.tags]
        peeled = {tag for walk in self.walks for tag in walk.peeled}
        moved = set(self.traffic.tags) if self.traffic else set()
        typed = {tag for kind in self.tag_types for tag in kind.tags}
        for tag in (*carried, *still, *peeled, *moved, *typed, *self.tags.authorised):
            if not 1 <= tag <= self.tags.count:
                raise ValueError(f"tag {tag} doesn't exist: tags.count is {self.tags.count}")
        _unique("resident tag", [str(tag) for tag in still])
        if both := sorted(set(still) & (carried | moved)):
            raise ValueError(f"tag {both[0]} is a resident and walks: it can be one of them only")
        if both := sorted(moved & carried):
            raise ValueError(f"tag {both[0]} walks and is one of the traffic's: it can be one of them only")
        if (self.walks or self.traffic) and self.crowd:
            raise ValueError("a scenario has walks or a crowd, not both")
        return self

    @model_validator(mode="after")
    def _crowd_has_numbers(self) -> Self:
        if self.crowd is not None:
            passes = int(self.crowd.passes_per_s * (self.seconds or LONGEST_S)) + 1
            needed = (passes.bit_length() + 7) // 8
            if needed > self.tags.number_bytes:
                raise ValueError(f"a crowd of {passes:,} tags needs more EPCs: say tags.number_bytes = {needed}")
        return self

    @model_validator(mode="after")
    def _sensors_have_doors(self) -> Self:
        for sensor in self.sensors:
            if (sensor.kind == "contact") != (sensor.door is not None):
                raise ValueError(f"sensor {sensor.id}: a contact needs a door, and nothing else has one")
        # A ROSpec has one start trigger (LLRP 1.0.1, 10.2.1.1).
        _unique("trigger of reader", [sensor.reader for sensor in self.sensors if sensor.reads_s is not None])
        return self

    @property
    def _reader_ids(self) -> list[str]:
        return [reader.id for reader in self.readers]

    @property
    def _doorway_ids(self) -> list[str]:
        return [doorway.id for doorway in (*self.portals, *self.openings)]

    def gateway_of(self, reader: ReaderPart) -> GatewayPart:
        """The gateway that drives a reader."""
        return next((one for one in self.gateways if one.id == reader.gateway), self.gateways[0])

    def fault_plan(self) -> FaultPlan:
        """The faults as changes of switches and as actions; each run wants a plan of its own."""
        plan = FaultPlan()
        for fault in self.faults:
            from_us = round(1e6 * fault.at_s)
            to_us = None if fault.for_s is None else round(1e6 * (fault.at_s + fault.for_s))
            for switch, value in fault.switches.items():
                for change in span(fault.reader, switch, value, from_us=from_us, to_us=to_us):
                    plan.add(change)
            for action, arguments in fault.actions.items():
                plan.add(FaultAction(from_us, fault.reader, action, arguments))
        return plan

    def epc(self, number: int) -> bytes:
        """EPC of the tag with that number."""
        return bytes.fromhex(self.tags.epc_prefix) + number.to_bytes(self.tags.number_bytes)


def _unique(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name} is given twice")
        seen.add(name)


def _known(what: str, names: Iterable[str | None], known: list[str]) -> None:
    for name in names:
        if name is not None and name not in known:
            raise ValueError(f"{what} {name!r} doesn't exist: there are {', '.join(known) or 'none'}")
