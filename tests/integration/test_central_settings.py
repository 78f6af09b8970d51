"""What people set about places and doors, by sheet and over the API: hours, travel times, days, mutes; and its undo."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application.undoing import undo_import
from central.storage.registry import PgRegistry
from tests.helpers.central import SHEETS, START, central, epc, filled_database, movement

TWO_SITES = SHEETS["locations"] + "leeds,Leeds,site,,\n"
HOURS = "location,days,opens,closes\nhq,mon-fri,08:00,18:00\n"
WAYS = "one,other,minutes\nleeds,hq-site,90\n"
DAYS = "day,status,location,reason\n2026-03-02,closed,hq,stocktaking\n2026-03-07,working,hq,extra Saturday\n"
MUTES = "portal,from_at,until_at,reason\nback-door,2026-03-02T10:00:00Z,2026-03-02T12:00:00Z,removal of the east wing\n"
ALL = {"opening_hours": HOURS, "travel_times": WAYS, "calendar_overrides": DAYS, "portal_mutes": MUTES}
TABLES = ("location_hours", "site_travel", "calendar_override_standing", "portal_measure")


@pytest.fixture
async def one():
    with filled_database(prepare) as dsn:
        async with central(dsn) as opened:
            yield opened


async def prepare(one):
    """Two sites."""
    assert not (await one.import_(**SHEETS | {"locations": TWO_SITES})).problems


async def standing(one):
    """Rows of what was set, those of ended mutes left out."""
    found = {table: await one.sql(f"SELECT count(*) FROM {table}") for table in TABLES[:3]}  # noqa: S608 (names above)
    found["portal_measure"] = await one.sql("SELECT count(*) FROM portal_measure WHERE ended_at IS NULL")
    return [found[table][0][0] for table in TABLES]


async def test_sheets_set_them_once_a_dry_run_none_and_an_undo_takes_them_back(one):
    await one.people("ann")
    assert (await one.import_(dry_run=True, **ALL)).problems == []
    assert await standing(one) == [0, 0, 0, 0]
    done = await one.import_(**ALL)
    assert done.rows == {"opening_hours": 1, "travel_times": 1, "calendar_overrides": 2, "portal_mutes": 1}
    assert await standing(one) == [1, 1, 2, 1]
    again = await one.import_(now=START, **ALL)
    assert await one.sql("SELECT count(*) FROM import_row WHERE import = %s", again.id) == [(0,)]
    assert await one.sql("SELECT one, other, fastest FROM site_travel") == [("hq-site", "leeds", timedelta(minutes=90))]
    undone = await undo_import(PgRegistry(one.database), done.id, "ann", START)
    assert undone.problems == []
    assert await standing(one) == [0, 0, 0, 0]
    assert await one.sql("SELECT ended_by FROM portal_measure") == [("ann",)]


async def test_each_wrong_row_is_told_with_what_to_do(one):
    done = await one.import_(
        opening_hours="location,days,opens,closes\nhq,fun-day,08:00,18:00\nhq,mon,18:00,08:00\nmoon,tue,08:00,9\n",
        travel_times="one,other,minutes\nhq-site,hq-site,9\nhq,leeds,0\n",
        calendar_overrides="day,status,location,country,reason\n2026-02-30,closed,hq,,why not\n"
        "2026-03-02,closed,,,why not\n2026-03-03,closed,hq,GB,why not\n",
        portal_mutes="portal,from_at,until_at,reason\nback-door,2026-03-02T10:00:00Z,2026-05-02T10:00:00Z,x\n"
        "side-door,2026-03-02T10:00:00Z,2026-03-02T09:00:00Z,because\n",
    )
    told = "\n".join(map(str, done.problems))
    for part in (
        "opening_hours.csv:2: days: 'fun-day': write weekdays like mon-fri",
        "opening_hours.csv:3: closes: comes before opens",
        "opening_hours.csv:4: location: there is no location 'moon'",
        "opening_hours.csv:4: closes: '9' is no time of day",
        "travel_times.csv:2: other: a way from a site to itself",
        "travel_times.csv:3: minutes: '0'",
        "travel_times.csv:3: one: location 'hq' is a building",
        "calendar_overrides.csv:2: day: '2026-02-30' is no date",
        "calendar_overrides.csv:3: location: say for whom the day counts",
        "calendar_overrides.csv:4: location: say for whom the day counts",
        "portal_mutes.csv:2: reason: 'x': give a reason",
        "portal_mutes.csv:2: until_at: a door is quietened for 31 days at most",
        "portal_mutes.csv:3: portal: there is no portal 'side-door'",
        "portal_mutes.csv:3: until_at: comes before from_at",
    ):
        assert part in told
    assert await standing(one) == [0, 0, 0, 0]


async def test_what_leaves_a_closed_place_is_an_alert_and_days_out_of_the_usual_count(one):
    """Monday 07:00 is before the opening, stocktaking closes another Monday, and an extra Saturday is worked."""
    await one.import_(opening_hours=HOURS, calendar_overrides=DAYS)
    monday, saturday = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC)
    at = {
        "early": monday.replace(hour=7), "open": monday.replace(hour=10), "closed": START.replace(hour=10),
        "extra": saturday.replace(hour=10), "late": saturday.replace(hour=19),
    }  # fmt: skip
    reasons = {}
    for seq, (name, when) in enumerate(at.items(), 1):
        done = await one.take(movement(seq, tag=epc(2), start=when), now=when + timedelta(minutes=1))
        found = [alert for alert in await one.views.alerts_by_id(done.alerts) if alert.kind == "after_hours"]
        reasons[name] = found[0].reason if found else ""
    assert reasons == {
        "early": "Main building is open 08:00 to 18:00 only; it was Mon 07:00.",
        "open": "",
        "closed": "Main building is closed; it was Mon 10:00.",
        "extra": "",
        "late": "Main building is open 08:00 to 18:00 only; it was Sat 19:00.",
    }


async def test_a_mute_from_a_sheet_quietens_its_door_while_it_lasts(one):
    await one.import_(portal_mutes=MUTES)
    assert [each.portal for each in await one.book.measures(START)] == []
    inside = await one.book.measures(datetime(2026, 3, 2, 11, tzinfo=UTC))
    assert [(each.portal, each.mode, each.by) for each in inside] == [("back-door", "observe", "import")]
    await one.import_(portal_mutes=MUTES.replace("reason\n", "reason,removed\n").replace("wing\n", "wing,true\n"))
    assert await one.book.measures(datetime(2026, 3, 2, 11, tzinfo=UTC)) == []


async def test_hours_and_ways_are_told_and_listed_over_the_api(one):
    app = create_app(one.services(lambda: START), token="t", version="0", local=True)
    await one.people("ann")
    transport, bearer = httpx.ASGITransport(app), {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=bearer) as http:
        week = {"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}
        put = await http.put("/api/v1/locations/hq/hours", json={"by": "ann", "hours": [week, week | {"days": [6]}]})
        assert [(one_["location"], one_["days"]) for one_ in put.json()["hours"]] == [("hq", "12345"), ("hq", "6")]
        twice = await http.put("/api/v1/locations/hq/hours", json={"by": "ann", "hours": [week, week]})
        assert (twice.status_code, "a weekday twice" in twice.json()["detail"]) == (409, True)
        assert (await http.put("/api/v1/locations/moon/hours", json={"by": "ann", "hours": [week]})).status_code == 404
        assert (await http.put("/api/v1/locations/hq/hours", json={"by": "ann", "hours": []})).json()["hours"] == []
        way = {"by": "ann", "one": "leeds", "other": "hq-site", "fastest_s": 5400}
        await http.put("/api/v1/travel-times", json=way)
        ways = (await http.get("/api/v1/travel-times")).json()["ways"]
        assert ways == [{"one": "hq-site", "other": "leeds", "fastest_s": 5400.0}]
        told = await one.sql("SELECT subject, by FROM act WHERE kind = 'setting_told' ORDER BY id")
        assert told == [("hours/hq", "ann"), ("hours/hq", "ann"), ("travel-times/leeds/hq-site", "ann")]
