"""From walks through our own doorway to movement rows."""

import contextlib
import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.contracts import decode_row, encode, instant_us, passage_id
from edge.windows import (
    AntennaSettings,
    PortalSettings,
    WindowClock,
    Windows,
    WindowsError,
    WindowsSettings,
    decode_open,
    encode_open,
    end_unresolved,
    judge,
)
from edge.windows.decide import Verdict
from tests.helpers import doorway

CLOCK = WindowClock()
EMPTY = doorway.batch([])


def scene(kind, seed, residents=0):
    """A scene with one walker of a kind, and its rows."""
    made = doorway.Scene(np.random.default_rng(seed), seconds=20.0)
    mover = made.walk(kind, 2.0)
    mover.gain_db = -4.0
    for _ in range(residents):
        made.walk("resident", 0.0)
    return mover, made.rows()


def run(rows, *, windows=None, clock=CLOCK, flush=True):
    windows = windows or Windows(doorway.settings(), boot="b")
    out = windows.feed("r1", doorway.batch(rows), arrival_us=None, clock=clock)
    return out + windows.flush() if flush else out


def finals(rows, epc=None):
    return [row for row in rows if row.final and epc in {None, bytes.fromhex(row.epc)}]


def single(**knobs):
    portal = PortalSettings("gate", "single", (AntennaSettings("r1", 1),), **knobs)
    return WindowsSettings(gateway="gw", portals=(portal,))


def bump(epc, start_us, *, peak_db=20, reads=40, antenna=1):
    """A pass: RSSI rises and falls on one antenna, phase turns."""
    return [
        (
            start_us + k * 20_000,
            epc,
            antenna,
            -7000 + round(100 * peak_db * np.sin(np.pi * k / reads)),
            600 * k % 4096,
            1,
        )
        for k in range(reads)
    ]


@pytest.mark.parametrize("kind", ["in", "out"])
def test_a_walk_is_called_for_what_it_was(kind):
    """Six seeds a kind at 160 reads a second, with residents: all right, one final each."""
    for seed in range(6):
        mover, rows = scene(kind, seed, residents=6)
        assert [row.kind for row in finals(run(rows), mover.epc)] == [kind]


def test_turning_back_is_no_crossing():
    """Half a metre short of the plane, by five lines of approach: no final says in or out."""
    for seed in range(5):
        made = doorway.Scene(np.random.default_rng(seed), seconds=15.0)
        knots = [(1.0, -5.0, 0.1 * seed), (5.0, -0.5, 0.0), (6.0, -0.5, 0.0), (10.0, -5.0, 0.0)]
        made.movers.append(doorway.Mover(b"\x05" * 12, "turned_back", knots, -4.0))
        kinds = [row.kind for row in finals(run(made.rows()))]
        assert len(kinds) == 1
        assert kinds[0] in {"turned_back", "near"}


def test_a_slowly_read_walk_is_not_cut_where_phases_are_too_few_to_show_stillness():
    """Fifteen reads a second over 50 channels, twelve walkers of ten seconds: each is one visit, called right."""
    for seed in range(12):
        made = doorway.Scene(np.random.default_rng(seed), seconds=20.0, rate_hz=15.0)
        knots = [(1.0, -6.0, 0.0), (13.0, 6.0, 0.0)]
        made.movers.append(doorway.Mover(b"\x06" * 12, "out", knots, -2.0, 7.0))
        assert [row.kind for row in finals(run(made.rows()))] == ["out"]


def test_a_tag_that_lay_still_is_called_once_it_is_carried_through():
    """Twenty seconds on a shelf within range, then out: rest before motion hides nothing, and is no crossing."""
    for seed in range(6):
        made = doorway.Scene(np.random.default_rng(seed), seconds=40.0)
        knots = [(0.0, -2.0, 0.5), (20.0, -2.0, 0.5), (22.0, 0.0, 0.0), (28.0, 7.0, 0.0)]
        made.movers.append(doorway.Mover(b"\x08" * 12, "out", knots, -4.0, 22.0))
        called = [row.kind for row in finals(run(made.rows()))]
        assert called[-1] == "out"
        assert sum(kind in {"in", "out"} for kind in called) == 1


