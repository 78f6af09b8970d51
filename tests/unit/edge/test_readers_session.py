"""Sessions and their supervisor against a scripted reader, over links that cut bytes in every way."""

import asyncio
import random
import struct

import pytest
import structlog
from structlog.testing import capture_logs

from edge.contracts import LossRow, SensorRow
from edge.llrp import ReportDecoder
from edge.readers import GpiSettings, ReaderSettings, ReaderSupervisor, delivery
from edge.readers.supervisor import backoff_s
from tests.helpers import fake_reader as fake
from tests.helpers.brokers import free_port
from tests.helpers.fake_reader import FakeReader, report, tag
from tests.helpers.kept import WAIT_S
from tests.helpers.supervised import LINKS, NOW_US, agent_of, port_that

REQUEST_S = 1.0
"""Where reports are to come within it: a pause of this process that is longer would be taken for the reader's."""


@pytest.fixture(scope="module", autouse=True)
def _warm():
    """Compile the report decoder outside the loop, as the agent does."""
    ReportDecoder().decode(bytearray(report(tag())))


@LINKS
async def test_reads_arrive_once_however_the_link_cuts_them(link):
    epcs = [bytes([0x30, *([number] * 11)]) for number in range(8)]
    reports = tuple(report(*(tag(epc, antenna) for epc in epcs)) for antenna in (1, 2))
    async with FakeReader(link=link, on_start=reports) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: len(agent.tags) >= 16)
        assert agent.tags == [(epc, antenna) for antenna in (1, 2) for epc in epcs]
        health = await agent.until_state("connected")
        assert (health.reads, health.reports, health.problem) == (16, 2, "")


@LINKS
async def test_a_leftover_rospec_is_deleted_before_ours_is_added(link):
    async with FakeReader(link=link, leftover=True) as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        order = [kind for kind in reader.types() if kind not in {fake.KEEPALIVE_ACK, fake.CUSTOM, fake.GET_CONFIG}]
        assert order[:7] == [
            fake.GET_CAPABILITIES, fake.DELETE, fake.DELETE_ACCESS, fake.SET_CONFIG, fake.ADD, fake.ENABLE, fake.START,
        ]  # fmt: skip


async def test_stopping_frees_the_reader_for_the_next_client():
    async with FakeReader() as reader:
        async with agent_of(reader.port) as agent:
            await agent.until_state("connected")
        async with asyncio.timeout(WAIT_S):
            await reader.closed.wait()
        farewell = [kind for kind in reader.types() if kind in {fake.STOP, fake.DELETE, fake.CLOSE}]
        assert farewell[-3:] == [fake.STOP, fake.DELETE, fake.CLOSE]
        assert not reader.rospecs


async def test_absent_reader_is_told_once_and_found_when_it_comes():
    port = free_port()
    async with agent_of(port) as agent:
        health = await agent.until_state("lost")
        assert f"reader r1 at 127.0.0.1:{port} can't be reached" in health.problem
        await asyncio.sleep(0.2)
        assert len(agent.said("reader lost")) == 1
        async with FakeReader(fixed_port=port):
            health = await agent.until_state("connected")
            assert (health.problem, health.reconnects) == ("", 0)


async def test_a_port_that_speaks_something_else_is_told_apart():
    async def talk(_reader, writer):
        writer.write(bytes.fromhex("a55a00098d01000000"))
        await writer.drain()
        await asyncio.sleep(WAIT_S)

    async with port_that(talk) as port, agent_of(port) as agent:
        health = await agent.until_state("lost")
        assert "is this an LLRP reader's port?" in health.problem
        assert "a5 5a 00 09" in health.problem


async def test_a_port_that_says_nothing_is_told_apart():
    async def talk(reader, _writer):
        await reader.read()

    async with port_that(talk) as port, agent_of(port, connect_timeout_s=0.2) as agent:
        health = await agent.until_state("lost")
        assert "takes the connection but sends no LLRP greeting within 0.2 s" in health.problem


