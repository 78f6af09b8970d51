"""The life of alerts on a real PostgreSQL: steps, verdicts that the world settles, doors quieter for a while."""

from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application.alerting import (
    AlertAsked,
    QuietAsked,
    Resolution,
    end_quiet,
    quieten,
    settle_claims,
    step_alert,
)
from central.application.errors import NotFound, RowsRefused, Separated, StepUnfit
from central.application.exceptions import Filter
from central.domain.exceptions.workflow import Evidence
from tests.helpers.central import START, epc, movement

LOOKED = Evidence("camera", "camera 4, 09:00")
SOON = START + timedelta(minutes=5)
ON_TIME = START + timedelta(days=2)
TOO_LATE = START + timedelta(days=3)


async def raised(one):
    """An alert: LT-0001 left the stockroom."""
    return (await one.take(movement(1))).alerts[0]


async def resolve(one, alert, verdict="false_read", *, by="bob", now=SOON):
    await one.views.acknowledge(alert, by, now)
    asked = AlertAsked("resolve", by, "", Resolution(verdict, LOOKED))
    return await step_alert(one.book, alert, asked, now)


async def test_an_alert_is_acknowledged_investigated_and_resolved_with_evidence_and_who(one):
    alert = await raised(one)
    await step_alert(one.book, alert, AlertAsked("acknowledge", "ann"), SOON)
    await step_alert(one.book, alert, AlertAsked("investigate", "bob"), SOON)
    done = await step_alert(one.book, alert, AlertAsked("resolve", "bob", "", Resolution("theft", LOOKED)), SOON)
    assert (done.alert.state, done.alert.verdict, done.alert.verdict_standing) == ("resolved", "theft", "confirmed")
    assert (done.alert.acknowledged_by, done.alert.investigating_by, done.alert.resolved_by) == ("ann", "bob", "bob")
    assert [each.kind for each in done.history] == ["raised", "acknowledged", "investigating", "resolved"]
    assert done.verdicts[0].evidence == {"kind": "camera", "reference": "camera 4, 09:00", "note": ""}
    acts = await one.sql("SELECT kind, by FROM act WHERE kind LIKE 'alert%%' ORDER BY id")
    assert acts == [("alert_acknowledged", "ann"), ("alert_investigated", "bob"), ("alert_resolved", "bob")]


async def test_a_resolved_ambiguous_passage_opens_again_when_its_last_word_accuses(one):
    alert = (await one.take(movement(1, final=False, confidence=0.6, started_s=-1))).alerts[0]
    await resolve(one, alert)
    await one.take(movement(2, rev=2, started_s=-1))
    found = (await one.views.alerts_by_id([alert]))[0]
    assert (found.state, found.kind, found.severity) == ("open", "unauthorised_exit", "high")


async def test_the_database_resolves_no_alert_without_a_verdict_whatever_program_asks(one):
    alert = await raised(one)
    with pytest.raises(RowsRefused, match="resolved by a verdict only"):
        await one.sql(
            "UPDATE alert SET state = 'resolved', verdict = 'test', verdict_standing = 'confirmed',"
            " resolved_at = now(), resolved_by = 'bob' WHERE id = %s", alert,
        )  # fmt: skip


async def test_a_step_out_of_turn_is_refused_with_those_that_are_not(one):
    alert = await raised(one)
    with pytest.raises(StepUnfit, match="is open and can't take the step resolve: it takes acknowledge"):
        await step_alert(one.book, alert, AlertAsked("resolve", "bob", "", Resolution("theft", LOOKED)), SOON)
    with pytest.raises(NotFound, match="there is no alert 99"):
        await step_alert(one.book, 99, AlertAsked("acknowledge", "bob"), SOON)


async def test_acknowledging_again_takes_nothing_back(one):
    alert = await raised(one)
    await resolve(one, alert, "recovered")
    assert (await one.views.acknowledge(alert, "zed", SOON)).state == "resolved"


async def test_a_false_read_stands_provisionally_until_the_asset_is_seen_inside(one):
    alert = await raised(one)
    done = await resolve(one, alert)
    assert (done.alert.verdict_standing, done.verdicts[0].confirm_by.date().isoformat()) == (
        "provisional",
        "2026-03-04",
    )
    assert await settle_claims(one.book, ON_TIME) == []
    await one.take(movement(2, after_s=7200), now=START + timedelta(hours=3))  # out once more: it had been inside
    assert await settle_claims(one.book, ON_TIME) == [alert]
    assert await settle_claims(one.book, ON_TIME) == []
    found = await one.book.detail(alert)
    assert (found.alert.state, found.alert.verdict_standing) == ("resolved", "confirmed")
    assert (found.verdicts[0].standing, found.verdicts[0].settled_by) == ("confirmed", "the world")


