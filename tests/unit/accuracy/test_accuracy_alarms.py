"""What counts as an alarm, a theft and a double booking, on hand-made cases; and that long plays equal short ones."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from edge.contracts import instant
from simulator.scenarios.model import Scenario
from simulator.world.values import Crossing
from tests.accuracy import alarms, groups, lessons, site, two_doors
from tests.accuracy.bounds import poisson_upper, upper_of_sample
from tests.accuracy.commission import certifies
from tests.accuracy.play import EPOCH_US, play, settings_of
from tests.accuracy.script import Script
from tests.accuracy.site import one_door
from tests.accuracy.stream import Stream
from tests.accuracy.watch import watch

THIEF, GUEST = b"\x07", b"\x08"


def row(epc=THIEF, kind="out", *, final=False, at_s=10.0, passage="p", portal="door"):
    at = instant(EPOCH_US + round(1e6 * at_s))
    return SimpleNamespace(
        epc=epc.hex(), kind=kind, final=final, passage=passage, portal=portal, crossed_at=at, at=at
    )  # fmt: skip


def visit(epc=THIEF, kind="out", *, crossed_s=10.0, reads=20, portal="door"):
    crossed_us = round(1e6 * crossed_s)
    known = crossed_us if kind in {"in", "out"} else None
    return Crossing(epc, portal, kind, crossed_us - 3_000_000, known, crossed_us + 3_000_000, reads=reads)


def judged(rows, visits, may_leave=()):
    guard = alarms.Guard(frozenset(epc.hex() for epc in may_leave))
    for at_s, one in rows:
        guard.tell(round(1e6 * at_s), one)
    return guard.judged(visits, {THIEF.hex(): "thief", GUEST.hex(): "inbound"})


def test_a_theft_alarmed_early_and_confirmed_is_true_and_timed():
    exits, raised = judged([(10.3, row()), (13.0, row(final=True))], [visit()])
    assert [one.true for one in raised] == [True]
    assert exits == [alarms.Exit(20, 300.0)]


def test_an_alarm_taken_back_is_false_though_the_siren_sounded_for_a_theft():
    exits, raised = judged([(10.3, row()), (13.0, row(kind="near", final=True))], [visit()])
    assert [(one.true, one.retracted) for one in raised] == [(False, True)]
    assert exits[0].alarmed


def test_a_second_alarm_for_the_same_exit_is_false():
    rows = [(10.3, row(final=True)), (10.9, row(final=True, passage="q"))]
    assert [one.true for one in judged(rows, [visit()])[1]] == [True, False]


def test_who_may_leave_and_who_comes_in_raise_nothing():
    rows = [(10.3, row(final=True)), (10.4, row(GUEST, "in", final=True))]
    exits, raised = judged(rows, [visit(), visit(GUEST, "in")], may_leave=[THIEF])
    assert exits == raised == []


def test_an_inbound_tag_called_out_is_false_and_says_what_was_true():
    _, raised = judged([(10.3, row(GUEST, final=True))], [visit(GUEST, "in", reads=9)])
    assert [(one.true, one.role, one.truth, one.reads) for one in raised] == [(False, "inbound", "in", 9)]


def test_a_theft_that_nobody_called_is_not_alarmed():
    exits, raised = judged([], [visit(reads=4)])
    assert exits == [alarms.Exit(4)]
    assert not exits[0].alarmed
    assert raised == []


@pytest.mark.parametrize(("count", "bound"), [(0, 2.9957), (1, 4.7439), (3, 7.7537), (10, 16.9622)])
def test_upper_bounds_are_those_of_the_tables(count, bound):
    assert poisson_upper(count) == pytest.approx(bound, abs=1e-4)


def test_a_quiet_part_bounds_the_whole_no_better_than_its_share():
    """Garwood's bounds at 97.5 %: 3.6889 of none, 8.7673 of three."""
    assert upper_of_sample(3, 0, 0.0) == pytest.approx(8.7673, abs=1e-4)
    assert upper_of_sample(0, 0, 180.0) == pytest.approx(181 * 3.6889, abs=0.01)
    assert upper_of_sample(3, 1, 10.0) > poisson_upper(3 + 10)


def test_a_day_has_its_loads_its_lingerers_and_one_theft():
    script = Script(one_door("test", residents=5), np.random.default_rng(1))
    thefts = list(alarms._day(script))
    roles = [script.role[tag] for tag in sorted(script.role)]
    assert len(thefts) == roles.count("thief") == 1
    assert roles.count("outbound") >= alarms.OUTBOUND
    assert roles.count("inbound") >= alarms.INBOUND
    may_leave = {script.role[tag] for tag in script.authorised}
    assert may_leave <= {"outbound", "on-out"}
    walks = script.scenario("test").walks
    assert sum(any(script.role[tag].startswith(("back", "on")) for tag in walk.tags) for walk in walks) == 20


def test_who_lingers_and_goes_back_never_left_and_every_theft_is_one():
    """The scenario's roles and the simulator's truth agree."""
    script = Script(one_door("test", residents=0), np.random.default_rng(2))
    list(alarms._day(script))
    scenario = script.scenario("test")
    stream = Stream(scenario, 1, settings_of(scenario), lambda *_: None).run()
    went = {script.role[int.from_bytes(one.epc[-2:])] for one in stream.visits if one.kind == "out"}
    assert went <= {"outbound", "on-out", "thief"}
    assert "thief" in went


