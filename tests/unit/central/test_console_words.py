"""The console's sentences, its tree of places, its feed parser and its board, without a browser."""

import json
import random
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.console import grouping, words
from central.console.board import RECENT_MOVED, Board
from central.console.client import ApiClient
from central.console.errors import ConsoleError
from central.console.gateway_words import gateway_words, host_troubles, host_words
from central.console.places import place_lines
from central.console.sse import EventParser, ServerEvent
from tests.helpers.fake_central import LOCATIONS, ago, alert, movement

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def parse(text):
    parser = EventParser()
    return [event for line in text.split("\n") if (event := parser.feed(line)) is not None]


def locations():
    names = ("id", "name", "kind", "parent", "guarded", "count")
    return [dict(zip(names, row, strict=True)) for row in LOCATIONS]


def board(transport=None, clock=lambda: 100.0):
    client = ApiClient("http://127.0.0.1:9", None, transport=transport)
    return Board(client, clock=clock, rng=random.Random(1))


def answering(status, body, media="application/json"):
    return httpx.MockTransport(lambda _: httpx.Response(status, content=body, headers={"content-type": media}))


def test_feed_lines_become_events():
    found = parse(": comment\nid: 7\nevent: alert\ndata: {}\n\nevent:heartbeat\ndata:x\ndata: y\n\ndata: plain\n\n")
    assert found == [ServerEvent("alert", "{}"), ServerEvent("heartbeat", "x\ny"), ServerEvent("message", "plain")]


def test_an_event_without_data_is_none():
    assert parse("event: alert\n\n") == []


@given(st.text())
def test_any_text_is_parsed_without_an_error(text):
    for event in parse(text):
        assert event.kind


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3600, "1 h ago"), (90_000, "1 day ago"), (-5, "0 s ago")],
)
def test_ago_is_said_as_a_guard_says_it(seconds, said):
    assert words.ago((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == said


def test_only_open_serious_fresh_alerts_call_for_action():
    assert words.is_act_now(alert())
    for change in ({"state": "acknowledged"}, {"severity": "low"}, {"late": True}, {"corrected": True}):
        assert not words.is_act_now(alert(**change))


def test_an_alert_of_an_unknown_kind_is_still_words():
    assert words.alert_title(alert(kind="door_forced_open")) == "Door forced open"


def test_an_alert_without_an_asset_names_its_tag_or_says_so():
    assert words.alert_subject(alert(asset=None, assets=[], epc="ab12")) == "Tag ab12"
    assert words.alert_subject(alert(asset=None, assets=[], epc=None)) == "No asset named"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([None], ""),
        (["refuse"], "The door refused it."),
        (["allow", "allow", None], "The door let it pass."),
        (["allow", "refuse", "allow"], "The door refused it: 1, let it pass: 2."),
    ],
)
def test_an_alert_says_what_the_door_itself_decided(said, told):
    assert words.alert_door_said({"assets": [{"id": str(n), "edge": one} for n, one in enumerate(said)]}) == told


def test_an_alert_about_a_gateway_names_it_and_what_to_do():
    about = alert(asset=None, assets=[], epc=None, portal=None, kind="identity_mismatch", **{"from": None, "to": None})
    assert words.is_about_gateway(about)
    assert not words.is_about_gateway(alert())
    assert words.alert_subject(about) == "gateway hq-east-1"
    assert "portals.csv" in words.what_to_do(about)
    assert "/api/v1/gateways" in words.what_to_do(about | {"kind": "something_new"})


@pytest.mark.parametrize(("share", "word"), [(0.97, "sure"), (0.9, "sure"), (0.7, "likely"), (0.2, "doubtful")])
def test_confidence_is_a_word_with_its_figure(share, word):
    assert words.sureness(share) == f"{word}, {share:.0%}"
    assert words.sureness(None) == ""


@pytest.mark.parametrize(
    ("share", "certain", "told"),
    [
        (0.92, True, "sure, 92%"), (0.6, True, "likely, 60%"), (0.92, False, "in doubt, 92%"),
        (0.4, False, "in doubt, 40%"), (None, None, ""),
    ],
)  # fmt: skip
def test_a_place_is_in_doubt_in_words_where_something_speaks_against_it_whatever_the_figure(share, certain, told):
    assert words.held({"confidence": share, "certain": certain}) == told