async def test_a_port_that_hangs_up_at_once_is_told_apart():
    async def talk(_reader, _writer):
        return

    async with port_that(talk) as port, agent_of(port) as agent:
        health = await agent.until_state("lost")
        assert "the reader closed the connection before it greeted us" in health.problem


@pytest.mark.parametrize("code", [1, 2])
async def test_a_reader_with_another_client_is_busy_and_gets_no_request(code):
    async with FakeReader(greeting=fake.attempt(code)) as reader, agent_of(reader.port) as agent:
        health = await agent.until_state("lost")
        assert "serves another client" in health.problem
        assert agent.said("reader lost")[0]["cause"] == "ReaderBusyError"
        assert reader.received == []


async def test_a_reader_that_fails_the_attempt_for_another_reason_says_so():
    async with FakeReader(greeting=fake.attempt(3)) as reader, agent_of(reader.port) as agent:
        assert "ConnectionAttemptEvent status 3" in (await agent.until_state("lost")).problem


async def test_two_missed_keepalives_end_the_session():
    async with FakeReader(keepalives=False) as reader, agent_of(reader.port, keepalive_ms=50) as agent:
        health = await agent.until_state("lost")
        assert "sent nothing for 0.125 s though keepalives are on" in health.problem


async def test_keepalives_keep_the_session_and_move_time_on():
    async with FakeReader() as reader, agent_of(reader.port, keepalive_ms=800) as agent:
        await agent.until_state("connected")
        await agent.until(lambda _: reader.types().count(fake.KEEPALIVE_ACK) >= 4)
        assert reader.connections == 1
        assert sum(len(chunk.batch) == 0 and chunk.arrival_us == NOW_US for chunk in agent.chunks) >= 4


@pytest.mark.parametrize("kind", [fake.ADD, fake.START, fake.GET_CAPABILITIES])
async def test_an_error_status_is_told_in_words(kind):
    refuse = {kind: fake.refuse_with(fake.RESPONSES[kind], 401, "antenna shorted")}
    async with FakeReader(refuse=refuse, knows_impinj=False) as reader, agent_of(reader.port) as agent:
        health = await agent.until_state("lost")
        assert "refused" in health.problem
        assert 'the reader itself failed (LLRP status 401; the reader says "antenna shorted")' in health.problem
        async with asyncio.timeout(WAIT_S):
            await reader.closed.wait()
        assert fake.CLOSE in reader.types(), "a refused session is still closed in order"


async def test_an_unanswered_request_ends_the_session():
    async with FakeReader(silent={fake.ADD}) as reader, agent_of(reader.port, request_timeout_s=0.2) as agent:
        assert "did not answer ADD_ROSPEC within 0.2 s" in (await agent.until_state("lost")).problem


async def test_an_answer_behind_a_queue_of_reports_is_waited_for():
    """A Zebra reader sends what it had queued before it answers; on a slow line that takes its time."""
    async with FakeReader(silent={fake.ADD}) as reader, agent_of(reader.port, request_timeout_s=REQUEST_S) as agent:
        await agent.until(lambda _: fake.ADD in reader.types())
        asked_s = asyncio.get_running_loop().time()
        message_id = next(number for kind, number, _ in reader.received if kind == fake.ADD)
        while asyncio.get_running_loop().time() < asked_s + 1.3 * REQUEST_S:
            await reader.send(report(tag()))
            await asyncio.sleep(0.05)
        await reader.send(fake.message(30, message_id, fake.status()))
        await agent.until_state("connected")
        assert reader.connections == 1


async def test_a_reader_that_reports_for_ever_and_never_answers_is_given_up():
    async with FakeReader(silent={fake.ADD}) as reader, agent_of(reader.port, request_timeout_s=REQUEST_S) as agent:
        await agent.until(lambda _: fake.ADD in reader.types())
        while not agent.said("reader lost"):
            await reader.send(report(tag()))
            await asyncio.sleep(0.05)
        assert f"did not answer ADD_ROSPEC within {3 * REQUEST_S:g} s" in agent.said("reader lost")[0]["problem"]


