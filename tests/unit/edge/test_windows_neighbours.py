"""Doors side by side: one tag, one time, one portal, whatever readers they have."""

import dataclasses

import numpy as np
import pytest

from edge.contracts import instant_us
from edge.windows import AntennaSettings, PortalSettings, WindowClock, Windows, WindowsError, WindowsSettings, judge
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.decide import Seen
from edge.windows.evidence import columns, kernels
from edge.windows.evidence.measure import Measured
from edge.windows.neighbours import (
    AGAIN_US,
    BETWEEN_US,
    LIKELY,
    MOST_NATS,
    ROW_US,
    SAME_US,
    SURE,
    Crossing,
    Neighbours,
    Question,
    ears,
    neighbours,
)
from edge.windows.sensed import Sensed
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway
from tests.helpers.verdicts import crossing_by_reads

SECOND = 1_000_000
SEEN = Seen(Measured(np.zeros(columns.COUNT), np.zeros((2, kernels.OUTLINE)), 0, 7 * SECOND), np.zeros(6), np.zeros(3))
"""Changed sides at 7 s."""
EPC = b"\x09" * 12


def portal(name, reader, first=1, *, doorway_cdbm=None, **knobs):
    sides = ((first, "inside"), (first + 1, "outside"))
    antennas = tuple(AntennaSettings(reader, port, side, doorway_cdbm) for port, side in sides)
    return PortalSettings(name, "two-sided", antennas, **knobs)


def settings(*portals):
    return WindowsSettings(gateway="gw", portals=portals or (portal("a", "r1"), portal("b", "r2", neighbours=("a",))))


def heard(*reads, epc=EPC, start_s=0):
    """A visit of (seconds, antenna, RSSI) reads."""
    log = np.zeros((len(reads), L.LOG), np.int32)
    for row, (at_s, antenna, rssi) in zip(log, reads, strict=True):
        row[[L.G_US, L.G_ANTENNA, L.G_SIDE, L.G_RSSI]] = round(at_s * SECOND), antenna, antenna, rssi
    nothing, head = np.zeros((0, 0), np.int32), np.zeros(L.HEAD, np.int64)
    head[L.START_US] = start_s * SECOND
    return Snapshot(L.LEFT, 10 * SECOND, epc, head, nothing, log)


def doors(*portals):
    return Neighbours(settings(*portals).portals)


def note(made, name, change_s, *reads, odds=2.0, kind="out", epc=EPC, start_s=0):
    made.note(name, heard(*reads, epc=epc, start_s=start_s), 0, round(change_s * SECOND), Crossing(kind, odds))


def asked(name, near_s=5.0, *, now_s=10.0, kind="out", epc=EPC):
    return Question(name, epc, round(near_s * SECOND), round(now_s * SECOND), kind)


def both_sides(at_s, rssi):
    return (at_s - 0.2, 0, rssi), (at_s + 0.2, 1, rssi)


def test_portals_with_a_reader_in_common_or_a_name_are_neighbours():
    made = neighbours(
        [portal("a", "r1"), portal("b", "r1", 3), portal("c", "r2", neighbours=("a",)), portal("d", "r3")]
    )
    assert made == {"a": ["b", "c"], "b": ["a"], "c": ["a"], "d": []}


def test_a_neighbour_that_is_no_other_portal_is_refused():
    with pytest.raises(WindowsError, match="portal 'a' names 'x' as its neighbour"):
        settings(portal("a", "r1", neighbours=("x",)))
    with pytest.raises(WindowsError, match="portal 'a' names 'a'"):
        settings(portal("a", "r1", neighbours=("a",)))


def test_who_heard_both_sides_loud_has_the_crossing():
    """Past door b one of its sides was louder than any at door a, in the doorway of a both were loud."""
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -5200))
    note(made, "b", 5.0, (4.9, 0, -4600), (5.1, 1, -7500))
    assert not made.rival(asked("a"))
    assert made.rival(asked("b"))


def test_each_door_is_heard_about_its_own_instant():
    """What was loud beside door a two seconds after its own instant, in door b, says nothing for a."""
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -6500), *both_sides(7.0, -4500))
    note(made, "b", 7.0, *both_sides(7.0, -5200))
    assert made.rival(asked("a"))
    assert not made.rival(asked("b", 7.0))


def test_doorways_further_apart_in_time_than_a_walk_between_them_are_two_crossings():
    made = doors()
    note(made, "a", 2.0, *both_sides(2.0, -6500))
    note(made, "b", 2.0 + BETWEEN_US / SECOND + 0.1, *both_sides(8.1, -4500))
    assert not made.rival(asked("a", 2.0))


