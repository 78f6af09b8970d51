"""Serial readers over a pty: a device of the test's on one end, the agent's keeper on the other."""

import asyncio
import os
import socket

import pytest

from edge.contracts import LossRow, SensorRow, instant_us
from edge.readers import Chunk, GpiSettings
from edge.readers.errors import ReaderClosedError
from edge.readers.serial import SerialSettings, line, serial_reader
from tests.helpers.fake_serial import FakeR200, FakeUhfReader, Pty
from tests.helpers.kept import kept, now_us

LINKS = pytest.mark.parametrize("link", ["whole", "bytes", "split"])
EPCS = [bytes([0x30, 0xBB, 0x7E, *([number] * 9)]) for number in range(20)]
"""Heads and tails of frames occur in them."""


EU = (865_700, 866_300, 866_900, 867_500)


@pytest.fixture
def path(tmp_path):
    """Where the device is plugged in."""
    return tmp_path / "ttyUSB0"


def settings(path, protocol="r200", **knobs):
    """Settings with short waits; an answer has as long as in life, since whoever paused for longer would ask again."""
    knobs = {"antennas": (1,), "answer_timeout_s": 1.0, "backoff_base_s": 0.01, "backoff_max_s": 0.05} | knobs
    return SerialSettings(id="r1", serial=str(path), protocol=protocol, **knobs)


def running(path, protocol="r200", **knobs):
    """Run a keeper at the path."""
    return kept(serial_reader, settings(path, protocol, **knobs))


@LINKS
@pytest.mark.parametrize("head", [0xBB, 0xAA])
async def test_r200_tags_arrive_once_however_the_line_cuts_them(path, link, head):
    async with FakeR200(path, head=head, link=link, tags=EPCS) as module, running(path) as agent:
        await agent.until(lambda agent: len(agent.tags) >= len(EPCS))
        assert agent.tags == [(epc, 1) for epc in EPCS]
        health = await agent.until_state("connected")
        assert (health.reads, health.lost_reports, health.problem) == (len(EPCS), 0, "")
        assert {chunk.clock.source for chunk in agent.chunks} == {"host"}
        assert {int(level) for chunk in agent.chunks for level in chunk.batch.rssi_cdbm} == {-5500}
        assert agent.said("serial reader inventories")[0]["who"] == "M100 V1.00, firmware V2.3.3"
        assert module.commands[-1][0] == 0x27


@LINKS
async def test_uhfreader288_reads_its_antennas_in_turn(path, link):
    tags = {1: [(EPCS[0], 107)], 3: [(EPCS[1], 100), (EPCS[2], 99)]}
    async with (
        FakeUhfReader(path, link=link, tags=tags) as reader,
        running(path, "uhfreader288", antennas=(1, 3)) as agent,
    ):
        await agent.until(lambda agent: len(agent.tags) >= 12)
        assert set(agent.tags) == {(EPCS[0], 1), (EPCS[1], 3), (EPCS[2], 3)}
        assert reader.inventories[:4] == [1, 3, 1, 3]
        health = agent.keeper.health()
        assert health.state == "connected"
        assert "RSSI is relative" in health.problem, "no dBm is claimed"
        assert len(agent.said("reader degraded")) == 1


async def test_uhfreader18_reads_without_rssi(path):
    async with (
        FakeUhfReader(path, is_288=False, tags={1: [(EPCS[0], 0)]}) as reader,
        running(path, "uhfreader18") as agent,
    ):
        await agent.until(lambda agent: len(agent.tags) >= 3)
        assert set(agent.tags) == {(EPCS[0], 1)}
        assert "sends no RSSI" in agent.keeper.health().problem
        assert (0x25, b"\x03") in reader.commands, "its inventory time was 1 s"


async def test_settings_are_written_only_where_the_reader_is_set_otherwise(path):
    """A UHFReader keeps what it is told in a memory that wears out."""
    async with FakeUhfReader(path, tags={1: [(EPCS[0], 1)]}) as reader:
        knobs = {"tx_power_dbm": 26.9, "region": "eu-lower", "channels_khz": EU}
        for written in (1, 1):
            async with running(path, "uhfreader288", **knobs) as agent:
                await agent.until_state("connected")
            assert [data for command, data in reader.commands if command == 0x2F] == [b"\x1a"] * written
        assert [data for command, data in reader.commands if command == 0x22] == [bytes.fromhex("8340")], (
            "band 9, 0 to 3"
        )