def test_gateways_say_what_ails_them():
    reader = {"id": "r1", "state": "lost"}
    well = {"registered": True, "online": True, "health": {"readers": [], "streams": [{"pending": 3}]}}
    assert gateway_words(well) == (True, "0 readers read, 3 events on the way")
    assert gateway_words(well | {"registered": False})[0] is False
    elsewhere = well | {"registered": False, "site": "pune", "registered_site": "hq"}
    assert gateway_words(elsewhere)[1].startswith("is not heard: it speaks for site pune, and portals name it at hq")
    assert gateway_words(well | {"registered": False, "registered_site": None})[1].startswith("is waiting: no portal")
    assert gateway_words(well | {"online": False}) == (False, "is not connected")
    assert gateway_words(well | {"online": False, "stopped": True}) == (False, "was stopped")
    assert gateway_words(well | {"health": {"readers": [reader]}}) == (False, "reader r1 does not answer")


def test_a_gateway_names_blind_antennas_and_dark_doorways():
    antennas = [{"port": 1, "state": "ok"}, {"port": 2, "state": "fault"}, {"port": 3, "state": "silent"}]
    reader = {"id": "r1", "state": "connected", "antennas": antennas}
    portals = [
        {"id": "door-a", "state": "dark", "since": "2026-03-01T08:00:00+00:00"},
        {"id": "door-b", "state": "watching", "since": "2026-03-01T08:00:00+00:00"},
    ]
    health = {"readers": [reader], "streams": [], "portals": portals}
    well, said = gateway_words({"registered": True, "online": True, "health": health})
    assert not well
    assert said.startswith("antenna 2 of r1 has a fault; antenna 3 of r1 hears nothing any more; Door A is not watched")
    assert "Door B" not in said


def test_places_are_a_tree_with_sums():
    lines = place_lines(locations())
    assert [(line.id, line.depth, line.total) for line in lines] == [
        ("hq-site", 0, 23),
        ("hq", 1, 23),
        ("stockroom-a", 2, 15),
        ("corridor", 2, 8),
        ("street", 0, 1),
    ]


def test_a_place_whose_parent_is_not_listed_stands_at_the_top():
    assert [line.depth for line in place_lines([locations()[2]])] == [0]


@given(st.permutations(locations()))
def test_no_place_is_lost_in_whatever_order_they_come(order):
    lines = place_lines(order)
    assert {line.id for line in lines} == {row["id"] for row in order}
    assert sum(line.total for line in lines if line.depth == 0) == 24


def test_the_board_is_stale_until_it_has_heard_something_and_after_five_seconds():
    now = [10.0]
    one = board(clock=lambda: now[0])
    assert one.stale
    one.hear("heartbeat", "{}")
    now[0] = 14.9
    assert not one.stale
    now[0] = 15.1
    assert one.stale
    assert one.silent_s == pytest.approx(5.1)


def test_how_often_the_feed_told_of_an_asset_is_remembered_of_the_last_ones():
    one = board()
    for number in (1, 2, 1, *range(3, RECENT_MOVED + 3)):
        one.hear("asset", json.dumps({"id": f"LT-{number}"}))
    assert len(one.moved) == RECENT_MOVED
    assert "LT-2" not in one.moved
    one.hear("asset", json.dumps({"id": f"LT-{RECENT_MOVED}"}))
    assert one.moved[f"LT-{RECENT_MOVED}"] == 2


@pytest.mark.parametrize("data", ["", "nonsense", "[]", "7", "{}", '{"passage": "p", "rev": 1, "at": "once"}'])
def test_a_feed_event_that_cannot_be_read_harms_nothing(data):
    one = board()
    one.hear("asset", data)
    assert not one.moved


