"""What the demo reads from the central service's API, as one snapshot of figures."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from deploy.standalone.errors import NoAnswerError

TIMEOUT_S = 5.0


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
    newest_alerts: tuple[str, ...] = ()

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

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def snapshot(self) -> Snapshot:
        """Read all figures.

        Raises:
            NoAnswerError: the API didn't answer, or not as it should.
        """
        summary, locations = self._get("summary"), self._get("locations")
        gateways, alerts = self._get("gateways"), self._get("alerts", state="all", limit=5)
        health = [gateway["health"] for gateway in gateways["gateways"] if gateway["health"]]
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
            counts={place["id"]: place["count"] for place in locations["locations"]},
            newest_alerts=tuple(_alert_line(alert) for alert in alerts["alerts"]),
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
    """One alert in one line: when, what, which door, which way, why."""
    asset = alert["asset"]
    parts = [datetime.fromisoformat(alert["at"]).strftime("%H:%M:%S")]
    if asset:
        parts.append(f"{asset['id']} ({asset['name']})")
    elif alert["epc"]:
        parts.append(f"tag {alert['epc']}")
    else:
        parts.append(alert["kind"].replace("_", " "))
    if alert["portal"]:
        parts.append(f"at {alert['portal']}")
    if alert["from"] and alert["to"]:
        parts.append(f"{alert['from']} -> {alert['to']}")
    return "  ".join([*parts, alert["reason"]])