def test_a_long_play_gives_the_rows_of_a_short_one():
    """Without keeping what was played, with other cuts, and without asking for a plan that doesn't change."""
    script = Script(one_door("test", layout="two-sided", residents=5), np.random.default_rng(3))
    for outwards in (True, False, True):
        script.at_s += script.walk(script.through(outwards=outwards), tags=script.new_tags(2, "carried")) + 1.0
    scenario, rows = script.scenario("test"), []
    Stream(scenario, 5, settings_of(scenario), lambda _, one: rows.append(one)).run()
    played = play(scenario, 5)
    assert [one.id for one in rows] == [one.row.id for one in watch(played)]
    assert len(rows) >= 6


def test_trials_are_right_when_exactly_those_who_may_not_leave_are_named():
    def trial(wanted, named):
        return groups.Trial("thief", 1, "overhead", frozenset(wanted), frozenset(named), 9)

    assert trial({3}, {3}).right
    assert not trial({3}, {3, 4}).right
    assert not trial({3}, set()).right
    assert trial({3}, {4}).falsely == 1


def test_the_cart_and_who_comes_in_meet_in_the_doorway():
    script = Script(one_door("test", residents=0), np.random.default_rng(4))
    cart = groups._counter(script)
    scenario = script.scenario("test")
    stream = Stream(scenario, 1, settings_of(scenario), lambda *_: None).run()
    crossed = {int.from_bytes(one.epc[-2:]): one.crossed_us for one in stream.visits if one.crossed_us is not None}
    (single,) = set(crossed) - cart
    # A cart is pushed 0.95 m ahead of who walks, and corners take a moment.
    assert abs(crossed[min(cart)] - crossed[single]) < 3_000_000


def test_a_crossing_is_booked_where_its_finals_say():
    rows = [
        row(final=True, portal="left"),
        row(final=True, portal="right", passage="q"),
        row(portal="right", passage="r"),
        row(kind="near", final=True, portal="right", passage="r"),
    ]
    booked = two_doors._booked(visit(portal="left"), rows, 2)
    assert booked == two_doors.Booked(readers=2, reads=20, here=1, there=1, right=True, early_there=1)


@pytest.mark.parametrize("readers", [1, 2])
def test_doors_side_by_side_have_a_wall_between_them_and_their_own_antennas(readers):
    place = next(site._pairs("test", readers))
    (_, left_m, width_m), (_, right_m, _) = place.portals
    assert left_m - right_m - width_m == pytest.approx(1.5)
    assert len(place.parts["readers"]) == readers
    scenario = Script(place, np.random.default_rng(1)).scenario("test")
    for portal in settings_of(scenario).portals:
        assert {antenna.side for antenna in portal.antennas} == {"inside", "outside"}


def test_a_site_is_in_service_only_as_its_commissioning_could_certify_it():
    place = one_door("test")
    tags = place.parts["tags"] | {"count": max(place.residents, 1)}
    scenario = Scenario.model_validate(place.parts | {"name": "test", "tags": tags})
    assert certifies(scenario)
    told = {
        (one.reader, one.port): one.doorway_cdbm
        for portal in place.settings(scenario).portals
        for one in portal.antennas
    }
    assert {key: level for key, level in told.items() if level is not None} == place.levels
    assert place.levels


def test_antennas_are_hung_until_they_can_be_certified_and_the_next_place_is_taken_then(monkeypatch):
    """With the first eight of a place refused, the third attempt at the second draw of it is in service."""
    refused = iter([False] * 8)
    asked = []

    def walked(scenario):
        asked.append(scenario.readers)
        return {}, next(refused, True)

    monkeypatch.setattr(site, "walked", walked)
    place = one_door("test", layout="two-sided")
    assert place.hung == len(asked) == 9
    assert all(one != other for one, other in pairwise(asked))
    assert place.layout == "two-sided"


def test_a_site_that_no_commissioning_certifies_is_an_error_that_says_so(monkeypatch):
    monkeypatch.setattr(site, "walked", lambda _: ({}, False))
    with pytest.raises(site.SiteError, match="test: no commissioning could certify"):
        one_door("test", residents=0)


def test_lessons_are_doors_of_their_own():
    (first, settings), (again, _), (other, _) = (lessons.lesson(seed, acts=6) for seed in (1, 1, 2))
    assert first == again
    assert first.readers != other.readers
    assert len(first.walks) >= 6
    assert any(one.doorway_cdbm is not None for portal in settings.portals for one in portal.antennas)


def test_who_stands_in_a_lesson_and_goes_back_never_crossed():
    """The lesson's roles and the simulator's truth agree: who goes back turns back or parks, who goes on crosses."""
    script = Script(one_door("test", residents=0), np.random.default_rng(5))
    for _ in range(15):
        lessons._stands(script)
        lessons._turns(script)
        script.at_s += 2.0
    scenario = script.scenario("test")
    stream = Stream(scenario, 1, settings_of(scenario), lambda *_: None).run()
    kinds = {}
    for one in stream.visits:
        kinds.setdefault(script.role[int.from_bytes(one.epc[-2:])].split("-")[0], set()).add(one.kind)
    assert kinds["back"] <= {"turned_back", "parked"}
    assert {"in", "out"} & kinds["on"]
    assert kinds["on"] <= {"in", "out", "parked"}