def lists(**changes):
    """An API whose lists hold one door and the movements given."""
    empty = {"as_of": NOW.isoformat(), "quarantined": 0, "locations": [], "alerts": [], "gateways": [], "measures": []}
    body = json.dumps(empty | {"portals": [{"id": "door-1", "name": "East door"}], "movements": []} | changes)
    return answering(200, body.encode())


async def test_movements_are_those_of_the_list():
    one = board(lists(movements=[movement(2), movement(1, at=ago(600))]))
    await one.refresh()
    assert [item["asset"] for item in one.movements] == ["LT-0002", "LT-0001"]
    await one.client.close()


async def test_a_door_has_its_registered_name_or_its_id_as_words():
    one = board(lists())
    await one.refresh()
    assert (one.door("door-1"), one.door("door-2"), one.door(None)) == ("East door", "Door 2", "no door")
    await one.client.close()


async def test_problem_details_are_told_in_the_apis_own_words():
    one = board(answering(409, b'{"title": "Conflict", "detail": "It is taken."}', "application/problem+json"))
    with pytest.raises(ConsoleError, match=r"^It is taken\.$"):
        await one.client.get("alerts")
    await one.client.close()


async def test_an_answer_that_is_no_json_is_told_and_kept_as_the_boards_problem():
    one = board(answering(200, b"<html>"))
    await one.refresh()
    assert "does not answer" in one.problem
    assert one.stale
    await one.client.close()


async def test_without_a_token_file_acknowledging_is_refused_with_the_way_out():
    one = board()
    with pytest.raises(ConsoleError, match="--token-file"):
        await one.acknowledge([1], "Ana")
    await one.client.close()


async def test_a_token_file_that_is_gone_is_named(tmp_path):
    client = ApiClient("http://127.0.0.1:9", tmp_path / "gone")
    with pytest.raises(ConsoleError, match="gone can't be read"):
        await client.acknowledge(1, "Ana")
    await client.close()


def test_repeats_of_an_asset_at_a_door_are_one_thing_and_distinct_things_stand_by_themselves():
    laptop = alert(1)["asset"]
    alerts = [alert(9, asset=laptop, assets=[laptop]), alert(2), alert(1, at=ago(60)), alert(3, state="acknowledged")]
    groups = grouping.act_now(alerts)
    assert sorted(group.ids for group in groups) == [[2], [9, 1]]


def test_what_is_on_screen_keeps_its_order_and_the_new_comes_below():
    before = [group.key for group in grouping.act_now([alert(1, at=ago(30))])]
    after = grouping.act_now([alert(2, at=ago(1)), alert(1, at=ago(30))], before)
    assert [group.newest["id"] for group in after] == [1, 2]


def test_the_gravest_stands_first_whatever_was_on_screen_before():
    before = [group.key for group in grouping.act_now([alert(1)])]
    groups = grouping.act_now([alert(1), alert(2, at=ago(3600), severity="critical")], before)
    assert [group.newest["id"] for group in groups] == [2, 1]


def open_alerts(alerts):
    """An API whose open alerts can only be read in parts, as it is asked for them."""

    def answer(request):
        asked = request.url.params
        rank = {"critical": 0, "high": 1}
        part = sorted(alerts, key=lambda one: rank[one["severity"]] if asked.get("order") == "gravest" else -one["id"])
        part = part[int(asked.get("skip", 0)) :][: int(asked.get("limit", 100))] if "state" in asked else []
        empty = {"as_of": NOW.isoformat(), "quarantined": 0, "locations": [], "gateways": [], "measures": []}
        return httpx.Response(200, json=empty | {"portals": [], "movements": [], "alerts": part})

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("critical", "high", "cut"), [(2, 1500, True), (1200, 1500, True), (1000, 0, False), (2, 9, False)]
)
async def test_every_critical_open_alert_is_on_the_board_and_a_cut_list_says_so(critical, high, cut):
    grave = [alert(number, severity="critical") for number in range(1, critical + 1)]
    one = board(open_alerts([*grave, *(alert(9000 + number) for number in range(high))]))
    await one.refresh()
    assert one.problem is None
    assert sum(each["severity"] == "critical" for each in one.alerts) == critical
    assert one.cut is cut
    assert len({each["id"] for each in one.alerts}) == len(one.alerts)
    await one.client.close()