async def test_r200_is_set_up_by_region_hopping_and_power(path):
    async with (
        FakeR200(path, power_cdbm=2600) as module,
        running(path, region="eu-lower", channels_khz=EU, tx_power_dbm=26.5) as agent,
    ):
        health = await agent.until_state("connected")
        # The order to poll has no answer that connecting waits for, so it may be on its way still.
        await agent.until(lambda _: module.polling)
        assert [command for command, _ in module.commands if command not in {0x28, 0x03}] == [
            0x07, 0xA9, 0xA9, 0xAD, 0xB7, 0xB6, 0xB7, 0x27,
        ]  # fmt: skip
        assert [data for command, data in module.commands if command == 0xA9] == [b"\0", bytes([4, 3, 6, 9, 12])]
        assert health.problem == "a power of 26.5 dBm is not to be had: 26 dBm is used"


@pytest.mark.parametrize(
    ("own", "asked", "cap", "used"), [(2600, None, 2220, 2220), (2000, 26.0, 2220, 2220), (2000, None, 2220, None)]
)
async def test_power_is_held_to_what_is_legal(path, own, asked, cap, used):
    async with FakeR200(path, power_cdbm=own) as module, running(path, tx_power_dbm=asked, power_cap_cdbm=cap) as agent:
        await agent.until_state("connected")
        orders = [int.from_bytes(data, "big") for command, data in module.commands if command == 0xB6]
        assert orders == ([] if used is None else [used])


async def test_what_a_reader_refuses_is_told_and_the_rest_goes_on(path):
    async with FakeR200(path, refuse={0x07}, tags=EPCS[:1]) as _, running(path, region="eu", channels_khz=EU) as agent:
        await agent.until(lambda agent: agent.tags)
        assert "refuses region eu: it doesn't know this command or its value" in agent.keeper.health().problem


async def test_polls_that_end_are_started_anew(path):
    """65,535 rounds last twenty minutes, and some firmware says nothing of rounds without a tag."""
    async with FakeR200(path, mute_polls=True) as module, running(path) as agent:
        await agent.until(lambda _: [command for command, _ in module.commands].count(0x27) >= 2)
        assert agent.keeper.health().state == "connected"
        assert len(agent.said("reader lost")) == 0


async def test_time_passes_while_nothing_is_heard(path):
    async with FakeR200(path) as _, running(path) as agent:
        await agent.until(lambda agent: len(agent.chunks) >= 4)
        arrivals = [chunk.arrival_us for chunk in agent.chunks]
        assert arrivals == sorted(arrivals)
        assert all(len(chunk.batch) == 0 for chunk in agent.chunks)


async def test_a_pulled_cable_is_told_once_and_the_gap_is_a_row(path):
    async with FakeR200(path, tags=EPCS[:1]) as module, running(path) as agent:
        await agent.until(lambda agent: agent.tags)
        module.polling = False
        pulled_us = now_us()
        module.pull()
        health = await agent.until_state("lost")
        assert "is the cable still in?" in health.problem or "plug it in" in health.problem
        assert agent.chunks[0].arrival_us <= instant_us(health.since) <= pulled_us + 200_000, "the last proof of life"
        await asyncio.sleep(0.3)
        module.tags = EPCS[1:2]
        module.plug()
        health = await agent.until_state("connected")
        await agent.until(lambda agent: len(agent.tags) == 2)
        assert (health.reconnects, len(agent.said("reader back"))) == (1, 1)
        gaps = [row for row in agent.rows if isinstance(row, LossRow)]
        assert [row.reason for row in gaps] == ["reader_disconnected"]
        kinds = [entry["cause"] for entry in agent.said("reader lost")]
        assert len(kinds) == len(set(kinds)), "once for each cause"


@pytest.mark.parametrize(("protocol", "baud"), [("r200", 115200), ("uhfreader288", 57600)])
async def test_a_device_that_does_not_answer_is_told_with_speed_and_protocol(path, protocol, baud):
    async with Pty(path) as _, running(path, protocol, answer_timeout_s=0.05) as agent:
        health = await agent.until_state("lost")
        assert f"does not answer who it is, asked 3 times: is this a {protocol} at {baud} baud" in health.problem
        assert len(agent.said("reader lost")) == 1


async def test_a_device_of_another_family_is_no_reader_of_ours(path):
    """Bytes that are no frames of the protocol, as at a wrong speed."""

    class Chatter(Pty):
        def heard(self):
            self.buffer = b""
            self.say(bytes.fromhex("a004ff0102 bb7e00ff") * 3)

    async with Chatter(path) as _, running(path, answer_timeout_s=0.05) as agent:
        assert "is this a r200 at 115200 baud" in (await agent.until_state("lost")).problem


