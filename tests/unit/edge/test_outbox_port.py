"""One suite over both stores: what `Outbox` promises."""

import pytest

from edge.contracts import GapRow, LossRow, StreamMark, decode_row, instant
from edge.outbox import MemoryOutbox, OpenRecord, OutboxSettings, OutboxUnavailableError, SqliteOutbox, StoredRow
from edge.outbox.port import MAX_ROW_BYTES
from tests.helpers.uplink import NOW_US, movement

ALL = {"max_rows": 10_000, "max_bytes": 100_000_000}
DAY_US = 86_400_000_000


class Clock:
    def __init__(self) -> None:
        self.now_us = NOW_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "memory"])
def make(request, tmp_path, clock):
    """Return a maker of one kind of store; all are closed at the end."""
    made = []

    def maker(**settings):
        knobs = OutboxSettings(**settings)
        path = tmp_path / f"{len(made)}.db"
        if request.param == "sqlite":
            store = SqliteOutbox(path, knobs, now_us=clock)
        else:
            store = MemoryOutbox(knobs, now_us=clock)
        made.append(store)
        return store

    yield maker
    for store in made:
        store.close()


@pytest.fixture
def outbox(make):
    return make()


def seqs(outbox, after=0, stream="movement", **limits):
    return [row.seq for row in outbox.pending(stream, after=after, **{**ALL, **limits})]


def mark(outbox, upto, *above, stream="movement", epoch=None):
    return outbox.commit(
        stream, StreamMark(epoch=epoch or outbox.epoch(stream), upto=upto, above=[list(p) for p in above])
    )


def fill(outbox, count, start=1, **kinds):
    return outbox.append("movement", [movement(n, **kinds) for n in range(start, start + count)])


def test_numbers_run_from_one_without_a_hole_in_each_stream(outbox):
    assert fill(outbox, 3) == range(1, 4)
    assert fill(outbox, 2, start=4) == range(4, 6)
    assert outbox.append("presence", [movement(9)]) == range(1, 2)
    assert seqs(outbox) == [1, 2, 3, 4, 5]
    assert seqs(outbox, stream="presence") == [1]


def test_rows_come_back_as_they_went_in_with_their_number(outbox):
    loss = LossRow(seq=1, reader="r1", reason="overflow", from_=instant(NOW_US), to=instant(NOW_US), count=None)
    outbox.append("movement", [movement(1), loss])
    first, second = outbox.pending("movement", after=0, **ALL)
    assert decode_row(first.payload) == movement(1)
    assert decode_row(second.payload).seq == 2
    assert decode_row(second.payload).reason == "overflow"
    assert isinstance(first, StoredRow)


def test_an_append_of_nothing_takes_no_number(outbox):
    assert len(outbox.append("movement", [])) == 0
    assert fill(outbox, 1) == range(1, 2)