def test_residents_give_no_event():
    """Tags that lie still, some near enough for hundreds of reads."""
    made = doorway.Scene(np.random.default_rng(5), seconds=40.0)
    for _ in range(25):
        made.walk("resident", 0.0)
    rows = made.rows()
    windows = Windows(doorway.settings(), boot="b")
    assert len(rows) > 3000
    assert run(rows, windows=windows) == []
    assert windows.residents > 0


def test_a_crossing_is_provisional_before_it_is_final():
    """One provisional, then one final, of one passage; the provisional comes within a second of the crossing."""
    mover, rows = scene("out", 3)
    out = run(rows)
    assert [(row.rev, row.final, row.kind) for row in out] == [(1, False, "out"), (2, True, "out")]
    assert len({row.passage for row in out}) == 1
    assert [row.id for row in out] == [f"{out[0].passage}-1", f"{out[0].passage}-2"]
    crossed = doorway.EPOCH_US + mover.crossed_s * 1e6
    assert abs(instant_us(out[1].crossed_at) - crossed) < 700_000


def test_passage_is_named_by_reader_time_whatever_the_offset():
    """The host's offset moves the row's times, never its identity."""
    _, rows = scene("in", 4)
    plain, moved = run(rows)[-1], run(rows, clock=WindowClock(offset_us=3_600_000_000, spread_us=9))[-1]
    assert moved.passage == plain.passage == passage_id("gw", "door", plain.epc, rows[0][0])
    assert instant_us(moved.at) - instant_us(plain.at) == 3_600_000_000
    assert (moved.clock.offset_us, moved.clock.spread_us, moved.clock.boot) == (3_600_000_000, 9, "b")


def test_rows_carry_evidence_and_survive_the_wire():
    _, rows = scene("out", 3)
    row = run(rows)[-1]
    assert sum(antenna.reads for antenna in row.evidence.antennas) == row.reads == len(rows)
    assert {antenna.port for antenna in row.evidence.antennas} == {1, 2, 3, 4}
    assert all(antenna.peak_rssi_cdbm == max(r[3] for r in rows if r[2] == antenna.port)
               for antenna in row.evidence.antennas)  # fmt: skip
    assert any(antenna.phase_slope_rad_s for antenna in row.evidence.antennas)
    assert row.evidence.read_rate > 10
    numbered = msgspec.structs.replace(row, seq=1)
    assert decode_row(encode(numbered)) == numbered
    assert instant_us(row.started_at) <= instant_us(row.crossed_at) <= instant_us(row.ended_at)
    assert row.at == row.crossed_at


@given(st.integers(0, 40), st.lists(st.floats(0, 1), max_size=12))
@settings(max_examples=25)
def test_rows_do_not_depend_on_the_cuts(seed, cuts):
    """Any cutting of the same reads into batches gives the same rows in the same order."""
    made = doorway.trial(np.random.default_rng(seed))
    made.walk("out", 4.0)
    rows = made.rows()
    whole = doorway.batch(rows)
    windows, out = Windows(doorway.settings(), boot="b"), []
    edges = [0, *sorted(int(cut * len(rows)) for cut in cuts), len(rows)]
    for a, b in itertools.pairwise(edges):
        out += windows.feed("r1", doorway.cut(whole, a, b), arrival_us=None, clock=CLOCK)
    assert out + windows.flush() == run(rows)


@settings(max_examples=15)
@given(st.sampled_from(["in", "out", "turned_back", "near"]), st.integers(0, 50), st.integers(0, 2**32 - 1))
def test_reads_that_are_sent_again_change_nothing(kind, seed, how):
    """Singly, or a stretch of them as after a reconnect, at once or seconds later: the rows are the same."""
    _, rows = scene(kind, seed)
    rng, windows = np.random.default_rng(how), Windows(doorway.settings(), boot="b")
    twice = list(rows)
    for _ in range(4 if rows else 0):
        begin = int(rng.integers(len(rows)))
        some = rows[begin : begin + int(rng.integers(1, 200))]
        at = twice.index(some[-1]) + 1
        at = min(len(twice), at + int(rng.choice([0, 3, 900])))
        twice[at:at] = some
    assert run(twice, windows=windows) == run(rows)
    assert windows.counters.duplicate_reads == len(twice) - len(rows)


def test_both_engines_give_the_same_rows():
    _, rows = scene("out", 9, residents=5)
    assert run(rows, windows=Windows(doorway.settings(engine="plain"), boot="b")) == run(rows)


