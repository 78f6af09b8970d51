"""Ours beside other rules: who is right of whom, and what the page says of it."""

import pytest

from simulator.scenarios.load import load
from simulator.scoring.units import Unit
from tests.accuracy.other_rules_page import added, not_ahead
from tests.accuracy.peer_runs import LEFT_OUT, OURS, Scene, called, is_right, tally
from tests.accuracy.peers import PEERS
from tests.accuracy.play import play
from tests.bench.accuracy_peers import figure
from tests.bench.accuracy_windows import naive_passes

FIRST = next(iter(PEERS))


def scene(ours, theirs):
    """Visits: two crossings and a turn; what ours says, and what every peer says."""
    true = ("in", "out", "turned_back")
    units = {rule: tuple(Unit(kind, said, 9) for kind, said in zip(true, theirs, strict=True)) for rule in PEERS}
    return Scene("x", "two-sided", {OURS: tuple(Unit(k, s, 9) for k, s in zip(true, ours, strict=True)), **units})


@pytest.mark.parametrize(
    ("true", "said", "right"),
    [
        ("in", "in", True),
        ("in", "out", False),
        ("in", "unresolved", False),
        ("in", "never_called", False),
        ("near", "turned_back", True),
        ("near", "never_called", True),
        ("near", "unresolved", False),
        ("parked", "out", False),
    ],
)
def test_right_is_the_way_of_a_crossing_and_no_crossing_of_anything_else(true, said, right):
    """Three classes; who doesn't decide isn't right."""
    assert is_right(Unit(true, said)) is right


def test_errors_are_counted_by_what_they_are():
    """One wrong way, one missed, one of nobody."""
    row = tally(scene(("in", "out", "near"), ("out", "turned_back", "in")))
    assert row["rules"][OURS] == {"right": 3, "wrong_way": 0, "missed": 0, "false": 0}
    assert row["rules"][FIRST] == {"right": 0, "wrong_way": 1, "missed": 1, "false": 1}
    assert (row["visits"], row["crossings"]) == (3, 2)
    assert added({"a": row, "b": row})["rules"][FIRST]["false"] == 2


def test_page_and_figure_tell_who_is_ahead():
    """Ours behind, even with an error left, ahead, and all right."""
    behind = tally(scene(("in", "in", "near"), ("in", "out", "turned_back")))
    assert not_ahead(behind) == "2 of 3; behind " + ", ".join(f"{rule} 3" for rule in PEERS)
    assert figure("peers.x", behind).ratio == pytest.approx(0.5 / 1.5)
    even = tally(scene(("in", "in", "near"), ("in", "in", "turned_back")))
    assert not_ahead(even) == "2 of 3; even with " + ", ".join(PEERS)
    assert not not_ahead(tally(scene(("in", "out", "near"), ("in", "in", "turned_back"))))
    assert not not_ahead(tally(scene(("in", "out", "near"), ("in", "out", "near"))))


def test_one_gallery_walk_is_called_by_everybody_on_the_same_reads():
    """A plain walk out: each rule gets one visit and says out."""
    calls = called(play(load("single-walk"), 1))
    assert set(calls) == {OURS, *PEERS}
    assert {rule: [unit.called for unit in units] for rule, units in calls.items()} == {rule: ["out"] for rule in calls}
    assert len({units[0].reads for units in calls.values()}) == 1


def test_what_is_left_out_is_in_the_gallery():
    """A name that nobody knows would be a scenario played in silence."""
    for name in LEFT_OUT:
        assert load(name).name == name


def test_naive_gap_counts_a_pass_after_each_silence():
    """Two tags, one with two silences of 0.3 s and more."""
    rows = [(t, bytes([tag]), 1, -6000, 0, 1) for t, tag in ((0, 1), (299_999, 1), (600_000, 1), (600_000, 2))]
    assert naive_passes([*rows, (5_000_000, b"\1", 1, -6000, 0, 1)]) == {"01": 3, "02": 1}
