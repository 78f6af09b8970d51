"""What the demo reads from the central service's API, as one snapshot of figures."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from deploy.standalone.errors import NoAnswerError

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert of this run: what is said of it, and what may be added to it later without being a new alert."""

    id: int
    text: str
    reason: str = ""
    assets: int = 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Figures at one moment; `written` and `pending` are the edge's own, `committed` the database's."""

    reads: int = 0
    written: int = 0
    pending: int = 0
    health_at: datetime | None = None
    uplink: str = "not heard yet"
    readers: tuple[tuple[str, str, str], ...] = ()  # name, state, problem (empty: none)
    movements: int = 0
    alerts: int = 0
    unauthorised_exits: int = 0
    committed: int = 0
    duplicated: int = 0
    gaps: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    judged: dict[str, int] = field(default_factory=dict)  # exits by what the doors decided
    newest_alerts: tuple[AlertLine, ...] = ()

    @property
    def lost(self) -> int:
        """Rows that the edge has numbered and the database doesn't have, rows it had to drop included."""
        return max(0, self.written - self.committed) + self.gaps

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way any more."""
        return self.health_at is not None and self.pending == 0 and self.written <= self.committed


class CentralClient:
    """Reads the API on loopback."""

    def __init__(self, url: str) -> None:
        # A proxy of the environment has no business between two programs of one machine.
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)
        self._old_boots: frozenset[str] = frozenset()
        self._old_alert = 0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def forget_earlier_runs(self) -> None:
        """Take what the database says now as the past: later snapshots say nothing of those starts and alerts.

        A start is told by its `boot`, an alert by its number: no clock that is set meanwhile can mix them up.

        Raises:
            NoAnswerError: the API didn't answer, or not as it should.
        """
        gateways, alerts = self._get("gateways"), self._get("alerts", state="all", limit=1000)
        self._old_boots = frozenset(one["health"]["boot"] for one in gateways["gateways"] if one["health"])
        self._old_alert = max((alert["id"] for alert in alerts["alerts"]), default=0)

    def gate_is_published(self) -> bool:
        """Tell whether every registered gateway was sent what its doors decide by.

        Raises:
            NoAnswerError: the API didn't answer, or not as it should.
        """
        gateways = self._get("gate")["gateways"]
        return bool(gateways) and all(one["generation"] is not None for one in gateways)

    def snapshot(self) -> Snapshot:
        """Read all figures.

        Raises:
            NoAnswerError: the API didn't answer, or not as it should.
        """
        summary, locations = self._get("summary"), self._get("locations")
        gateways, alerts = self._get("gateways"), self._get("alerts", state="all", limit=5)
        known = (gateway["health"] for gateway in gateways["gateways"] if gateway["health"])
        health = [report for report in known if report["boot"] not in self._old_boots]
        readers = [reader for report in health for reader in report["readers"]]
        streams = [stream for report in health for stream in report["streams"]]
        return Snapshot(
            reads=sum(reader["reads"] for reader in readers),
            written=sum(stream["written"] for stream in streams),
            pending=sum(stream["pending"] for stream in streams),
            health_at=min((datetime.fromisoformat(report["at"]) for report in health), default=None),
            uplink=", ".join(report["uplink"] for report in health) or "not heard yet",
            readers=tuple((reader["id"], reader["state"], reader.get("problem", "")) for reader in readers),
            movements=summary["movements"],
            alerts=summary["alerts"],
            unauthorised_exits=summary["unauthorised_exits"],
            committed=summary["events"]["committed"],
            duplicated=summary["events"]["duplicated"],
            gaps=summary["events"]["gaps"],
            judged=dict(sum((Counter((one.get("gate") or {}).get("judged", {})) for one in health), Counter[str]())),
            counts={place["id"]: place["count"] for place in locations["locations"]},
            newest_alerts=tuple(
                AlertLine(alert["id"], _alert_line(alert), alert["reason"], len(alert["assets"]))
                for alert in alerts["alerts"]
                if alert["id"] > self._old_alert
            ),
        )

    def _get(self, name: str, **params: str | int) -> dict[str, Any]:
        try:
            answer = self._http.get(f"/api/v1/{name}", params=params)
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswerError(f"the central service did not answer /api/v1/{name}: {error}") from error
        return found


def _alert_line(alert: dict[str, Any]) -> str:
    """One alert in one line: when, what and how many with it, which door, which way, why."""
    asset, more = alert["asset"], len(alert["assets"]) - 1
    parts = [datetime.fromisoformat(alert["at"]).strftime("%H:%M:%S")]
    if asset:
        parts.append(f"{asset['id']} ({asset['name']})")
    elif alert["epc"]:
        parts.append(f"tag {alert['epc']}")
    else:
        parts.append(alert["kind"].replace("_", " "))
    if more > 0:
        parts[-1] += f" and {more} more"
    if alert["portal"]:
        parts.append(f"at {alert['portal']}")
    if alert["from"] and alert["to"]:
        parts.append(f"{alert['from']} -> {alert['to']}")
    return "  ".join([*parts, alert["reason"]])