def test_a_cut_list_says_how_many_it_has_and_what_it_leaves_out():
    told = words.cut_words([alert(1), alert(2), alert(3, state="resolved")])
    assert told.startswith("More than these 2 alerts are open. All critical ones are here")


def test_only_what_took_anothers_place_was_pushed():
    assert grouping.pushed([("a",), ("b",)], [("b",), ("c",), ("d",)]) == {("b",), ("c",)}


@pytest.mark.parametrize(
    ("location", "since", "said"),
    [("stockroom-a", 5, "Back in stockroom-a since"), ("street", 5, "Now in street since"), ("corridor", 5, ""),
     ("stockroom-a", 500, "")],
)  # fmt: skip
def test_an_alert_says_where_its_asset_is_now(location, since, said):
    one = alert()
    one["assets"][0] |= {"location": location, "since": ago(since)}
    assert words.now_where(one, str).startswith(said)
    assert bool(words.now_where(one, str)) is bool(said)


@pytest.mark.parametrize(
    ("part", "problem", "said"),
    [("ingest", "the broker is not connected", "Start the broker"), ("database", "refused", "Start PostgreSQL")],
)
async def test_a_central_that_is_not_well_makes_the_board_not_live(part, problem, said):
    parts = {name: {"well": name != part, "problem": problem} for name in ("ingest", "database")}
    one = board(answering(503, json.dumps({"well": False, "parts": parts}).encode()))
    one.hear("heartbeat", "{}")
    assert not one.stale
    await one.check_health()
    assert one.stale
    assert said in one.notice
    await one.client.close()


def test_an_alert_that_calls_for_action_is_nobodys_until_somebody_takes_it():
    alert = {"state": "open", "severity": "high", "late": False, "corrected": False}
    assert words.alert_state(alert) == "nobody has it yet"
    assert words.alert_state(alert | {"severity": "low"}) == "for information"
    assert words.alert_state(alert | {"corrected": True}) == "corrected: probably a false read"


def test_ids_of_doors_and_places_are_read_as_names_and_nothing_else_is():
    names = {"hall": "Hall", "hall-door": "Hall door", "room-a": "Room A"}
    said = words.with_names(
        "Crossed hall-door to hall twice in a row, not the hallway or hall-b: it is in room-a.", names
    )
    assert said == "Crossed Hall door to Hall twice in a row, not the hallway or hall-b: it is in Room A."
    assert words.with_names("It is in hall.", {}) == "It is in hall."


def test_amounts_and_roles_are_read_as_people_write_them():
    assert [words.counted(number, "alert") for number in (0, 1, 1200)] == ["0 alerts", "1 alert", "1,200 alerts"]
    assert words.often(1, "2026-03-02T09:00:00Z") == words.when("2026-03-02T09:00:00Z")
    assert words.often(3, "2026-03-02T09:00:00Z").startswith("3 times, last ")
    assert [words.role(name) for name in ("itam_manager", "service_desk")] == ["IT asset manager", "service desk"]
    sure = {"confidence": 0.99, "final": True}
    assert [words.certainty(sure), words.certainty(sure | {"final": False})] == ["sure, 99%", "still in the door"]


def test_a_board_without_any_gateway_online_hears_nothing():
    gateway = {"registered": True, "online": False}
    assert "No gateway is connected" in words.doors_words([gateway])
    assert not words.doors_words([gateway, gateway | {"online": True}])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "acknowledged", "acknowledged_by": "Ana"}, "Ana has it"),
        ({"state": "investigating", "acknowledged_by": "Ana", "investigating_by": "Bob"}, "Bob looks into it"),
        (
            {"state": "resolved", "verdict": "theft", "verdict_standing": "confirmed", "resolved_by": "Bob"},
            "theft, Bob",
        ),
        (
            {"state": "resolved", "verdict": "false_read", "verdict_standing": "provisional", "resolved_by": "Bob"},
            "unconfirmed false read, Bob",
        ),
        ({"corrected": True}, "corrected: probably a false read"),
        ({"corrected": True, "kind": "fire_alarm"}, "it is over"),
        ({"corrected": True, "kind": "portal_dark"}, "it is watched again"),
        ({"late": True}, "late: older than 5 minutes"),
    ],
)
def test_an_alert_says_who_has_it_or_how_it_ended(changes, told):
    assert words.alert_state(alert(1, **changes)) == told