async def test_half_a_greeting_is_not_called_another_protocol():
    async with (
        FakeReader(greeting=fake.attempt()[:15]) as reader,
        agent_of(reader.port, connect_timeout_s=0.2) as agent,
    ):
        problem = (await agent.until_state("lost")).problem
        assert "began an LLRP message of 32 bytes and stopped after 15: network or reader?" in problem


async def test_a_reset_inside_a_message_is_told_and_the_reader_comes_back():
    async with FakeReader(on_start=(report(tag()),)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.counters.reads == 1)
        await agent.until(lambda agent: agent.supervisor.health().temperature_c is not None)
        await reader.send(report(tag())[:20])
        await asyncio.sleep(0.05)
        reader.drop()
        await agent.until(lambda agent: agent.said("reader back"))
        await agent.until(lambda agent: agent.supervisor.counters.reads == 2 and agent.rows)
        assert "inside a message, after 20 bytes of it" in agent.said("reader lost")[0]["problem"]
        assert agent.supervisor.health().reconnects == 1
        assert [row.reason for row in agent.rows if isinstance(row, LossRow)] == ["reader_disconnected"]


@LINKS
async def test_a_stream_out_of_step_keeps_what_was_whole_and_reconnects(link):
    garbage = report(tag()) + b"\xff" * 40
    async with FakeReader(link=link, on_start=(garbage,)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.said("reader lost"))
        assert "stands no LLRP message header: ff" in agent.said("reader lost")[0]["problem"]
        assert agent.supervisor.counters.reads >= 1


async def test_a_frame_beyond_the_cap_is_told():
    huge = struct.pack("!HII", 1 << 10 | fake.REPORT, 1 << 30, 0)
    async with FakeReader(on_start=(huge,)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.said("reader lost"))
        assert "says it is 1073741824 bytes long" in agent.said("reader lost")[0]["problem"]


@LINKS
async def test_a_broken_report_costs_only_itself(link):
    broken = report(fake.tlv(240, b"\x81\0\1"))
    reports = (report(tag()), broken, report(tag()))
    async with FakeReader(link=link, on_start=reports) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.counters.reads == 2)
        assert agent.supervisor.health().lost_reports == 1
        losses = [row for row in agent.rows if isinstance(row, LossRow)]
        assert [(row.reason, row.count, row.seq) for row in losses] == [("undecodable_report", 1, 0)]
        assert reader.connections == 1


async def test_reports_that_are_broken_all_the_time_are_logged_once_and_few_rows_and_all_are_counted():
    """The first is told at once, those that follow together, also where another session has begun meanwhile."""
    broken, now_us = report(fake.tlv(240, b"\x81\0\1")), [NOW_US]
    async with FakeReader() as reader, agent_of(reader.port, now_us=lambda: now_us[0]) as agent:
        await reader.started.wait()
        await reader.send(broken)
        await agent.until(lambda agent: agent.rows)
        for sent in range(2, 41):
            await reader.send(broken)
            await agent.until(lambda agent, sent=sent: agent.supervisor.health().lost_reports == sent)
        reader.started.clear()
        reader.drop()
        now_us[0] += 11_000_000
        await reader.started.wait()
        await reader.send(report(tag()))
        await agent.until(lambda agent: sum(row.count or 0 for row in agent.rows) == 40)
        losses = [row for row in agent.rows if row.reason == "undecodable_report"]
        assert len(losses) == 2
        assert losses[0].count < losses[1].count
        assert [line["event"].partition(":")[0] for line in agent.logs].count("reports can't be decoded") == 1


async def test_an_overflow_of_the_readers_buffer_is_a_loss_row():
    overflow = fake.event(1_700_000_001_000_000, fake.tlv(250, b"\x64"), fake.tlv(251, b""))
    async with FakeReader(on_start=(report(tag()), overflow)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.rows)
        (row,) = agent.rows
        assert (row.reason, row.reader, row.count) == ("reader_buffer_overflow", "r1", None)
        assert row.from_ <= row.to


