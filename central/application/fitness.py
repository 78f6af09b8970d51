"""Whether assets may go by a transfer: they are where it begins, nothing stands against them, and no other has them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from central.domain.places import Places

NEVER_GO: Final = frozenset({"retired", "disposed"})
"""What is at its end leaves by a disposal's own authorisation, not by a transfer."""
SHOWN: Final = 20
"""Assets that a refusal names; of more it says how many."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an asset stands, as far as a transfer asks: its place, whether that is certain, and what holds it."""

    asset: str
    location: str | None
    certain: bool
    lifecycle: str | None
    blocks: Sequence[str]
    transfer: str | None
    """The other transfer that it is on."""
    leg: str | None
    """The way that it is on."""


def unfit(standing: Collection[Standing], origin: str, places: Places) -> list[str]:
    """Return what keeps assets from going from `origin`, one line for each reason, by asset."""
    return [f"asset {one.asset!r} {text}" for one in standing for text in (*_bound(one, origin, places), *held(one))]


def refusal(problems: Sequence[str]) -> str:
    """Return problems as one sentence for a person."""
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return "; ".join(problems[:SHOWN]) + more


def held(one: Standing) -> Iterator[str]:
    """Yield what stands against an asset's going anywhere."""
    if one.blocks:
        kinds = ", ".join(one.blocks)
        yield f"is on hold ({kinds}): have the hold released, or authorise it despite that"
    if one.lifecycle in NEVER_GO:
        yield f"is {one.lifecycle}: it leaves by a disposal's authorisation only"


def _bound(one: Standing, origin: str, places: Places) -> Iterator[str]:
    if one.transfer is not None:
        yield f"is on transfer {one.transfer} already: receive or cancel that first"
    elif one.leg is not None:
        yield f"is under way ({one.leg}): receive or claim that first"
    elif one.location is None:
        yield f"is nowhere that we know of, so not at {origin!r}: scan it there first"
    elif one.certain and not places.within(one.location, origin):
        yield f"is at {one.location!r}, not at {origin!r}: scan it there first if that is wrong"
