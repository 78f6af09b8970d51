"""What a gateway must know to decide at its doors: the boundaries that crossings leave, and what opens each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from central.domain.places import Places, Portal


class Quiet(NamedTuple):
    """A door behaves as `mode` between two instants, whatever its own mode."""

    mode: str
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Manner:
    """How a door behaves: its mode, when it is quieter, what an old snapshot means, and whether it asks for badges."""

    mode: str = "notify"
    quiet: tuple[Quiet, ...] = ()
    stale: str = "refuse"
    person: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """The guarded boundaries that a crossing of a portal leaves, innermost first, and how the door behaves."""

    id: str
    out: tuple[str, ...]
    into: tuple[str, ...]
    manner: Manner = Manner()


@dataclass(frozen=True, slots=True)
class GateView:
    """A gateway's part of the registry."""

    gateway: str
    site: str
    doors: tuple[Door, ...]
    opened_by: tuple[tuple[str, str], ...]
    """(boundary, location): an authorisation to leave the location lets an asset out of the boundary."""


def gate_view(
    gateway: str, site: str, places: Places, portals: Iterable[Portal], manners: Mapping[str, Manner] | None = None
) -> GateView:
    """Return what the doors of a gateway can see of the registry."""
    told = manners or {}
    own = sorted((portal for portal in portals if portal.gateway == gateway), key=lambda portal: portal.id)
    doors = tuple(
        Door(
            portal.id,
            places.boundaries_left(portal.inside, portal.outside),
            places.boundaries_left(portal.outside, portal.inside),
            told.get(portal.id, Manner(portal.mode)),
        )
        for portal in own
    )
    boundaries = sorted({boundary for door in doors for boundary in (*door.out, *door.into)})
    pairs = tuple((boundary, place) for boundary in boundaries for place in places.chain(boundary))
    return GateView(gateway, site, doors, pairs)
