"""Open alerts as things to act on: one for an asset set and a door, in an order that holds still. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from central.console import words

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One thing to act on and all its open alerts, newest first."""

    key: Key
    alerts: tuple[dict[str, Any], ...]

    @property
    def newest(self) -> dict[str, Any]:
        """The alert that speaks for all."""
        return self.alerts[0]

    @property
    def rank(self) -> int:
        """How grave the gravest is: 0 for critical, more for less."""
        return min(0 if alert["severity"] == "critical" else 1 for alert in self.alerts)

    @property
    def ids(self) -> list[int]:
        """What one tap takes."""
        return [alert["id"] for alert in self.alerts]


def act_now(alerts: Iterable[dict[str, Any]], before: Sequence[Key] = ()) -> list[Group]:
    """Group what calls for action: assets, then gateways; in each the gravest first; of those `before` in its order."""
    found: dict[Key, list[dict[str, Any]]] = {}
    for alert in alerts:
        if words.is_act_now(alert):
            found.setdefault(_key(alert), []).append(alert)
    groups = [Group(key, tuple(sorted(some, key=_age, reverse=True))) for key, some in found.items()]
    groups.sort(key=lambda one: _age(one.newest), reverse=True)
    places = {key: place for place, key in enumerate(before)}
    groups.sort(key=lambda one: (words.is_about_gateway(one.newest), one.rank, places.get(one.key, len(places))))
    return groups


def pushed(before: Sequence[Key], now: Sequence[Key]) -> set[Key]:
    """Return what stands where something else stood: a finger may have been meant for that."""
    return {new for old, new in zip(before, now, strict=False) if old != new}


def _key(alert: dict[str, Any]) -> Key:
    if words.is_about_gateway(alert):
        return ("gateway", alert["kind"], alert["gateway"])
    assets = sorted(set(words.alert_asset_ids(alert))) or [str(alert.get("epc"))]
    return (alert["kind"], str(alert["portal"]), *assets)


def _age(alert: dict[str, Any]) -> tuple[float, int]:
    return words.instant(alert["at"]).timestamp(), alert["id"]
