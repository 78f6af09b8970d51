"""From chunks to the journal, the agent's life and its orderly end, with fakes for the rooms around."""

import asyncio

import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from edge.agent.agent import Agent
from edge.agent.health import Identity
from edge.agent.journal import Journal
from edge.agent.pipeline import Pipeline, window_clock
from edge.agent.restart import end_open_passages
from edge.agent.warm import warm_up
from edge.contracts import (
    Clock,
    Evidence,
    MovementRow,
    ReaderHealth,
    SensorRow,
    decode_health,
    decode_manifest,
    decode_row,
    encode,
    instant,
    passage_id,
)
from edge.gate import Gate, Unlit, Uses
from edge.gate.snapshot import make_snapshot
from edge.llrp.reports import empty_batch
from edge.outbox import MemoryOutbox, OpenRecord, OutboxUnavailableError
from edge.readers import Chunk, ClockState
from edge.windows import (
    OUT_OF_ORDER_US,
    AntennaSettings,
    HeldTag,
    OpenPassage,
    PortalSettings,
    WindowsSettings,
    encode_open,
)
from tests.helpers.gate_messages import NOW, manifest

CLOCK = ClockState(source="reader", offset_us=-5, spread_us=7, stepped=False)


def row(number):
    """A row that can be told from the others."""
    return SensorRow(seq=0, reader="r1", gpi=number, kind="door", state=True, at=instant(number))


def opened(passage="a" * 32, **changes):
    """An open passage."""
    fields = {"portal": "door", "epc": "30", "rev": 1, "started_us": 0, "last_us": 5, "reads": 3}
    return OpenPassage(passage=passage, clock=Clock(source="reader"), **fields | changes)


def chunk(ports=(), rows=()):
    """A chunk with one read for each port."""
    batch = empty_batch(len(ports))
    batch.antenna[:] = np.array(ports, np.uint16)
    batch.epc_bits[:] = 96
    return Chunk(reader="r1", arrival_us=9, batch=batch, clock=CLOCK, rows=rows)


class FakeWindows:
    """Gives what it was told to give, and keeps what it was fed."""

    def __init__(self) -> None:
        self.fed = []
        self.sensed = []
        self.rows = []
        self.passed_us = []
        self.waited = []
        self.shed = 0
        self.changes = ([], [])

    def pass_until(self, arrival_us):
        self.passed_us.append(arrival_us)
        return self.waited

    def feed(self, reader, batch, *, arrival_us, clock):
        self.fed.append((reader, len(batch), arrival_us, clock))
        return self.rows

    def sense(self, reader, gpi, kind, *, state, at_us, clock):
        self.sensed.append((reader, gpi, kind, state, at_us, len(self.fed)))

    def take_open_changes(self):
        return self.changes


class FakeReader:
    """Runs until cancelled, then says goodbye."""

    def __init__(self, order) -> None:
        self.order = order
        self.running = asyncio.Event()

    async def run(self):
        self.running.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.order.append("reader goodbye")

    def health(self):
        return ReaderHealth(id="r1", state="connected", reads=1)


class FakeUplink:
    """Keeps heartbeats; drains at once when stopped."""

    state = "live"

    def __init__(self, order) -> None:
        self.order = order
        self.beats = []
        self.beat = asyncio.Event()
        self.stopped = asyncio.Event()

    def stop(self):
        self.order.append("uplink drained")
        self.stopped.set()

    async def run(self):
        await self.stopped.wait()

    def publish_health(self, health):
        self.beats.append(decode_health(encode(health)))
        self.beat.set()
        return True


@pytest.fixture
def outbox():
    return MemoryOutbox()


@pytest.fixture
def journal(outbox):
    return Journal(outbox, notify=lambda: None, now_us=lambda: 0, log=structlog.get_logger())


@pytest.fixture
def windows():
    return FakeWindows()


@pytest.fixture
def pipeline(windows, journal):
    log = structlog.get_logger()
    return Pipeline(windows, journal, ports={"r1": (1, 2)}, host_synced=lambda: False, log=log)


async def _written(journal, outbox):
    journal.stop()
    await journal.run()
    return [decode_row(item.payload) for item in outbox.pending("movement", after=0, max_rows=99, max_bytes=10**6)]


async def test_rows_of_windows_and_reader_reach_the_outbox_in_order(pipeline, windows, journal, outbox):
    """Decided passages first, then what the reader itself had to say; open passages with them."""
    windows.rows = [row(1)]
    windows.changes = ([opened()], [])
    await pipeline.sink(chunk((1,), rows=(row(2),)))
    assert [item.gpi for item in await _written(journal, outbox)] == [1, 2]
    assert outbox.open_passages() == [OpenRecord("a" * 32, encode_open(opened()))]