async def test_a_buffer_that_overflows_all_the_time_is_logged_once_and_is_a_row_each_time():
    """Under a flood a reader says so many times a second."""
    floods = [fake.event(1_700_000_001_000_000 + step, fake.tlv(251, b"")) for step in range(20)]
    async with FakeReader(on_start=tuple(floods)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: len(agent.rows) == len(floods))
        assert {row.reason for row in agent.rows} == {"reader_buffer_overflow"}
        assert agent.supervisor.counters.buffer_overflows == len(floods)
        assert sum("buffer overflowed" in entry["event"] for entry in agent.logs) == 1


async def test_wired_inputs_give_sensor_rows_and_others_none():
    flips = [fake.event(1_700_000_001_000_000, fake.tlv(248, struct.pack("!HB", port, 0x80))) for port in (3, 2)]
    gpis = (GpiSettings(port=2, kind="door"),)
    async with FakeReader(on_start=tuple(flips)) as reader, agent_of(reader.port, gpis=gpis) as agent:
        await agent.until(lambda agent: agent.rows)
        (row,) = agent.rows
        assert isinstance(row, SensorRow)
        assert (row.gpi, row.kind, row.state, row.seq) == (2, "door", True, 0)


async def test_a_cable_that_comes_off_is_told_once_and_its_return_once():
    flips = [fake.event(1_700_000_001_000_000, fake.tlv(255, struct.pack("!BH", on, 2))) for on in (1, 0, 0, 1, 1)]
    async with FakeReader(on_start=(*flips, report(tag()))) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.counters.reads == 1)
        told = [entry["event"] for entry in agent.logs if entry.get("antenna") == 2]
        assert told == ["antenna disconnected", "antenna back"]


async def test_what_the_reader_complains_of_is_told_once():
    trouble = fake.event(5, fake.tlv(252, struct.pack("!H", 4) + b"heat"), fake.tlv(250, b"\x5a"))
    async with FakeReader(on_start=(trouble, trouble, report(tag()))) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.counters.reads == 1)
        assert len(agent.said("the reader reports an exception: heat")) == 1
        assert len(agent.said("the reader's report buffer is 90 % full")) == 1


async def test_a_degraded_reader_that_is_right_again_is_told():
    async with FakeReader(knows_impinj=False) as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        reader.knows_impinj = True
        reader.drop()
        await agent.until(lambda agent: agent.said("reader runs as configured again"))
        assert agent.supervisor.health().problem == ""


async def test_reads_of_unlisted_ports_are_counted_apart():
    reports = (report(tag(antenna=1, count=3), tag(antenna=4, count=2)),)
    async with FakeReader(on_start=reports) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.counters.reads == 5)
        assert agent.supervisor.health().unlisted_reads == 2


async def test_gathered_reports_are_asked_for_in_time():
    knobs = {"report_every_tags": 32, "report_every_ms": 20}
    async with FakeReader() as reader, agent_of(reader.port, **knobs) as agent:
        await agent.until(lambda _: reader.types().count(fake.GET_REPORT) >= 3)
        assert struct.pack("!HHBH", 237, 13, 1, 32)[4:] in reader.payload_of(fake.ADD)
        assert agent.supervisor.health().problem == ""


async def test_a_reader_that_cannot_be_asked_for_reports_sends_each_by_itself():
    def unknown(message_id, _payload):
        return fake.message(fake.ERROR, message_id, fake.status(109))

    knobs = {"report_every_tags": 32, "report_every_ms": 20}
    async with FakeReader(refuse={fake.GET_REPORT: unknown}) as reader, agent_of(reader.port, **knobs) as agent:
        await agent.until(lambda _: reader.types().count(fake.START) == 2)
        assert "does not know GET_REPORT" in agent.supervisor.health().problem
        assert [payload for kind, _, payload in reader.received if kind == fake.ADD][1].count(b"\x01\x00\x01") >= 1


