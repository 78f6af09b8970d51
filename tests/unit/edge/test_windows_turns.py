"""Neighbouring portals on readers of their own: one order of decisions, whoever's bytes come first."""

import functools
import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.windows import AntennaSettings, PortalSettings, SensorSettings, WindowClock, Windows, WindowsSettings
from edge.windows.turns import MOST_TASKS, WAIT_US, Task, Turns
from tests.helpers import doorway

CLOCKS = {"r1": WindowClock(offset_us=0), "r2": WindowClock(offset_us=3_600_000_000)}
EARLY = 0.5
"""Provisionals come easily: what is compared is that they are the same, not that they are right."""
GRACE_US = 100_000
HOLD_US = GRACE_US + WAIT_US


def site():
    """Two doors with a reader each and a door contact at one of them."""
    portals = [
        PortalSettings(
            name, "two-sided", (AntennaSettings(reader, 1, "inside"), AntennaSettings(reader, 2, "outside")),
            provisional_confidence=EARLY, neighbours=(other,),
        )
        for name, reader, other in (("a", "r1", "b"), ("b", "r2", "a"))
    ]  # fmt: skip
    return WindowsSettings(gateway="gw", portals=tuple(portals), sensors=(SensorSettings("r2", 1, "door", "b"),))


@functools.cache
def packets(seed):
    """What arrived of each reader, as (arrival, reads): one is silent for seconds and late; tags are near to either."""
    rng = np.random.default_rng(seed)
    scene = doorway.Scene(rng, seconds=12.0, rate_hz=120.0)
    for kind, start_s in (("out", 0.5), ("in", 2.0), ("turned_back", 3.0)):
        scene.walk(kind, start_s).gain_db = -4.0
    rows = [(t, e, 1 if a <= 2 else 2, r, p, c) for t, e, a, r, p, c in scene.rows()]
    silent_us = doorway.EPOCH_US + rng.integers(0, 9, 2) * 1_000_000
    heard = [row for row in rows if not any(0 <= row[0] - begin_us < 1_500_000 for begin_us in silent_us)]
    return {
        "r1": _packets(rng, rows, 0, 20_000),
        "r2": _packets(rng, heard, 1, int(rng.integers(20_000, 400_000))),
    }


