"""Gate passes on which something went out: back by a door or a scan, or by a guard's word."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from central.application.errors import NotFound, StepUnfit
from central.application.openings import Opening
from central.application.stories import Stories

SOURCE: Final = "gate_pass"
"""By this name the exception queue knows what is out for too long."""
SEEN_BY: Final = "central"
"""Who says that something is back which a door or a scan saw."""


@dataclass(frozen=True, slots=True)
class Back:
    """Something that went out on a pass and was seen inside its boundary afterwards."""

    authorisation: str
    asset: str
    location: str


@dataclass(frozen=True, slots=True)
class HeldPass:
    """A gate pass that is locked: whether something is to come back on it, and whether it did."""

    asset: str
    boundary: str
    returns: bool
    over: bool


class PassesBack(Protocol):
    """Passes inside a transaction."""

    async def passes_back(self) -> list[Back]:
        """Return what is back, and whose pass nobody has ended."""

    async def hold_pass(self, authorisation: str) -> HeldPass | None:
        """Lock a gate pass."""

    async def end_pass(self, back: Back, by: str, now: datetime) -> None:
        """Write the act that a pass is over."""

    async def overdue_passes(self, assets: Collection[str], now: datetime) -> list[Opening]:
        """Return what is out for too long on passes that aren't over."""


class Sweeping(Protocol):
    """What taking passes back asks of a transaction."""

    @property
    def deadlines(self) -> PassesBack:
        """Where passes are kept."""

    @property
    def stories(self) -> Stories:
        """Where assets are locked."""

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the exception queue say about assets what a source says now."""


class PassLog(Protocol):
    """The store as passes see it."""

    def transaction(self) -> AbstractAsyncContextManager[Sweeping]:
        """Open a transaction."""


async def take_back(transaction: Sweeping, now: datetime) -> list[int]:
    """End the passes of what is back; return the exceptions that this changed."""
    found = await transaction.deadlines.passes_back()
    if not found:
        return []
    assets = {one.asset for one in found}
    await transaction.stories.lock(assets)
    for one in found:
        await transaction.deadlines.end_pass(one, SEEN_BY, now)
    left = await transaction.deadlines.overdue_passes(assets, now)
    return await transaction.settle_exceptions(SOURCE, assets, left, now)


async def give_back(log: PassLog, authorisation: str, by: str, now: datetime) -> str:
    """Record that what went out on a pass is back, as a guard sees it; return its asset.

    Raises:
        NotFound: there is no such pass.
        StepUnfit: nothing is to come back on it, or it is over already.
    """
    async with log.transaction() as transaction:
        held = await transaction.deadlines.hold_pass(authorisation)
        if held is None:
            raise NotFound(f"there is no gate pass {authorisation!r}: /api/v1/authorisations lists them")
        if not held.returns:
            raise StepUnfit(f"nothing is to come back on gate pass {authorisation!r}")
        if held.over:
            raise StepUnfit(f"what went out on gate pass {authorisation!r} is back already")
        await transaction.stories.lock([held.asset])
        await transaction.deadlines.end_pass(Back(authorisation, held.asset, held.boundary), by, now)
        left = await transaction.deadlines.overdue_passes([held.asset], now)
        await transaction.settle_exceptions(SOURCE, [held.asset], left, now)
        return held.asset
