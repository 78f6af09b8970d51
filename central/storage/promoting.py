"""Doors' modes and what speaks for them, on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from central.application.promoting import Commissioning, Known, ModeAsked, PromotionView
from central.domain.readiness import Evidence, Policy
from central.storage.database import Connection, Database
from central.storage.queries import query


class PgPromotionWork:
    """`central.application.promoting.PromotionWork` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def doors(self, portal: str | None, *, lock: bool = False) -> list[Known]:
        """Return what is known of all doors or one."""
        if lock:
            await self._rows("lock", {"portal": portal})
        return [_known(row) for row in await self._rows("doors", {"portal": portal})]

    async def promotion_policies(self) -> dict[str, Policy]:
        """Return what each mode wants."""
        return {row[0]: Policy(*row) for row in await self._rows("policies", {})}

    async def set_mode(self, asked: ModeAsked, overridden: str | None, now: datetime) -> None:
        """Give a door a mode."""
        await self._connection.execute(query("promoting.set_mode"), {"portal": asked.portal, "mode": asked.mode})
        await self._connection.execute(query("registry.bump"))
        told = {"mode": asked.mode, "reason": asked.reason, "approved_by": asked.approved_by, "overridden": overridden}
        await self._told("portal_mode_set", asked.portal, asked.by, told, now, now)

    async def commissioned(self, done: Commissioning, now: datetime) -> None:
        """Write a commissioning into the log."""
        told = {"walks": done.walks, "faults": done.faults, "reference": done.reference}
        await self._told("portal_commissioned", done.portal, done.by, told, done.at, now)

    async def set_promotion_policy(self, policy: Policy, by: str, reason: str, now: datetime) -> None:
        """Change what a mode wants."""
        await self._connection.execute(query("promoting.set_policy"), asdict(policy))
        told = asdict(policy) | {"reason": reason}
        params = {"act": "promotion_policy_set", "subject": f"mode/{policy.mode}", "by": by, "at": now, "now": now}
        await self._connection.execute(query("promoting.told"), params | {"detail": json.dumps(told)})

    async def _told(  # noqa: PLR0917 (an act, all of it)
        self, act: str, portal: str, by: str, detail: dict[str, Any], at: datetime, now: datetime
    ) -> None:
        told = json.dumps({name: value for name, value in detail.items() if value is not None})
        params = {"act": act, "subject": f"portal/{portal}", "by": by, "detail": told, "at": at, "now": now}
        await self._connection.execute(query("promoting.told"), params)

    async def _rows(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(f"promoting.{name}"), params)).fetchall()


class PgPromotions:
    """`central.application.promoting.Promotions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgPromotionWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            yield PgPromotionWork(connection)


def _known(row: Sequence[Any]) -> Known:
    portal, name, mode, since, days, crossings, missed, wrong, walked_at, walks, faults, at, by, told = row
    evidence = Evidence(since, days, int(crossings), missed, wrong, walked_at, walks, faults)
    if at is None:
        return Known(portal, name, mode, evidence, None)
    last = PromotionView(
        at=at, by=by, approved_by=told.get("approved_by"), mode=told["mode"], reason=told["reason"],
        overridden=told.get("overridden"),
    )  # fmt: skip
    return Known(portal, name, mode, evidence, last)