def test_of_a_neighbours_visits_the_nearest_in_time_is_compared():
    """A visit that began at door b afterwards doesn't hide the one in which the tag went through it."""
    made = doors()
    note(made, "a", 3.0, *both_sides(3.0, -6500))
    note(made, "b", 4.0, *both_sides(4.0, -5000))
    note(made, "b", 8.0, *both_sides(8.0, -7500), start_s=7)
    assert made.rival(asked("a", 3.0))


def test_a_door_that_sees_no_crossing_takes_none():
    """Only what is no crossing anyway goes to the louder door whatever that makes of it."""
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -6500))
    note(made, "b", 5.0, *both_sides(5.0, -5200), odds=LIKELY - 0.1)
    assert not made.rival(asked("a"))
    assert made.rival(asked("a", kind=None))


def test_what_was_heard_after_the_question_counts_for_nobody():
    """A reader whose reports come in late, or early, changes no answer."""
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -6500))
    note(made, "b", 5.0, (4.9, 0, -7500), (5.6, 0, -4500), (5.6, 1, -4500))
    assert not made.rival(asked("a", now_s=5.5))
    assert made.rival(asked("a"))


def test_between_doors_that_heard_a_tag_alike_its_companions_decide():
    """Two on the same trolley were clearly louder at b; a tag that was itself clearly louder at a asks nobody."""
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -5200))
    note(made, "b", 5.0, *both_sides(5.0, -5300))
    for epc in (b"\x01", b"\x02"):
        note(made, "a", 5.0, *both_sides(5.0, -6500), epc=epc)
        note(made, "b", 5.0, *both_sides(5.0, -5200), epc=epc)
    assert not made.rival(asked("a"))
    assert made.rival(asked("a"), [b"\x01", b"\x02"])
    note(made, "a", 5.0, *both_sides(5.0, -4500))
    assert not made.rival(asked("a"), [b"\x01", b"\x02"])


def test_a_crossing_is_told_early_only_by_a_door_that_is_well_ahead():
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -5200))
    note(made, "b", 5.0, *both_sides(5.0, -5400))
    assert made.rival(asked("a")._replace(early=True))
    assert not made.rival(asked("a"))


def test_a_crossing_isnt_told_early_while_the_other_door_receives_more_at_its_instant():
    """The other door has not seen the tag change sides by then, and what it thinks by then says nothing."""
    made = doors()
    note(made, "a", 5.0, *both_sides(5.0, -5600))
    note(made, "b", 2.5, (2.5, 1, -6000), *both_sides(5.0, -5200), odds=LIKELY - 3)
    assert made.rival(asked("a")._replace(early=True, kind=None))


def test_who_is_unheard_has_no_rival():
    made = doors()
    note(made, "b", 5.0, *both_sides(5.0, -5200))
    assert not made.rival(asked("a"))
    assert not made.rival(asked("a", epc=b"\x01"))


def test_of_two_equals_the_first_in_the_settings_has_it():
    made = doors()
    for name in ("a", "b"):
        note(made, name, 5.0, *both_sides(5.0, -5200))
    assert (made.rival(asked("a")), made.rival(asked("b"))) == (False, True)


def test_levels_are_relative_where_both_doors_were_commissioned():
    """Door b has more power: what both hear alike is nearer to a, but who hasn't walked at both can't know."""
    loud, quiet = portal("b", "r2", neighbours=("a",), doorway_cdbm=-4000), portal("a", "r1", doorway_cdbm=-5600)
    for one, takes in ((quiet, False), (portal("a", "r1"), True)):
        made = doors(one, loud)
        note(made, "a", 5.0, *both_sides(5.0, -5000))
        note(made, "b", 5.0, *both_sides(5.0, -4900))
        assert made.rival(asked("a")) is takes


def test_a_weak_antenna_hears_no_louder_in_the_next_doorway():
    """Its side's zero is that of the best antenna of the side."""
    weak = AntennaSettings("r1", 1, "inside", -6500), AntennaSettings("r1", 2, "inside", -5000)
    made = ears(PortalSettings("a", "two-sided", (*weak, AntennaSettings("r1", 3, "outside", -5400))))
    assert made.zeros_cdbm.tolist() == [-5100, -5100, -5300]


def test_what_a_door_hears_on_of_a_told_crossing_is_known_to_its_neighbour():
    """No decision asks about it any more; the instant and the odds stay."""
    made = doors()
    note(made, "a", 5.0, (4.8, 0, -5200))
    note(made, "b", 5.0, *both_sides(5.0, -5600))
    assert made.rival(asked("a"))
    made.hear_on("a", heard(*both_sides(5.0, -5200)), 0)
    assert not made.rival(asked("a"))


