"""Fires, and doors that were forced or held open: what inputs tell is an alert for as long as they say so."""

from collections.abc import Iterable, Mapping
from typing import Final

from central.application.ports import Notice, Registry
from central.application.records import Incoming, Sensor

ONCE: Final = "access"
"""The `reader` of what a controller tells once, without an end: each is an alert of its own."""
_ALERTS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "fire": (
        "fire_alarm",
        "high",
        "The fire alarm at {where} is on: the sirens of this gateway are muted.",
        "The fire alarm at {where} is over: the sirens of this gateway are no longer muted.",
    ),
    "forced": ("door_forced", "high", "{door} was forced, says {where}.", "{door} is no longer forced, says {where}."),
    "held": ("door_held", "low", "{door} is held open, says {where}.", "{door} is shut again, says {where}."),
}
"""By what an input tells: the alert's kind, its severity, and words for its beginning and its end."""


def alarm_notices(rows: Iterable[Incoming], registry: Registry) -> dict[str, Notice]:
    """Return by key what is to be said of alarm inputs, rows in their streams' order: the last word of each holds."""
    found: dict[str, Notice] = {}
    for row in rows:
        if isinstance(row.record, Sensor) and row.record.kind in _ALERTS:
            notice = _notice(row.key.gateway, row.record, registry)
            found.pop(notice.key, None)
            found[notice.key] = notice
    return found


def _notice(gateway: str, sensor: Sensor, registry: Registry) -> Notice:
    kind, severity, begins, ends = _ALERTS[sensor.kind]
    portal = registry.portals.get(sensor.portal or "")
    once = sensor.reader == ONCE
    key = f"{kind}/{gateway}/{sensor.reader}/{sensor.gpi}"
    if once:
        key = f"{kind}/{gateway}/{sensor.portal}/{sensor.at.isoformat()}"
    where = "the access controller" if once else f"input {sensor.gpi} of {sensor.reader}"
    door = portal.name if portal is not None else sensor.portal or "A door"
    reason = (begins if sensor.state else ends).format(where=where, door=door)
    return Notice(key, kind, severity, gateway, reason, cleared=not sensor.state)
