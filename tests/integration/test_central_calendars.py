"""Calendars in the database: what a due date was counted by stays, and an override counts for what starts later."""

from datetime import UTC, date, datetime, timedelta

import pytest

from central.application.calendars import NewOverride, declare, take_published, view
from central.application.errors import NotFound, StepUnfit
from central.domain.published import published
from central.storage.calendars import PgCalendars
from tests.helpers.central import START, central, registered_database

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)  # a Friday


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as one:
            await one.sql("UPDATE location SET country = 'GB', timezone = 'Europe/London' WHERE id = 'hq-site'")
            await one.sql("UPDATE registry_version SET version = version + 1")
            yield one


async def due(one, location="stockroom-a", start=NOON, count=1):
    async with one.log.transaction() as transaction:
        return (await transaction.registry()).calendars.due(start, count, location)


def closed(day, **scope):
    return NewOverride(day, "closed", "stocktaking", "p-1", **scope)


async def test_a_location_counts_by_the_country_that_it_lies_in(one):
    assert (await due(one, start=datetime(2026, 12, 24, 12, tzinfo=UTC), count=2)).day == date(2026, 12, 30)
    assert (await due(one, "street", datetime(2026, 12, 24, 12, tzinfo=UTC), 2)).day == date(2026, 12, 28)


async def test_the_days_behind_a_version_are_kept_with_the_first_transaction_that_counts_by_it(one):
    found = await due(one)
    await due(one)
    rows = await one.sql("SELECT country, source, weekend FROM calendar_version WHERE version = %s", found.calendar)
    assert [(row[0], row[1].split()[0], row[2]) for row in rows] == [("GB", "holidays", [6, 7])]
    days = await one.sql("SELECT day FROM calendar WHERE version = %s AND day >= '2026-12-01' ORDER BY day LIMIT 2",
                         found.calendar)  # fmt: skip
    assert days == [(date(2026, 12, 25),), (date(2026, 12, 28),)]
    with pytest.raises(Exception, match="never changed or deleted"):
        await one.sql("DELETE FROM calendar")


async def test_an_override_counts_for_what_starts_after_it_was_recorded(one):
    store = PgCalendars(one.database)
    before = await due(one)
    await declare(store, [closed(date(2026, 3, 9), location="hq")], NOON + timedelta(hours=1))
    assert await due(one) == before
    after = await due(one, start=NOON + timedelta(hours=1))
    assert (before.day, after.day) == (date(2026, 3, 9), date(2026, 3, 10))
    assert (await due(one, "street", NOON + timedelta(hours=2))).day == date(2026, 3, 9)
    (act,) = await one.sql("SELECT location, by, detail FROM act WHERE kind = 'calendar_overridden'")
    assert act == ("hq", "p-1", {"day": "2026-03-09", "status": "closed", "reason": "stocktaking"})
    shown = view(await store.places(), "stockroom-a", NOON + timedelta(days=1), (date(2026, 3, 1), date(2026, 3, 31)))
    assert [(day.day, day.name) for day in shown.special] == [(date(2026, 3, 9), "stocktaking")]


@pytest.mark.parametrize(
    ("override", "error", "told"),
    [
        (closed(date(2026, 3, 9), location="nowhere"), NotFound, "override 2: there is no location 'nowhere'"),
        (closed(date(2026, 3, 9)), StepUnfit, r"override 2 \(2026-03-09\): name either a location or a country"),
        (closed(date(2026, 3, 9), country="GB", location="hq"), StepUnfit, "name either"),
        (closed(date(2026, 3, 9), location="hq", subdivision="SCT"), StepUnfit, "a subdivision needs its country"),
        (closed(date(2026, 3, 9), country="ZZ"), StepUnfit, "no calendar for ZZ"),
        (closed(date(2036, 3, 9), country="IN"), StepUnfit, "2036-03-09 is outside 2020-01-01 to 2035-12-31"),
    ],
)
async def test_a_wrong_override_is_told_and_none_is_recorded(one, override, error, told):
    with pytest.raises(error, match=told):
        await declare(PgCalendars(one.database), [closed(date(2026, 3, 9), location="hq"), override], NOON)
    assert await one.sql("SELECT count(*) FROM calendar_override") == [(0,)]


