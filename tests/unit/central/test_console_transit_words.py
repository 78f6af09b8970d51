"""Words of the in-transit board that stand alone."""

from datetime import UTC, datetime

from central.console import transit_words, words

NOW = datetime.now(UTC).astimezone()


def leg(at):
    """A leg that is due on the day of an instant, and left then."""
    told = {"due_on": at.date().isoformat(), "dispatched_at": at.isoformat()}
    return told | {"assumed": [], "calendar": "GB-ENG:0a1b2c3d"}


def test_a_day_of_another_year_stands_with_its_year():
    now, before = NOW.replace(month=6, day=9), NOW.replace(year=NOW.year - 1, month=6, day=9)
    assert f" 9 Jun {before.year}, GB-ENG calendar" in transit_words.due(leg(before))
    assert " 9 Jun, GB-ENG calendar" in transit_words.due(leg(now))
    assert transit_words.dispatched(leg(before)).startswith(f"9 Jun {before.year} ")
    muted = {"kind": "muted", "by": "Ana", "reason": "works", "until_at": before.isoformat()}
    assert f"until 9 Jun {before.year} " in words.measure_words(muted)
