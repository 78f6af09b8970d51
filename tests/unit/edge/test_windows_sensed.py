"""Door contacts, light beams and badges as evidence of passages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import contracts
from edge.windows import SensorSettings, WindowClock, Windows, WindowsError
from edge.windows.around import NOTHING_AROUND, Around, badge_words
from edge.windows.decide import Verdict
from edge.windows.rules import OVERWHELMING, RuleCounters, may_alarm, settle
from edge.windows.sensed import KEEP_US, MOST_CHANGES, Input, Sensed
from tests.helpers import doorway
from tests.helpers.verdicts import crossing_by_reads

SECOND = 1_000_000
DOOR = SensorSettings("r1", 1, "door", "door")
INNER = SensorSettings("r1", 2, "beam", "door", "inside")
OUTER = SensorSettings("r1", 3, "beam", "door", "outside", active_high=False)


def sensed(*edges, sensors=(DOOR, INNER, OUTER)):
    """Sensors of one portal after (seconds, gpi, active) edges; the beams were whole before."""
    made = Sensed(doorway.settings().portals, sensors)
    for sensor in sensors:
        if sensor.kind == "beam":
            made.note("r1", sensor.gpi, "beam", state=not sensor.active_high, at_us=-1)
    for at_s, gpi, active in edges:
        sensor = next(one for one in sensors if one.gpi == gpi)
        made.note("r1", gpi, sensor.kind, state=active == sensor.active_high, at_us=round(at_s * SECOND))
    return made


def way(made, near_s, now_s=100.0):
    near_us = round(near_s * SECOND)
    return made.beams(0, (near_us - SECOND, near_us + SECOND), near_us, round(now_s * SECOND))[0]


def test_a_door_is_what_it_was_over_the_visit():
    made = sensed((0, 1, False), (10, 1, True), (20, 1, False))
    spans = {(1, 9): "shut", (5, 15): "opened", (11, 19): "open", (15, 25): "closed", (5, 25): "closed"}
    for (begin, end), words in spans.items():
        assert made.door(0, begin * SECOND, end * SECOND) == words
    assert made.door(0, -5 * SECOND, -1) is None
    assert sensed(sensors=()).door(0, 0, SECOND) is None


def test_of_two_leaves_one_open_is_an_open_door():
    second = SensorSettings("r1", 4, "door", "door")
    made = sensed((0, 1, False), (0, 4, False), (10, 4, True), sensors=(DOOR, second))
    assert made.door(0, 11 * SECOND, 12 * SECOND) == "open"
    assert made.door(0, SECOND, 2 * SECOND) == "shut"


def test_beams_tell_the_way_by_their_order():
    out = [(10.0, 2, True), (10.4, 3, True), (10.6, 2, False), (11.0, 3, False)]
    back = [(10.0, 3, True), (10.4, 2, True), (10.6, 3, False), (11.0, 2, False)]
    assert way(sensed(*out), 10.5) == "out"
    assert way(sensed(*back), 10.5) == "in"
    assert way(sensed(*out), 10.5, now_s=10.41) == "out"
    assert way(sensed(*out), 10.5, now_s=10.3) is None, "one is broken now, and the other may follow"
    assert way(sensed(*out), 30.0) == "none"


def test_who_turns_in_the_beams_gives_no_way():
    turned = [(10.0, 2, True), (10.4, 3, True), (11.0, 3, False), (11.4, 2, False)]
    assert way(sensed(*turned), 10.5) == "both"
    assert way(sensed((10.0, 2, True), (10.8, 2, False)), 10.5) == "none"


def test_a_thin_body_breaks_one_beam_after_the_other():
    assert way(sensed((10.0, 2, True), (10.2, 2, False), (11.2, 3, True), (11.5, 3, False)), 10.7) == "out"


def test_a_blocked_beam_tells_nothing():
    """A trolley stands in the inner beam for an hour: what breaks the outer one has no order."""
    made = sensed((10.0, 2, True), (100.0, 3, True), (100.5, 3, False))
    assert way(made, 100.2, now_s=200.0) is None


def test_beams_that_clear_while_a_tag_crosses_are_not_whole():
    """A trolley has stood in both for a minute and is pushed on while somebody else goes through."""
    made = sensed((10.0, 2, True), (10.2, 3, True), (70.6, 2, False), (71.0, 3, False))
    assert way(made, 70.0) is None


def test_whole_beams_are_said_of_some_seconds_about_the_crossing():
    """Few reads place a crossing badly: a passing three seconds before may be its own."""
    made = sensed((10.0, 2, True), (10.4, 3, True), (10.6, 2, False), (11.0, 3, False))
    assert made.beams(0, (8 * SECOND, 20 * SECOND), 13 * SECOND, 99 * SECOND) == (None, None)
    assert made.beams(0, (8 * SECOND, 20 * SECOND), 18 * SECOND, 99 * SECOND) == ("none", None)


def test_a_lonely_beam_has_no_order():
    made = sensed((10.0, 2, True), (10.5, 2, False), sensors=(INNER,))
    assert way(made, 10.2) is None


def test_badges_count_within_ten_seconds_before_and_five_after():
    made = sensed()
    assert made.badges_near(0, 0, 0) is None
    made.badge("door", "p1", 10 * SECOND)
    assert made.badges_near(0, 20 * SECOND, 99 * SECOND) == ("p1",)
    assert made.badges_near(0, 5 * SECOND, 99 * SECOND) == ("p1",)
    assert made.badges_near(0, 20 * SECOND + 1, 99 * SECOND) == ()
    assert made.badges_near(0, 5 * SECOND, 9 * SECOND) == (), "what comes later isn't known yet"


def test_all_badges_about_a_crossing_are_told_and_the_nearest_first():
    """A colleague's, a second later, took the custodian's away, and the centre said that another had carried it."""
    made = sensed()
    for person, at_s in (("p-1", 6), ("p-2", 9), ("p-1", 12)):
        made.badge("door", person, at_s * SECOND)
    persons = made.badges_near(0, 10 * SECOND, 99 * SECOND)
    assert persons == ("p-2", "p-1")
    assert badge_words(Around(badge=True, persons=persons)) == "shown by p-2, p-1"


@given(st.lists(st.text("abc ,-", min_size=1, max_size=80), max_size=9))
def test_what_an_event_says_of_badges_names_each_of_the_nearest_and_fits(persons):
    words = contracts.badge_words(persons)
    assert len(words) <= 500
    if not any(", " in one for one in persons):
        assert contracts.badge_persons(words) == tuple(persons[:5])
    assert contracts.badge_persons("none shown") == ()


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=40))
def test_an_input_keeps_the_order_of_time_and_only_changes(edges):
    one = Input()
    for at_us, active in edges:
        one.note(at_us, active=active)
    assert one.times == sorted(one.times)
    assert all(a != b for a, b in zip(one.states, one.states[1:], strict=False))
    if edges:
        assert one.at(one.times[-1]) == one.states[-1]


def test_an_input_forgets_what_no_visit_can_ask_for():
    one = Input()
    for k in range(3 * MOST_CHANGES):
        one.note(k * 1000, active=k % 2 == 0)
    assert len(one.times) <= MOST_CHANGES
    one.note(KEEP_US * 10, active=one.states[-1] is False)
    assert len(one.times) == 2, "the newest, and the state that held before"


CROSSED = Verdict("out", 0.98, 5)
SURE = Verdict("out", OVERWHELMING, 5)
STAYED = Verdict("turned_back", 0.6)


@pytest.mark.parametrize(
    ("verdict", "around", "kind"),
    [
        (CROSSED, NOTHING_AROUND, "out"),
        (CROSSED, Around(door="open", beams="out"), "out"),
        (CROSSED, Around(door="shut"), "turned_back"),
        (SURE, Around(door="shut"), "unresolved"),
        (CROSSED, Around(beams="none"), "turned_back"),
        (SURE, Around(beams="none"), "unresolved"),
        (CROSSED, Around(beams="in"), "unresolved"),
        (SURE, Around(beams="in"), "out"),
        (CROSSED, Around(beams="both"), "out"),
        (Verdict("near", 0.9), Around(door="shut", beams="out"), "near"),
    ],
)
def test_a_crossing_stands_or_falls_with_door_and_beams(verdict, around, kind):
    assert settle(verdict, STAYED, around, RuleCounters()).kind == kind


def test_no_alarm_goes_through_a_shut_door_or_whole_beams():
    assert may_alarm(CROSSED, Around(door="opened", beams="out"))
    assert not may_alarm(CROSSED, Around(door="shut"))
    assert not may_alarm(SURE, Around(beams="none"))
    assert not may_alarm(CROSSED, Around(beams="in"))


def walk(kind, seed, edges, clock=None, sensors=(DOOR, INNER, OUTER)):
    """A walk's rows with edges (seconds from the start, gpi, active), fed half a second at a time."""
    made = doorway.Scene(np.random.default_rng(seed), seconds=20.0)
    mover = made.walk(kind, 2.0)
    mover.gain_db = -4.0
    clock = clock or WindowClock()
    windows = Windows(doorway.settings(sensors=sensors), boot="b")
    rows, out, waiting = made.rows(), [], sorted(edges(mover))
    for begin in range(0, 20_000_000, 500_000):
        while waiting and waiting[0][0] * SECOND < begin + 500_000:
            at_s, gpi, active = waiting.pop(0)
            sensor = next(one for one in sensors if one.gpi == gpi)
            at_us = doorway.EPOCH_US + round(at_s * SECOND)
            state = active == sensor.active_high
            windows.sense("r1", gpi, sensor.kind, state=state, at_us=at_us, clock=clock)
        mine = [row for row in rows if begin <= row[0] - doorway.EPOCH_US < begin + 500_000]
        out += windows.feed("r1", doorway.batch(mine), arrival_us=None, clock=clock)
    return windows, out + windows.flush()


