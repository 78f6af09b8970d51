"""Which true crossings were exits, and whether they were allowed by what was recorded by then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edge.contracts import instant_us
from simulator.estate.people import Sheets
from simulator.estate.truth import TrueCrossing
from simulator.estate.values import DAY, Act
from simulator.estate.world import World

TRANSFER_DAYS: Final = 14
"""An approved transfer lets its assets leave for this long."""


@dataclass(frozen=True, slots=True)
class Permit:
    """An authorisation as it stands in the register from `recorded_us` on; `to_us` None is open."""

    boundary: str
    from_us: int
    to_us: int | None
    recorded_us: int

    def holds(self, at_us: int) -> bool:
        """Tell whether it is valid at an instant."""
        return self.from_us <= at_us and (self.to_us is None or at_us < self.to_us)


Permits = dict[str, list[Permit]]


def permits_of(sheets: Sheets, acts: Iterable[Act], start_us: int) -> Permits:
    """Return all authorisations by asset."""
    permits: Permits = {}
    for row in sheets["authorisations"]:
        permits.setdefault(row["asset"], []).append(
            Permit(row["boundary"], instant_us(row["valid_from"]), None, start_us)
        )
    for act in acts:
        if act.kind == "authorised":
            one = act.detail
            permits.setdefault(one["asset"], []).append(
                Permit(one["boundary"], instant_us(one["valid_from"]), instant_us(one["valid_to"]), act.at_us)
            )
        elif act.kind == "transfer_approved":
            for asset in act.assets:
                until_us = act.at_us + TRANSFER_DAYS * DAY
                permits.setdefault(asset, []).append(Permit(act.detail["boundary"], act.at_us, until_us, act.at_us))
    return permits


def judge(world: World, permits: Permits, crossings: Iterable[TrueCrossing]) -> None:
    """Mark each crossing that is an exit."""
    for one in crossings:
        boundaries = world.left(one.origin, one.destination)
        if boundaries:
            mine = [permit for permit in permits.get(one.asset, ()) if permit.holds(one.at_us)]
            one.authorised = allows(world, boundaries, [it for it in mine if it.recorded_us <= one.at_us])
            one.approved_late = not one.authorised and allows(world, boundaries, mine)


def allows(world: World, boundaries: Sequence[str], permits: Sequence[Permit]) -> bool:
    """Tell whether every boundary lies in what some permit covers."""
    covered = {permit.boundary for permit in permits}
    return all(covered.intersection(world.chain(boundary)) for boundary in boundaries)
