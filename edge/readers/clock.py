"""Offset between a reader's clock and the host's, learnt from arrivals. Pure: all times are arguments.

A message can come late but never early, so of many the one with the least (arrival - reader time) is nearest to the
true offset. The least of each second is kept for the last seconds in which the reader reported, so that drift is
followed while a burst of reports that the reader had queued changes nothing.
"""

from collections import deque
from statistics import median_low
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.llrp.batch import NO_TIME_US
from edge.readers.model import ClockState

BUCKET_US: Final = 1_000_000
"""Of each such span of host time the quickest sample is kept."""
BUCKETS: Final = 60
"""Seconds that count: crystals drift by up to 100 ppm, 6 ms in a minute."""
HORIZON_US: Final = 300 * BUCKET_US
"""A sample older than this counts no more once there is a newer one: 30 ms of drift."""
SETTLED_BUCKETS: Final = 4
UNSETTLED_SPREAD_US: Final = 500_000
"""Spread said at least until `SETTLED_BUCKETS` seconds have been heard: one sample tells nothing of its delay."""
STEP_US: Final = 2_000_000
"""A jump above this is a step of a clock: drift and delay on a live link stay far below."""
LEAST_SPAN_US: Final = 50_000
"""How fast reader time runs ahead of the host's is told over this long at least: messages may come close together."""
AHEAD_FACTOR: Final = 2
"""A jump ahead of less than this times what the reader ran ahead lately is no step: so runs a clock that is far too
fast (a simulator's, at 20 times its speed), and so do the times of a queue that comes in."""
STEP_WITHIN_US: Final = 5_000_000
"""Within one receive: reports that a reader has gathered may come out of order by seconds."""
LONGEST_QUEUE_US: Final = 24 * 3600 * BUCKET_US
"""A reader's queue holds minutes to hours; a time that is older than a day is another clock."""


class _Bucket(NamedTuple):
    """One second's least sample; by how much the offset fell in it, and how fast at most."""

    second: int
    least_us: int
    fallen_us: int = 0
    fall_rate: float = 0.0


class ClockFilter:
    """One connection's clock; make a new one on reconnect."""

    def __init__(self) -> None:
        self._source: Literal["reader", "host", "uptime"] = "host"
        self._buckets: deque[_Bucket] = deque(maxlen=BUCKETS)
        self._newest_report_us = 0
        self._arrival_us = 0
        self._greeted = ""
        self._offset_us = 0
        self._spread_us = 0

    def state(self, *, stepped: bool = False) -> ClockState:
        """Return what is known now."""
        return ClockState(self._source, self._offset_us, self._spread_us, stepped)

    def greet(self, arrival_us: int, *, utc_us: int | None, uptime_us: int | None) -> None:
        """Learn from the greeting, which no queue holds up: reports that follow may be hours old."""
        self._learn(arrival_us, utc_us, uptime_us)
        self._greeted = self._source

    def observe(self, arrival_us: int, *, utc_us: int | None, uptime_us: int | None) -> ClockState:
        """Learn from the newest time in reports; UTC is preferred, None is "not sent"."""
        reader_us = uptime_us if utc_us is None else utc_us
        if reader_us is None or (utc_us is None and self._source == "reader"):
            return self.state()
        same = self._source == ("uptime" if utc_us is None else "reader")
        stepped = bool(self._buckets) and same and self._is_step(arrival_us - reader_us, reader_us)
        if stepped:
            self._buckets.clear()
            self._newest_report_us = reader_us
        self._newest_report_us = max(reader_us, self._newest_report_us)
        self._learn(arrival_us, utc_us, uptime_us)
        return self.state(stepped=stepped)

    def step_within(self, arrival_us: int, times_us: NDArray[np.int64]) -> int:
        """Return the row of a receive's times from which on the reader's clock is another one; 0 where it is not.

        A time far before an earlier one of the same receive was told by a clock that was set back; one that would come
        from the future by one that was set forward.
        """
        if len(times_us) < 2 or not self._buckets:  # noqa: PLR2004 (a step lies between two)
            return 0
        known = times_us != NO_TIME_US
        newest_us = np.maximum.accumulate(np.where(known, times_us, NO_TIME_US))
        stepped = known & (newest_us - times_us > STEP_WITHIN_US)
        stepped |= known & (arrival_us - times_us < self._ahead_us(arrival_us))
        return int(np.argmax(stepped)) if stepped.any() else 0

    def _learn(self, arrival_us: int, utc_us: int | None, uptime_us: int | None) -> None:
        reader_us = uptime_us if utc_us is None else utc_us
        if reader_us is None:
            return
        source: Literal["reader", "uptime"] = "uptime" if utc_us is None else "reader"
        if source != self._source:
            self._source = source
            self._buckets.clear()
        self._keep(arrival_us, arrival_us - reader_us)
        self._judge()

    def _is_step(self, sample_us: int, reader_us: int) -> bool:
        ahead = sample_us < self._ahead_us(sample_us + reader_us)
        back = reader_us < self._newest_report_us - STEP_US
        return ahead or back or sample_us > self._offset_us + LONGEST_QUEUE_US

    def _ahead_us(self, arrival_us: int) -> int:
        """Return the sample below which the reader's clock was set forward.

        As long as neither a greeting nor seconds of reports have told the offset, one that falls is only learnt.
        """
        if self._greeted != self._source and len(self._buckets) < SETTLED_BUCKETS:
            return -(1 << 62)
        rate = max(bucket.fall_rate for bucket in self._latest())
        span_us = max(arrival_us - self._arrival_us, LEAST_SPAN_US)
        return self._offset_us - STEP_US - round(AHEAD_FACTOR * rate * span_us)

    def _latest(self) -> list[_Bucket]:
        return list(self._buckets)[-2:]

    def _keep(self, arrival_us: int, sample_us: int) -> None:
        second = arrival_us // BUCKET_US
        fallen_us = max(self._offset_us - sample_us, 0) if self._buckets else 0
        rate = fallen_us / max(arrival_us - self._arrival_us, LEAST_SPAN_US)
        self._arrival_us = arrival_us
        if self._buckets and self._buckets[-1].second == second:
            last = self._buckets.pop()
            sample_us, rate = min(last.least_us, sample_us), max(last.fall_rate, rate)
            fallen_us += last.fallen_us
        self._buckets.append(_Bucket(second, sample_us, fallen_us, rate))
        while (second - self._buckets[0].second) * BUCKET_US > HORIZON_US:
            self._buckets.popleft()

    def _judge(self) -> None:
        least = [bucket.least_us for bucket in self._buckets]
        self._offset_us = min(least)
        fallen_us = max(bucket.fallen_us for bucket in self._latest())
        self._spread_us = max(median_low(least) - self._offset_us, fallen_us)
        if len(least) < SETTLED_BUCKETS:
            self._spread_us = max(self._spread_us, UNSETTLED_SPREAD_US)