async def test_a_reader_that_falls_silent_is_lost(path, monkeypatch):
    monkeypatch.setattr("edge.readers.serial.r200_talk.SILENCE_S", 0.05)
    async with FakeR200(path, tags=EPCS[:1]) as module, running(path) as agent:
        await agent.until(lambda agent: agent.tags)
        module.silent, module.polling = {0x28, 0x27, 0x03}, False
        assert "has said nothing for 0.2 s" in (await agent.until_state("lost")).problem


async def test_a_reader_that_leaves_inventories_unanswered_is_lost(path):
    async with (
        FakeUhfReader(path, tags={1: [(EPCS[0], 1)]}) as reader,
        running(path, "uhfreader288", answer_timeout_s=0.05) as agent,
    ):
        await agent.until(lambda agent: agent.tags)
        reader.silent = {0x01, 0x21}
        assert "left 3 inventories unanswered" in (await agent.until_state("lost")).problem


async def test_an_open_antenna_is_told_once_and_the_others_are_read(path):
    async with (
        FakeUhfReader(path, tags={2: [(EPCS[0], 1)]}) as reader,
        running(path, "uhfreader288", antennas=(1, 2)) as agent,
    ):
        reader.statuses[1] = 0xF8
        await agent.until(lambda agent: len(agent.tags) >= 5)
        health = {antenna.port: antenna for antenna in agent.keeper.health().antennas}
        assert (health[1].state, health[2].state) == ("fault", "ok")
        assert "not connected" in health[1].reason
        assert len(agent.said("antenna fault")) == 1
        del reader.statuses[1]
        await agent.until(lambda agent: agent.said("antenna back"))
        assert {antenna.state for antenna in agent.keeper.health().antennas} == {"ok"}


async def test_a_reader_in_real_time_mode_is_listened_to(path):
    async with FakeUhfReader(path) as reader, running(path, "uhfreader288", antennas=(1, 3)) as agent:
        await agent.until_state("connected")
        reader.silent = {0x01}
        for _ in range(3):
            reader.push(EPCS[0], mask=0b101)
            await asyncio.sleep(0.02)
        await agent.until(lambda agent: len(agent.tags) >= 6)
        assert agent.tags[:2] == [(EPCS[0], 1), (EPCS[0], 3)]
        assert len(agent.said("the reader is in real-time mode: it pushes tags by itself and is not polled")) == 1


@pytest.mark.parametrize(("lose", "garble"), [(0.002, 0.0), (0.0, 0.002)])
async def test_a_noisy_line_loses_reads_but_counts_them_and_invents_none(path, lose, garble):
    epcs = [bytes([0x30, *number.to_bytes(2, "big"), *([0xBB, 0x7E] * 4), number % 256]) for number in range(400)]
    async with FakeR200(path, lose=0.0, tags=[]) as module, running(path) as agent:
        await agent.until_state("connected")
        module.lose, module.garble = lose, garble
        for epc in epcs:
            module.say(module.tag(epc))
            if epc[2] % 20 == 0:
                await asyncio.sleep(0.01)
        module.lose = module.garble = 0.0
        module.say(module.tag(EPCS[0]))
        await agent.until(lambda agent: (EPCS[0], 1) in agent.tags)
        seen = [epc for epc, _ in agent.tags if epc != EPCS[0]]
        assert set(seen) <= set(epcs)
        assert len(seen) == len(set(seen))
        missing = len(epcs) - len(seen)
        assert 0 < missing < 60
        assert agent.keeper.health().lost_reports > 0
        assert "garbled_serial" in {row.reason for row in agent.rows if isinstance(row, LossRow)}


async def test_a_noisy_line_of_inventories_goes_on(path):
    async with (
        FakeUhfReader(path, garble=0.005, lose=0.003, tags={1: [(EPCS[0], 90), (EPCS[1], 91)]}) as _,
        running(path, "uhfreader288", answer_timeout_s=0.05) as agent,
    ):
        await agent.until(lambda agent: len(agent.tags) >= 60)
        assert set(agent.tags) == {(EPCS[0], 1), (EPCS[1], 1)}


async def test_a_missing_device_is_told_in_words_and_found_when_it_comes(path):
    async with running(path) as agent:
        assert "there is no such device: plug it in" in (await agent.until_state("lost")).problem
        async with FakeR200(path) as _:
            assert (await agent.until_state("connected")).reconnects == 0


