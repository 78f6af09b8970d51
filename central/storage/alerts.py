"""Alerts on PostgreSQL: one an incident, holding its assets; what changes is in its history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from central.application.ports import Incident, Notice
from central.domain.alerts import is_late
from central.storage.database import Connection
from central.storage.queries import query

GRAVE_NEWS: Final = frozenset({"joined", "reinstated"})
"""What no verdict that was given before can have meant."""


async def raise_incidents(connection: Connection, incidents: Sequence[Incident], now: datetime) -> list[int]:
    """Open, join or annotate alerts; return the ids of those that changed."""
    changed = []
    for incident in incidents:
        alert = await _raise(connection, incident, now)
        if alert is not None:
            changed.append(alert)
    return changed


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
            await _event(connection, row[0], now, kind, notice.reason)
            changed.append(row[0])
    return changed


async def _raise(connection: Connection, incident: Incident, now: datetime) -> int | None:
    """Put a passage's finding into its alert; return the alert if that changed anything."""
    before = await (
        await connection.execute(query("alerts.member"), {"passage": incident.case.passage})
    ).fetchone()  # fmt: skip
    alert, kind = (before[0], _change(before, incident)) if before else await _open(connection, incident, now)
    if before and before[3] != incident.key:
        alert = await _regroup(connection, before[0], incident, now)
    params = _finding(incident) | {
        "alert": alert,
        "passage": incident.case.passage,
        "asset": incident.case.asset,
        "epc": incident.case.epc,
        "corrected": incident.finding.corrected,
        "authorised_late": incident.finding.authorised_late,
        "edge": incident.finding.edge,
    }
    saved = await (await connection.execute(query("alerts.save_member"), params)).fetchone()
    if saved is None:
        return None
    await connection.execute(query("alerts.restate"), {"alert": alert})
    if before and before[0] != alert:
        await connection.execute(query("alerts.restate"), {"alert": before[0]})
        await connection.execute(query("alerts.emptied"), {"alert": before[0], "into": alert})
    if kind:
        await _event(connection, alert, now, kind, f"{incident.case.asset}: {incident.finding.reason}")
    if kind in GRAVE_NEWS and incident.finding.severity != "low":
        await _reopen(connection, alert, incident, now)
    return int(alert)


async def _regroup(connection: Connection, alert: int, incident: Incident, now: datetime) -> int:
    """Return the alert of the cart that a passage turned out to belong to: its own renamed, or the cart's."""
    renamed = {"alert": alert, "incident": incident.key}
    if await (await connection.execute(query("alerts.rename"), renamed)).fetchone():
        return alert
    return (await _open(connection, incident, now))[0]


async def _reopen(connection: Connection, alert: int, incident: Incident, now: datetime) -> None:
    """Open a resolved alert again that an asset joined of which the verdict knew nothing."""
    row = await (await connection.execute(query("alerts.hold"), {"alert": alert})).fetchone()
    if row is None or row[0] != "resolved":
        return
    await connection.execute(query("alerts.refute_waiting"), {"alert": alert, "now": now})
    await connection.execute(query("alerts.reopen"), {"alert": alert, "severity": row[1]})
    await _event(connection, alert, now, "reopened", f"{incident.case.asset} came after the verdict")


async def _open(connection: Connection, incident: Incident, now: datetime) -> tuple[int, str]:
    """Open the incident's alert, or find it open; return its id and what happened."""
    params = _finding(incident) | {
        "incident": incident.key,
        "state": "observed" if incident.observed_only else "open",
        "late": is_late(incident.finding.at, now),
        "gateway": incident.gateway,
        "portal": incident.case.portal,
        "now": now,
    }
    row = await (await connection.execute(query("alerts.open_alert"), params)).fetchone()
    if row is not None:
        return row[0], "raised"
    row = await (await connection.execute(query("alerts.alert_of"), params)).fetchone()
    if row is None:
        raise LookupError(f"alert of incident {incident.key} vanished")
    return row[0], "joined"


def _finding(incident: Incident) -> dict[str, Any]:
    found = incident.finding
    return {
        "kind": found.kind,
        "severity": found.severity,
        "at": found.at,
        "from_location": found.origin,
        "to_location": found.destination,
        "confidence": found.confidence,
        "reason": found.reason,
    }


def _change(before: tuple[Any, ...], incident: Incident) -> str | None:
    """Return the event that a member's new finding is, or None for a mere refinement."""
    _, corrected, authorised_late, _ = before
    if incident.finding.corrected != corrected:
        return "corrected" if incident.finding.corrected else "reinstated"
    if incident.finding.authorised_late != authorised_late:
        return "authorised_late" if incident.finding.authorised_late else "reinstated"
    return None


async def _event(connection: Connection, alert: int, now: datetime, kind: str, detail: str) -> None:
    params = {"alert": alert, "now": now, "kind": kind, "by": "central", "detail": detail.replace("\0", "\\0")}
    await connection.execute(query("alerts.add_event"), params)
