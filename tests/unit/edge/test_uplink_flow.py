"""The window of one stream: what may be sent, and what a watermark changes."""

from hypothesis import given
from hypothesis import strategies as st

from edge.contracts import StreamMark
from edge.outbox import MAX_BEYOND_WATERMARK, Coverage, StoredRow
from edge.uplink.flow import MAX_AHEAD, MAX_IN_ORDER, StreamFlow, runs
from edge.uplink.states import TRANSITIONS, UplinkEvent, after

SEQS = st.sets(st.integers(1, 60))


def flow(upto=0):
    return StreamFlow("e1", Coverage(upto), 5.0)


def stored(*seqs):
    return [StoredRow(seq, b"{}") for seq in seqs]


def seqs(rows):
    return [row.seq for row in rows]


def test_few_rows_stand_beyond_the_watermark_so_that_an_alarm_waits_for_few():
    """The contract's two thousand are far away."""
    one = flow()
    sent = 0
    while one.room:
        rows = stored(*range(one.cursor + 1, one.cursor + 1 + min(100, one.room)))
        sent += len(one.take_turn(rows, 0.0))
    ahead = one.take_ahead(stored(*range(5_000, 6_000)), 0.0)
    assert sent + len(ahead) == one.outstanding == MAX_IN_ORDER + MAX_AHEAD < MAX_BEYOND_WATERMARK
    assert one.room == one.room_ahead == 0
    one.take_mark(Coverage(200), restart=False, now_s=1.0)
    assert one.room == 200


def test_the_newest_alarms_go_ahead_and_are_passed_over_in_their_turn():
    one = flow()
    assert seqs(one.take_ahead(stored(*range(300, 300 + MAX_AHEAD + 5)), 0.0))[0] == 305
    assert one.take_ahead(stored(400), 0.0) == []
    one.take_mark(Coverage(303), restart=False, now_s=0.0)
    assert seqs(one.take_turn(stored(304, 305, 306), 0.0)) == [304]
    assert 306 not in one.ahead


def test_holes_that_alarms_left_in_the_watermark_count_against_further_alarms():
    one = flow()
    one.take_mark(Coverage(0, tuple((n, n) for n in range(10, 10 + 2 * MAX_AHEAD, 2))), restart=False, now_s=0.0)
    assert one.room_ahead == 0


def test_a_gap_row_beyond_the_window_goes_alone():
    one = flow()
    assert seqs(one.take_turn(stored(1, 2, 50_000, 50_001), 0.0)) == [1, 2]
    assert seqs(one.take_turn(stored(50_000, 50_001), 0.0)) == [50_000]
    assert one.room == 0


def test_a_new_session_of_the_central_sends_again_from_its_watermark():
    one = flow()
    one.take_turn(stored(*range(1, 51)), 0.0)
    one.take_mark(Coverage(20), restart=False, now_s=0.0)
    assert one.cursor == 50
    one.take_mark(Coverage(20), restart=True, now_s=0.0)
    assert one.cursor == 20
    one.take_mark(Coverage(5), restart=True, now_s=0.0)
    assert one.cursor == 5


def test_within_a_session_the_watermark_never_goes_back():
    one = flow(upto=10)
    assert not one.advances(Coverage(9))
    assert not one.advances(Coverage(10))
    assert one.advances(Coverage(10, ((12, 12),)))


def test_standing_still_is_noticed_after_the_patience_which_doubles_until_there_is_progress():
    one = flow()
    assert not one.stalled(100.0, 30.0), "nothing was sent"
    one.take_turn(stored(1, 2), 100.0)
    noticed = []
    now_s = 100.0
    while now_s < 200.0:
        now_s += 1.0
        if one.stalled(now_s, 30.0):
            noticed.append(now_s - 100.0)
            one.rewind(now_s)
            one.take_turn(stored(1, 2), now_s)
    assert noticed == [5.0, 15.0, 35.0, 65.0, 95.0]
    one.take_mark(Coverage(1), restart=False, now_s=200.0)
    assert not one.stalled(204.0, 30.0)
    assert one.stalled(205.0, 30.0)


def test_envelopes_hold_neighbours_only():
    assert [seqs(run) for run in runs(stored(1, 2, 4, 5, 9))] == [[1, 2], [4, 5], [9]]
    assert list(runs([])) == []


@given(st.integers(0, 60), SEQS)
def test_coverage_is_the_set_that_the_mark_names_however_it_is_cut(upto, above):
    """Overlapping, touching, reversed and unsorted ranges give the same set."""
    mark = StreamMark(epoch="e", upto=upto, above=[[seq, seq + 1] for seq in sorted(above, reverse=True)])
    coverage = Coverage.of(mark)
    wanted = set(range(1, upto + 1)) | above | {seq + 1 for seq in above}
    assert {seq for seq in range(1, 70) if seq in coverage} == wanted
    assert coverage.size == len(wanted)
    assert coverage.top == max(wanted, default=0)
    holes = {seq for low, high in coverage.holes(70) for seq in range(low, high + 1)}
    assert holes == set(range(1, 70)) - wanted
    assert coverage.upto + 1 not in coverage


def test_states_follow_the_table_and_draining_is_for_good():
    assert after("offline", UplinkEvent.CONNECTED) == "backlog"
    assert after("backlog", UplinkEvent.CAUGHT_UP) == "live"
    assert after("live", UplinkEvent.LOST) == "offline"
    assert after("offline", UplinkEvent.CAUGHT_UP) == "offline"
    assert {after("draining", event) for event in UplinkEvent} == {"draining"}
    assert all(after(state, UplinkEvent.STOPPING) == "draining" for state, _ in TRANSITIONS)