@pytest.mark.parametrize("zone_heard", [True, False])
async def test_a_sweep_or_a_scan_inside_confirms_it_too(one, zone_heard):
    alert = await raised(one)
    await resolve(one, alert)
    if zone_heard:
        await one.sql(
            "INSERT INTO presence VALUES ('hq-east-1', 'presence', 'e1', 1, %s, %s, 'stockroom-a', 'sweep', '[]',"
            " %s::jsonb, 1, 1, true, %s)", SOON, SOON, f'[{{"epc": "{epc(1)}", "reads": 9}}]', SOON,
        )  # fmt: skip
    else:
        await one.sql(
            "INSERT INTO act (at, recorded_at, kind, asset, location, by)"
            " VALUES (%s, %s, 'sighted', 'LT-0001', 'stockroom-a', 'ann')", SOON, SOON,
        )  # fmt: skip
    assert await settle_claims(one.book, ON_TIME) == [alert]
    assert (await one.book.detail(alert)).alert.verdict_standing == "confirmed"


async def test_a_false_read_that_nothing_bears_out_opens_again_one_severity_higher(one):
    alert = await raised(one)
    await resolve(one, alert)
    assert await settle_claims(one.book, TOO_LATE) == [alert]
    found = await one.book.detail(alert)
    assert (found.alert.state, found.alert.severity, found.alert.reopened) == ("open", "critical", 1)
    assert (found.alert.acknowledged_by, found.alert.verdict) == (None, None)
    assert found.history[-1].kind == "reopened"
    assert "LT-0001 was not seen inside within 2 business days" in found.history[-1].detail
    assert found.verdicts[0].standing == "refuted"


async def test_an_asset_that_comes_back_in_refutes_it_at_once_and_later_rows_keep_it_grave(one):
    alert = await raised(one)
    await resolve(one, alert)
    await one.take(movement(2, kind="in", after_s=600), now=START + timedelta(hours=1))
    assert await settle_claims(one.book, ON_TIME) == [alert]
    await one.take(
        movement(3, rev=2, kind="near", started_s=-1), now=START + timedelta(hours=2)
    )  # its final says other
    found = (await one.book.detail(alert)).alert
    assert (found.state, found.severity, found.corrected) == ("open", "critical", True)


async def test_only_confirmed_verdicts_enter_a_doors_figures(one):
    figures = {each.portal: each for each in await one.book.figures(START - timedelta(days=1))}
    assert figures["stockroom-a-door"].share_false is None
    alert = await raised(one)
    await resolve(one, alert)
    second = (await one.take(movement(9, after_s=30))).alerts[0]
    await resolve(one, second, "recovered")
    (waiting,) = await one.book.figures(START - timedelta(days=1), "stockroom-a-door")
    assert (waiting.alerts, waiting.provisional, waiting.right_alerts, waiting.share_false) == (2, 1, 1, 0.0)
    await one.sql(
        "INSERT INTO act (at, recorded_at, kind, asset, location, by)"
        " VALUES (%s, %s, 'sighted', 'LT-0001', 'stockroom-a', 'ann')", SOON, SOON,
    )  # fmt: skip
    await settle_claims(one.book, ON_TIME)
    (found,) = await one.book.figures(START - timedelta(days=1), "stockroom-a-door")
    assert (found.provisional, found.false_reads, found.share_false) == (0, 1, 0.5)
    assert found.share_false_from < 0.5 < found.share_false_to


def quiet(by="ann", hours=2, **more):
    until = SOON + timedelta(hours=hours)
    return QuietAsked("stockroom-a-door", "muted", "observe", "removal", by, until, **more)


async def test_a_muted_door_only_observes_and_is_itself_again_afterwards(one):
    (measure,) = await quieten(one.book, quiet(), SOON)
    assert (measure.by, measure.reason, measure.until_at - measure.from_at) == ("ann", "removal", timedelta(hours=2))
    during = await one.take(movement(1, after_s=600), now=SOON + timedelta(minutes=10))
    assert (await one.views.alerts_by_id(during.alerts))[0].state == "observed"
    after = await one.take(movement(2, after_s=3 * 3600), now=SOON + timedelta(hours=3))
    assert (await one.views.alerts_by_id(after.alerts))[0].state == "open"
    assert await one.book.measures(SOON + timedelta(hours=3)) == []


