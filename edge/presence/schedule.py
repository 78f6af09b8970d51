"""When is a sweep due? Pure: from one look at the clock to the next."""

from collections.abc import Sequence
from typing import Final

MINUTE_US: Final = 60_000_000
DAY_MIN: Final = 1440


def is_due(at_min: Sequence[int], every_min: int, before_us: int, now_us: int) -> bool:
    """Tell whether a sweep was to begin after one instant and not after another.

    Args:
        at_min: minutes after midnight UTC at which it begins each day.
        every_min: it begins at each multiple of this since midnight UTC; 0 = not so.
        before_us: the last look, UTC microseconds; at a clock that was set back since then nothing is due.
        now_us: this look.
    """
    minutes = {*at_min, *(range(0, DAY_MIN, every_min) if every_min else ())}
    day_us = DAY_MIN * MINUTE_US
    return any((now_us - one * MINUTE_US) // day_us > (before_us - one * MINUTE_US) // day_us for one in minutes)
