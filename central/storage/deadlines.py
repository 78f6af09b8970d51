"""Deadlines on PostgreSQL."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from central.application.deadlines import DeadlineFilter, DeadlineView, Reached
from central.application.openings import Opening
from central.application.passes import Back, HeldPass
from central.domain.deadlines import Deadline, Obligation, Policy
from central.storage.database import Connection
from central.storage.queries import query


class PgDeadlines:
    """`central.application.deadlines.Deadlines` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def policies(self) -> dict[str, Policy]:
        """Return who hears when, by kind of obligation."""
        rows = await self._rows("policies", {})
        return {kind: Policy(kind, days, warn, tuple(steps), tuple(path)) for kind, days, warn, steps, path in rows}

    async def absent(self, names: Collection[str]) -> list[str]:
        """Return which of the names are neither a role nor an active person."""
        return [row[0] for row in await self._rows("absent", {"names": list(names)})]

    async def set_policy(self, policy: Policy, by: str, reason: str, now: datetime) -> None:
        """Change who hears when; what hasn't fired is planned anew."""
        params = {
            "subject_kind": policy.subject_kind,
            "business_days": policy.business_days,
            "warn": policy.warn,
            "steps": list(policy.steps),
            "path": list(policy.path),
            "by": by,
            "reason": reason,
            "now": now,
        }
        await self._run("set_policy", params)
        await self._run("forget_kind", params)

    async def may_sweep(self) -> bool:
        """Tell whether nobody else sweeps at the moment."""
        ((free,),) = await self._rows("one_sweep", {})
        return bool(free)

    async def forget_settled(self) -> None:
        """Forget deadlines of what is open no more, or due at another time."""
        await self._run("forget_settled", {})

    async def unplanned(self, limit: int) -> list[Obligation]:
        """Return obligations that have no deadlines yet."""
        rows = await self._rows("unplanned", {"limit": limit})
        return [Obligation(*row) for row in rows]

    async def keep(self, planned: Sequence[tuple[Obligation, Sequence[Deadline]]]) -> None:
        """Store deadlines; those that have fired by the log stay fired."""
        flat = [(obligation, one) for obligation, stages in planned for one in stages]
        columns: dict[str, list[Any]] = {
            "kinds": [one.kind for _, one in flat],
            "subjects": [one.subject for _, one in flat],
            "stages": [one.stage for _, one in flat],
            "at": [one.at for _, one in flat],
            "due_at": [one.due_at for _, one in flat],
            "calendars": [one.calendar for _, one in flat],
            "answerable": [obligation.answerable for obligation, _ in flat],
            "recipients": [one.recipient for _, one in flat],
        }
        await self._run("plan", columns)

    async def reached(self, now: datetime, limit: int) -> tuple[list[Reached], bool]:
        """Lock and return deadlines that are reached, in their order, and whether there may be more."""
        rows = await self._rows("reached", {"now": now, "limit": limit})
        ended = [row[0] for row in rows if row[-1] is None]
        if ended:
            await self._run("drop", {"ids": ended})
        found = [Reached(row[0], Deadline(*row[1:8]), *row[8:]) for row in rows if row[-1] is not None]
        return found, len(rows) == limit

    async def passes_back(self) -> list[Back]:
        """Return what is back, and whose pass nobody has ended."""
        return [Back(*row) for row in await self._rows("passes_back", {})]

    async def hold_pass(self, authorisation: str) -> HeldPass | None:
        """Lock a gate pass."""
        rows = await self._rows("hold_pass", {"id": authorisation})
        return HeldPass(*rows[0]) if rows else None

    async def end_pass(self, back: Back, by: str, now: datetime) -> None:
        """Write the act that a pass is over."""
        await self._run("end_pass", asdict(back) | {"by": by, "now": now})

    async def overdue_passes(self, assets: Collection[str], now: datetime) -> list[Opening]:
        """Return what is out for too long on passes that aren't over."""
        rows = await self._rows("overdue_passes", {"assets": list(assets), "now": now})
        return [
            Opening("pass_overdue", None, asset, location, due, {"gate_pass": name, "since": since.isoformat()}, name)
            for name, asset, location, since, due in rows
        ]

    async def fire(self, reached: Reached, now: datetime) -> None:
        """Write the act of a deadline that fires."""
        one = reached.deadline
        params = {
            "id": reached.id,
            "kind": one.kind,
            "subject": one.subject,
            "stage": one.stage,
            "at": one.at,
            "due_at": one.due_at,
            "calendar": one.calendar,
            "recipient": one.recipient,
            "asset": reached.asset,
            "location": reached.location,
            "now": now,
        }
        await self._run("fire", params)

    async def escalate(self, reached: Reached, category: str | None, now: datetime) -> list[int]:
        """Write into the history of the exception that a deadline is about; return which."""
        one = reached.deadline
        told = {"stage": one.stage, "to": one.recipient, "of": one.kind, "due_at": one.due_at.isoformat()}
        params: dict[str, Any] = {"detail": json.dumps(told), "now": now}
        if category is None:
            rows = await self._rows("escalate", params | {"exception": int(one.subject)})
        else:
            rows = await self._rows("escalate_of", params | {"category": category, "asset": reached.asset})
        return [row[0] for row in rows]

    async def listed(self, chosen: DeadlineFilter, limit: int) -> list[DeadlineView]:
        """Return deadlines by their time: those to come, or those that fired, newest first."""
        params = {
            "fired": chosen.fired,
            "subject_kind": chosen.subject_kind,
            "subject": chosen.subject,
            "limit": limit,
        }
        async with self._connection.cursor(row_factory=class_row(DeadlineView)) as cursor:
            return await (await cursor.execute(query("deadlines.listed"), params)).fetchall()

    async def _rows(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(f"deadlines.{name}"), params)).fetchall()

    async def _run(self, name: str, params: dict[str, Any]) -> None:
        await self._connection.execute(query(f"deadlines.{name}"), params)
