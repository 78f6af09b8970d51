"""Locations as a tree, portals as doors between them, and which guarded boundaries a crossing leaves."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

LocationKind = Literal[
    "country", "region", "site", "building", "zone", "vendor", "repair", "disposal", "remote", "exterior"
]
PortalMode = Literal["observe", "notify", "alarm"]
LOCATION_KINDS: Final[tuple[str, ...]] = get_args(LocationKind)
PORTAL_MODES: Final[tuple[str, ...]] = get_args(PortalMode)
OPENING_KINDS: Final = ("portal", "alarmed_door", "unmonitored")


class PlaceError(ValueError):
    """A location tree that can't be one; the message names the location."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place; leaving the subtree of a guarded one is an exit."""

    id: str
    name: str
    kind: str
    parent: str | None
    guarded: bool
    country: str | None = None
    subdivision: str | None = None
    timezone: str | None = None
    owner_role: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds at a location by its own word or by that of a place around it."""

    country: str | None
    subdivision: str | None
    timezone: str | None
    owner_role: str | None


@dataclass(frozen=True, slots=True)
class PlaceOpening:
    """A way into a location; `portal` names the portal if it is one."""

    id: str
    location: str
    kind: str
    portal: str | None


@dataclass(frozen=True, slots=True)
class Portal:
    """A door between two locations, watched by one gateway."""

    id: str
    name: str
    gateway: str
    inside: str
    outside: str
    mode: str

    def crossing(self, kind: str) -> tuple[str, str] | None:
        """Return (from, to) of a passage of this kind, or None if it crosses nothing."""
        if kind == "in":
            return self.outside, self.inside
        if kind == "out":
            return self.inside, self.outside
        return None


class Places:
    """The location tree."""

    def __init__(self, locations: Mapping[str, Location]) -> None:
        self._locations = locations
        self._chains: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, location: str) -> Location:
        return self._locations[location]

    def __iter__(self) -> Iterator[Location]:
        return iter(self._locations.values())

    def __contains__(self, location: str) -> bool:
        return location in self._locations

    def chain(self, location: str) -> tuple[str, ...]:
        """Return the location and all that it lies in, innermost first."""
        known = self._chains.get(location)
        if known is None:
            known = self._chains[location] = tuple(self._climb(location))
        return known

    def within(self, location: str, around: str) -> bool:
        """Tell whether a location is another or lies in it."""
        return around in self.chain(location)

    def site(self, location: str) -> str:
        """Return the innermost site around a location, or the outermost place around it if there is none."""
        chain = self.chain(location)
        return next((one for one in chain if self._locations[one].kind == "site"), chain[-1])

    def region(self, location: str) -> str:
        """Return the innermost region around a location, or its site if none is registered."""
        chain = self.chain(location)
        return next((one for one in chain if self._locations[one].kind == "region"), self.site(location))

    def boundaries_left(self, origin: str, destination: str) -> tuple[str, ...]:
        """Return the guarded locations whose subtree a move from `origin` to `destination` leaves, innermost first."""
        kept = set(self.chain(destination))
        return tuple(place for place in self.chain(origin) if place not in kept and self._locations[place].guarded)

    def situation(self, location: str) -> Situation:
        """Return a location's country, subdivision, timezone and owner role, each from the nearest that tells it.

        A subdivision is inherited no further than the country that it lies in.
        """
        chain = [self._locations[step] for step in self.chain(location)]
        in_country = next((depth for depth, one in enumerate(chain) if one.country is not None), len(chain))
        return Situation(
            _nearest(one.country for one in chain),
            _nearest(one.subdivision for one in chain[: in_country + 1]),
            _nearest(one.timezone for one in chain),
            _nearest(one.owner_role for one in chain),
        )

    def unlisted(self, location: str, openings: Iterable[PlaceOpening], portals: Iterable[Portal]) -> list[str]:
        """Return the portals that lead out of a location's subtree and don't stand among its openings."""
        listed = {one.portal for one in openings if one.location == location}
        return sorted(
            portal.id
            for portal in portals
            if portal.id not in listed
            and (location in self.chain(portal.inside)) != (location in self.chain(portal.outside))
        )

    def is_closed(self, location: str, openings: Collection[PlaceOpening], portals: Iterable[Portal]) -> bool:
        """Tell whether every way out is watched: openings are listed, all of them, and none is unmonitored."""
        its = [one for one in openings if one.location == location]
        unmonitored = any(one.kind == "unmonitored" for one in its)
        return bool(its) and not unmonitored and not self.unlisted(location, its, portals)

    def _climb(self, location: str) -> list[str]:
        chain: list[str] = []
        step: str | None = location
        while step is not None:
            if step in chain:
                raise PlaceError(f"location {location!r} lies within itself: {' > '.join([*chain, step])}")
            if step not in self._locations:
                raise PlaceError(f"location {step!r} is not registered: import it in locations.csv")
            chain.append(step)
            step = self._locations[step].parent
        return chain


def _nearest(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)
