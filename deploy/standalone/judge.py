"""What the simulator's truth must lead to, judged from the registry's CSV files alone.

This is a second reading of the rules, written apart from the central's, so that the demo's comparison means something.
"""

import csv
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

CROSSING_KINDS = frozenset({"in", "out"})


@dataclass(frozen=True, slots=True)
class Permission:
    """One asset may leave one boundary within a span of time."""

    asset: str
    boundary: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class World:
    """The registry as the CSV files state it."""

    parents: dict[str, str | None]
    guarded: frozenset[str]
    portals: dict[str, tuple[str, str]]
    places: dict[str, str]
    assets_by_epc: dict[str, str]
    permissions: tuple[Permission, ...]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the files that `stockgate-central import` reads."""
        locations = _rows(directory / "locations.csv")
        return cls(
            parents={row["id"]: row["parent"] or None for row in locations},
            guarded=frozenset(row["id"] for row in locations if _is_guarded(row)),
            portals={row["id"]: (row["inside"], row["outside"]) for row in _rows(directory / "portals.csv")},
            places={row["id"]: row["location"] for row in _rows(directory / "assets.csv")},
            assets_by_epc={row["epc"].lower(): row["asset"] for row in _rows(directory / "tags.csv")},
            permissions=tuple(map(_permission, _rows(directory / "authorisations.csv"))),
        )

    def chain(self, location: str | None) -> list[str]:
        """The location and all that it stands in, innermost first."""
        found: list[str] = []
        while location is not None and location not in found:
            found.append(location)
            location = self.parents.get(location)
        return found

    def boundaries_left(self, origin: str, destination: str) -> list[str]:
        """Guarded locations whose inside is left by a crossing."""
        kept = self.chain(destination)
        return [place for place in self.chain(origin) if place in self.guarded and place not in kept]

    def may_leave(self, asset: str, boundaries: list[str], at: datetime) -> bool:
        """Tell whether every boundary is covered by a permission valid at that instant."""
        scopes = {p.boundary for p in self.permissions if p.asset == asset and _valid(p, at)}
        return all(scopes.intersection(self.chain(boundary)) for boundary in boundaries)


@dataclass(slots=True)
class Expected:
    """Figures that follow from the truth; `counts` by location."""

    movements: int = 0
    unauthorised_exits: int = 0
    authorised_exits: int = 0
    counts: dict[str, int] = field(default_factory=dict)


def expect(world: World, crossings: list[dict[str, Any]]) -> Expected:
    """Follow the simulator's walks in the order of time.

    Every walk, whatever its kind, is one movement: each visit gets one final. A crossing that leaves a guarded location
    without permission is one unauthorised exit, and one alert.
    """
    places = dict(world.places)
    found = Expected(movements=len(crossings))
    moved = [walk for walk in crossings if walk["kind"] in CROSSING_KINDS and walk["crossed_at"]]
    for walk in sorted(moved, key=lambda walk: _instant(walk["crossed_at"])):
        inside, outside = world.portals[walk["portal"]]
        origin, destination = (inside, outside) if walk["kind"] == "out" else (outside, inside)
        asset = world.assets_by_epc.get(walk["epc"].lower())
        if asset is None:
            continue
        places[asset] = destination
        left = world.boundaries_left(origin, destination)
        if left and world.may_leave(asset, left, _instant(walk["crossed_at"])):
            found.authorised_exits += 1
        elif left:
            found.unauthorised_exits += 1
    tally = Counter(place for place in places.values() if place)
    found.counts = {location: tally[location] for location in sorted(world.parents)}
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [{key: (value or "").strip() for key, value in row.items() if key} for row in csv.DictReader(file)]


def _is_guarded(row: dict[str, str]) -> bool:
    stated = row["guarded"].lower()
    return stated == "true" if stated else row["kind"] == "building"


def _permission(row: dict[str, str]) -> Permission:
    ends = _instant(row["valid_to"]) if row["valid_to"] else None
    return Permission(row["asset"], row["boundary"], _instant(row["valid_from"]), ends)


def _valid(permission: Permission, at: datetime) -> bool:
    return permission.valid_from <= at and (permission.valid_to is None or at < permission.valid_to)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
