"""What a gateway must know to decide at its doors: the boundaries that crossings leave, and what opens each."""

from collections.abc import Iterable
from dataclasses import dataclass

from central.domain.places import Places, Portal


@dataclass(frozen=True, slots=True)
class Door:
    """The guarded boundaries that a crossing of a portal leaves, innermost first."""

    id: str
    out: tuple[str, ...]
    into: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateView:
    """A gateway's part of the registry."""

    gateway: str
    site: str
    doors: tuple[Door, ...]
    opened_by: tuple[tuple[str, str], ...]
    """(boundary, location): an authorisation to leave the location lets an asset out of the boundary."""


def gate_view(gateway: str, site: str, places: Places, portals: Iterable[Portal]) -> GateView:
    """Return what the doors of a gateway can see of the registry."""
    own = sorted((portal for portal in portals if portal.gateway == gateway), key=lambda portal: portal.id)
    doors = tuple(
        Door(
            portal.id,
            places.boundaries_left(portal.inside, portal.outside),
            places.boundaries_left(portal.outside, portal.inside),
        )
        for portal in own
    )
    boundaries = sorted({boundary for door in doors for boundary in (*door.out, *door.into)})
    pairs = tuple((boundary, place) for boundary in boundaries for place in places.chain(boundary))
    return GateView(gateway, site, doors, pairs)
