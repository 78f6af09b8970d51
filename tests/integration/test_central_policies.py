"""What doors ask for: who carries an asset, what an old snapshot means; on a real PostgreSQL and through the API."""

from datetime import timedelta

import httpx
import pytest
from msgspec.structs import replace

from central.api.policies import policies_read, policies_write
from central.api.server import create_app
from central.application.errors import NotFound, StepUnfit
from central.application.policies import BadgeShown, DoorPolicy, set_policy, take_badges
from central.domain.gate import Quiet
from central.storage.policies import PgPolicies
from edge.contracts import badge_words
from tests.helpers.central import START, central, epc, movement, registered_database

DOOR = "main-entrance"
MINUTE = timedelta(minutes=1)
S = timedelta(seconds=1)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            opened.policies = PgPolicies(opened.database, opened.log)
            await opened.import_(people="id,name\np1,Ann\np2,Bob\n")
            yield opened


async def asks(one, needs, *, stale="refuse"):
    await set_policy(one.policies, DoorPolicy(DOOR, stale, needs), "p9", START - MINUTE)


async def given_to(one, person, *, at=START - MINUTE):
    await one.sql(
        "INSERT INTO act (at, recorded_at, kind, asset, by, detail) VALUES (%s, %s, 'custody_given', 'LT-0002', 'p9',"
        " jsonb_build_object('kind', 'person', 'custodian', %s::text))", at, at, person,
    )  # fmt: skip


async def leaves(one, *, badge=None, seq=1, after_s=0.0):
    row = movement(seq, tag=epc(2), portal=DOOR, after_s=after_s)
    if badge:
        row = replace(row, evidence=replace(row.evidence, badge=badge_words(badge.split())))
    await one.take(row, now=START + MINUTE + after_s * S)


async def told(one):
    return [(each.kind, each.severity, each.corrected) for each in await one.views.alerts(state="all", limit=9)]


async def shown(one, person, after_s):
    badge = BadgeShown(DOOR, person, START + after_s * S)
    return await take_badges(one.policies, [badge], START + MINUTE)


async def test_a_door_that_asks_for_the_person_is_amber_where_no_badge_names_the_custodian(one):
    await asks(one, {"laptop": "asset+person"})
    await given_to(one, "p1")
    await leaves(one, badge="p2")
    (alert,) = await one.views.alerts(state="open", limit=9)
    assert (alert.kind, alert.severity) == ("carried_by_another", "low")
    assert alert.reason == "Carried by another or unknown. The badge shown was p2's; who may carry it: p1."


@pytest.mark.parametrize("badge", ["P1", "p2 p1"])
async def test_the_custodians_badge_that_the_door_tells_suffices(one, badge):
    """In the words that the agent tells it with, a colleague's beside it or not."""
    await asks(one, {"": "asset+person"})
    await given_to(one, "p1")
    await leaves(one, badge=badge)
    assert await told(one) == []


async def test_a_class_that_needs_the_asset_alone_and_a_door_without_a_policy_ask_nobody(one):
    await leaves(one)
    await asks(one, {"": "asset+person", "laptop": "asset"})
    await leaves(one, seq=2, after_s=60)
    assert await told(one) == []


@pytest.mark.parametrize(("after_s", "fits"), [(-10, True), (5, True), (-10.1, False), (5.1, False)])
async def test_a_badge_of_the_access_control_system_counts_within_ten_seconds_before_and_five_after(one, after_s, fits):
    await asks(one, {"laptop": "asset+person"})
    await given_to(one, "p1")
    await shown(one, "p1", after_s)
    await leaves(one)
    assert await told(one) == ([] if fits else [("carried_by_another", "low", False)])


async def test_a_badge_that_comes_after_the_passage_resolves_its_alert_and_erases_nothing(one):
    await asks(one, {"laptop": "asset+person"})
    await given_to(one, "p1")
    await leaves(one)
    assert await shown(one, "p2", 1) != []  # the alert says now whose badge it was
    (changed,) = await shown(one, "p1", 3)
    (alert,) = await one.views.alerts_by_id([changed])
    assert (alert.kind, alert.corrected, alert.reason) == ("carried_by_another", True, "p1 carried it, by badge.")
    assert await shown(one, "p2", 4) == []


