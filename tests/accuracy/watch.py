"""Feeds the windows what a scenario came to, in the order of arrivals, and notes when each row came out."""

from collections import deque

from edge.windows import OUT_OF_ORDER_US, WindowClock, Windows
from simulator.scoring.calls import Published
from tests.accuracy.play import Played

CLOCK = WindowClock(offset_us=0)


def watch(played: Played, windows: Windows | None = None) -> list[Published]:
    """Return all movement rows, each with the arrival that brought it about; the end of the world ends all visits."""
    windows = windows or Windows(played.settings, boot="accuracy")
    found: list[Published] = []
    kinds = {(one.reader, one.gpi): one.kind for one in played.settings.sensors}
    waiting = deque(change for change in played.sensors if (change.reader, change.port) in kinds)
    for reader, arrival_us, batch in played.chunks:
        while waiting and waiting[0].at_us <= arrival_us:
            one = waiting.popleft()
            kind = kinds[one.reader, one.port]
            windows.sense(one.reader, one.port, kind, state=one.high, at_us=one.at_us, clock=CLOCK)
        rows = windows.feed(reader, batch, arrival_us=arrival_us, clock=CLOCK)
        rows += windows.pass_until(arrival_us - OUT_OF_ORDER_US)
        found += [Published(row, arrival_us) for row in rows]
    ends_us = played.chunks[-1][1] if played.chunks else 0
    return found + [Published(row, ends_us) for row in windows.flush()]