async def test_a_device_in_use_is_told_in_words(path):
    async with FakeR200(path) as _, running(path) as first, running(path) as second:
        await first.until(lambda _: "connected" in {first.keeper.health().state, second.keeper.health().state})
        await first.until(lambda _: "lost" in {first.keeper.health().state, second.keeper.health().state})
        problems = first.keeper.health().problem + second.keeper.health().problem
        assert "another program has it open" in problems


@pytest.mark.parametrize(
    ("number", "words"), [(13, "group dialout"), (16, "another program has it open"), (5, "is it a serial device?")]
)
def test_open_errors_say_what_to_do(number, words):
    assert words in str(
        line._unopened("reader r1 at /dev/ttyUSB0", "/dev/ttyUSB0", OSError(number, os.strerror(number)))
    )


async def test_a_serial_device_server_is_read_by_a_thread():
    """What pyserial opens by a URL has no descriptor for the event loop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)  # noqa: FBT003 (the socket's own way)
        address = f"socket://127.0.0.1:{server.getsockname()[1]}"
        loop = asyncio.get_running_loop()
        opened = await line_pair(loop, server, address)
        ours, theirs = opened
        with theirs:
            await loop.sock_sendall(theirs, b"hello")
            got = b""
            async with asyncio.timeout(10):
                while got != b"hello":
                    got += b"".join(data for _, data in await ours.receive(0.1))
            ours.send(b"back")
            assert await loop.sock_recv(theirs, 16) == b"back"
        with pytest.raises(ReaderClosedError, match="is the cable still in"):
            await until_lost(ours)
        await ours.close()


async def until_lost(ours):
    """Receive until the line raises."""
    async with asyncio.timeout(10):
        while True:
            await ours.receive(0.1)


async def line_pair(loop, server, address):
    """Our line and their socket."""
    opening = asyncio.create_task(line.open_line(address, 9600, where="reader r1", now_us=lambda: 1))
    theirs, _ = await loop.sock_accept(server)
    return await opening, theirs


async def test_stopping_stops_the_polls(path):
    async with FakeR200(path) as module:
        async with running(path) as agent:
            await agent.until_state("connected")
            await agent.until(lambda _: module.polling)
        await asyncio.sleep(0.2)
        assert module.commands[-1][0] == 0x28
        assert not module.polling


async def test_bytes_that_a_slow_sink_leaves_are_dropped_and_told(path, monkeypatch):
    monkeypatch.setattr(line, "MOST_HELD_BYTES", 500)
    gate = asyncio.Event()

    async def slow(chunk: Chunk):
        if len(chunk.batch):
            await gate.wait()

    async with FakeR200(path) as module, kept(serial_reader, settings(path), sink=slow) as agent:
        await agent.until_state("connected")
        for _ in range(100):
            module.say(module.tag(EPCS[0]))
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        gate.set()
        await agent.until(lambda agent: "serial_buffer_overflow" in {row.reason for row in agent.rows})
        assert 0 < len(agent.tags) < 100


async def test_control_lines_become_sensor_rows(path, monkeypatch):
    """A pty has no control lines, so their states are put in place of the ioctl."""
    states = {1: False, 2: True}
    monkeypatch.setattr(line.Line, "inputs", lambda _self, numbers: {number: states[number] for number in numbers})
    gpis = (GpiSettings(port=1, kind="beam", debounce_ms=30), GpiSettings(port=2, kind="door", debounce_ms=30))
    async with FakeR200(path) as _, running(path, gpis=gpis) as agent:
        await agent.until(lambda agent: len(agent.rows) >= 2)
        states[1] = True
        await agent.until(lambda agent: len(agent.rows) >= 3)
        states[1] = False
        await agent.until(lambda agent: len(agent.rows) >= 4)
        rows = [(row.gpi, row.kind, row.state) for row in agent.rows if isinstance(row, SensorRow)]
        assert rows == [(1, "beam", False), (2, "door", True), (1, "beam", True), (1, "beam", False)]


async def test_a_port_without_control_lines_says_so_and_reads_tags(path):
    gpis = (GpiSettings(port=1, kind="beam"),)
    async with FakeR200(path, tags=EPCS[:1]) as _, running(path, gpis=gpis) as agent:
        await agent.until(lambda agent: agent.tags)
        assert "its control lines (CTS) can't be read" in agent.keeper.health().problem