async def test_another_clients_attempt_and_strays_leave_the_session_alone():
    strays = (fake.attempt(4), fake.message(fake.ERROR, 4711, fake.status(109)), fake.message(30, 4712, fake.status()))
    sent = (*strays, fake.message(fake.EVENT, 0, b"\xff"), report(tag()))
    async with FakeReader(on_start=sent) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.counters.reads == 1)
        counters = agent.supervisor.counters
        assert (counters.stray_messages, counters.bad_messages) == (2, 1)
        assert (await agent.until_state("connected")).problem == ""


async def test_a_reader_that_announces_its_close_is_dialled_anew():
    closing = fake.event(5, fake.tlv(257, b""))
    async with FakeReader(on_start=(closing,)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.said("reader lost"))
        assert "said that it closes the connection" in agent.said("reader lost")[0]["problem"]
        await agent.until(lambda _: reader.connections >= 2)


async def test_a_slow_sink_stops_receiving_and_loses_nothing(monkeypatch):
    """Back-pressure goes to the reader's TCP window; the watchdog knows that it is us who don't listen."""
    monkeypatch.setattr(delivery, "QUEUE_HIGH", 4)
    monkeypatch.setattr(delivery, "QUEUE_LOW", 1)
    free = asyncio.Event()

    async def sink(chunk):
        if len(chunk.batch):
            await free.wait()

    async with FakeReader() as reader, agent_of(reader.port, sink=sink, keepalive_ms=600) as agent:
        async with asyncio.timeout(WAIT_S):
            await reader.started.wait()
        for _ in range(20):
            await reader.send(report(tag()))
            await asyncio.sleep(0.1)  # all of them take longer than a silence may
        assert len(agent.tags) == 1
        free.set()
        await agent.until(lambda agent: agent.supervisor.counters.reads == 20)
        assert reader.connections == 1


async def test_chunks_that_a_stuck_sink_did_not_take_are_counted_at_the_stop(monkeypatch):
    monkeypatch.setattr(delivery, "FLUSH_S", 0.05)

    async def sink(chunk):
        if len(chunk.batch):
            await asyncio.Event().wait()

    async with FakeReader(on_start=(report(tag()), report(tag()))) as reader:
        async with agent_of(reader.port, sink=sink) as agent:
            await agent.until(lambda agent: agent.supervisor.counters.reads == 2)
        assert agent.supervisor.health().lost_reports == 2
        assert agent.said("stopped before the reads that waited were taken")


async def test_an_error_in_the_sink_ends_the_supervisor():
    """A sink must not fail; if it does, that is no reader's fault and must not be dialled away."""

    async def sink(_chunk):
        raise RuntimeError("outbox is gone")

    async with FakeReader() as reader:
        settings = ReaderSettings(id="r1", host="127.0.0.1", port=reader.port, antennas=(1,))
        supervisor = ReaderSupervisor(
            settings, sink=sink, now_us=lambda: NOW_US, rng=random.Random(1), log=structlog.get_logger()
        )
        with capture_logs(), pytest.raises(RuntimeError, match="outbox is gone"):
            async with asyncio.timeout(WAIT_S):
                await supervisor.run()


async def test_the_greeting_sets_the_offset_before_any_report():
    queued = report(tag(last_us=1_600_000_000_000_000 + 99_990_000_000_000))
    async with FakeReader(on_start=(queued,)) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.tags)
        states = {(chunk.clock.source, chunk.clock.offset_us) for chunk in agent.chunks}
        assert states == {("reader", NOW_US - 1_700_000_000_000_000)}


def test_backoff_is_full_jitter_under_a_doubling_bound():
    settings = ReaderSettings(id="r1", host="h", antennas=(1,), backoff_base_s=0.5, backoff_max_s=30.0)
    rng = random.Random(7)
    for attempt in range(20):
        waits = [backoff_s(attempt, settings, rng) for _ in range(200)]
        bound = min(30.0, 0.5 * 2**attempt)
        assert min(waits) < 0.1 * bound
        assert 0.9 * bound < max(waits) <= bound
