"""The estate's places and their openings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from simulator.estate.dice import Dice
from simulator.estate.model import EstateScenario

COUNTRIES: Final = (
    ("us", "US", "CA", "America/Los_Angeles", -8),
    ("gb", "GB", "ENG", "Europe/London", 0),
    ("in", "IN", "MH", "Asia/Kolkata", 5.5),
)
"""Id, country, subdivision, time zone and its hours before UTC as the people here live by them all year."""

UNGUARDED: Final = False


@dataclass(frozen=True, slots=True)
class Place:
    """A location; `zone_reader` and `swept` say how it is counted."""

    id: str
    name: str
    kind: str
    parent: str
    guarded: bool
    country: str = ""
    subdivision: str = ""
    timezone: str = ""
    zone_reader: bool = False
    swept: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A way between two places: a portal, an alarmed door, or one that nothing watches.

    Attributes:
        read: probability that a portal reads a tag that crosses.
    """

    id: str
    kind: str
    inside: str
    outside: str
    gateway: str = ""
    site: str = ""
    read: float = 0.0

    def leads(self, origin: str) -> str:
        """Return the place on the other side."""
        return self.outside if origin == self.inside else self.inside

    def way(self, origin: str) -> str:
        """Return the kind of a crossing from `origin`."""
        return "out" if origin == self.inside else "in"


@dataclass(frozen=True, slots=True)
class Building:
    """A building with its zones: two stockrooms, a floor, a lab and a dock."""

    id: str
    site: str
    hours_ahead: float
    stockrooms: tuple[str, ...]
    floor: str
    lab: str
    dock: str
    street: str

    @property
    def gateways(self) -> tuple[str, str]:
        """Return who watches the inner doors, and who the outer ones."""
        return f"{self.id}-in", f"{self.id}-out"


@dataclass(slots=True)
class World:
    """All places and openings."""

    places: dict[str, Place] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    buildings: list[Building] = field(default_factory=list)
    between: dict[tuple[str, str], list[Opening]] = field(default_factory=dict)
    home: dict[str, Building] = field(default_factory=dict)
    """Zone to its building."""

    @property
    def portals(self) -> list[Opening]:
        """Return the openings that have antennas."""
        return [one for one in self.openings.values() if one.kind == "portal"]

    def is_outside(self, place: str) -> bool:
        """Tell whether a place is outside every building."""
        return self.places[place].kind in {"exterior", "vendor", "remote", "repair", "disposal"}

    def chain(self, place: str) -> list[str]:
        """Return a place and all that it lies in, innermost first."""
        chain = []
        while place:
            chain.append(place)
            place = self.places[place].parent
        return chain

    def left(self, origin: str, destination: str) -> list[str]:
        """Return the guarded places that a move leaves, innermost first."""
        kept = set(self.chain(destination))
        return [one for one in self.chain(origin) if one not in kept and self.places[one].guarded]

    def add(self, place: Place) -> None:
        """Add a place."""
        self.places[place.id] = place

    def open(self, opening: Opening) -> None:
        """Add an opening."""
        self.openings[opening.id] = opening
        for pair in ((opening.inside, opening.outside), (opening.outside, opening.inside)):
            self.between.setdefault(pair, []).append(opening)


def build_world(scenario: EstateScenario) -> World:
    """Build the places of a scenario."""
    world, dice = World(), Dice(scenario.seed, "world")
    for code, country, subdivision, zone, _ in COUNTRIES:
        where = (UNGUARDED, country, subdivision, zone)
        world.add(Place(f"{code}", country, "country", "", guarded=False, country=country))
        for part in ("north", "south"):
            region = Place(f"{code}-{part}", f"{country} {part}", "region", code, *where)
            world.add(region)
    for number in range(scenario.places.sites):
        _add_site(world, scenario, dice, number)
    return world


def _add_site(world: World, scenario: EstateScenario, dice: Dice, number: int) -> None:
    code, country, subdivision, zone, hours = COUNTRIES[number % len(COUNTRIES)]
    where = (UNGUARDED, country, subdivision, zone)
    region = f"{code}-{('north', 'south')[number // len(COUNTRIES) % 2]}"
    site = f"s{number + 1}"
    world.add(Place(site, f"Site {number + 1}", "site", region, *where))
    street = f"{site}-street"
    world.add(Place(street, f"Street of {site}", "exterior", "", guarded=False))
    for letter in ("a", "b")[: 1 + dice.chance(scenario.places.two_buildings)]:
        _add_building(world, scenario, dice, Building(
            f"{site}{letter}", site, hours, tuple(f"{site}{letter}-stock-{n}" for n in (1, 2)),
            f"{site}{letter}-floor", f"{site}{letter}-lab", f"{site}{letter}-dock", street,
        ))  # fmt: skip


def _add_building(world: World, scenario: EstateScenario, dice: Dice, building: Building) -> None:
    world.buildings.append(building)
    world.add(Place(building.id, f"Building {building.id}", "building", building.site, guarded=True))
    sizes = scenario.places
    for zone in (*building.stockrooms, building.floor, building.lab, building.dock):
        counted = zone in building.stockrooms or zone == building.lab
        world.add(Place(
            zone, f"Zone {zone}", "zone", building.id, guarded=zone in building.stockrooms,
            zone_reader=counted and dice.chance(sizes.zone_readers),
            swept=zone == building.floor and dice.chance(sizes.sweeps),
        ))  # fmt: skip
        world.home[zone] = building
    for opening in _openings(building, scenario, dice):
        world.open(opening)


def _openings(building: Building, scenario: EstateScenario, dice: Dice) -> Iterator[Opening]:
    inner, outer = building.gateways
    low, high = scenario.doors.read

    def portal(name: str, inside: str, outside: str, gateway: str) -> Opening:
        return Opening(name, "portal", inside, outside, gateway, building.site, round(dice.uniform(low, high), 4))

    for room in building.stockrooms:
        yield portal(f"{room}-door", room, building.floor, inner)
        if dice.chance(scenario.places.second_door):
            yield portal(f"{room}-back", room, building.dock, inner)
        if dice.chance(scenario.places.hatch):
            yield Opening(f"{room}-hatch", "unmonitored", room, building.floor)
    yield portal(f"{building.lab}-door", building.lab, building.floor, inner)
    yield portal(f"{building.dock}-door", building.dock, building.floor, inner)
    yield portal(f"{building.id}-entrance", building.floor, building.street, outer)
    yield portal(f"{building.dock}-gate", building.dock, building.street, outer)
    yield Opening(f"{building.id}-fire-door", "alarmed_door", building.floor, building.street)
    yield Opening(f"{building.dock}-shutter", "unmonitored", building.dock, building.street)


def way_inside(building: Building, origin: str, destination: str) -> list[str]:
    """Return the places on the way between two zones of a building, both ends in."""
    if origin == destination:
        return [origin]
    return [origin, destination] if building.floor in {origin, destination} else [origin, building.floor, destination]


def way_out(world: World, building: Building, origin: str, *, goods: bool) -> list[str]:
    """Return the way from a zone to the street: of goods by the dock, of people by the entrance."""
    if not goods:
        return [*way_inside(building, origin, building.floor), building.street]
    if (origin, building.dock) in world.between:
        return [origin, building.dock, building.street]
    return [*way_inside(building, origin, building.dock), building.street]


def way_in(world: World, building: Building, destination: str, *, goods: bool) -> list[str]:
    """Return the way from the street to a zone."""
    return way_out(world, building, destination, goods=goods)[::-1]
