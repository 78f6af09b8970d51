"""A door gets louder when it shows what the policy wants, or when two people say so; quieter at any time."""

from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application.errors import NotFound, Separated, StepUnfit
from central.application.promoting import Commissioning, ModeAsked, change_mode, commission, readiness
from central.domain.readiness import Evidence, Policy, criteria, lacking, next_mode
from central.storage.promoting import PgPromotions
from tests.helpers.central import SHEETS, START, central, filled_database, movement

DOOR = "back-door"
POLICY = Policy("notify", 5, 30, 0.4, 0.2, 20, 0.2)
READY = Evidence(START, 5, 30, 0.4, 0, START, 20, 0)


PEOPLE = "id,name,active\nann,Ann,\nbob,Bob,\ngone,G,false\n"


async def people(one):
    assert not (await one.import_(**SHEETS, people=PEOPLE)).problems


@pytest.fixture
async def one():
    with filled_database(people) as dsn:
        async with central(dsn) as opened:
            yield opened


@pytest.mark.parametrize(("changed", "name"), [
    ({"days": 4}, "days"), ({"crossings": 29}, "crossings"), ({"missed": 0.41}, "missed"), ({"missed": None}, "missed"),
    ({"false_alerts": 3}, "false"), ({"walks": 19}, "walks"), ({"walks": None, "faults": None}, "walks"),
    ({"faults": 4}, "faults"),
])  # fmt: skip
def test_each_thing_that_the_policy_wants_can_be_what_is_lacking(changed, name):
    values = {one: getattr(READY, one) for one in READY.__slots__}
    found = criteria(Evidence(**values | changed), POLICY)
    assert name in {one.name for one in found if not one.met}
    assert "wanted at" in lacking(found)


def test_who_shows_all_lacks_nothing_and_after_alarm_comes_nothing():
    assert lacking(criteria(READY, POLICY)) == ""
    assert [next_mode(mode) for mode in ("observe", "notify", "alarm")] == ["notify", "alarm", None]


async def shows(one):
    """Six days of crossings at the back door, a measured miss rate, a commissioning."""
    rows = [
        movement(n, portal=DOOR, kind="out" if n % 2 else "in", after_s=n * 4 * 3600, gateway="hq-west-1")
        for n in range(1, 37)
    ]  # fmt: skip
    await one.take(*rows, gateway="hq-west-1", now=START + timedelta(days=7))
    await one.sql("""INSERT INTO portal_accuracy (portal, since, until, crossings, missed, miss_rate, miss_rate_low,
                  miss_rate_high, missed_month, missed_month_low, missed_month_high, misread, misread_month,
                  misread_month_low, misread_month_high)
                  VALUES ('back-door', '2026-03-01Z', '2026-03-09Z', 36, 1, 0.03, 0.01, 0.2, 1, 0, 5, 0, 0, 0, 1)""")


async def test_a_door_is_promoted_once_it_shows_what_is_wanted_and_not_before(one):
    book, now = PgPromotions(one.database), START + timedelta(days=8)
    asked = ModeAsked(DOOR, "notify", "ann", "it works")
    with pytest.raises(StepUnfit, match=r"not ready for notify .*days with passages .*: 0, wanted at least 5"):
        await change_mode(book, asked, now)
    await shows(one)
    with pytest.raises(StepUnfit, match="walks of its commissioning: not known, wanted at least 20"):
        await change_mode(book, asked, now)
    found = await commission(book, Commissioning(DOOR, "bob", now, 25, 0, "walks.json"), now)
    assert (found.ready, found.next, found.lacking) == (True, "notify", "")
    done = await change_mode(book, asked, now)
    assert (done.mode, done.next, done.ready, done.since) == ("notify", "alarm", False, now)
    assert (done.last.by, done.last.approved_by, done.last.overridden) == ("ann", None, None)
    assert (await one.log.registry()).portals[DOOR].mode == "notify"
    with pytest.raises(StepUnfit, match="has the mode notify already"):
        await change_mode(book, asked, now)


