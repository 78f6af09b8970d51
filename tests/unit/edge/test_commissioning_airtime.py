"""Who stays, how the antennas take turns, what a walker is left, and what to change."""

import numpy as np
import pytest

from edge.commissioning.advice import Lowering, judge
from edge.commissioning.airtime import Air, Ear, Ways, measure
from edge.commissioning.heard import MOST_READS, Listening, Reads, stay
from edge.commissioning.rule import NEEDED_READS
from edge.llrp.batch import NO_RSSI_CDBM
from edge.readers.hearing import Heard

SECONDS = 20.0
QUIET = Ways(quiet_above=30, takes_turns=True, masks=2)
NONE_US = np.zeros(0, np.int64)


def reads(rows):
    """Columns of (at_us, port, tag, rssi_cdbm) rows."""
    table = np.array(sorted(rows), np.int64).reshape(-1, 4)
    return Reads(*table.T, np.ones(len(table), np.int64))


def turns(tags_at, *, answer_us=8_000, turn_us=11_000, seconds=SECONDS, level=-6000, most=25):
    """Rows of antennas that take turns, each tag once in a turn of at most `most` answers; and the length of one."""
    rows, at_us, nexts, cycles = [], 0, dict.fromkeys(tags_at, 0), 0
    while at_us < seconds * 1e6:
        cycles += 1
        for port, tags in tags_at.items():
            at_us += turn_us
            for _ in range(min(len(tags), most)):
                tag = tags[nexts[port] % len(tags)]
                rows.append((at_us, port, tag, level - 100 * (tag % 20)))
                nexts[port] += 1
                at_us += answer_us
    return rows, at_us / 1e6 / cycles


def air_of(tags_at, ways=QUIET, ports=(1, 2, 3, 4), **knobs):
    """The airtime of such turns."""
    rows, _ = turns(tags_at, **knobs)
    heard = reads(rows)
    return measure("r1", heard, stay(heard, (1, 2, 3, 4), SECONDS), ports, ways)


def test_tag_that_is_heard_to_the_end_stays_and_one_that_passed_does_not():
    rows = [(n * 500_000, 1, 0, -6000) for n in range(40)] + [(n * 50_000, 1, 1, -5000) for n in range(60)]
    staying = stay(reads(rows), (1, 2), SECONDS)
    assert staying.tags.tolist() == [0]
    assert staying.reads.tolist() == [[40, 0]]
    assert staying.level_cdbm[0, 0] == -6000
    assert np.isnan(staying.level_cdbm[0, 1])


def test_who_walks_up_and_down_does_not_stay():
    """30 dB up and down for the whole time; a tag at rest of which some channels are 14 dB weaker stays."""
    walker = [(n * 100_000, 1, 0, -6000 + round(1500 * np.sin(n / 8))) for n in range(200)]
    rest = [(n * 100_000, 1, 1, -6000 - 1400 * (n % 16 == 0)) for n in range(200)]
    assert stay(reads(walker + rest), (1,), SECONDS).tags.tolist() == [1]


def test_tags_without_rssi_stay_all_the_same():
    rows = [(n * 500_000, 1, 0, NO_RSSI_CDBM) for n in range(40)]
    staying = stay(reads(rows), (1,), SECONDS)
    assert staying.tags.tolist() == [0]
    assert np.isnan(staying.level_cdbm[0, 0])


def test_reference_tags_are_no_residents():
    rows = [(n * 500_000, 1, tag, -6000) for n in range(40) for tag in (0, 1)]
    staying = stay(reads(rows), (1,), SECONDS, never=[1, 99])
    assert (staying.tags.tolist(), staying.never.tolist()) == ([0], [1])


def test_reference_tags_take_their_time_in_each_turn():
    """Four that nobody else keeps company leave as many reads as four residents do, and no tag to be kept quiet."""
    tags_at = {1: [0], 2: [1], 3: [2], 4: [3]}
    rows, cycle_s = turns(tags_at)
    heard = reads(rows)
    staying = stay(heard, (1, 2, 3, 4), SECONDS, never=range(4))
    air = measure("r1", heard, staying, (1, 2, 3, 4), QUIET)
    assert (air.residents, air.references) == (0, 4)
    assert air.cycle_s == pytest.approx(cycle_s, rel=0.02)
    assert air.open_reads() == pytest.approx(air_of(tags_at).open_reads(), rel=0.01)


