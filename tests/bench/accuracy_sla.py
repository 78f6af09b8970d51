"""Due dates against an oracle that walks day by day: six countries, every day of ten years, many counts."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from central.domain.calendars import CalendarKey, Calendars, due
from tests.bench.figures import ACCURACY, Figure
from tests.helpers.naive_calendar import SUBDIVISIONS, ZONES, due_day, every_day

FIRST, YEARS = date(2024, 1, 1), 10
COUNTS = (0, 1, 2, 3, 5, 10, 15, 30)
HOURS = (0, 17, 23)
"""Local hours of a start; the walk is the same for all, the engine has to find the local day by itself."""


@ACCURACY.register("central.sla.")
def due_dates():
    """Yield the share of due dates that equal the oracle's, and how often each side was asked."""
    right = asked = 0
    engine_s = oracle_s = 0.0
    for country, subdivision in SUBDIVISIONS.items():
        place, calendars, zone = (
            CalendarKey(country, subdivision, ZONES[country]),
            Calendars(),
            ZoneInfo(ZONES[country]),
        )
        for day in every_day(FIRST, YEARS):
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)
            begun = time.process_time()
            wanted = [due_day(noon, count, country, subdivision) for count in COUNTS]
            oracle_s += time.process_time() - begun
            starts = [noon.astimezone(zone).replace(hour=hour).astimezone(UTC) for hour in HOURS]
            begun = time.process_time()
            found = [[due(start, count, place, calendars) for count in COUNTS] for start in starts]
            engine_s += time.process_time() - begun
            for row in found:
                asked += len(row)
                right += sum(
                    one.day == day and is_last(one.at, day, zone) for one, day in zip(row, wanted, strict=True)
                )
    detail = f"{asked:,} due dates of {len(SUBDIVISIONS)} countries, {YEARS} years, counts {COUNTS}, hours {HOURS}"
    yield Figure("central.sla.equal", right / asked, "share", detail=detail)
    each_us, oracle_us = engine_s / asked * 1e6, oracle_s / (asked / len(HOURS)) * 1e6
    yield Figure("central.sla.due_us", each_us, "µs", "naive walk", oracle_us, oracle_us / each_us)


def is_last(at, day, zone):
    """Whether an instant is the last microsecond of a local day."""
    after = at + timedelta(microseconds=1)
    return at.astimezone(zone).date() == day < after.astimezone(zone).date()