def whole_beams(_):
    return [(0.0, 2, False), (0.0, 3, False)]


def broken(first, second):
    return lambda mover: [
        *whole_beams(mover),
        *((mover.crossed_s + shift, gpi, active) for shift, gpi, active in (
            (-0.3, first, True), (0.1, second, True), (0.3, first, False), (0.5, second, False))),
    ]  # fmt: skip


def test_a_walk_through_two_beams_says_so_in_its_evidence(monkeypatch):
    crossing_by_reads(monkeypatch, "out")
    _, rows = walk("out", 3, lambda mover: [(0.0, 1, False), (mover.crossed_s - 1, 1, True), *broken(2, 3)(mover)])
    assert [row.kind for row in rows if row.final] == ["out"]
    assert rows[-1].evidence.beams == "broken from inside to outside"
    assert rows[-1].evidence.door == "was opened meanwhile"
    assert rows[-1].evidence.badge is None


def test_a_shut_door_lets_nothing_through_and_the_contradiction_is_counted(monkeypatch):
    crossing_by_reads(monkeypatch, "out")
    windows, rows = walk("out", 3, lambda _: [(0.0, 1, False)])
    assert [row.kind for row in rows if row.final] != ["out"]
    assert all(row.final for row in rows), "and no provisional"
    assert windows.counters.door_contradictions == 1
    assert rows[-1].evidence.door == "shut all the time"


