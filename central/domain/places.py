"""Locations as a tree, portals as doors between them, and which guarded boundaries a crossing leaves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

LocationKind = Literal[
    "country", "region", "site", "building", "zone", "vendor", "repair", "disposal", "remote", "exterior"
]
PortalMode = Literal["observe", "notify", "alarm"]
LOCATION_KINDS: Final[tuple[str, ...]] = get_args(LocationKind)
PORTAL_MODES: Final[tuple[str, ...]] = get_args(PortalMode)


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
