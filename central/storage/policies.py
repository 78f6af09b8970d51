"""What doors ask for, and badges, on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from central.application.errors import NotFound
from central.application.policies import BadgeShown, DoorPolicy
from central.storage.database import Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query


class PgPolicyWork(PgTransaction):
    """`central.application.policies.PolicyWork` on one connection."""

    async def set_policy(self, policy: DoorPolicy, by: str, now: datetime) -> None:
        """Write a door's policy."""
        classes = sorted(policy.needs)
        params = {
            "portal": policy.portal,
            "stale": policy.stale,
            "classes": classes,
            "needs": [policy.needs[one] for one in classes],
        }
        for name in ("policies.set_stale", "policies.forget_needs", "policies.add_needs", "registry.bump"):
            await self._connection.execute(query(name), params)
        told = {"stale": policy.stale, "needs": dict(policy.needs)}
        act = {"act": "portal_policy_set", "subject": f"portal/{policy.portal}", "by": by, "now": now}
        await self._connection.execute(query("alerts.step_act"), act | {"detail": json.dumps(told)})

    async def add_badges(self, badges: Sequence[BadgeShown], now: datetime, forget_before: datetime) -> None:
        """Keep badges, and forget old ones."""
        params: dict[str, Any] = {
            "portals": [one.portal for one in badges],
            "people": [one.person for one in badges],
            "times": [one.at for one in badges],
            "now": now,
        }
        await self._connection.execute(query("policies.add_badges"), params)
        await self._connection.execute(query("policies.forget_badges"), {"before": forget_before})

    async def waiting_for_badges(self, portal: str, first: datetime, last: datetime) -> set[str]:
        """Return the assets that stand in an alert about who carried them."""
        params = {"portal": portal, "first": first, "last": last}
        rows = await (await self._connection.execute(query("policies.waiting"), params)).fetchall()
        assets = {row[0] for row in rows}
        if assets:
            await self._connection.execute(query("projection.lock_assets_by_id"), {"assets": list(assets)})
        return assets


class PgPolicies:
    """`central.application.policies.PolicyBook`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database, self._log = database, log

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgPolicyWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            yield PgPolicyWork(connection, self._log)
            await self._log.keep_calendars_in(connection)

    async def policy(self, portal: str) -> DoorPolicy:
        """Return a door's policy."""
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query("policies.policy"), {"portal": portal})).fetchall()
        if not rows:
            raise NotFound(f"there is no portal {portal!r}: /api/v1/portals lists them")
        needs = {asset_class: wanted for _, asset_class, wanted in rows if wanted is not None}
        return DoorPolicy(portal, rows[0][0], needs)