async def test_windows_get_arrival_and_the_quality_of_the_clock(pipeline, windows):
    """An empty batch too: it lets the reader's time pass."""
    await pipeline.sink(chunk())
    ((reader, reads, arrival_us, clock),) = windows.fed
    assert (reader, reads, arrival_us) == ("r1", 0, 9)
    assert clock == window_clock(CLOCK, host_synced=False)
    assert (clock.offset_us, clock.spread_us, clock.host_synced) == (-5, 7, False)


async def test_windows_are_told_how_far_arrivals_are(pipeline, windows, journal, outbox):
    """Short of the chunk by what handing it on may take; what neighbours waited for comes after its rows."""
    windows.rows, windows.waited = [row(1)], [row(2)]
    await pipeline.sink(chunk())
    assert windows.passed_us == [9 - OUT_OF_ORDER_US]
    assert [item.gpi for item in await _written(journal, outbox)] == [1, 2]


async def test_reads_of_unlisted_ports_are_told_once_a_port(pipeline):
    """One line when it starts, not one a read."""
    with structlog.testing.capture_logs() as lines:
        pipeline._log = structlog.get_logger()
        for _ in range(3):
            await pipeline.sink(chunk((1, 5, 5, 7)))
    assert [(line["reader"], line["port"]) for line in lines] == [("r1", 5), ("r1", 7)]


async def test_reads_of_tags_without_a_number_are_told_once_a_reader(pipeline, windows):
    """The windows get them all the same, and count them."""
    blank = chunk((1, 2))
    blank.batch.epc_bits[:] = 96, 0
    with structlog.testing.capture_logs() as lines:
        pipeline._log = structlog.get_logger()
        for _ in range(3):
            await pipeline.sink(blank)
        await pipeline.sink(chunk((1,)))
    assert [line["reader"] for line in lines] == ["r1"]
    assert [reads for _, reads, *_ in windows.fed] == [2, 2, 2, 1]


async def test_what_an_earlier_start_left_open_gets_its_one_final(journal, outbox):
    """Unresolved, one revision on; what can't be read is closed, counted and told."""
    passage = passage_id("g", "door", "30", 0)
    outbox.append("movement", [], opened=[OpenRecord(passage, encode_open(opened(passage))), OpenRecord("b", b"\xff")])
    with structlog.testing.capture_logs() as lines:
        assert end_open_passages(journal, log=structlog.get_logger()) == 1
    assert (lines[0]["passages"], lines[0]["unreadable"]) == (1, 1)
    (final,) = await _written(journal, outbox)
    assert (final.passage, final.kind, final.rev, final.final) == (passage, "unresolved", 2, True)
    assert outbox.open_passages() == []


@pytest.fixture
def gate():
    """A gate that holds an empty snapshot under which tags that begin with 30 are ours."""
    prefix = {"hex": "30", "bits": 8}
    door = {"id": "door", "out": ["stockroom"], "into": []}
    told = decode_manifest(manifest(1, {}, doors=(door,), own_prefixes=[prefix]))
    snapshot = make_snapshot(told, {}, None)
    log = structlog.get_logger()
    return Gate(lambda: snapshot, Unlit(), uses=Uses(), keep_uses=lambda _: None, now_us=lambda: NOW, log=log)


def moved(epc, *, rev=1, kind="out", final=False):
    """A revision of a tag's passage."""
    passage = passage_id("g", "door", epc, 0)
    return MovementRow(
        seq=0,
        id=f"{passage}-{rev}",
        passage=passage,
        rev=rev,
        final=final,
        at=instant(NOW),
        portal="door",
        epc=epc,
        kind=kind,
        confidence=0.99,
        started_at=instant(NOW),
        reads=9,
        evidence=Evidence(antennas=[]),
        clock=Clock(source="reader"),
    )


async def test_exits_reach_the_outbox_with_the_gates_verdict_and_foreign_tags_do_not(windows, journal, outbox, gate):
    """A foreign tag's open passage isn't noted, what is held in the doorway stays so."""
    log = structlog.get_logger()
    pipeline = Pipeline(windows, journal, ports={"r1": (1, 2)}, host_synced=lambda: True, log=log, gate=gate)
    ours, foreign = moved("30aa"), moved("e2aa")
    held = HeldTag(portal="door", epc="e2bb", since_us=1, heard_us=2)
    windows.rows = [ours, foreign]
    windows.changes = ([opened(ours.passage, epc="30aa"), opened(foreign.passage, epc="e2aa"), held], [])
    await pipeline.sink(chunk((1,), rows=(row(2),)))
    told = await _written(journal, outbox)
    assert [(one.epc, one.gate.verdict) for one in told[:-1]] == [("30aa", "refuse")]
    assert told[-1].gpi == 2
    assert sorted(one.passage for one in outbox.open_passages()) == sorted([ours.passage, held.passage])


