"""A flood of tags: work is bounded, and who is carried through meanwhile is told."""

from itertools import groupby

import numpy as np

from edge.contracts import instant_us
from edge.windows import WindowClock, Windows, judge
from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.shed import ENOUGH, FEW, KEPT_LOOKS, LOOKS_PER_S, MOST_LOOKS, Shedder
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway

FLOOD_TAGS = 40_000
FLOOD_S = (4.5, 7.5)
LATER_S = 0.2
"""The walk is told so much later than without a flood, at most."""


def walk():
    """Somebody goes out, and when he is in the doorway, us."""
    made = doorway.Scene(np.random.default_rng(5), seconds=20.0)
    mover = made.walk("out", 2.0)
    mover.gain_db = -4.0
    return mover.epc, doorway.EPOCH_US + int(mover.crossed_s * 1e6), made.rows()


def flood():
    """Tags that are heard once each, at all antennas, as loud as any."""
    rng = np.random.default_rng(1)
    begin_us, end_us = (doorway.EPOCH_US + int(at * 1e6) for at in FLOOD_S)
    times = np.sort(rng.integers(begin_us, end_us, FLOOD_TAGS)).tolist()
    radio = zip(rng.integers(1, 5, FLOOD_TAGS), rng.integers(-70, -45, FLOOD_TAGS), rng.integers(0, 4096, FLOOD_TAGS),
                rng.integers(1, 51, FLOOD_TAGS), strict=True)  # fmt: skip
    return [
        (t, b"\xee" + rng.bytes(11), int(antenna), 100 * int(level), int(phase), int(channel))
        for t, (antenna, level, phase, channel) in zip(times, radio, strict=True)
    ]


def test_a_walk_within_a_flood_of_40_000_tags_is_told_in_time_and_the_work_is_bounded(monkeypatch):
    """Told while it goes on, and by as many looks as a second earns; what wasn't looked at is counted."""
    looks = 0
    look = judge.look

    def counted(*args):
        nonlocal looks
        looks += 1
        return look(*args)

    monkeypatch.setattr(judge, "look", counted)
    epc, crossed_us, rows = walk()
    alone_us, _, _ = told(epc, rows)
    looks = 0
    first_us, mine, windows = told(epc, sorted(rows + flood(), key=lambda row: row[0]))
    assert [(row.kind, row.final) for row in mine] == [("out", False), ("out", True)]
    assert abs(instant_us(mine[1].crossed_at) - crossed_us) < 1_000_000
    assert first_us - alone_us < LATER_S * 1e6
    assert looks < MOST_LOOKS + 20 * LOOKS_PER_S
    assert windows.shed == windows.counters.shed_visits > FLOOD_TAGS / 2
    assert windows.counters.finals + windows.counters.quiet_visits + windows.shed >= FLOOD_TAGS


def told(epc, rows):
    """Feed 20 ms at a time; return when a tag's first row came, all of its rows, and the windows."""
    windows = Windows(doorway.settings(), boot="b")
    mine, first_us = [], None
    for now_us, part in groupby(rows, key=lambda row: row[0] // 20_000 * 20_000):
        got = windows.feed("r1", doorway.batch(list(part)), arrival_us=None, clock=WindowClock())
        mine += [row for row in got if row.epc == epc.hex()]
        first_us = now_us if mine and first_us is None else first_us
    return first_us, mine + [row for row in windows.flush() if row.epc == epc.hex()], windows


def snap(reads, *, at_us=0, known=False):
    head = np.zeros(L.HEAD, np.int64)
    head[L.REPORTS], head[L.BASE_CDBM] = reads, -6000 if known else L.NO_BASE
    return Snapshot(L.LEFT, at_us, b"\1", head, np.zeros((8, L.ANT), np.int64), np.zeros((0, L.LOG), np.int32))


def test_strangers_of_few_reads_go_first_then_others_and_those_of_many_never():
    """What is kept back for the others isn't spent on the quietest."""
    shedder = Shedder()
    assert [shedder.spares(snap(1)) for _ in range(MOST_LOOKS)].count(False) == MOST_LOOKS - KEPT_LOOKS
    for one in (snap(1, known=True), snap(FEW)):
        assert not shedder.spares(one)
    assert [shedder.spares(snap(FEW)) for _ in range(MOST_LOOKS)].count(False) == KEPT_LOOKS - 2
    assert shedder.spares(snap(1, known=True))
    assert not shedder.spares(snap(ENOUGH))


def test_time_earns_looks_and_a_clock_set_back_takes_none():
    """As many as a second is worth, whatever the order of instants."""
    shedder = Shedder()
    while not shedder.spares(snap(FEW)):
        pass
    shedder.forget()
    assert shedder.spares(snap(FEW, at_us=-5_000_000))
    assert [shedder.spares(snap(FEW, at_us=-4_000_000)) for _ in range(2 * LOOKS_PER_S)].count(False) == LOOKS_PER_S
