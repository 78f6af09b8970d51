"""From chunks and looks to the outbox's presence stream, and what a start takes over from the one before."""

import asyncio

import structlog
from structlog.testing import capture_logs

from edge.agent.counting import MAX_GROUP_ROWS, RECORD, Counting, told_before
from edge.agent.journal import Journal
from edge.agent.restart import end_open_passages
from edge.contracts import LossRow, PresenceRow, decode_row, instant, instant_us
from edge.llrp.reports import empty_batch
from edge.outbox import MemoryOutbox, OpenRecord, OutboxUnavailableError
from edge.presence import Antenna, Place
from edge.readers import Chunk, ClockState
from tests.helpers.counted import NOON_US, SECOND_US, SHELF, batch, counted, reader

LOG = structlog.get_logger()
SPAN_US = 60 * SECOND_US


def journal(outbox, **knobs):
    return Journal(outbox, notify=lambda: None, now_us=lambda: 0, log=LOG, stream="presence", **knobs)


class Clock:
    """The host's clock, and whether it may be believed."""

    def __init__(self) -> None:
        self.now_us, self.synced = NOON_US, True


def counting(clock, outbox, *places, told=None, askers=dict, **knobs):
    return Counting(
        counted(*(places or (SHELF,)), span_s=60, told=told),
        journal(outbox, **knobs),
        askers=askers,
        host_synced=lambda: clock.synced,
        now_us=lambda: clock.now_us,
        log=LOG,
    )


def chunk(rows, at_us, *, told=()):
    state = ClockState(source="reader", offset_us=0, spread_us=0, stepped=False)
    return Chunk("r1", at_us, batch(rows) if rows else empty_batch(0), state, told)


async def live(clock, one, seconds):
    """Look twice a second."""
    for _ in range(2 * seconds):
        clock.now_us += SECOND_US // 2
        one.look([reader()])


def stored(outbox):
    return [decode_row(row.payload) for row in outbox.pending("presence", after=0, max_rows=99, max_bytes=10**9)]


async def test_what_a_zone_heard_is_numbered_in_the_presence_stream_and_movements_are_not_touched():
    clock, outbox = Clock(), MemoryOutbox()
    one = counting(clock, outbox)
    running = asyncio.create_task(one.run())
    one.look([reader()])
    one.take(chunk([(b"\x30\x01", 1, -5000, NOON_US + 5, 2)], NOON_US + SECOND_US))
    await live(clock, one, 70)
    one.stop()
    await running
    first, second = stored(outbox)
    assert isinstance(first, PresenceRow)
    assert ([tag.epc for tag in first.tags], first.complete) == (["3001"], True)
    assert (first.seq, second.seq) == (1, 2)
    assert instant_us(second.span[1]) == clock.now_us
    assert outbox.stats("movement").written == 0


async def test_a_later_start_knows_what_was_told_and_does_not_take_the_note_for_a_passage():
    clock, outbox = Clock(), MemoryOutbox()
    one = counting(clock, outbox)
    one.look([reader()])
    await live(clock, one, 30)
    one.stop()
    await one.run()
    ended = Journal(outbox, notify=lambda: None, now_us=lambda: 0, log=LOG)
    assert end_open_passages(ended, log=LOG) == 0
    ended.stop()
    await ended.run()
    told = told_before(outbox, LOG)
    assert told[""].stretches == [(NOON_US, NOON_US + 30 * SECOND_US)]
    clock.now_us = NOON_US + SECOND_US
    again = counting(clock, outbox, told=told)
    again.look([reader()])
    await live(clock, again, 60)
    again.stop()
    await again.run()
    spans = [[instant_us(edge) for edge in row.span] for row in stored(outbox)]
    assert spans == [[NOON_US, NOON_US + 30 * SECOND_US], [NOON_US + 30 * SECOND_US, NOON_US + SPAN_US],
                     [NOON_US + SPAN_US, clock.now_us]]  # fmt: skip


def test_a_note_that_cannot_be_read_is_told_and_counting_begins_anew():
    outbox = MemoryOutbox()
    outbox.append("presence", [], opened=[OpenRecord(RECORD, b"\xff")])
    with capture_logs() as logs:
        assert told_before(outbox, LOG) == {}
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert told_before(MemoryOutbox(), LOG) == {}


async def test_a_reader_that_asks_some_tags_only_and_one_that_lost_reads_make_a_span_incomplete():
    class Quiet:
        asks_all = False

    for askers, told in (({"r1": Quiet()}, ()), ({}, (loss(),))):
        clock, outbox = Clock(), MemoryOutbox()
        one = counting(clock, outbox, askers=lambda given=askers: given)
        one.look([reader()])
        one.take(chunk([], NOON_US + SECOND_US, told=told))
        await live(clock, one, 70)
        one.stop()
        await one.run()
        assert next(row.complete for row in stored(outbox)) is False


def loss():
    at = instant(NOON_US + SECOND_US)
    return LossRow(seq=0, reader="r1", reason="reader_buffer_overflow", from_=at, to=at)


async def test_a_clock_that_is_not_set_or_set_back_is_told_once():
    clock = Clock()
    one = counting(clock, MemoryOutbox())
    clock.synced = False
    with capture_logs() as logs:
        await live(clock, one, 3)
        clock.synced = True
        await live(clock, one, 3)
        clock.now_us -= 100 * SECOND_US
        await live(clock, one, 3)
    assert [entry["log_level"] for entry in logs] == ["warning", "info", "warning"]


async def test_rows_wait_for_an_outbox_that_can_not_be_written_and_go_a_few_at_a_time():
    """Beyond the rows that may wait new ones go and are counted; no loss row tells of it in this stream."""

    class Outbox(MemoryOutbox):
        broken, groups = True, ()

        def append(self, stream, rows, **how):
            if self.broken:
                raise OutboxUnavailableError("disk full")
            self.groups = (*self.groups, len(rows))
            return super().append(stream, rows, **how)

    clock, outbox = Clock(), Outbox()
    zones = [Place(f"z{number}", "zone", (Antenna("r1", number),)) for number in range(1, 11)]
    one = counting(
        clock, outbox, *zones, max_held_rows=6, max_group_rows=MAX_GROUP_ROWS, commit_period_s=0.0, retry_s=0.01
    )
    running = asyncio.create_task(one.run())
    one.look([reader()])
    await live(clock, one, 66)
    async with asyncio.timeout(20):
        while not one.journal.problem:  # noqa: ASYNC110 (a thread finds it out)
            await asyncio.sleep(0.005)
    assert (one.journal.held, one.journal.dropped) == (6, 4)
    outbox.broken = False
    one.stop()
    await running
    assert outbox.groups == (4, 2)
    assert [type(row) for row in stored(outbox)] == [PresenceRow] * 6
