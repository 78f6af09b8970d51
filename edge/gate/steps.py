"""How late reads came, by a clock that is set now and then: a step of the host's clock is no time that passed.

A board without a clock battery is set by minutes or years once a time server answers. What crossed before and is
decided after would look as if a reader had held it back for as long.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

STEP_US: Final = 2_000_000
"""A clock that is slewed gains less from one look to the next."""
MOST: Final = 8


class _Step(NamedTuple):
    before_us: int  # what the clock said at the latest before it was set
    by_us: int


class ClockSteps:
    """Notes steps of the host's clock; `look` often, for a step is dated by the look before it.

    Args:
        now_us: the host's clock, UTC microseconds.
        steady_us: a clock that no one sets.
    """

    def __init__(self, now_us: Callable[[], int], steady_us: Callable[[], int]) -> None:
        self._now_us, self._steady_us = now_us, steady_us
        self._ahead_us = now_us() - steady_us()
        self._steps: deque[_Step] = deque(maxlen=MOST)

    def look(self) -> None:
        """Note a step since the last look."""
        steady_us = self._steady_us()
        ahead_us = self._now_us() - steady_us
        by_us = ahead_us - self._ahead_us
        if abs(by_us) > STEP_US:
            self._steps.append(_Step(steady_us + self._ahead_us, by_us))
        self._ahead_us = ahead_us

    def late_us(self, crossed_us: int, arrived_us: int) -> int:
        """Return how long after a crossing the reads came that decided it, both told by the host's clock of then."""
        late_us = arrived_us - crossed_us
        for before_us, by_us in self._steps:
            # A forward step lies between the two if the one was told before it and the other after.
            if by_us > 0 and crossed_us <= before_us and arrived_us >= before_us + by_us - STEP_US:
                late_us -= by_us
        return late_us