async def test_a_passage_before_the_mute_that_comes_late_is_judged_by_its_own_time(one):
    await quieten(one.book, quiet(), SOON)
    done = await one.take(movement(1), now=SOON + timedelta(minutes=1))
    assert (await one.views.alerts_by_id(done.alerts))[0].state == "open"


async def test_a_mute_can_be_ended_before_its_time(one):
    (measure,) = await quieten(one.book, quiet(), SOON)
    assert await end_quiet(one.book, measure.portal, measure.id, "bob", SOON + timedelta(minutes=1)) == []
    with pytest.raises(NotFound, match="no measure 1 in force"):
        await end_quiet(one.book, measure.portal, measure.id, "bob", SOON + timedelta(minutes=2))


async def test_nobody_mutes_a_door_and_resolves_its_alerts_in_one_shift(one):
    alert = await raised(one)
    await quieten(one.book, quiet("ann"), SOON)
    with pytest.raises(Separated, match="Ann quietened stockroom-a-door in this shift"):
        await resolve(one, alert, by="Ann", now=SOON + timedelta(hours=11))
    done = await step_alert(
        one.book, alert, AlertAsked("resolve", "ann", "", Resolution("recovered", LOOKED)), SOON + timedelta(hours=12)
    )
    assert done.alert.state == "resolved"


async def test_nor_the_other_way_round_unless_the_glass_is_broken_with_a_reason(one):
    alert = await raised(one)
    await resolve(one, alert, "recovered", by="ann")
    with pytest.raises(Separated, match="ann resolved an alert of stockroom-a-door in this shift"):
        await quieten(one.book, quiet("ann"), SOON)
    assert len(await quieten(one.book, quiet("ann", glass="alone on shift, door jams"), SOON)) == 1
    (report,) = await one.queue.listed(Filter(category="break_glass"), 10)
    assert (report.location, report.severity) == ("stockroom-a", "high")
    assert await one.sql("SELECT rule, by, reason FROM break_glass") == [
        ("mute_and_resolve", "ann", "alone on shift, door jams"),
    ]  # fmt: skip


async def test_the_api_walks_an_alert_and_shows_a_door(one):
    await one.people("ann", "bob", "cid")
    alert = await raised(one)
    services = one.services(lambda: SOON)
    app = create_app(services, token="t", version="0", local=True)
    transport, headers = httpx.ASGITransport(app), {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as api:
        path, verdict = f"/api/v1/alerts/{alert}", {"by": "bob", "verdict": "test"}
        await api.post(f"{path}/acknowledge", json={"by": "bob"})
        assert (await api.post(f"{path}/investigate", json={"by": "bob"})).json()["alert"]["state"] == "investigating"
        assert (await api.post(f"{path}/resolve", json=verdict)).status_code == 422
        verdict["evidence"] = {"kind": "test_tag", "reference": "board test 12"}
        assert (await api.post(f"{path}/resolve", json=verdict)).json()["alert"]["verdict"] == "test"
        assert [each["id"] for each in (await api.get("/api/v1/alerts?state=resolved")).json()["alerts"]] == [alert]
        reopened = (await api.post(f"{path}/reopen", json={"by": "ann", "reason": "no test was booked"})).json()
        assert (reopened["alert"]["severity"], reopened["verdicts"][0]["standing"]) == ("critical", "refuted")
        body = {"kind": "muted", "reason": "removal", "by": "cid", "until_at": "2026-03-02T10:00:00Z"}
        quiet_doors = (await api.post("/api/v1/portals/stockroom-a-door/measures", json=body)).json()["measures"]
        door = (await api.get("/api/v1/portals/stockroom-a-door")).json()
        assert (door["mode_now"], door["portal"]["mode"], door["measures"]) == ("observe", "notify", quiet_doors)
        assert (door["figures"]["alerts"], door["figures"]["tests"]) == (1, 0)
        assert len((await api.get("/api/v1/portal-figures")).json()["figures"]) == 3
        bad = await api.post("/api/v1/portals/nowhere/measures", json=body)
        assert (bad.status_code, "there is no portal 'nowhere'" in bad.json()["detail"]) == (404, True)
        long = await api.post(
            "/api/v1/portals/main-entrance/measures", json=body | {"until_at": "2026-05-01T00:00:00Z"}
        )
        assert (long.status_code, "24 hours at most" in long.json()["detail"]) == (409, True)