def test_order_within_the_grace_changes_nothing():
    _, rows = scene("in", 6, residents=3)
    rng = np.random.default_rng(0)
    shuffled = sorted(rows, key=lambda row: row[0] + int(rng.integers(0, 90_000)))
    assert shuffled != rows
    assert run(shuffled) == run(rows)


def test_an_empty_batch_lets_time_pass():
    """The final comes by a keepalive alone, once the silence was long enough."""
    _, rows = scene("out", 3)
    windows = Windows(doorway.settings(), boot="b")
    early = run(rows, windows=windows, flush=False)
    assert finals(early) == []
    assert windows.feed("r1", EMPTY, arrival_us=rows[-1][0] + 4_900_000, clock=CLOCK) == []
    late = windows.feed("r1", EMPTY, arrival_us=rows[-1][0] + 5_700_000, clock=CLOCK)
    assert [row.kind for row in late] == ["out"]
    assert windows.flush() == []


def test_a_clock_set_back_ends_visits_and_goes_on():
    """An hour back in the middle of a day: the walk before and the walk after are both called."""
    mover, rows = scene("out", 3)
    again = [(t - 3_600_000_000, *rest) for t, *rest in rows]
    windows = Windows(doorway.settings(), boot="b")
    assert [row.kind for row in finals(run(rows + again, windows=windows), mover.epc)] == ["out", "out"]
    assert windows.counters.clock_restarts == 1


def test_a_clock_set_back_onto_the_same_microsecond_gives_no_id_twice():
    """The same walk by the clock, three times: each has one final with an id of its own, made of its start as ever."""
    mover, rows = scene("out", 3)
    turned = [[(t, epc, a, rssi, (phase + k) % 4096, hop) for t, epc, a, rssi, phase, hop in rows] for k in range(3)]
    whole = turned[0] + turned[1] + turned[2]
    told = run(whole)
    mine = finals(told, mover.epc)
    assert [row.kind for row in mine] == ["out"] * 3
    assert len({row.id for row in told}) == len(told)
    begins_us = [instant_us(row.started_at) for row in mine]
    assert [at - begins_us[0] for at in begins_us] == [0, 1, 2]
    for row, at_us in zip(mine, begins_us, strict=True):
        assert row.passage == passage_id("gw", "door", row.epc, at_us)
    windows, again = Windows(doorway.settings(), boot="b"), []
    for begin in range(0, len(whole), 7):
        again += run(whole[begin : begin + 7], windows=windows, flush=False)
    assert again + windows.flush() == told


def test_open_passages_live_from_the_first_candidate_to_the_final():
    _, rows = scene("out", 3)
    windows = Windows(doorway.settings(), boot="b")
    run(rows, windows=windows, flush=False)
    opened, closed = windows.take_open_changes()
    assert (len(opened), closed) == (1, [])
    assert opened[0].rev == 1
    assert windows.take_open_changes() == ([], [])
    final = windows.flush()[-1]
    assert windows.take_open_changes() == ([], [final.passage])


def test_residents_leave_nothing_open():
    made = doorway.Scene(np.random.default_rng(8), seconds=20.0)
    for _ in range(10):
        made.walk("resident", 0.0)
    windows = Windows(doorway.settings(), boot="b")
    run(made.rows(), windows=windows, flush=False)
    assert windows.take_open_changes() == ([], [])


def test_a_passage_cut_off_by_a_restart_ends_unresolved():
    """Its one final follows the last published revision, and the bytes that the outbox keeps are enough for it."""
    _, rows = scene("out", 3)
    windows = Windows(doorway.settings(), boot="b")
    provisional = run(rows, windows=windows, flush=False)[-1]
    kept = encode_open(windows.take_open_changes()[0][0])
    row = end_unresolved(decode_open(kept))
    assert (row.kind, row.final, row.rev, row.passage) == ("unresolved", True, 2, provisional.passage)
    numbered = msgspec.structs.replace(row, seq=1)
    assert decode_row(encode(numbered)) == numbered