async def test_a_foreign_passage_that_a_start_left_open_ends_in_silence_if_nothing_was_told_of_it(
    journal, outbox, gate
):
    """One that was told of gets its final all the same."""
    records = [opened("a" * 32, epc="e2", rev=0), opened("b" * 32, epc="e2", rev=1), opened("c" * 32, rev=0)]
    outbox.append("movement", [], opened=[OpenRecord(one.passage, encode_open(one)) for one in records])
    with structlog.testing.capture_logs() as lines:
        assert end_open_passages(journal, gate=gate, log=structlog.get_logger()) == 2
    assert lines[0]["foreign"] == 1
    assert sorted(one.passage[0] for one in await _written(journal, outbox)) == ["b", "c"]
    assert outbox.open_passages() == []


def _agent(readers, journal, outbox, uplink, **more):
    return Agent(
        Identity("g", "b0", "0.1.0", 0),
        readers=readers,
        journal=journal,
        outbox=outbox,
        uplink=uplink,
        heartbeat_s=0.01,
        now_us=lambda: 2_500_000,
        log=structlog.get_logger(),
        **more,
    )


def test_health_says_of_a_reader_that_is_well_what_is_wrong_with_its_wires(journal, outbox):
    trouble = {"r1": "input 4 (fire) chatters"}
    agent = _agent([FakeReader([])], journal, outbox, FakeUplink([]), trouble=lambda reader: trouble.get(reader, ""))
    assert [one.problem for one in agent.health().readers] == ["input 4 (fire) chatters"]
    trouble.clear()
    assert [one.problem for one in agent.health().readers] == [""]


async def test_stop_closes_readers_then_writes_then_drains(journal, outbox):
    """What the readers still brought is on disk before the uplink drains."""
    order = []
    reader, uplink = FakeReader(order), FakeUplink(order)
    stop = asyncio.Event()
    running = asyncio.create_task(_agent([reader], journal, outbox, uplink).run(stop))
    await reader.running.wait()
    journal.add([row(1)])
    stop.set()
    await running
    assert order == ["reader goodbye", "uplink drained"]
    assert journal.committed == 1


async def test_heartbeat_says_what_is_and_survives_an_outbox_that_cannot_be_read(journal, outbox, monkeypatch):
    """A full disk is a state, not the end of the heartbeat."""
    outbox.append("movement", [row(1)])
    uplink = FakeUplink([])
    stop = asyncio.Event()
    running = asyncio.create_task(_agent([FakeReader([])], journal, outbox, uplink).run(stop))
    await asyncio.wait_for(uplink.beat.wait(), 10)

    def refuse(stream):
        raise OutboxUnavailableError("disk I/O error")

    monkeypatch.setattr(outbox, "stats", refuse)
    seen = len(uplink.beats)
    async with asyncio.timeout(10):
        while len(uplink.beats) < seen + 3:
            uplink.beat.clear()
            await uplink.beat.wait()
    stop.set()
    await running
    beat = uplink.beats[-1]
    assert (beat.uptime_s, beat.uplink, beat.readers[0].state) == (2.5, "live", "connected")
    assert [(stream.stream, stream.written, stream.pending) for stream in beat.streams] == [
        ("movement", 1, 1),
        ("presence", 0, 0),
    ]


async def test_part_that_fails_ends_the_agent_with_its_error(journal, outbox):
    """A programming error must not leave half an agent running."""

    class BrokenReader(FakeReader):
        async def run(self):
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(
            _agent([BrokenReader([])], journal, outbox, FakeUplink([])).run(asyncio.Event()), timeout=10
        )
    assert caught.group_contains(ZeroDivisionError)


def test_kernels_take_the_warm_up_report():
    """The made-up report is sound: a wrong length would leave the kernels cold."""
    antenna = AntennaSettings(reader="r1", port=1)
    warm_up(WindowsSettings(gateway="g", portals=(PortalSettings(id="d", layout="single", antennas=(antenna,)),)))


async def test_a_flood_is_told_once_as_it_begins_and_once_when_it_is_over(pipeline, windows):
    """Not for each chunk of it; a minute without is its end."""
    with capture_logs() as logs:
        for arrival_us, shed in [(1, 0), (2, 5), (3, 9), (30_000_000, 9), (70_000_000, 9), (80_000_000, 9)]:
            windows.shed = shed
            await pipeline.sink(at(arrival_us))
    assert [one["log_level"] for one in logs] == ["warning", "info"]
    assert logs[1]["not_decided"] == 9


def at(arrival_us):
    """An empty chunk of an instant."""
    return Chunk(reader="r1", arrival_us=arrival_us, batch=empty_batch(0), clock=CLOCK, rows=())