def test_whole_beams_let_nothing_through(monkeypatch):
    crossing_by_reads(monkeypatch, "in")
    windows, rows = walk("in", 4, whole_beams)
    assert {row.kind for row in rows} <= {"unresolved", "turned_back", "near"}
    assert windows.counters.beam_contradictions == 1


def test_an_input_that_watches_no_portal_is_counted():
    windows, rows = walk("out", 3, lambda _: [(0.0, 1, True)], sensors=(DOOR,))
    assert (windows.counters.sensed, windows.counters.unplaced_sensed) == (1, 0)
    windows.sense("r1", 9, "door", state=True, at_us=0, clock=WindowClock())
    assert windows.counters.unplaced_sensed == 1
    assert rows[-1].evidence.door == "open all the time"


def test_events_of_readers_and_boards_meet_on_one_clock():
    """The reader's clock is an hour slow, a board's events are in host time: both say the same."""
    hour = 3_600 * SECOND
    slow = WindowClock(offset_us=hour)
    board = SensorSettings("b1", 1, "door", "door")
    windows = Windows(doorway.settings(sensors=(board,)), boot="b")
    made = doorway.Scene(np.random.default_rng(3), seconds=20.0)
    made.walk("out", 2.0).gain_db = -4.0
    rows = made.rows()
    half = len(rows) // 2
    windows.feed("r1", doorway.batch(rows[:1]), arrival_us=None, clock=slow)
    for at_us, state in ((rows[0][0] - SECOND, False), (rows[half][0], True)):
        windows.sense("b1", 1, "door", state=state, at_us=at_us + hour, clock=WindowClock(source="host", offset_us=0))
    windows.badge("door", "p7", rows[half][0] + hour)
    out = windows.feed("r1", doorway.batch(rows[1:]), arrival_us=None, clock=slow) + windows.flush()
    assert out[-1].evidence.door == "was opened meanwhile"
    assert out[-1].evidence.badge == "shown by p7"


def test_a_badge_at_a_strange_portal_is_refused():
    with pytest.raises(WindowsError, match="'nowhere', which is no portal of this gateway"):
        Windows(doorway.settings(), boot="b").badge("nowhere", "p", 0)
