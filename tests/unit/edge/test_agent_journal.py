"""Rows between windows and outbox: grouped, held while the disk refuses, never lost silently."""

import asyncio
import threading

import pytest
import structlog

from edge.agent.journal import Journal
from edge.contracts import LossRow, MovementRow, SensorRow, decode_row, instant
from edge.outbox import MemoryOutbox, OpenRecord, OutboxUnavailableError
from tests.helpers.uplink import movement


class MoodyOutbox(MemoryOutbox):
    """An outbox whose disk can be full, and whose writes can be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.groups = []
        self.gate = threading.Event()
        self.gate.set()

    def append(self, stream, rows, *, opened=(), closed=()):
        """Refuse while full, wait while the gate is shut."""
        self.gate.wait(5)
        if self.full:
            raise OutboxUnavailableError("outbox.db: no space left on the device: make room")
        self.groups.append(len(rows))
        return super().append(stream, rows, opened=opened, closed=closed)


def row(number):
    """A row that can be told from the others."""
    return SensorRow(seq=0, reader="r1", gpi=number, kind="door", state=True, at=instant(number))


@pytest.fixture
def outbox():
    """In memory, with moods."""
    return MoodyOutbox()


@pytest.fixture
def notes():
    """How often the uplink was told."""
    return []


@pytest.fixture
def journal(outbox, notes):
    """A journal that doesn't wait long."""
    return Journal(
        outbox,
        notify=lambda: notes.append(1),
        now_us=lambda: 7_000_000,
        log=structlog.get_logger(),
        commit_period_s=0.01,
        retry_s=0.01,
        max_held_rows=10,
    )


async def _until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (the parts under test offer no event to wait for)
            await asyncio.sleep(0.005)


def stored(outbox):
    """All rows in the outbox, in order."""
    return [decode_row(item.payload) for item in outbox.pending("movement", after=0, max_rows=1000, max_bytes=10**7)]


async def test_rows_reach_the_outbox_in_order_and_the_uplink_is_told(journal, outbox, notes):
    """Many additions, few transactions."""
    running = asyncio.create_task(journal.run())
    for number in range(1, 10):
        journal.add([row(number)])
    await _until(lambda: journal.committed == 9)
    journal.stop()
    await running
    assert [item.gpi for item in stored(outbox)] == list(range(1, 10))
    assert len(notes) == len(outbox.groups) < 9


async def test_rows_that_come_during_a_write_go_with_the_next(journal, outbox):
    """Nothing is written twice, nothing is skipped."""
    running = asyncio.create_task(journal.run())
    outbox.gate.clear()
    journal.add([row(1)])
    await asyncio.sleep(0.05)
    journal.add([row(2)])
    journal.add([row(3)])
    outbox.gate.set()
    await _until(lambda: journal.committed == 3)
    journal.stop()
    await running
    assert outbox.groups == [1, 2]
    assert [item.gpi for item in stored(outbox)] == [1, 2, 3]


async def test_full_disk_is_a_state_and_rows_follow_when_there_is_room(journal, outbox):
    """Reads go on, the problem is said, and the rows come in order afterwards."""
    running = asyncio.create_task(journal.run())
    outbox.full = True
    journal.add([row(1)])
    await _until(lambda: journal.problem)
    journal.add([row(2)])
    assert "no space left" in journal.problem
    assert journal.held == 2
    outbox.full = False
    await _until(lambda: journal.committed == 2)
    assert (journal.problem, journal.held) == ("", 0)
    journal.stop()
    await running
    assert [item.gpi for item in stored(outbox)] == [1, 2]


async def test_trouble_is_logged_once_when_it_starts_and_once_when_it_ends(journal, outbox):
    """Not a line for each try."""
    with structlog.testing.capture_logs() as lines:
        journal._log = structlog.get_logger()
        running = asyncio.create_task(journal.run())
        outbox.full = True
        journal.add([row(1)])
        await _until(lambda: journal.problem)
        await asyncio.sleep(0.1)
        outbox.full = False
        await _until(lambda: journal.committed == 1)
        journal.stop()
        await running
    assert [line["log_level"] for line in lines] == ["error", "info"]


async def test_rows_beyond_the_limit_are_counted_and_declared_as_loss(journal, outbox):
    """The oldest stay; what could not be held is one loss row."""
    running = asyncio.create_task(journal.run())
    outbox.full = True
    journal.add([row(number) for number in range(1, 9)])
    journal.add([row(number) for number in range(9, 14)])
    journal.add([row(14)])
    assert (journal.held, journal.dropped) == (10, 4)
    outbox.full = False
    await _until(lambda: journal.committed == 11)
    journal.stop()
    await running
    *kept, loss = stored(outbox)
    assert [item.gpi for item in kept] == list(range(1, 11))
    assert isinstance(loss, LossRow)
    assert (loss.reader, loss.count, loss.from_) == ("agent", 4, instant(7_000_000))


async def test_an_alarm_finds_room_where_ordinary_rows_are_dropped_and_its_room_is_bounded_too(outbox):
    """The disk refuses for long: what isn't an alarm goes first, and memory doesn't grow for ever."""
    journal = Journal(
        outbox, notify=lambda: None, now_us=lambda: 7_000_000, log=structlog.get_logger(),
        retry_s=0.01, max_held_rows=10, max_held_alarms=3,
    )  # fmt: skip
    journal.add([row(n) for n in range(1, 13)])
    journal.add([movement(n, kind="out") for n in range(2)])
    journal.add([row(99), movement(2, kind="out"), movement(3, kind="out")])
    assert (journal.held, journal.dropped) == (13, 4)
    journal.stop()
    await journal.run()
    kept = [decode_row(one.payload) for one in outbox.pending("movement", after=0, max_rows=99, max_bytes=10**6)]
    assert [type(one) for one in kept] == [SensorRow] * 10 + [MovementRow] * 3 + [LossRow]
    assert kept[-1].count == 4


async def test_passages_opened_and_closed_are_noted_with_their_rows(journal, outbox):
    """What opened and closed before a write leaves no note; what stays open does."""
    running = asyncio.create_task(journal.run())
    outbox.gate.clear()
    journal.add([row(1)], opened=[OpenRecord("a", b"1"), OpenRecord("b", b"1")])
    await asyncio.sleep(0.05)
    journal.add([], opened=[OpenRecord("b", b"2"), OpenRecord("c", b"1")], closed=["a"])
    journal.add([row(2)], closed=["c"])
    outbox.gate.set()
    await _until(lambda: journal.committed == 2)
    journal.stop()
    await running
    assert outbox.open_passages() == [OpenRecord("b", b"2")]


async def test_stop_writes_what_is_held(journal, outbox):
    """An orderly stop loses nothing."""
    journal.add([row(1)])
    journal.stop()
    await journal.run()
    assert [item.gpi for item in stored(outbox)] == [1]


async def test_stop_with_a_full_disk_ends_and_says_what_is_lost(journal, outbox):
    """It can't wait for ever, and it doesn't keep silent."""
    outbox.full = True
    journal.add([row(1), row(2)])
    journal.stop()
    with structlog.testing.capture_logs() as lines:
        journal._log = structlog.get_logger()
        async with asyncio.timeout(10):
            await journal.run()
    assert [line.get("rows") for line in lines if "lost at stop" in line["event"]] == [2]
