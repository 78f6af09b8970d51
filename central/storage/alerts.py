"""Alerts on PostgreSQL: one an incident, holding its assets; what changes is in its history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from central.application.ports import Incident, Notice
from central.domain.alerts import is_late
from central.storage.database import Connection
from central.storage.queries import query

NEWS: Final = frozenset({"joined", "reinstated"})
"""What no verdict that was given before can have meant."""


async def raise_incidents(connection: Connection, incidents: Sequence[Incident], now: datetime) -> list[int]:
    """Open, join or annotate alerts; return the ids of those that changed. Each passage comes once."""
    if not incidents:
        return []
    standing, left = await _standing(connection, incidents, now)
    columns = _columns(incidents) | {"alerts": [alert for alert, _ in standing]}
    saved = {row[0].hex for row in await _rows(connection, "alerts.save_members", columns)}
    changed = [
        (alert, kind, incident)
        for incident, (alert, kind) in zip(incidents, standing, strict=True)
        if incident.case.passage in saved
    ]
    alerts = [alert for alert, _, _ in changed]
    if alerts:
        await connection.execute(query("alerts.restate"), {"alerts": sorted({*alerts, *left})})
    for old, new in left.items():
        await connection.execute(query("alerts.emptied"), {"alert": old, "into": new})
    events = [
        (alert, kind, f"{incident.case.asset}: {incident.finding.reason}") for alert, kind, incident in changed if kind
    ]
    await _events(connection, events, now)
    grave = {alert: one.case.asset for alert, kind, one in changed if kind in NEWS and one.finding.severity != "low"}
    if grave:
        await _reopen(connection, grave, now)
    return alerts


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


async def _standing(
    connection: Connection, incidents: Sequence[Incident], now: datetime
) -> tuple[list[tuple[int, str | None]], dict[int, int]]:
    """Return of each incident its alert, opened if it must be, and what happened; and which alert went into which."""
    passages = [one.case.passage for one in incidents]
    members = {row[0].hex: row for row in await _rows(connection, "alerts.members", {"passages": passages})}
    new = [one for one in incidents if one.case.passage not in members]
    opened, alerts = await _opened(connection, new, now)
    standing: list[tuple[int, str | None]] = []
    left: dict[int, int] = {}
    for one in incidents:
        before = members.get(one.case.passage)
        if before is not None:
            alert = before[1] if before[4] == one.key else await _regroup(connection, before[1], one, now)
            standing.append((alert, _change(before[1:], one)))
            left |= {before[1]: alert} if alert != before[1] else {}
        else:  # the first of an incident raises its alert, the others join it
            standing.append((alerts[one.key], "joined" if opened.pop(one.key, None) is None else "raised"))
    return standing, left


async def _opened(
    connection: Connection, incidents: Sequence[Incident], now: datetime
) -> tuple[dict[str, int], dict[str, int]]:
    """Return by incident the alerts that had to be opened, and all of them."""
    if not incidents:
        return {}, {}
    rows = await _rows(connection, "alerts.open_alerts", _columns(incidents) | _opening(incidents, now))
    opened = dict(rows)
    others = sorted({one.key for one in incidents} - opened.keys())
    known = await _rows(connection, "alerts.alerts_of", {"incidents": others}) if others else []
    return opened, opened | dict(known)


async def _regroup(connection: Connection, alert: int, incident: Incident, now: datetime) -> int:
    """Return the alert of the cart that a passage turned out to belong to: its own renamed, or the cart's."""
    if await _rows(connection, "alerts.rename", {"alert": alert, "incident": incident.key}):
        return alert
    return (await _opened(connection, [incident], now))[1][incident.key]


async def _reopen(connection: Connection, assets: Mapping[int, str], now: datetime) -> None:
    """Open resolved alerts again that an asset joined of which the verdict knew nothing."""
    for alert, severity in await _rows(connection, "alerts.resolved_among", {"alerts": list(assets)}):
        await connection.execute(query("alerts.refute_waiting"), {"alert": alert, "now": now})
        await connection.execute(query("alerts.reopen"), {"alert": alert, "severity": severity})
        await _events(connection, [(alert, "reopened", f"{assets[alert]} came after the verdict")], now)


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
    _, corrected, authorised_late, _ = before
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
