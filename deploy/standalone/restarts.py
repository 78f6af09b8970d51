"""How often a dead process is started again before it is given up."""

from collections import deque

LIMIT = 5
WITHIN_S = 60.0


class RestartLimit:
    """Allows `LIMIT` restarts of one process within `WITHIN_S`."""

    def __init__(self) -> None:
        self._at_s: deque[float] = deque(maxlen=LIMIT)

    def allow(self, now_s: float) -> bool:
        """Tell whether it may be started once more, and count it if so."""
        if len(self._at_s) == LIMIT and now_s - self._at_s[0] < WITHIN_S:
            return False
        self._at_s.append(now_s)
        return True


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    return f"status {status}" if status >= 0 else f"signal {-status}"
