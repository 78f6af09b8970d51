"""The life of alerts, and doors that are quieter for a while, on PostgreSQL."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from central.application.alerting import (
    AlertAsked,
    AlertDetail,
    AlertEventView,
    Claim,
    DoorFigures,
    HeldAlert,
    MeasureView,
    QuietAsked,
    Resolution,
    VerdictView,
)
from central.application.errors import NotFound
from central.application.ports import Registry, Views
from central.domain.alert_life import Settled, Sighting, share_interval
from central.domain.exceptions.terms import CountDays
from central.storage.database import Connection, Database
from central.storage.exceptions import PgExceptionWork
from central.storage.log import PgLog
from central.storage.queries import query


class PgAlertWork(PgExceptionWork):
    """`central.application.alerting.AlertWork` on one connection."""

    def __init__(self, connection: Connection, count: CountDays, log: PgLog) -> None:
        super().__init__(connection, count)
        self._log = log

    async def hold_alert(self, alert: int) -> HeldAlert:
        """Lock an alert."""
        rows = await self._rows("alerts.hold", {"alert": alert})
        if not rows:
            raise NotFound(f"there is no alert {alert}")
        return HeldAlert(*rows[0])

    async def step_alert(self, alert: int, asked: AlertAsked, now: datetime) -> None:
        """Store acknowledge or investigate."""
        params = {"alert": alert, "by": asked.by, "now": now}
        if asked.name == "acknowledge":
            await self._run("alerts.acknowledge", params)
            await self._run("alerts.acknowledge_act", params)
            await self._happened(alert, "acknowledged", asked.by, "", now)
            return
        await self._run("alerts.investigate", params)
        await self._happened(alert, "investigating", asked.by, asked.reason, now)
        await self._act("alert_investigated", f"alert/{alert}", asked.by, {}, now)

    async def resolve(
        self, alert: int, asked: AlertAsked, resolution: Resolution, confirm_by: datetime | None, now: datetime
    ) -> None:
        """Store a verdict."""
        shown = asdict(resolution.evidence)
        params = {
            "alert": alert,
            "verdict": resolution.verdict,
            "evidence": json.dumps(shown),
            "by": asked.by,
            "now": now,
            "standing": "provisional" if confirm_by else "confirmed",
            "confirm_by": confirm_by,
        }
        await self._run("alerts.add_verdict", params)
        await self._run("alerts.resolve", params)
        members = await self._rows("alerts.said_to_have_left", {"alert": alert})
        shown_by = f"alert {alert} was resolved: {resolution.verdict}"
        await self.suggest_closing(["unauthorised_exit"], [row[0] for row in members], shown_by, "alerts", now)
        words = f"{resolution.verdict}: {resolution.evidence.kind} {resolution.evidence.reference}"
        await self._happened(alert, "resolved", asked.by, words, now)
        told = {"verdict": resolution.verdict, "evidence": shown}
        await self._act("alert_resolved", f"alert/{alert}", asked.by, told, now)

    async def settle_verdict(self, alert: int, settled: Settled, by: str, why: str, now: datetime) -> None:
        """Confirm the newest verdict or refute it."""
        await self._run("alerts.settle_verdict", {"alert": alert, "settled": settled, "by": by, "now": now})
        if settled == "confirmed":
            await self._run("alerts.confirm", {"alert": alert})
            await self._happened(alert, "confirmed", by, why, now)

    async def reopen(self, alert: int, severity: str, by: str, why: str, now: datetime) -> None:
        """Open an alert again."""
        await self._run("alerts.reopen", {"alert": alert, "severity": severity})
        await self._happened(alert, "reopened", by, why, now)

    async def claims(self) -> list[Claim]:
        """Return the provisional false reads with what is known of their assets."""
        found = []
        for alert, confirm_by in await self._rows("alerts.provisional", {}):
            members = await self._rows("alerts.said_to_have_left", {"alert": alert})
            left = {asset: (origin, destination) for asset, origin, destination, _ in members}
            since = min((at for *_, at in members), default=confirm_by)
            seen = await self._rows("alerts.seen_since", {"alert": alert, "assets": list(left), "since": since})
            found.append(Claim(alert, confirm_by, left, [Sighting(*row) for row in seen]))
        return found

    async def add_measure(self, asked: QuietAsked, now: datetime) -> int:
        """Quieten a door from now on."""
        params = asdict(asked) | {"from_at": now}
        ((measure,),) = await self._rows("alerts.add_measure", params)
        await self._run("registry.bump", {})
        told = {"measure": measure, "kind": asked.kind, "mode": asked.mode, "reason": asked.reason}
        await self._act("portal_measured", f"portal/{asked.portal}", asked.by, told, now)
        return int(measure)

    async def end_measure(self, portal: str, measure: int, by: str, now: datetime) -> None:
        """End a measure before its time."""
        params = {"portal": portal, "measure": measure, "by": by, "now": now}
        if not await self._rows("alerts.end_measure", params):
            raise NotFound(f"portal {portal!r} has no measure {measure} in force: /api/v1/portal-measures lists them")
        await self._run("registry.bump", {})
        await self._act("portal_measure_ended", f"portal/{portal}", by, {"measure": measure}, now)

    async def registry(self) -> Registry:
        """Return the registry."""
        return await self._log.registry_in(self._connection)

    def days(self, location: str | None, start: datetime, business_days: int) -> datetime:
        """Return when business days are over for somebody at a location."""
        return self._count(location, start, business_days)[0]

    async def _happened(self, alert: int, kind: str, by: str, detail: str, now: datetime) -> None:
        params = {"alert": alert, "kind": kind, "by": by, "detail": detail, "now": now}
        await self._run("alerts.add_event", params)

    async def _act(self, act: str, subject: str, by: str, detail: dict[str, Any], now: datetime) -> None:
        params = {"act": act, "subject": subject, "by": by, "detail": json.dumps(detail), "now": now}
        await self._run("alerts.step_act", params)

    async def _run(self, name: str, params: dict[str, Any]) -> None:
        await self._connection.execute(query(name), params)


class PgAlertBook:
    """`central.application.alerting.AlertBook`."""

    def __init__(self, database: Database, log: PgLog, views: Views) -> None:
        self._database, self._log, self._views = database, log, views

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgAlertWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            registry = await self._log.registry_in(connection)
            yield PgAlertWork(connection, registry.calendars.count, self._log)
            await self._log.keep_calendars_in(connection)

    async def detail(self, alert: int) -> AlertDetail:
        """Return an alert with its history."""
        found = await self._views.alerts_by_id([alert])
        if not found:
            raise NotFound(f"there is no alert {alert}")
        async with self._database.transaction() as connection:
            async with connection.cursor(row_factory=class_row(AlertEventView)) as cursor:
                history = await (await cursor.execute(query("alerts.history"), {"alert": alert})).fetchall()
            async with connection.cursor(row_factory=class_row(VerdictView)) as cursor:
                verdicts = await (await cursor.execute(query("alerts.verdicts"), {"alert": alert})).fetchall()
        return AlertDetail(alert=found[0], history=history, verdicts=verdicts)

    async def figures(self, since: datetime, portal: str | None = None) -> list[DoorFigures]:
        """Return what became of the alerts raised since."""
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(DoorFigures)) as cursor,
        ):
            rows = await (await cursor.execute(query("alerts.figures"), {"since": since, "portal": portal})).fetchall()
        return [_with_share(row) for row in rows]

    async def measures(self, now: datetime) -> list[MeasureView]:
        """Return the measures in force."""
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(MeasureView)) as cursor,
        ):
            return await (await cursor.execute(query("alerts.measures_in_force"), {"now": now})).fetchall()


def _with_share(row: DoorFigures) -> DoorFigures:
    of = row.false_reads + row.right_alerts
    low, high = share_interval(row.false_reads, of)
    share = row.false_reads / of if of else None
    return row.model_copy(update={"share_false": share, "share_false_from": low, "share_false_to": high})