async def test_who_had_it_in_custody_then_decides_and_a_pass_names_its_holder(one):
    await asks(one, {"laptop": "asset+person"})
    await given_to(one, "p1", at=START - 2 * MINUTE)
    await given_to(one, "p2", at=START + S)
    await leaves(one, badge="p2")
    assert await told(one) == [("carried_by_another", "low", False)]
    await one.sql("UPDATE authorisation SET person = 'p2' WHERE id = 'A-2'")
    await leaves(one, badge="p2", seq=2, after_s=0.5)
    assert len(await told(one)) == 1


async def test_an_exit_that_nothing_allows_is_no_question_of_who_carried_it(one):
    await asks(one, {"": "asset+person"})
    await one.take(movement(1, portal=DOOR))
    assert await told(one) == [("unauthorised_exit", "critical", False)]


async def test_badges_of_unknown_doors_and_of_the_future_are_refused_and_old_ones_forgotten(one):
    with pytest.raises(NotFound, match="there is no portal 'nowhere'"):
        await take_badges(one.policies, [BadgeShown("nowhere", "p1", START)], START)
    with pytest.raises(StepUnfit, match="still to come"):
        await take_badges(one.policies, [BadgeShown(DOOR, "p1", START + 2 * MINUTE)], START)
    await shown(one, "p1", 0)
    await take_badges(one.policies, [BadgeShown(DOOR, "p2", START + timedelta(days=31))], START + timedelta(days=31))
    assert await one.sql("SELECT person FROM badge") == [("p2",)]


async def test_doors_are_told_how_they_behave_and_until_when(one):
    await asks(one, {"laptop": "asset+person"}, stale="trust")
    await one.sql(
        "INSERT INTO portal_measure (portal, kind, mode, reason, by, from_at, until_at)"
        " VALUES (%s, 'demoted', 'notify', 'works', 'p1', %s, %s)", DOOR, START, START + MINUTE,
    )  # fmt: skip
    await one.sql("UPDATE registry_version SET version = version + 1")
    registry = await one.log.registry()
    manner = registry.manners(START)[DOOR]
    assert (manner.mode, manner.stale, manner.person) == ("alarm", "trust", True)
    assert manner.quiet == (Quiet("notify", START, START + MINUTE),)
    assert registry.manners(START + MINUTE)[DOOR].quiet == ()
    assert not registry.manners(START)["back-door"].person


async def test_policies_and_badges_through_the_api(one):
    now = START + MINUTE
    app = create_app(
        one.services(lambda: now), token="t", version="0", local=True, reads=[policies_read(one.policies, lambda: now)],
        orders=[policies_write(one.policies, one.views, lambda: now)],
    )  # fmt: skip
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost/api/v1", headers={"authorization": "Bearer t"}
    ) as api:
        assert (await api.get(f"/portals/{DOOR}/policy")).json()["needs"] == {}
        asked = {"stale": "trust", "needs": {"laptop": "asset+person"}, "by": "p1"}
        assert (await api.put(f"/portals/{DOOR}/policy", json=asked)).status_code == 200
        told_ = (await api.get(f"/portals/{DOOR}/policy")).json()
        assert (told_["portal"], told_["stale"], told_["needs"]) == (DOOR, "trust", {"laptop": "asset+person"})
        wrong = await api.put(f"/portals/{DOOR}/policy", json=asked | {"needs": {"laptop": "person"}})
        assert (wrong.status_code, (await api.put("/portals/no/policy", json=asked)).status_code) == (422, 404)
        await given_to(one, "p1")
        await leaves(one)
        badge = {"portal": DOOR, "person": "p1", "at": (START + S).isoformat()}
        (alert,) = (await api.post("/badges", json={"badges": [badge]})).json()["alerts"]
        assert (alert["kind"], alert["corrected"]) == ("carried_by_another", True)
        assert (await api.get("/portals/nowhere/policy")).status_code == 404