def test_pending_keeps_to_its_limits_but_gives_at_least_one_row(outbox):
    fill(outbox, 5)
    assert seqs(outbox, max_rows=2) == [1, 2]
    assert seqs(outbox, max_bytes=1) == [1]
    size = len(outbox.pending("movement", after=0, max_rows=1, max_bytes=1)[0].payload)
    assert seqs(outbox, max_bytes=2 * size + size // 2) == [1, 2]
    assert seqs(outbox, after=3) == [4, 5]


def test_only_the_watermark_frees_rows(outbox):
    fill(outbox, 10)
    assert mark(outbox, 4, (7, 8)) == 6
    assert seqs(outbox) == [5, 6, 9, 10]
    assert outbox.stats("movement").pending == 4
    assert mark(outbox, 4, (7, 8)) == 0
    assert mark(outbox, 10) == 4
    assert seqs(outbox) == []
    assert outbox.stats("movement").oldest_us is None


def test_a_mark_that_goes_back_makes_rows_pending_again(outbox):
    """A central restored from a backup asks for what it lost."""
    fill(outbox, 10)
    mark(outbox, 10)
    assert mark(outbox, 3, (6, 6)) == 0
    assert seqs(outbox) == [4, 5, 7, 8, 9, 10]


def test_a_mark_of_another_epoch_means_that_the_central_holds_nothing(outbox):
    fill(outbox, 3)
    assert mark(outbox, 3, epoch="another") == 0
    assert seqs(outbox) == [1, 2, 3]


def test_acknowledged_rows_are_kept_for_days_and_then_deleted(make, clock):
    outbox = make(keep_acknowledged_s=7 * 86_400.0)
    fill(outbox, 10)
    mark(outbox, 5)
    clock.now_us += 6 * DAY_US
    mark(outbox, 9)
    clock.now_us += 2 * DAY_US
    mark(outbox, 10)
    mark(outbox, 0)
    rows = [decode_row(row.payload) for row in outbox.pending("movement", after=0, **ALL)]
    assert [row.seq for row in rows] == [5, 6, 7, 8, 9, 10]
    assert isinstance(rows[0], GapRow)
    assert (rows[0].first, rows[0].last, rows[0].count) == (1, 5, 5)


def test_what_a_restored_central_asks_for_and_is_gone_is_declared_hole_by_hole(make, clock):
    outbox = make(keep_acknowledged_s=0.0)
    fill(outbox, 10)
    clock.now_us += DAY_US
    mark(outbox, 9)
    clock.now_us += DAY_US
    mark(outbox, 10)
    mark(outbox, 2, (5, 6))
    gaps = [decode_row(row.payload) for row in outbox.pending("movement", after=0, **ALL)]
    assert [(type(row).__name__, row.first, row.last) for row in gaps] == [
        ("GapRow", 3, 4),
        ("GapRow", 7, 10),
    ]
    assert fill(outbox, 1, start=11) == range(11, 12)


def test_a_mark_beyond_what_was_written_begins_a_new_epoch_with_the_pending_rows(outbox):
    """The store is an old copy (a restored SD card): its next numbers were given to other rows before."""
    fill(outbox, 5)
    mark(outbox, 2)
    old = outbox.epoch("movement")
    assert mark(outbox, 9) == 0
    assert outbox.epoch("movement") != old
    rows = [decode_row(row.payload) for row in outbox.pending("movement", after=0, **ALL)]
    assert [(row.seq, row.reads) for row in rows] == [(1, 3), (2, 4), (3, 5)]
    assert fill(outbox, 1, start=6) == range(4, 5)
    assert outbox.stats("movement").written == 4


def test_alarms_can_be_asked_for_alone_and_only_fresh_ones(outbox, clock):
    fill(outbox, 3, kind="out")
    clock.now_us += 1_000_000
    fill(outbox, 3, start=4)
    fill(outbox, 2, start=7, kind="out")
    fill(outbox, 1, start=9, final=False)
    assert seqs(outbox, urgent_since_us=clock.now_us) == [7, 8, 9]
    assert seqs(outbox, urgent_since_us=clock.now_us, max_rows=2) == [8, 9]
    assert seqs(outbox, urgent_since_us=0, after=2) == [3, 7, 8, 9]
    mark(outbox, 0, (8, 8))
    assert seqs(outbox, urgent_since_us=clock.now_us) == [7, 9]


def test_open_passages_are_kept_with_the_rows_that_open_and_close_them(outbox):
    outbox.append("movement", [], opened=[OpenRecord("b", b"2"), OpenRecord("a", b"1")])
    outbox.append("movement", [movement(1)], opened=[OpenRecord("a", b"3")], closed=["b", "never-opened"])
    assert outbox.open_passages() == [OpenRecord("a", b"3")]


def test_a_row_that_no_envelope_could_carry_becomes_a_gap_in_its_own_place(outbox):
    outbox.append("movement", [movement(1), movement(2, reason="x" * MAX_ROW_BYTES), movement(3)])
    rows = [decode_row(row.payload) for row in outbox.pending("movement", after=0, **ALL)]
    assert [row.seq for row in rows] == [1, 2, 3]
    assert isinstance(rows[1], GapRow)
    assert rows[1].first == rows[1].last == 2
    assert "too large" in rows[1].reason
    assert outbox.stats("movement").dropped == 1


def test_a_full_outbox_gives_up_acknowledged_rows_first(make):
    outbox = make(max_bytes=3_000_000)
    for start in range(1, 6_001, 500):
        fill(outbox, 500, start=start)
        mark(outbox, start + 499)
    assert outbox.stats("movement").dropped == 0
    assert outbox.stats("movement").written == 6_000


def test_a_full_outbox_drops_the_oldest_rows_that_are_no_alarm_and_declares_each(make):
    outbox = make(max_bytes=3_000_000)
    for start in range(1, 8_001, 500):
        fill(outbox, 490, start=start)
        fill(outbox, 10, start=start + 490, kind="out")
    stats = outbox.stats("movement")
    assert stats.dropped > 0
    rows = [decode_row(row.payload) for row in outbox.pending("movement", after=0, **ALL)]
    gaps = [row for row in rows if isinstance(row, GapRow)]
    assert sum(row.count for row in gaps) == stats.dropped
    covered = [seq for row in rows for seq in range(row.first if isinstance(row, GapRow) else row.seq, row.seq + 1)]
    assert covered == list(range(1, 8_001))
    assert sum(not isinstance(row, GapRow) and row.kind == "out" for row in rows) == 160
    assert not any(row.first <= 2_000 for row in gaps), "a number that may have been sent was given to a gap row"


def test_presence_goes_before_any_movement_and_never_makes_one_go(make):
    """An ordinary movement happened once, presence is seen again with the next sweep."""
    outbox = make(max_bytes=6_000_000)
    for start in range(1, 4_001, 500):
        outbox.append("presence", [movement(n) for n in range(start, start + 500)])
    start = 1
    while not outbox.stats("presence").dropped:
        fill(outbox, 100, start=start)
        start += 100
    assert outbox.stats("movement").dropped == 0
    for _ in range(5):
        outbox.append("presence", [movement(n) for n in range(1, 501)])
    assert outbox.stats("movement").dropped == 0


def test_presence_is_refused_where_only_movements_could_make_room(make):
    outbox = make(max_bytes=3_000_000)
    start = 1
    while not outbox.stats("movement").dropped:
        fill(outbox, 100, start=start)
        start += 100
    dropped = outbox.stats("movement").dropped
    with pytest.raises(OutboxUnavailableError, match="do not go for presence"):
        outbox.append("presence", [movement(n) for n in range(1, 2_001)])
    assert outbox.stats("movement").dropped == dropped
    assert outbox.stats("presence").written == 0


def test_an_outbox_full_of_alarms_refuses_and_changes_nothing(make):
    outbox = make(max_bytes=600_000)
    with pytest.raises(OutboxUnavailableError, match="alarms"):
        all(fill(outbox, 100, start=start, kind="out") for start in range(1, 10_000, 100))
    written = outbox.stats("movement").written
    assert written % 100 == 0
    assert seqs(outbox) == list(range(1, written + 1))
    mark(outbox, written)
    assert fill(outbox, 1).start == written + 1


def test_closing_twice_is_fine(outbox):
    outbox.close()
    outbox.close()
