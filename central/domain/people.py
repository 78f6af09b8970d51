"""Who answers for a role at a location: the holders nearest to it, on the way up."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from central.domain.places import Places

BRANCH: Final = "branch_admin"
"""Stands for the role that owns a place."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who holds a role at a location and below it; without a location, everywhere."""

    role: str
    location: str | None
    person: str


def holders(role: str, location: str | None, places: Places, held: Iterable[Holder]) -> list[str]:
    """Return who holds a role at a location: those named for it or, if none is, for the next place around it."""
    its = [one for one in held if one.role == role]
    chain: Collection[str | None] = (*(places.chain(location) if location is not None else ()), None)
    for place in chain:
        there = sorted(one.person for one in its if one.location == place)
        if there:
            return there
    return []


def answering(role: str, location: str | None, places: Places, owner_roles: Mapping[str, str]) -> str:
    """Return the role that answers at a location: `branch_admin` stands for who owns it, or the place around it."""
    if role != BRANCH or location is None:
        return role
    return next((owner_roles[one] for one in places.chain(location) if one in owner_roles), role)