def test_a_crossing_is_told_once():
    made = doors()
    note(made, "a", 5.0, (5.0, 0, -5000))
    assert made.claim("a", EPC, "out", 0)
    assert not made.claim("b", EPC, "out", AGAIN_US)
    assert not made.claim("b", EPC, "in", SAME_US)
    assert made.claim("b", EPC, "in", SAME_US + 1), "out through one and in through the other"
    assert made.claim("a", EPC, "out", 2 * AGAIN_US)
    assert made.doubles == 2


def test_out_through_one_and_in_again_through_the_other_are_two():
    """Farther apart than from plane to plane, however much louder the one was; nearer by than that they are one."""
    made = doors()
    note(made, "a", 2.0, *both_sides(2.0, -4500))
    for change_s, one in ((2.0 + SAME_US / SECOND + 0.1, False), (2.0 + SAME_US / SECOND, True)):
        note(made, "b", change_s, *both_sides(change_s, -5600), kind="in")
        assert made.rival(asked("b", change_s, kind="in")) is one
        assert made.rival(asked("b", change_s))
    assert not made.rival(asked("a", 2.0))


def test_a_crossing_next_door_ends_what_a_visit_says_of_this_one():
    """Only one that is beyond doubt, and long enough before."""
    made = doors()
    note(made, "a", 2.0, *both_sides(2.0, -5200), odds=SURE)
    assert made.crossed_us("b", EPC, 2 * SECOND + SAME_US + 1) == 2 * SECOND
    assert made.crossed_us("b", EPC, 2 * SECOND + SAME_US) is None
    assert made.crossed_us("b", b"\x01", 9 * SECOND) is None
    note(made, "a", 2.0, *both_sides(2.0, -5200), odds=SURE - 0.1)
    assert made.crossed_us("b", EPC, 9 * SECOND) is None


def in_a_row():
    """Stockroom, lock, office."""
    inner = portal("a", "r1", inside="stockroom", outside="lock")
    return doors(inner, portal("b", "r2", neighbours=("a",), inside="lock", outside="office"))


def test_doors_in_a_row_are_crossed_one_after_the_other():
    made = in_a_row()
    note(made, "a", 5.0, *both_sides(5.0, -5200))
    note(made, "b", 7.0, *both_sides(7.0, -6500))
    assert not made.rival(asked("b", 7.0))
    assert made.claim("a", EPC, "out", 5 * SECOND)
    assert made.claim("b", EPC, "out", 7 * SECOND)
    assert made.claim("b", EPC, "in", 9 * SECOND)
    assert made.claim("a", EPC, "in", 11 * SECOND)
    assert made.doubles == 0


def test_nobody_is_in_two_doorways_of_a_row_at_once_or_leaves_where_he_is_not():
    made = in_a_row()
    note(made, "a", 5.0, *both_sides(5.0, -5200))
    note(made, "b", 5.5, *both_sides(5.5, -6500))
    assert made.rival(asked("b", 5.5))
    assert made.claim("a", EPC, "out", 5 * SECOND)
    assert not made.claim("b", EPC, "out", 5 * SECOND + ROW_US)
    assert not made.claim("b", EPC, "in", 8 * SECOND), "in from the office, of a tag that has just come into the lock"
    assert made.doubles == 2


def test_who_came_out_of_one_room_does_not_come_out_of_the_next():
    """Two stockrooms on one corridor are no row: the second is only walked past."""
    first = portal("a", "r1", inside="stockroom-1", outside="corridor")
    made = doors(first, portal("b", "r2", neighbours=("a",), inside="stockroom-2", outside="corridor"))
    note(made, "a", 5.0, *both_sides(5.0, -5200))
    note(made, "b", 9.0, *both_sides(9.0, -6500))
    assert made.rival(asked("b", 9.0))
    assert made.claim("a", EPC, "out", 5 * SECOND)
    assert not made.claim("b", EPC, "out", 9 * SECOND)
    assert made.claim("b", EPC, "in", 9 * SECOND)


def carried_between(gap_db, clocks, order):
    """Two doors with a reader each hear one walk; the second more faintly."""
    rng = np.random.default_rng(3)
    scene = doorway.Scene(rng, seconds=20.0)
    scene.walk("out", 2.0, EPC).gain_db = -4.0
    rows = [(t, e, 1 if a <= 2 else 2, r, p, c) for t, e, a, r, p, c in scene.rows()]
    windows, out = Windows(settings(), boot="b"), []
    for begin in range(0, 24_000_000, 250_000):
        for reader in order:
            clock = WindowClock(offset_us=clocks[reader])
            fainter = 100 * gap_db if reader == "r2" else 0
            mine = [
                (t - clocks[reader], e, a, r - fainter, p, c)
                for t, e, a, r, p, c in rows
                if begin <= t - doorway.EPOCH_US < begin + 250_000
            ]
            arrival_us = doorway.EPOCH_US + begin + 250_000
            out += windows.feed(reader, doorway.batch(mine), arrival_us=arrival_us, clock=clock)
    return windows, out + windows.flush()