def _packets(rng, rows, odd, most_late_us):
    """Return one door's: of every second tag it hears all by 6 dB more faintly."""
    mine = [(t, e, a, r - 600 * (e[-1] % 2 ^ odd), p, c) for t, e, a, r, p, c in rows if rng.random() < 0.8]
    made, arrival_us = [], 0
    for _, some in itertools.groupby(mine, lambda row: row[0] // 50_000):
        reads = list(some)
        arrival_us = max(arrival_us + 1, reads[-1][0] + int(rng.integers(1_000, most_late_us)))
        made.append((arrival_us, reads))
    return made


class Run:
    """One way of feeding the packets."""

    def __init__(self, seed) -> None:
        self.windows, self.rows = Windows(site(), boot="b"), []
        self.left = {name: list(mine) for name, mine in packets(seed).items()}

    def feed(self, reader, *edges, told=True):
        """Feed a reader's next packet in pieces, say how far arrivals are."""
        arrival_us, reads = self.left[reader].pop(0)
        offset_us = CLOCKS[reader].offset_us
        whole = doorway.batch([(t - offset_us, *rest) for t, *rest in reads])
        ends = sorted(min(edge, len(reads)) for edge in edges)
        for begin, end in itertools.pairwise((0, *ends, len(reads))):
            if begin < end:
                self.rows += self.windows.feed(
                    reader, doorway.cut(whole, begin, end), arrival_us=arrival_us, clock=CLOCKS[reader]
                )
        if told:
            self.tell()

    def tell(self):
        self.rows += self.windows.pass_until(min((mine[0][0] for mine in self.left.values() if mine), default=0))

    def end(self):
        self.rows += self.windows.flush()
        return self.rows


@functools.cache
def live(seed):
    """The rows where packets are fed as they arrive."""
    run = Run(seed)
    while any(run.left.values()):
        run.feed(min((mine[0][0], name) for name, mine in run.left.items() if mine)[1])
    return run.end()


@settings(max_examples=25)
@given(st.integers(0, 7), st.data())
def test_rows_of_neighbours_on_two_readers_depend_on_no_cut_and_no_interleaving(seed, data):
    """Provisionals included, in the same order; a reader that is silent or late is waited for, and not for ever."""
    run, share = Run(seed), data.draw(st.floats(0, 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    while any(run.left.values()):
        reader = "r1" if run.left["r1"] and (not run.left["r2"] or rng.random() < share) else "r2"
        run.feed(reader, *rng.integers(0, 12, int(rng.integers(0, 4))), told=rng.random() < 0.7)
    assert run.end() == live(seed)
    assert run.windows.counters.overtaken == 0


def test_the_scenes_have_provisionals_at_both_doors():
    """Else nothing would be compared."""
    rows = [row for seed in range(8) for row in live(seed)]
    assert {row.portal for row in rows if not row.final} == {"a", "b"}
    assert {row.kind for row in rows if row.final} >= {"in", "out", "near"}


def test_a_change_of_a_contact_keeps_its_place_among_the_decisions():
    """It is told between two chunks of its reader, while decisions of before wait for the neighbour, or don't."""
    told = []
    for first in ("r1", "r2"):
        run = Run(1)
        while any(run.left.values()):
            name = first if run.left[first] else next(name for name, mine in run.left.items() if mine)
            run.feed(name, told=False)
            if name == "r2" and len(run.left["r2"]) % 20 == 10:
                at_us = run.left["r2"][0][1][0][0] - CLOCKS["r2"].offset_us
                state = len(run.left["r2"]) % 40 == 10
                run.windows.sense("r2", 1, "door", state=state, at_us=at_us, clock=CLOCKS["r2"])
        told.append(run.end())
    assert told[0] == told[1]
    assert {row.evidence.door for row in told[0] if row.portal == "b"} >= {"was opened meanwhile"}


class Doer:
    """Stands for a group: gives tasks that return their own names."""

    def __init__(self) -> None:
        self.passed_us = -(1 << 62)

    def perform(self, task):
        return task.act()

    def flush(self):
        return []


def task(host_us, name):
    return Task(host_us, WindowClock(), lambda: name)


def two():
    one, other = Doer(), Doer()
    return one, other, Turns([one, other], GRACE_US)


def take(turns, doer, arrival_us, *tasks, passed_us=None):
    def certain():
        yield from (task(*one) for one in tasks)
        doer.passed_us = doer.passed_us if passed_us is None else passed_us

    return list(turns.take(doer, certain(), arrival_us))


def test_a_silent_neighbour_is_waited_for_until_arrivals_are_so_far():
    one, _, turns = two()
    assert take(turns, one, 5_120_000, (5_000_000, "x")) == []
    assert list(turns.pass_until(5_000_000 + HOLD_US)) == []
    assert list(turns.pass_until(5_000_000 + HOLD_US + 1)) == ["x"]


def test_a_neighbour_whose_time_has_passed_is_not_waited_for():
    one, other, turns = two()
    assert take(turns, other, 5_130_000, passed_us=5_000_001) == []
    assert take(turns, one, 5_120_000, (5_000_000, "x")) == ["x"]


def test_of_two_the_earlier_goes_first_whichever_came_first():
    one, other, turns = two()
    assert take(turns, one, 5_120_000, (5_010_000, "late"), passed_us=5_020_000) == []
    assert take(turns, other, 5_130_000, (5_000_000, "early"), passed_us=5_020_000) == ["early", "late"]


def test_what_a_late_reader_brings_comes_when_it_came():
    """Two seconds late: after what the neighbour did until a wait before its arrival."""
    one, other, turns = two()
    assert take(turns, other, 7_000_000, (5_000_000, "late")) == []
    assert take(turns, one, 6_990_000, (7_000_000 - HOLD_US - 1, "before"), passed_us=6_900_000) == ["before", "late"]


def test_a_clock_that_runs_ahead_puts_nothing_off():
    """Event times a minute after their arrival, of a reader whose clock was just set."""
    one, _, turns = two()
    take(turns, one, 5_000_000, (65_000_000, "ahead"))
    assert list(turns.pass_until(5_000_000 + HOLD_US + 1)) == ["ahead"]


def test_what_is_fed_after_its_time_is_counted():
    one, other, turns = two()
    assert list(turns.pass_until(5_000_000)) == []
    take(turns, one, 5_000_000)
    assert turns.overtaken == 0
    take(turns, other, 4_999_999)
    assert turns.overtaken == 1


def test_where_nobody_tells_arrivals_only_so_much_waits():
    """The reads of one file before those of the next, as `replay` takes bare ones."""
    one, _, turns = two()
    names = [str(k) for k in range(MOST_TASKS + 3)]
    assert take(turns, one, None, *enumerate(names)) == ["0", "1", "2"]
    assert turns.overtaken == 3
    assert list(turns.flush()) == names[3:]


def test_who_has_no_neighbours_does_all_at_once():
    one = Doer()
    turns = Turns([one], GRACE_US)
    assert take(turns, one, 5_000_000, (9_000_000, "x"), (1_000_000, "y")) == ["x", "y"]
    assert list(turns.pass_until(1)) == list(turns.flush()) == []


def test_what_concerns_a_group_alone_waits_for_what_it_has_to_do():
    done = []
    one, _, turns = two()
    turns.beside(one, Task(0, WindowClock(), lambda: done.append("at once")))
    take(turns, one, 5_120_000, (5_000_000, "x"))
    turns.beside(one, Task(0, WindowClock(), lambda: done.append("after x")))
    assert done == ["at once"]
    assert list(turns.pass_until(6_000_000)) == ["x"]
    assert done == ["at once", "after x"]
