"""Fire alarms and forced doors that gateways tell become alerts that last as long as they say so."""

from datetime import timedelta

from edge.contracts import SensorRow
from tests.helpers.central import START, wire

S = timedelta(seconds=1)


def told(seq, kind, *, state=True, reader="b1", portal=None, after_s=0):
    """What an input, or an access controller, told."""
    at = wire(START + after_s * S)
    return SensorRow(seq=seq, reader=reader, gpi=4, kind=kind, state=state, at=at, portal=portal)


async def spoken(one):
    alerts = await one.views.alerts(state="open", limit=9)
    return [(each.kind, each.severity, each.corrected) for each in sorted(alerts, key=lambda each: each.id)]


async def test_a_fire_is_an_alert_until_it_is_over_and_a_new_one_stands_anew(one):
    done = await one.take(told(1, "fire"))
    (alert,) = await one.views.alerts_by_id(done.alerts)
    assert (alert.kind, alert.severity) == ("fire_alarm", "high")
    assert alert.reason == "The fire alarm at input 4 of b1 is on: the sirens of this gateway are muted."
    assert (await one.take(told(1, "fire"))).alerts == [], "a second delivery"
    assert (await one.take(told(2, "fire", state=False))).alerts == done.alerts
    assert await spoken(one) == [("fire_alarm", "high", True)]
    assert (await one.take(told(3, "fire"))).alerts == done.alerts
    assert await spoken(one) == [("fire_alarm", "high", False)]
    ended = await one.sql("SELECT detail FROM alert_event WHERE kind = 'corrected'")
    assert ended == [("The fire alarm at input 4 of b1 is over: the sirens of this gateway are no longer muted.",)]
    assert await one.sql("SELECT kind, state FROM sensor ORDER BY seq") == [
        ("fire", True), ("fire", False), ("fire", True),
    ]  # fmt: skip


async def test_a_fire_that_was_over_before_it_was_heard_of_is_in_the_log_alone(one):
    assert (await one.take(told(1, "fire"), told(2, "fire", state=False))).alerts == []
    assert await spoken(one) == []
    assert await one.sql("SELECT count(*) FROM sensor") == [(2,)]


async def test_what_a_controller_tells_once_is_an_alert_each_time_and_names_the_door(one):
    rows = [told(number, "forced", reader="access", portal="stockroom-a-door", after_s=9 * number) for number in (1, 2)]
    done = await one.take(*rows)
    assert len(done.alerts) == 2
    reasons = {each.reason for each in await one.views.alerts_by_id(done.alerts)}
    assert reasons == {"Stockroom door was forced, says the access controller."}
    assert await one.sql("SELECT portal FROM sensor") == [("stockroom-a-door",)] * 2


async def test_a_door_that_is_held_open_is_told_until_it_is_shut(one):
    await one.take(told(1, "held", portal="stockroom-a-door"))
    assert await spoken(one) == [("door_held", "low", False)]
    await one.take(told(2, "held", portal="stockroom-a-door", state=False))
    assert await spoken(one) == [("door_held", "low", True)]