async def test_two_people_may_let_it_be_louder_and_that_is_written_down(one):
    book = PgPromotions(one.database)
    asked = ModeAsked(DOOR, "notify", "ann", "audit starts tomorrow", "bob")
    for wrong, words in (
        (ModeAsked(DOOR, "alarm", "ann", "audit starts tomorrow", "bob"), "next is notify, alarm comes later"),
        (ModeAsked(DOOR, "notify", "ann", "audit starts tomorrow", "ann"), "another person has to approve it"),
        (ModeAsked(DOOR, "notify", "ann", "now", "bob"), "reason: say in 10 characters"),
    ):
        with pytest.raises(StepUnfit, match=words):
            await change_mode(book, wrong, START)
    with pytest.raises(Separated, match="another person has to approve it"):
        await change_mode(book, ModeAsked(DOOR, "notify", "ann", "audit starts tomorrow", "gone"), START)
    done = await change_mode(book, asked, START)
    assert (done.mode, done.last.approved_by, "wanted at least" in done.last.overridden) == ("notify", "bob", True)
    quieter = await change_mode(book, ModeAsked(DOOR, "observe", "ann", "too loud"), START + timedelta(hours=1))
    assert (quieter.mode, quieter.last.overridden) == ("observe", None)
    with pytest.raises(NotFound, match="no portal 'moon'"):
        await readiness(book, "moon")


async def test_a_sheet_makes_a_door_quieter_and_never_louder(one):
    louder = SHEETS["portals"].replace("corridor,street,observe", "corridor,street,alarm")
    done = await one.import_(portals=louder, dry_run=True)
    assert [each.text for each in done.problems] == [
        "mode: 'back-door' has observe; PUT /api/v1/portals/back-door/mode makes it louder, once it is ready"
    ]
    quieter = SHEETS["portals"].replace("corridor,street,alarm", "corridor,street,notify")
    assert not (await one.import_(portals=quieter)).problems


async def test_the_routes_show_readiness_and_policies_and_change_them(one):
    app = create_app(one.services(lambda: START), token="t", version="0", local=True)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1", headers={"Authorization": "Bearer t"}
    ) as api:
        doors = (await api.get("/portal-readiness")).json()["portals"]
        assert [(each["portal"], each["mode"], each["next"], each["ready"]) for each in doors] == [
            ("back-door", "observe", "notify", False), ("main-entrance", "alarm", None, False),
            ("stockroom-a-door", "notify", "alarm", False),
        ]  # fmt: skip
        wants = dict.fromkeys(("least_days", "least_crossings", "least_walks"), 0) | dict.fromkeys(
            ("most_missed", "most_false", "most_walk_faults"), 1
        )
        told = await api.put("/promotion-policies/notify", json=wants | {"by": "ann", "reason": "a small branch"})
        assert told.json()["policies"][0] == wants | {"mode": "notify"}
        assert (await api.get("/promotion-policies")).json()["policies"][1]["least_days"] == 14
        body = {"by": "ann", "mode": "notify", "reason": "a small branch"}
        refused = await api.put(f"/portals/{DOOR}/mode", json=body)
        assert (refused.status_code, "not known" in refused.json()["detail"]) == (409, True)
        walks = {"by": "bob", "at": "2026-03-02T08:00:00Z", "walks": 3, "faults": 1, "reference": "w"}
        assert (await api.post(f"/portals/{DOOR}/commissionings", json=walks | {"faults": 4})).status_code == 409
        await api.post(f"/portals/{DOOR}/commissionings", json=walks)
        shown = (await api.get(f"/portals/{DOOR}/readiness")).json()["readiness"]
        assert {each["name"]: each["met"] for each in shown["criteria"]} == {
            "days": True, "crossings": True, "missed": False, "false": False, "walks": True, "faults": True,
        }  # fmt: skip
        done = await api.put(f"/portals/{DOOR}/mode", json=body | {"approved_by": "bob"})
        assert (done.status_code, done.json()["readiness"]["mode"]) == (200, "notify")
        assert (await api.get("/portals/moon/readiness")).status_code == 404