@pytest.mark.parametrize(
    ("kind", "event", "told"),
    [
        ("fire_alarm", "corrected", "over"),
        ("fire_alarm", "reinstated", "again"),
        ("portal_dark", "raised", "raised"),
        ("unauthorised_exit", "corrected", "corrected"),
        ("unauthorised_exit", "authorised_late", "authorised late"),
    ],
)
def test_what_a_gateway_tells_ends_and_is_not_corrected(kind, event, told):
    assert words.alert_event(alert(1, kind=kind), event) == told


def test_a_reopened_alert_wants_somebody_however_old_or_corrected():
    assert words.is_act_now(alert(1, late=True, corrected=True, reopened=1))
    assert not words.is_act_now(alert(1, late=True, reopened=1, state="resolved"))


def test_trust_in_a_door_is_a_share_with_what_so_few_allow():
    figures = {"alerts": 9, "false_reads": 1, "right_alerts": 3, "share_false": 0.25, "share_false_from": 0.046,
               "share_false_to": 0.699}  # fmt: skip
    assert words.trust(figures) == "1 of 4 judged alerts were false: 25% (5% to 70%)"
    assert words.trust(figures | {"false_reads": 0, "right_alerts": 0}) == "9 alerts, none judged and confirmed yet"


def test_a_due_date_says_how_long_is_left_or_how_late_it_is():
    assert words.due_words(ago(-9 * 86400), datetime.now(UTC)) == "due in 9 days"
    assert words.due_words(ago(3 * 3600), datetime.now(UTC)) == "overdue by 3 h"


def test_a_doors_own_measure_says_how_sure_it_is_and_when_it_can_tell_nothing():
    door = {"crossings": 900, "miss_rate_low": 0.031, "miss_rate_high": 0.068, "missed_month_low": 9.4,
            "missed_month_high": 21.6}  # fmt: skip
    unknown = dict.fromkeys(door) | {"crossings": 0}
    assert words.miss_words(unknown).startswith("It saw nobody pass")
    assert words.miss_words(door).startswith("With 95 % certainty it misses 3.1% to 6.8%, that is 9 to 22 crossings")
    assert words.miss_words(door | {"crossings": 4}) == "Too few crossings to tell: it may miss up to 7% of them."


def test_what_happened_on_another_day_says_which():
    now = datetime(2026, 3, 9, 12, 0, 5, tzinfo=UTC).astimezone().replace(day=9, hour=12)
    assert words.when(now.replace(hour=11).isoformat(), now) == "11:00:05"
    assert words.when(now.replace(day=7, hour=23).isoformat(), now) == "7 Mar 23:00"
    assert words.when(now.replace(year=2025).isoformat(), now) == "9 Mar 2025 12:00"
    assert words.when(None, now) == "no time"


def test_a_gateways_machine_is_told_of_and_its_troubles_make_it_ill():
    host = {"temperature_c": 52.1, "load_1m": 0.42, "cpus": 4, "memory_available_bytes": 3 * 2**30, "host_synced": True}
    host |= {"disk_free_bytes": 20 * 2**30, "disk_bytes": 30 * 2**30, "clock_offset_us": -180}
    told = "52 °C · load 0.42 of 4 · 3.0 GiB memory free · 20.0 GiB disk free · clock -0.2 ms"
    assert host_words(host) == told
    assert host_words({}) == ""
    assert host_troubles(host) == host_troubles({}) == []
    bad = host | {"temperature_c": 84.0, "disk_free_bytes": 100 * 2**20, "host_synced": False}
    gateway = {"registered": True, "online": True, "health": {"readers": [], "streams": [], "host": bad}}
    well, state = gateway_words(gateway)
    assert not well
    assert "84 °C" in state
    assert "100 MiB free" in state
    assert "clock is not set" in state