@given(field=st.sampled_from(["passage", "epc", "last_us", "started_us", "crossed_us", "rev"]), data=st.data())
def test_an_open_passage_that_a_worn_card_has_spoilt_is_refused_or_ends_in_a_row_that_can_be_told(field, data):
    """Else the agent would end at the row, at every start anew."""
    kept = {
        "passage": "0" * 32, "portal": "door", "epc": "30", "rev": 1, "started_us": 0, "last_us": 5, "reads": 3,
        "clock": {"source": "reader"}, "crossed_us": None,
    }  # fmt: skip
    kept[field] = data.draw(st.one_of(st.text(max_size=40), st.integers(-(2**63), 2**63 - 1), st.none()))
    with contextlib.suppress(WindowsError):
        row = msgspec.structs.replace(end_unresolved(decode_open(msgspec.json.encode(kept))), seq=1)
        assert decode_row(encode(row)) == row


@given(st.binary(max_size=60))
def test_bytes_that_are_no_open_passage_are_refused(payload):
    with pytest.raises(WindowsError, match="open passage"):
        decode_open(payload)


def test_tags_that_cross_together_are_one_batch():
    """Three on a cart share an id; one that comes later has its own."""
    made = doorway.Scene(np.random.default_rng(21), seconds=30.0)
    cart = made.walk("out", 2.0)
    for _ in range(2):
        made.movers.append(doorway.Mover(made.rng.bytes(12), "out", cart.knots, -5.0, cart.crossed_s))
    alone = made.walk("out", 15.0)
    rows = finals(run(made.rows()))
    assert {row.kind for row in rows} == {"out"}
    batches = {bytes.fromhex(row.epc): row.batch for row in rows}
    alone = batches.pop(alone.epc)
    assert len(batches) == 3
    assert len(set(batches.values())) == 1
    assert {None, alone}.isdisjoint(batches.values())
    assert alone


def test_single_gives_one_near_per_pass():
    """Five passes 1.5 s apart, the tag unheard between them."""
    rows = [read for k in range(5) for read in bump(b"\x01\x02", 1_000_000 + k * 2_300_000)]
    out = run(rows, windows=Windows(single(), boot="b"))
    assert [row.kind for row in out] == ["near"] * 5
    assert all(row.final and row.crossed_at is None for row in out)


def test_single_splits_passes_at_a_valley_without_silence():
    rows = bump(b"\x01\x02", 1_000_000) + bump(b"\x01\x02", 1_800_000)
    assert len(run(rows, windows=Windows(single(), boot="b"))) == 2


def test_single_gives_nothing_for_a_tag_at_rest():
    rows = [(1_000_000 + k * 20_000, b"\x01", 1, -6000 - 100 * (k % 2), 100 + k % 3, 1) for k in range(3000)]
    assert run(rows, windows=Windows(single(), boot="b")) == []


def test_parked_is_final_when_called_and_leaving_gives_nothing():
    """Someone puts a tag down just before the doorway, and takes it away on the same side half a minute later."""
    made = doorway.Scene(np.random.default_rng(2), seconds=50.0)
    knots = [(1.0, -6.0, 0.0), (5.0, -0.6, 0.0), (40.0, -0.6, 0.0), (44.0, -6.0, 0.0)]
    made.movers.append(doorway.Mover(b"\x07" * 12, "parked", knots, -5.0))
    out = finals(run(made.rows()))
    assert [row.kind for row in out] == ["parked"]
    assert instant_us(out[0].ended_at) < doorway.EPOCH_US + 30_000_000


def two_doors():
    left = tuple(AntennaSettings("r1", port, side) for port, side in ((1, "inside"), (2, "outside")))
    right = tuple(AntennaSettings("r1", port, side) for port, side in ((3, "inside"), (4, "outside")))
    portals = (PortalSettings("left", "two-sided", left), PortalSettings("right", "two-sided", right))
    return WindowsSettings(gateway="gw", portals=portals)


def test_one_tag_crosses_one_portal_and_is_near_the_other():
    """Both doors hear the walk; the louder one takes it."""
    rows = []
    for door, weaker in ((0, 0), (2, 900)):
        for side, start in ((1, 1_000_000), (2, 1_900_000)):
            rows += [
                (t, e, side + door, r - weaker, p, c) for t, e, _, r, p, c in bump(b"\x09" * 12, start, peak_db=25)
            ]
    out = finals(run(sorted(rows), windows=Windows(two_doors(), boot="b")))
    assert {row.portal: row.kind for row in out} == {"left": "out", "right": "near"}