@pytest.mark.parametrize("order", [("r1", "r2"), ("r2", "r1")])
def test_doors_with_a_reader_each_agree_in_host_time(order, monkeypatch):
    """Both hear a crossing, and one reader's clock is an hour slow: whoever is fed first, the louder door has it."""
    crossing_by_reads(monkeypatch, "out")
    windows, out = carried_between(6, {"r1": 0, "r2": 3_600 * SECOND}, order)
    assert {row.portal: row.kind for row in out if row.final} == {"a": "out", "b": "near"}
    assert next(row.reason for row in out if row.final and row.portal == "b") == "a neighbouring portal heard it louder"
    assert windows.counters.double_crossings == 0


def test_doors_that_are_no_neighbours_each_tell_what_they_heard():
    made = settings(portal("a", "r1"), portal("b", "r2"))
    assert neighbours(made.portals) == {"a": [], "b": []}
    lonely = Neighbours(made.portals)
    note(lonely, "a", 5.0, *both_sides(5.0, -5000))
    note(lonely, "b", 5.0, *both_sides(5.0, -4000))
    assert not lonely.rival(asked("a"))


def test_an_evicted_visit_is_called_by_what_is_likely_or_left_open():
    """More tags than the table holds: visits are cut, each with at most one final, and what is unsure says so."""
    full = dataclasses.replace(doorway.settings(), max_tags=64)
    scene = doorway.Scene(np.random.default_rng(8), seconds=12.0, rate_hz=1500.0)
    for k in range(100):
        scene.walk(("in", "out", "turned_back", "near")[k % 4], 1.0)
    windows = Windows(full, boot="b")
    out = windows.feed("r1", doorway.batch(scene.rows()), arrival_us=None, clock=WindowClock()) + windows.flush()
    assert windows.counters.evicted > 0
    told = [row.passage for row in out if row.final]
    assert len(told) == len(set(told))
    cut = [row for row in out if row.reason and "table of tags was full" in row.reason]
    assert cut
    assert {row.kind for row in cut} == {"unresolved"}


def test_a_told_crossing_is_heard_on(monkeypatch):
    """Its door asks nothing more, but the neighbour's decision needs what came after the provisional."""
    heard_on = []
    monkeypatch.setattr(judge.Judge, "hear_on", lambda _, snap, offset_us: heard_on.append(snap.at_us + offset_us))
    crossing_by_reads(monkeypatch, "out")
    _, out = carried_between(6, {"r1": 0, "r2": 0}, ("r1", "r2"))
    provisional = next(row for row in out if not row.final)
    assert heard_on
    assert min(heard_on) >= instant_us(provisional.crossed_at)


def test_a_told_crossing_counts_as_sure(monkeypatch):
    """Its odds were of the moment before; a final next door that comes first must not take it for unsure."""
    noted, note_down = [], Neighbours.note

    def remember(self, portal, *visit):
        noted.append((portal, visit[-1]))
        note_down(self, portal, *visit)

    monkeypatch.setattr(Neighbours, "note", remember)
    crossing_by_reads(monkeypatch, "out")
    _, out = carried_between(6, {"r1": 0, "r2": 0}, ("r1", "r2"))
    assert "a" in {row.portal for row in out if not row.final}
    sure = [place for place, entry in enumerate(noted) if entry == ("a", Crossing("out", MOST_NATS))]
    assert sure
    assert all(
        crossing == Crossing("out", MOST_NATS) for portal, crossing in noted[sure[0] : sure[-1]] if portal == "a"
    )


def test_a_visit_is_looked_at_since_the_crossing_next_door(monkeypatch):
    """What was heard until a second after it is left out, unless nothing is left then."""
    looked, made = [], doors()
    monkeypatch.setattr(judge, "look", lambda snap, *_: looked.append(snap.log[:, L.G_US].tolist()) or SEEN)
    one = judge.Judge(settings().portals, Sensed(settings().portals, ()), made, most_tags=9)
    note(made, "a", 2.0, *both_sides(2.0, -5200))
    second = heard((1.0, 0, -6000), (2.9, 1, -6000), (3.1, 1, -6000), (7.0, 0, -6000))
    second.head[L.PORTAL] = 1
    one.look(second, 0)
    assert looked == [[1_000_000, 2_900_000, 3_100_000, 7_000_000], [3_100_000, 7_000_000]]
