"""Alerts on PostgreSQL: one an incident, holding its assets; what changes is in its history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from central.application.ports import Incident, Notice
from central.domain.alerts import is_late
from central.storage.database import Connection
from central.storage.queries import query

GRAVE_NEWS: Final = frozenset({"raised", "joined", "reinstated"})
"""What no verdict that was given before can have meant."""


async def raise_incidents(connection: Connection, incidents: Sequence[Incident], now: datetime) -> list[int]:
    """Open, join or annotate alerts; return the ids of those that changed. Each passage comes once."""
    if not incidents:
        return []
    standing = await _standing(connection, incidents, now)
    columns = _columns(incidents) | {"alerts": [one.alert for one in standing]}
    saved = {row[0].hex for row in await _rows(connection, "alerts.save_members", columns)}
    changed = [one for one in standing if one.incident.case.passage in saved]
    if changed:
        touched = {one.alert for one in changed} | {one.left for one in changed if one.left is not None}
        await connection.execute(query("alerts.restate"), {"alerts": sorted(touched)})
    for one in changed:
        if one.left is not None:
            await connection.execute(query("alerts.emptied"), {"alert": one.left, "into": one.alert})
    told = [(one.alert, one.kind, f"{one.incident.case.asset}: {one.incident.finding.reason}") for one in changed]
    await _events(connection, [(alert, kind, detail) for alert, kind, detail in told if kind], now)
    grave = [one for one in changed if one.kind in GRAVE_NEWS and one.incident.finding.severity != "low"]
    await _reopen(connection, {one.alert: one.incident.case.asset for one in reversed(grave)}, now)
    return [one.alert for one in changed]


async def give_notices(connection: Connection, notices: Sequence[Notice], now: datetime) -> list[int]:
    """Open or clear alerts about gateways; return the ids of those that changed."""
    changed = []
    for notice in notices:
        params = {
            "incident": notice.key,
            "kind": notice.kind,
            "severity": notice.severity,
            "gateway": notice.gateway,
            "reason": notice.reason.replace("\0", "\\0"),
            "now": now,
        }
        name = "alerts.clear_notice" if notice.cleared else "alerts.notice"
        row = await (await connection.execute(query(name), params)).fetchone()
        if row is not None:
            kind = "corrected" if notice.cleared else "raised" if row[1] else "reinstated"
            await _events(connection, [(row[0], kind, notice.reason)], now)
            changed.append(row[0])
    return changed


class _Standing(NamedTuple):
    """An incident's alert, what happened to it (None: a mere refinement), and the alert that its passage left."""

    incident: Incident
    alert: int
    kind: str | None
    left: int | None = None


async def _standing(connection: Connection, incidents: Sequence[Incident], now: datetime) -> list[_Standing]:
    """Return of each incident its alert, opened if it must be: the first of an incident raises it, others join it."""
    passages = [one.case.passage for one in incidents]
    members = {row[0].hex: row[1:] for row in await _rows(connection, "alerts.members", {"passages": passages})}
    moved = {
        one.case.passage: await _regroup(connection, members[one.case.passage][0], one, now)
        for one in incidents
        if one.case.passage in members and members[one.case.passage][3] != one.key
    }
    alerts, opened = await _open(connection, [one for one in incidents if one.case.passage not in members], now)
    standing = []
    for one in incidents:
        before = members.get(one.case.passage)
        if before is None:
            raised = one.key in opened
            opened.discard(one.key)
            standing.append(_Standing(one, alerts[one.key], "raised" if raised else "joined"))
            continue
        alert = moved.get(one.case.passage, before[0])
        standing.append(_Standing(one, alert, _change(before, one), before[0] if alert != before[0] else None))
    return standing


async def _open(
    connection: Connection, incidents: Sequence[Incident], now: datetime
) -> tuple[dict[str, int], set[str]]:
    """Return by incident its alert, opened if there was none, and the incidents that it was opened of."""
    if not incidents:
        return {}, set()
    opened = dict(await _rows(connection, "alerts.open_alerts", _columns(incidents) | _opening(incidents, now)))
    others = sorted({one.key for one in incidents} - opened.keys())
    known = dict(await _rows(connection, "alerts.alerts_of", {"incidents": others})) if others else {}
    return opened | known, set(opened)


async def _regroup(connection: Connection, alert: int, incident: Incident, now: datetime) -> int:
    """Return the alert of the incident that a passage turned out to belong to: its own renamed, or that one's."""
    renamed = {"alert": alert, "incident": incident.key, "passage": incident.case.passage}
    if await (await connection.execute(query("alerts.rename"), renamed)).fetchone():
        return alert
    alerts, _ = await _open(connection, [incident], now)
    return alerts[incident.key]


async def _reopen(connection: Connection, joined: Mapping[int, str], now: datetime) -> None:
    """Open those of the alerts again that are resolved, as an asset joined of which the verdict knew nothing."""
    if not joined:
        return
    for alert, state, severity in await _rows(connection, "alerts.hold_all", {"alerts": sorted(joined)}):
        if state == "resolved":
            await connection.execute(query("alerts.refute_waiting"), {"alert": alert, "now": now})
            await connection.execute(query("alerts.reopen"), {"alert": alert, "severity": severity})
            await _events(connection, [(alert, "reopened", f"{joined[alert]} came after the verdict")], now)


def _columns(incidents: Sequence[Incident]) -> dict[str, list[Any]]:
    found = [one.finding for one in incidents]
    return {
        "passage": [one.case.passage for one in incidents],
        "asset": [one.case.asset for one in incidents],
        "epc": [one.case.epc for one in incidents],
        "kind": [one.kind for one in found],
        "severity": [one.severity for one in found],
        "at": [one.at for one in found],
        "from_location": [one.origin for one in found],
        "to_location": [one.destination for one in found],
        "confidence": [one.confidence for one in found],
        "reason": [one.reason for one in found],
        "corrected": [one.corrected for one in found],
        "authorised_late": [one.authorised_late for one in found],
        "edge": [one.edge for one in found],
    }


def _opening(incidents: Sequence[Incident], now: datetime) -> dict[str, Any]:
    return {
        "incident": [one.key for one in incidents],
        "state": ["observed" if one.observed_only else "open" for one in incidents],
        "late": [is_late(one.finding.at, now) for one in incidents],
        "gateway": [one.gateway for one in incidents],
        "portal": [one.case.portal for one in incidents],
        "now": now,
    }


def _change(before: tuple[Any, ...], incident: Incident) -> str | None:
    """Return the event that a member's new finding is, or None for a mere refinement."""
    _, corrected, authorised_late, _, kind = before
    if kind == "ambiguous_passage" and incident.finding.kind == "unauthorised_exit" and not incident.finding.corrected:
        return "raised"
    if incident.finding.corrected != corrected:
        return "corrected" if incident.finding.corrected else "reinstated"
    if incident.finding.authorised_late != authorised_late:
        return "authorised_late" if incident.finding.authorised_late else "reinstated"
    return None


async def _events(connection: Connection, events: Sequence[tuple[int, str, str]], now: datetime) -> None:
    if events:
        params = {
            "alerts": [alert for alert, _, _ in events],
            "kinds": [kind for _, kind, _ in events],
            "details": [detail.replace("\0", "\\0") for _, _, detail in events],
        }
        await connection.execute(query("alerts.add_events"), params | {"now": now, "by": "central"})


async def _rows(connection: Connection, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query(name), params)).fetchall()
