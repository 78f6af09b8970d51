"""The kernels say what the plain twin says, on random and on degenerate reads; also with NUMBA_DISABLE_JIT=1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.compiled import CompiledEngine
from edge.windows.intake.plain import key
from edge.windows.plain import PlainEngine

GAP_US = 2_000_000


def knobs(*, single=False, portals=2):
    row = [GAP_US, 5_000_000, 20_000_000, int(single), 12, 400, 228, 600, 60_000_000, 3, 200, 0xF0]
    return np.array([row] * portals, np.int64)


def reads(rows):
    """Columns and keys of (t_us, portal, antenna, epc, rssi, phase, channel, count) rows."""
    cols = np.zeros((len(rows), L.COLS), np.int64)
    keys = np.zeros((len(rows), L.KEY_BYTES), np.uint8)
    for i, (t, portal, antenna, epc, rssi, phase, channel, count) in enumerate(rows):
        cols[i] = t, t, portal, antenna, len(epc), rssi, phase, channel, count
        keys[i] = key(epc, portal)
    return cols, keys


def told(snaps):
    """Records as comparable values, in an order that doesn't depend on where a visit lay."""
    return sorted(
        (snap.at_us, snap.why, snap.epc, snap.head.tolist(), snap.ant.tolist(), snap.log.tolist()) for snap in snaps
    )