def test_reads_of_unlisted_ports_and_strangers_are_counted_and_ignored():
    windows = Windows(doorway.settings(), boot="b")
    rows = [(1_000_000, b"\x01", 9, -6000, 0, 1), (1_000_000, b"\x01", 0, -6000, 0, 1), (-5, b"\x01", 1, -6000, 0, 1),
            (1_000_000, b"", 1, -6000, 0, 1)]  # fmt: skip
    run(rows, windows=windows)
    windows.feed("r7", doorway.batch(rows), arrival_us=None, clock=CLOCK)
    counters = windows.counters
    assert (counters.reads, counters.unlisted_reads, counters.unusable_reads) == (8, 6, 2)


@pytest.mark.parametrize("source", ["host", "uptime"])
def test_readers_without_utc_are_timed_by_what_they_have(source):
    """Arrival for a reader without a clock; the boot clock for one that counts from there."""
    _, rows = scene("out", 3)
    clock = WindowClock(source=source, offset_us=500 if source == "uptime" else 0)
    windows, out = Windows(doorway.settings(), boot="b"), []
    for row in rows:
        batch = doorway.batch([row])
        batch.first_us[:] = batch.last_us[:] = -1
        if source == "uptime":
            batch.first_uptime_us[:] = batch.last_uptime_us[:] = row[0] - 500
        out += windows.feed("r1", batch, arrival_us=row[0], clock=clock)
    out += windows.flush()
    assert [row.kind for row in finals(out)] == ["out"]
    assert abs(instant_us(out[-1].started_at) - rows[0][0]) <= 500
    assert out[-1].clock.source == source


@pytest.mark.parametrize(("portals", "says"), [
    ((PortalSettings("p", "two-sided", ()),), "1 to 8"),
    ((PortalSettings("p", "single", (AntennaSettings("r", 1, "inside"),)),), "leave `side` out"),
    ((PortalSettings("p", "two-sided", (AntennaSettings("r", 1, "inside"),)),), "say `side`"),
    ((PortalSettings("p", "single", (AntennaSettings("r", 1),)),
      PortalSettings("q", "single", (AntennaSettings("r", 1),))), "both claim antenna 1"),
])  # fmt: skip
def test_settings_that_can_not_work_are_refused_with_the_remedy(portals, says):
    with pytest.raises(WindowsError, match=says):
        WindowsSettings(gateway="gw", portals=portals)


def test_a_provisional_without_motion_in_the_end_is_retracted(monkeypatch):
    """Exactly one final follows a provisional, whatever the final evidence says."""
    monkeypatch.setattr(judge, "decide", lambda *_, **__: Verdict(None, 0.7))
    _, rows = scene("out", 3)
    out = run(rows)
    assert [(row.kind, row.final, row.rev) for row in out] == [("out", False, 1), ("retracted", True, 2)]
    assert out[-1].reason


def test_two_readers_serve_one_door_on_host_time():
    """One reader a side, one of them an hour slow: offsets bring them together, whoever is fed first."""
    sides = (("r1", "inside"), ("r2", "outside"))
    antennas = tuple(AntennaSettings(reader, port, side) for reader, side in sides for port in (1, 2))
    made = WindowsSettings(gateway="gw", portals=(PortalSettings("door", "two-readers", antennas),))
    _, rows = scene("out", 3)
    clocks = {"r1": CLOCK, "r2": WindowClock(offset_us=3_600_000_000)}
    for order in (("r1", "r2"), ("r2", "r1")):
        windows, out = Windows(made, boot="b"), []
        for begin in range(rows[0][0], rows[-1][0] + 1, 200_000):
            for reader in order:
                mine = [
                    (t - (clocks[reader].offset_us or 0), epc, (port - 1) % 2 + 1, *rest)
                    for t, epc, port, *rest in rows
                    if begin <= t < begin + 200_000 and (port > 2) == (reader == "r2")
                ]
                batch = doorway.batch(mine)
                out += windows.feed(reader, batch, arrival_us=begin + 200_000, clock=clocks[reader])
        out += windows.flush()
        assert [row.kind for row in finals(out)] == ["out"]
        assert out[-1].reads == len(rows)
        assert instant_us(out[-1].started_at) == rows[0][0]


def test_a_full_table_is_counted():
    rows = [(1_000_000 + k, k.to_bytes(2, "big"), 1, -6000, 0, 1) for k in range(100)]
    windows = Windows(doorway.settings(max_tags=64), boot="b")
    run(rows, windows=windows)
    assert windows.counters.evicted == 36