def test_tags_that_are_hardly_heard_take_hardly_any_time():
    """Two that answer now and then hide most turns; where so little is said a turn can't be long."""
    rows = [(n * 400_000, 1, 0, -7800) for n in range(50)] + [(n * 500_000 + 9, 2, 1, -7800) for n in range(40)]
    heard = reads(rows)
    air = measure("r1", heard, stay(heard, (1, 2, 3, 4), SECONDS), (1, 2, 3, 4), QUIET)
    assert air.residents == 2
    assert air.cycle_s == pytest.approx(4 * 0.011 / (1 - 4.5 * 0.015))
    assert air.open_reads() > 60


def test_nothing_heard_is_nobody_there_and_not_measured():
    air = measure("r1", reads([]), stay(reads([]), (1, 2, 3, 4), SECONDS), (1, 2, 3, 4), QUIET)
    assert (air.residents, air.measured) == (0, False)
    assert air.reads() == air.open_reads() == pytest.approx(2.0 / (4 * 0.011 + 2 * 0.0033) * 0.5 * 4)


def test_turn_of_all_antennas_is_measured_by_changes_of_antenna():
    tags_at = {1: list(range(10)), 2: list(range(10, 30)), 3: [], 4: []}
    _, cycle_s = turns(tags_at)
    air = air_of(tags_at)
    assert air.measured
    assert air.cycle_s == pytest.approx(cycle_s, rel=0.02)
    assert air.answer_s == pytest.approx(0.008, rel=0.05)
    assert [(ear.port, ear.residents) for ear in air.ears] == [(1, 10), (2, 20), (3, 0), (4, 0)]
    assert [ear.share for ear in air.ears] == pytest.approx([1.0] * 4, abs=0.02)


def test_one_antenna_that_hears_tags_is_measured_by_the_tag_read_most():
    tags_at = {1: list(range(20)), 2: [], 3: [], 4: []}
    _, cycle_s = turns(tags_at)
    assert air_of(tags_at).cycle_s == pytest.approx(cycle_s, rel=0.02)


def test_where_a_turn_has_no_time_for_all_a_walker_shares_what_there_is():
    air = air_of({1: list(range(100)), 2: list(range(100, 125)), 3: [], 4: []})
    assert [ear.share for ear in air.ears] == pytest.approx([0.25, 1.0, 1.0, 1.0], abs=0.03)


def test_antennas_of_another_portal_take_their_turns_and_give_no_reads():
    tags_at = {1: list(range(20)), 2: list(range(20, 40)), 3: [], 4: []}
    both, mine = air_of(tags_at), air_of(tags_at, ports=(1, 3))
    assert [ear.port for ear in mine.ears + mine.others] == [1, 3, 2, 4]
    assert mine.open_reads() == pytest.approx(both.open_reads() / 2, rel=0.01)
    assert mine.residents == both.residents == 40


def test_residents_that_are_kept_quiet_leave_the_time_to_newcomers():
    air = air_of({1: list(range(40)), 2: list(range(40, 80)), 3: [], 4: []})
    assert air.quiets
    assert air.reads() > 3 * air.open_reads()


@pytest.mark.parametrize(
    "ways", [Ways(), Ways(quiet_above=0, takes_turns=True, masks=2), Ways(quiet_above=30, takes_turns=False, masks=2)]
)
def test_without_quieting_all_tags_answer(ways):
    air = air_of({1: list(range(40)), 2: list(range(40, 80)), 3: [], 4: []}, ways)
    assert not air.quiets
    assert air.reads() == air.open_reads()


def test_reader_without_select_quiets_and_yet_asks_everybody_for_newcomers():
    air = air_of({1: list(range(40)), 2: [], 3: [], 4: []}, Ways(quiet_above=30, takes_turns=True, masks=0))
    assert air.quiets
    assert air.reads() < air.open_reads()


def test_residents_at_the_edge_that_pass_for_newcomers_take_masks():
    tags_at = {1: list(range(40)), 2: [], 3: [], 4: []}
    rows, _ = turns(tags_at)
    late = [(round(1e6 * (12 + n / 2)), 2, 100 + n, -7800) for n in range(12)]
    heard = reads(rows + late)
    air = measure("r1", heard, stay(heard, (1, 2, 3, 4), SECONDS), (1, 2, 3, 4), QUIET)
    assert air.newcomers == pytest.approx(12 / 10 * 3)
    assert air.reads() == pytest.approx(air_of(tags_at).reads() * 2 / 4.6, rel=0.01)
    assert judge([air]).reads == int(air.unlucky_reads()) == int(air.reads() * 2 / 4.6)


