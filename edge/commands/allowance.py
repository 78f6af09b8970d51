"""How many answers to what is refused may go out: anybody on the network can make us answer, and rows go first."""

from collections.abc import Callable
from typing import Final

BURST: Final = 20
PER_S: Final = 5.0
"""A central that signs with an outdated key, or gives a command twice, is told why; who floods is counted."""


class Allowance:
    """A bucket of answers that fills steadily.

    Args:
        now_s: monotonic seconds.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s, self._left, self._at_s = now_s, float(BURST), now_s()

    def take(self) -> bool:
        """Tell whether one more may go out, and count it if so."""
        now_s = self._now_s()
        self._left = min(float(BURST), self._left + PER_S * (now_s - self._at_s))
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
