"""Rows between windows and outbox: grouped, held while the disk refuses, never lost silently."""

import asyncio
import threading

import pytest
import structlog

from edge.agent.journal import Journal
from edge.agent.leftover import LOST_FILE, Leftover
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


async def test_stop_with_a_full_disk_ends_and_holds_what_it_could_not_write(journal, outbox):
    """It can't wait for ever, and it lets nothing go."""
    outbox.full = True
    journal.add([row(1), row(2)])
    await ended(journal)
    assert (journal.held, "no space left" in journal.problem) == (2, True)


async def ended(journal):
    """Stop it and wait for its end."""
    journal.stop()
    async with asyncio.timeout(10):
        await journal.run()


def next_to(outbox, **knobs):
    """A journal of the next round, or the next start."""
    return Journal(outbox, notify=lambda: None, now_us=lambda: 9_000_000, log=structlog.get_logger(), **knobs)


async def test_what_a_round_could_not_write_is_written_first_by_the_next(outbox, journal, tmp_path):
    """Rows, passages that are open and closed, and what was dropped; nothing is left to be told as lost."""
    leftover = Leftover(tmp_path, log=structlog.get_logger())
    leftover.hand_over("movement", journal)
    outbox.append("movement", [], opened=[OpenRecord("a", b"1")])
    outbox.full = True
    journal.add([row(n) for n in range(1, 13)], opened=[OpenRecord("b", b"1")], closed=["a"])
    await ended(journal)
    second = next_to(outbox)
    leftover.hand_over("movement", second)
    assert [record.passage for record in second.open_passages()] == ["b"], "its own row has ended passage a"
    second.add([row(20)])
    outbox.full = False
    await ended(second)
    *kept, loss = stored(outbox)
    assert [one.gpi for one in kept] == [*range(1, 11), 20]
    assert (loss.count, outbox.open_passages()) == (2, [OpenRecord("b", b"1")])
    leftover.close()
    assert list(tmp_path.iterdir()) == []


async def test_what_is_lost_at_a_stop_is_one_loss_row_of_the_next_start(outbox, journal, tmp_path):
    """Once: not again at the start after that; and not before the outbox has taken it."""
    outbox.full = True
    journal.add([row(1), row(2)])
    first = Leftover(tmp_path, log=structlog.get_logger())
    first.hand_over("movement", journal)
    await ended(journal)
    with structlog.testing.capture_logs() as lines:
        first._log = structlog.get_logger()
        first.close()
    assert [line.get("rows") for line in lines if "lost at stop" in line["event"]] == [2]
    for still_full in (True, False, False):
        outbox.full = still_full
        later, at = Leftover(tmp_path, log=structlog.get_logger()), next_to(outbox)
        later.hand_over("movement", at)
        await ended(at)
        later.close()
    (loss,) = stored(outbox)
    assert isinstance(loss, LossRow)
    assert (loss.count, loss.from_, "when it ended" in loss.reason) == (2, instant(7_000_000), True)


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"\xff"])
async def test_a_spoilt_count_of_lost_rows_does_not_keep_a_start_back(outbox, tmp_path, spoilt):
    (tmp_path / LOST_FILE).write_bytes(spoilt)
    at = next_to(outbox)
    Leftover(tmp_path, log=structlog.get_logger()).hand_over("movement", at)
    at.add([row(1)])
    await ended(at)
    assert ([one.gpi for one in stored(outbox)], list(tmp_path.iterdir())) == ([1], [])


async def test_a_journal_that_is_broken_off_in_a_write_gives_up_only_what_was_not_written(outbox, journal):
    """A round that fails cancels its tasks; the thread that writes goes on."""
    outbox.gate.clear()
    journal.add([row(1)])
    running = asyncio.create_task(journal.run())
    await asyncio.sleep(0.05)
    journal.add([row(2)])
    running.cancel()
    await asyncio.sleep(0.05)
    outbox.gate.set()
    await asyncio.gather(running, return_exceptions=True)
    second = next_to(outbox)
    second.take_over(journal.give_up())
    await ended(second)
    assert [one.gpi for one in stored(outbox)] == [1, 2]
