"""The readers' clock: host time, at a speed, or a recording's time that waits for its start."""

import time
from collections.abc import Callable

from simulator.server.now import Now


class SimulatedClock:
    """Reader UTC and scenario time from a steady clock.

    Until `begin` the reader's UTC runs (or, with `standing_us`, stands at that instant); scenario time begins at 0.
    """

    def __init__(
        self,
        speed: float,
        *,
        standing_us: int | None = None,
        utc_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        steady_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        self._speed = speed
        self._steady_us = steady_us
        self._stands = standing_us is not None
        self._anchor_utc_us = utc_us() if standing_us is None else standing_us
        self._anchor_steady_us = steady_us()
        self.begun_utc_us: int | None = None

    def begin(self) -> None:
        """Scenario time is 0 now."""
        now = self.now()
        self._anchor_utc_us, self._anchor_steady_us = now.utc_us, now.steady_us
        self._stands = False
        self.begun_utc_us = now.utc_us

    def now(self) -> Now:
        """This moment on the reader's clock and on the steady one."""
        steady_us = self._steady_us()
        gone_us = 0 if self._stands else int((steady_us - self._anchor_steady_us) * self._speed)
        return Now(self._anchor_utc_us + gone_us, steady_us)

    def moment(self, scenario_us: int) -> Now:
        """A past moment of the scenario, once it has begun, on both clocks."""
        now = self.now()
        back_us = now.utc_us - (self.begun_utc_us or 0) - scenario_us
        return Now(now.utc_us - back_us, now.steady_us - round(back_us / self._speed))

    def scenario_us(self) -> int | None:
        """Scenario time; None before it begins."""
        return None if self.begun_utc_us is None else self.now().utc_us - self.begun_utc_us