async def test_a_calendar_that_is_published_anew_counts_from_when_it_was_taken(one, monkeypatch):
    """The package's next edition may move a holiday: what began before keeps its dates."""
    store = PgCalendars(one.database)
    taken = await take_published(store, START)
    assert sorted(version.split(":")[0] for version in taken) == ["GB", "plain"]
    assert await take_published(store, START) == []
    before = await due(one, start=START, count=60)
    scottish = published("GB", "SCT")
    new = type(scottish)("GB", None, "holidays next", scottish.last, scottish.weekend, scottish.special)
    monkeypatch.setattr("central.application.calendars.published", lambda *pair: new if pair[0] else published(*pair))
    assert await take_published(store, NOON) == [new.version]
    assert await due(one, start=START, count=60) == before
    assert (await due(one, start=NOON)).calendar == new.version


async def test_a_country_that_cannot_be_counted_by_stops_nothing_and_is_told(one):
    await one.sql("UPDATE location SET country = 'ZZ' WHERE id = 'hq-site'")
    await one.sql("UPDATE registry_version SET version = version + 1")
    assert (await due(one)).calendar.startswith("plain:")
    places = await PgCalendars(one.database).places()
    assert "no calendar for ZZ" in view(places, "hq", NOON, (date(2026, 1, 1), date(2026, 1, 2))).problem


async def test_a_sheet_of_overrides_is_held_against_the_same_rule_by_row_and_in_a_dry_run(one):
    days = [date(2026, 6, 1) + timedelta(days=n) for n in range(70)]
    head = "day,status,reason,location,removed\n"
    sheet = head + "".join(f"{day},closed,rebuilding,hq-site,\n" for day in days)
    for dry_run in (True, False):
        done = await one.import_(calendar_overrides=sheet, now=NOON, dry_run=dry_run)
        assert [(each.file, each.line) for each in done.problems] == [("calendar_overrides.csv", 2)]
        assert "leaves no working day from 2026-05-30 to 2026-08-09: a place is closed for less than 60 days" in (
            done.problems[0].text
        )
        assert done.id is None
    assert await one.sql("SELECT count(*) FROM calendar_override") == [(0,)]
    short = head + "".join(f"{day},closed,rebuilding,hq-site,\n" for day in days[:40])
    assert not (await one.import_(calendar_overrides=short, now=NOON)).problems
    nowhere = "day,status,reason,country,subdivision\n2026-06-01,closed,rebuilding,GB,XYZ\n"
    assert "XYZ" in (await one.import_(calendar_overrides=nowhere, now=NOON)).problems[0].text


async def test_overrides_that_leave_a_place_sixty_days_without_a_working_day_are_refused(one):
    """Request by request too: what stands already counts with it."""
    store = PgCalendars(one.database)
    days = [date(2026, 6, 1) + timedelta(days=n) for n in range(70)]
    told = r"override 1 \(2026-06-01\) leaves no working day from 2026-05-30 to 2026-08-09"
    with pytest.raises(StepUnfit, match=told):
        await declare(store, [closed(day, location="hq-site") for day in days], NOON)
    assert await one.sql("SELECT count(*) FROM calendar_override") == [(0,)]
    await declare(store, [closed(day, location="hq") for day in days[:40]], NOON)
    with pytest.raises(StepUnfit, match=r"override 1 \(2026-07-11\) leaves no working day from 2026-05-30"):
        await declare(store, [closed(day, country="GB") for day in days[40:]], NOON + timedelta(minutes=1))
    await declare(store, [NewOverride(days[23], "published", "open after all", "p-1", location="hq")], NOON)
    await declare(store, [closed(day, country="GB") for day in days[40:]], NOON + timedelta(minutes=1))