def test_less_power_loses_the_faintest_residents_first():
    """Levels from -60 to -79 dBm: 5 dB less power costs those within 8.5 dB of the faintest."""
    air = air_of({1: list(range(20)), 2: [], 3: [], 4: []})
    less = air.lowered({1: 5.0})
    assert [ear.residents for ear in less.ears] == [11, 0, 0, 0]
    assert less.residents == 11
    assert less.cycle_s == pytest.approx(air.cycle_s - 9 * 0.008, abs=0.003)
    assert less.open_reads() > air.open_reads()
    assert air.lowered({}).open_reads() == air.open_reads()


def test_few_loud_residents_are_not_thought_faint():
    """Two at -60 dBm: nobody knows how faint the last can be, so 5 dB are not promised to lose them."""
    air = air_of({1: [0, 20], 2: [], 3: [], 4: []})
    assert air.lowered({1: 5.0}).residents == 2


def test_portal_with_enough_reads_is_fit():
    verdict = judge([air_of({1: [0, 1], 2: [2], 3: [], 4: []})])
    assert verdict.fit
    assert verdict.lowerings == ()
    assert verdict.words == (
        f"3 resident tags leave {verdict.reads} reads for a walker at 1.5 m/s, {NEEDED_READS} are needed: fit"
    )


def test_power_that_suffices_is_the_least_that_does():
    """One dB less at any of the ports, and it would not do."""
    airs = [air_of({1: list(range(20)), 2: list(range(20, 40)), 3: [], 4: []}, Ways())]
    verdict = judge(airs)
    assert not verdict.fit
    assert verdict.reads < NEEDED_READS <= verdict.reads_then
    assert verdict.lowerings
    by = {one.port: one.by_db for one in verdict.lowerings}
    for port, db in by.items():
        assert int(airs[0].lowered(by | {port: db - 1}).reads()) < NEEDED_READS
    which = ", ".join(f"antenna {port} by {db} dB" for port, db in by.items())
    assert f"{NEEDED_READS} are needed: lower {which}; that leaves {verdict.residents_then} residents" in verdict.words


def test_readers_are_named_where_there_are_several():
    ear = Ear(1, 20, 20.0, 1.0, np.zeros(20))
    levels = np.array([[-6000.0 - 100 * n] for n in range(20)])
    one = Air("r1", (ear,), (), 20, levels, 0.2, 0.008, measured=True, ways=Ways())
    two = Air("r2", (ear,), (), 20, levels, 0.2, 0.008, measured=True, ways=Ways())
    verdict = judge([one, two])
    assert verdict.lowerings == (Lowering("r1", 1, verdict.lowerings[0].by_db), *verdict.lowerings[1:])
    assert f"lower antenna 1 of r1 by {verdict.lowerings[0].by_db} dB" in verdict.words


@pytest.mark.parametrize(
    ("ways", "words"),
    [
        (Ways(quiet_above=0, takes_turns=True, masks=2), "let the agent keep residents quiet (quiet_above = 30"),
        (Ways(quiet_above=30, takes_turns=False, masks=2), "this reader can't keep residents quiet"),
        (Ways(quiet_above=500, takes_turns=True, masks=2), "move the tags away from the door, turn the antennas"),
    ],
)
def test_where_power_alone_does_not_do_other_ways_are_named(ways, words):
    """Two hundred tags within 1 dB: none is lost by less power."""
    rows, _ = turns({1: [n * 20 for n in range(100)], 2: [2000 + n * 20 for n in range(100)], 3: [], 4: []})
    heard = reads(rows)
    verdict = judge([measure("r1", heard, stay(heard, (1, 2, 3, 4), SECONDS), (1, 2, 3, 4), ways)])
    assert verdict.lowerings == ()
    assert words in verdict.words


def test_listening_keeps_so_much_and_counts_the_rest():
    n = MOST_READS // 2 + 1
    heard = Heard(
        np.zeros((n, 62), np.uint8), np.full(n, 96, np.uint16), np.ones(n, np.uint16), np.zeros(n, np.int16),
        np.ones(n, np.uint16), np.arange(n)[::-1].astype(np.int64),
    )  # fmt: skip
    listening = Listening()
    listening.take(heard)
    listening.take(heard)
    listening.take(None)
    assert (len(listening.reads()), listening.skipped) == (n, n)
    assert listening.reads().at_us[:3].tolist() == [0, 1, 2]
    assert len(listening.reads(from_us=n - 1)) == 1
    assert listening.epcs == [bytes(12)]
    assert (listening.number(bytes(12)), listening.number(b"\1")) == (0, None)