def assert_same(table, rows, *, max_tags=8, max_visits=2048):
    compiled, plain = CompiledEngine(table, max_tags, max_visits), PlainEngine(table, max_tags, max_visits)
    cols, keys = reads(rows)
    ones, twos = compiled.advance(cols, keys), plain.advance(cols, keys)
    assert told(ones) == told(twos)
    middle = rows[len(rows) // 2][0] if rows else 0
    assert told(compiled.sweep(middle)) == told(plain.sweep(middle))
    assert told(compiled.sweep(0, flush=True)) == told(plain.sweep(0, flush=True))
    assert (compiled.evicted, compiled.quiet) == (plain.evicted, plain.quiet)
    assert compiled.known(0) == plain.known(0)
    return ones


@st.composite
def traffic(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n = draw(st.integers(0, 250))
    tags = [rng.bytes(int(rng.choice([1, 12, 16, 62]))) for _ in range(draw(st.integers(1, 14)))]
    pace = draw(st.sampled_from([2_000, 50_000, 400_000]))
    t, rows = 1_000_000, []
    for _ in range(n):
        t += int(rng.exponential(pace)) if rng.random() < 0.97 else 3_000_000
        level = -32768 if rng.random() < 0.05 else int(rng.integers(-85, -30)) * 100
        phase = -1 if rng.random() < 0.1 else int(rng.integers(0, 4096))
        tag = tags[int(rng.integers(len(tags)))]
        rows.append((t, int(rng.integers(2)), int(rng.integers(8)), tag, level, phase, int(rng.integers(3)),
                     int(rng.choice([1, 3, 65535]))))  # fmt: skip
    return rows


def resting(seed, *, phases, stir_us=40_000_000, channels=4):
    """Tags at rest, each with its level and phase on each antenna and channel; some are picked up at an instant."""
    rng = np.random.default_rng(seed)
    tags = [rng.bytes(12) for _ in range(6)]
    t, rows = 1_000_000, []
    while t < 60_000_000:
        t += int(rng.exponential(20_000))
        k, a, channel = int(rng.integers(6)), int(rng.integers(8)), t // 200_000 % channels
        own = np.random.default_rng([k, a, channel])
        moved = t > stir_us and k < 3
        level = int(own.integers(-63, -58)) * 100 + int(rng.integers(-1, 2)) * 50 + (1500 if moved else 0)
        phase = int(own.integers(4096) + rng.integers(90)) % 4096
        phase = int(rng.integers(4096)) if moved or rng.random() < 0.01 else phase
        rows.append((t, k % 2, a, tags[k], level, phase if phases else -1, channel, 1))
    return rows


@given(traffic(), st.booleans(), st.sampled_from([1, 3, 2048]))
@settings(max_examples=60)
def test_kernels_say_what_the_twin_says(rows, single, visits):
    """Random traffic, with too few slots and visits, absent parameters and EPCs of many lengths."""
    assert_same(knobs(single=single), rows, max_visits=visits)


@pytest.mark.parametrize("phases", [True, False], ids=["phases", "no phases"])
@pytest.mark.parametrize("channels", [1, 4, 50])
@pytest.mark.parametrize("visits", [2, 8])
def test_tags_that_lie_still_and_are_picked_up_agree(phases, channels, visits):
    """Slots at rest, their memory of phases and levels, and the visits that begin with remembered reads."""
    assert_same(knobs(), resting(channels, phases=phases, channels=channels), max_visits=visits)


@pytest.mark.parametrize("phases", [True, False], ids=["phases", "no phases"])
def test_a_tag_at_rest_gives_its_visit_back_and_stirs_within_a_second(phases):
    """Nothing is open while all lie still, the records begin when three are picked up, with reads from before it."""
    engine = CompiledEngine(knobs(), 8)
    rows = resting(1, phases=phases)
    still, moved = ([row for row in rows if (row[0] > 40_000_000) == late] for late in (False, True))
    engine.advance(*reads(still))
    engine.sweep(L.NEVER_US)
    assert engine.known(0) == 6
    quiet = engine.quiet
    ended = [snap for snap in engine.advance(*reads(moved)) + engine.sweep(0, flush=True) if snap.why != L.CANDIDATE]
    told = [next(snap for snap in ended if snap.epc == epc) for epc in sorted({snap.epc for snap in ended})]
    loud = {row[3] for row in moved if row[4] - max(one[4] for one in still if one[2:4] == row[2:4]) > 1000}
    assert {snap.epc for snap in told} == loud
    assert len(loud) == 3
    assert all(37_000_000 <= snap.head[L.BIN0_US] <= 41_000_000 for snap in told)
    assert engine.quiet - quiet <= 3


@given(st.lists(st.integers(-5_000_000, 5_000_000), max_size=60))
@settings(max_examples=30)
def test_kernels_say_what_the_twin_says_where_time_jumps(jumps):
    """Time that stands, leaps or runs back gives the same records, and no crash."""
    t, rows = 100_000_000, []
    for k, jump in enumerate(jumps):
        t = max(0, t + jump)
        rows.append((t, 0, k % 8, b"\x01", -6000 + 100 * (k % 20), 100 * k % 4096, 1, 1))
    assert_same(knobs(portals=1), rows)


@pytest.mark.parametrize("rows", [
    [],
    [(0, 0, 0, b"\x00", -32768, -1, 0, 1)],
    [(5, 0, 0, b"\x00", -6000, 0, 0, 1)] * 300,
    [(k * 10_000_000, 0, 7, b"\xff" * 62, -6000, 4095, 65535, 65535) for k in range(40)],
    [(k * 100_000, 0, 4 * (k % 2), b"\x01", -6000, 0, 1, 1) for k in range(7000)],
], ids=["nothing", "one bare read", "one instant", "far apart", "a visit that outgrows its log"])  # fmt: skip
def test_degenerate_reads_agree(rows):
    """What no reader should send, and some do."""
    assert_same(knobs(portals=1), rows)


@pytest.mark.parametrize("count", [L.LOG_PART - 1, L.LOG_PART, L.LOG_PART + 1, L.LOG_ROWS, L.LOG_ROWS + 1, 1_000])
def test_long_visits_agree(count):
    """Two tags in turn, on either side of a part of the log and of its thinning."""
    rng = np.random.default_rng(count)
    rows = [
        (1_000_000 + 20_000 * k + 9_000 * tag, 0, int(rng.integers(8)), bytes([tag]), -100 * int(rng.integers(40, 80)),
         int(rng.integers(4096)), k // 10 % 4, 1)
        for k in range(count) for tag in range(2)
    ]  # fmt: skip
    ones = assert_same(knobs(), rows)
    assert max(int(snap.head[L.LOGGED]) for snap in ones) > min(count, L.LOG_ROWS) - 20


def test_a_full_output_is_drained_and_continued():
    """More records in one call than the output holds."""
    rows = []
    for k in range(400):
        rows += [(k * 3_000_000 + j * 50_000, 0, j % 8, b"\x01", -6000 + 300 * j, 700 * j % 4096, 1, 1)
                 for j in range(9)]  # fmt: skip
    assert len(assert_same(knobs(portals=1), rows)) > 256


def test_a_full_table_evicts_the_quietest_and_counts_it():
    """The tag that was silent longest goes; the busy one stays."""
    engine = CompiledEngine(knobs(portals=1), 2)
    busy, quiet, fresh = b"\x01", b"\x02", b"\x03"
    rows = [
        (0, 0, 0, quiet, -6000, -1, 0, 1),
        (1000, 0, 0, busy, -6000, -1, 0, 1),
        (2000, 0, 0, fresh, -6000, -1, 0, 1),
    ]
    engine.advance(*reads(rows))
    assert engine.evicted == 1
    engine.advance(*reads([(3000, 0, 0, busy, -6000, -1, 0, 1), (4000, 0, 0, fresh, -6000, -1, 0, 1)]))
    assert engine.evicted == 1
    engine.advance(*reads([(5000, 0, 0, quiet, -6000, -1, 0, 1)]))
    assert engine.evicted == 2
