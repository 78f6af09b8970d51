"""Notices a broker that runs but no longer passes anything on.

JetStream gives up when its disk is full and stays so after space was freed, until the server is started again.
"""

from deploy.standalone.central_client import Snapshot

STILL_S = 20.0
# Health reports come every few seconds; an agent that starts again on a slow machine may be silent for longer.
SILENT_S = 45.0
RESTART_EVERY_S = 60.0


class StuckBroker:
    """Judges snapshots of a central service that answers; `note` tells when the broker should be started again."""

    def __init__(self) -> None:
        self._committed: int | None = None
        self._moved_at_s = 0.0
        self._health_at_s: float | None = None
        self._heard_at_s = 0.0
        self._restarted_at_s: float | None = None

    def note(self, snapshot: Snapshot, now_s: float) -> str | None:
        """Return what is stuck, in words, at most once in `RESTART_EVERY_S`; None while all is well."""
        waits = snapshot.pending > 0 and "backlog" in snapshot.uplink
        if not waits or snapshot.committed != self._committed:
            self._committed, self._moved_at_s = snapshot.committed, now_s
        health_at_s = snapshot.health_at.timestamp() if snapshot.health_at else None
        if health_at_s is None or health_at_s != self._health_at_s:
            self._health_at_s, self._heard_at_s = health_at_s, now_s
        still_s, silent_s = now_s - self._moved_at_s, now_s - self._heard_at_s
        if still_s < STILL_S and silent_s < SILENT_S:
            return None
        if self._restarted_at_s is not None and now_s - self._restarted_at_s < RESTART_EVERY_S:
            return None
        self._restarted_at_s = now_s
        if still_s >= STILL_S:
            return f"{snapshot.pending} events wait and none arrived for {still_s:.0f} s"
        return f"the edge agent has not been heard for {silent_s:.0f} s"
