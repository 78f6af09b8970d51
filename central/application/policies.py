"""What each door asks for, and the badges that an access-control system tells of."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from central.application.errors import NotFound, StepUnfit
from central.application.judge import judge_again
from central.application.ports import Registry, Transaction
from central.domain.carrying import BADGE_AFTER, BADGE_BEFORE

KEPT: Final = timedelta(days=30)
"""A badge decides within seconds; who looks into an alert has a month to see whose it was."""
AHEAD: Final = timedelta(minutes=1)
"""How far the access-control system's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class DoorPolicy:
    """What an old snapshot means at a door, and for which classes of assets it asks for a badge; '' is every other."""

    portal: str
    stale: str
    needs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadgeShown:
    """Somebody showed a badge at a door."""

    portal: str
    person: str
    at: datetime


class PolicyWork(Transaction, Protocol):
    """Policies and badges inside one transaction."""

    async def set_policy(self, policy: DoorPolicy, by: str, now: datetime) -> None:
        """Write a door's policy in place of what it was; ingest and doors follow."""

    async def add_badges(self, badges: Sequence[BadgeShown], now: datetime, forget_before: datetime) -> None:
        """Keep badges, and forget old ones."""

    async def waiting_for_badges(self, portal: str, first: datetime, last: datetime) -> set[str]:
        """Return the assets that stand in an alert about who carried them through a door in a span, locked by id."""


class PolicyBook(Protocol):
    """Policies as the API sees them."""

    def work(self) -> AbstractAsyncContextManager[PolicyWork]:
        """Open a transaction."""

    async def policy(self, portal: str) -> DoorPolicy:
        """Return a door's policy, or raise `NotFound`."""


async def set_policy(book: PolicyBook, policy: DoorPolicy, by: str, now: datetime) -> DoorPolicy:
    """Set what a door asks for. Raises `NotFound` where there is no such door."""
    async with book.work() as work:
        _known(await work.registry(), [policy.portal])
        await work.set_policy(policy, by, now)
    return policy


async def take_badges(book: PolicyBook, badges: Sequence[BadgeShown], now: datetime) -> list[int]:
    """Take badges; those that come after a passage resolve its alert. Return the ids of alerts that changed.

    Raises:
        NotFound: there is no such door.
        StepUnfit: a badge is of the future.
    """
    late = next((one for one in badges if one.at > now + AHEAD), None)
    if late is not None:
        raise StepUnfit(f"at: {late.at.isoformat()} is still to come: set the clock of the access-control system")
    changed: list[int] = []
    async with book.work() as work:
        registry = await work.registry()
        _known(registry, {one.portal for one in badges})
        await work.add_badges(badges, now, now - KEPT)
        assets: set[str] = set()
        for one in badges:
            assets |= await work.waiting_for_badges(one.portal, one.at - BADGE_AFTER, one.at + BADGE_BEFORE)
        if assets:
            changed = await judge_again(work, registry, assets, now)
    return changed


def _known(registry: Registry, portals: Collection[str]) -> None:
    for portal in sorted(portals):
        if portal not in registry.portals:
            raise NotFound(f"there is no portal {portal!r}: /api/v1/portals lists them")
