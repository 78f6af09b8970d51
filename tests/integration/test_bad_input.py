"""What a broken or hostile peer can do to the whole agent: refused or bounded, counted, logged once, and alarms go on.

Each fault of issue 7's "Bad input" has its test by name:

- garbage on the MQTT topics: `unit/edge/test_gate_store.py` (gate topics), `unit/edge/test_commands_desk.py`
  (commands), `unit/edge/test_uplink_pump.py` and `test_uplink_forwarder.py` (watermarks, a flood of them),
  `integration/test_access_doors.py` (badges), `integration/test_smart_readers.py` (readers that publish), and at the
  central's end `integration/test_central_ingest.py`, `test_central_commands.py` (replies)
- replayed or unsigned snapshots, oversized parts: `unit/edge/test_gate_store.py`, over a broker
  `integration/test_gate_absent.py`
- oversized, replayed, unsigned commands, a flood of them: `unit/edge/test_commands_desk.py`
- a reader that floods with 100,000 reads a second: here, for the windows alone `unit/edge/test_windows_shed.py`
- EPC memory of 0 words, of 31, which is the longest EPC, and of 62, which no tag can have: here
"""

import asyncio
import contextlib
import struct
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from edge.contracts import LossRow, MovementRow
from tests.helpers import doorway
from tests.helpers.brokers import Nats, free_port
from tests.helpers.eight_readers import metrics
from tests.helpers.fake_reader import REPORT, FakeReader, message, report, tlv
from tests.helpers.paced_readers import PHASE, TAG
from tests.integration.test_agent_end_to_end import GATEWAY, SITE, Central

PATIENCE_S = 120.0
FLOOD_HZ = 100_000
FLOOD_S = 0.01
"""Between two reports of the flood."""
MOST_GROWN_MB = 150
"""What waits for its turn, and the visits of as many tags as a door can have; 64 were seen."""
KEEPALIVE_MS = 5000
"""Silence is no fault of these tests: readers, flood and walk share a loop, which is late on a busy machine."""
OF_THE_UPLINK = ("watermark stands still", "broker out of reach")
"""Lines that tell of a central or broker which is late: here the test's own, that the flood's other end keeps busy."""
FULL_BYTES = 1 << 20
"""So much of the flood waits on our side for the agent to take it; a reader would overflow."""
CONFIG = f"""
site = "{SITE}"
gateway = "{GATEWAY}"
[mqtt]
url = "{{url}}"
reconnect_max_s = 0.5
"""
DOOR = """
[[readers]]
id = "{reader}"
host = "127.0.0.1"
port = {port}
backoff_max_s = 0.5
keepalive_ms = {keepalive_ms}
[[portals]]
id = "door-{reader}"
inside = "stockroom"
outside = "corridor"
provisional_confidence = 0.7
antennas = [
  {{ reader = "{reader}", port = 1, side = "inside" }}, {{ reader = "{reader}", port = 2, side = "inside" }},
  {{ reader = "{reader}", port = 3, side = "outside" }}, {{ reader = "{reader}", port = 4, side = "outside" }},
]
"""


class Site:
    """The agent as a program between two readers and a central of the test's own."""

    def __init__(self, central, readers, process, log, url) -> None:
        self.central, self.readers, self.process, self._log, self._url = central, readers, process, log, url

    async def figures(self):
        """The agent's metrics."""
        return await asyncio.to_thread(metrics, self._url)

    def said(self, words):
        """Lines of the log that hold some words."""
        return [line for line in self._log.read_text().splitlines() if words in line]

    def movements(self, reader):
        """Movement rows of a reader's door."""
        return [one for one in self.central.rows if isinstance(one, MovementRow) and one.portal == f"door-{reader}"]

    def whole(self):
        """Whether the central has every row from the first to the last."""
        kept = self.central.kept["movement"][self.central.newest["movement"]]
        return sorted(kept) == list(range(1, len(kept) + 1))

    async def until(self, condition):
        """Wait until it holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                assert self.process.returncode is None, "the agent has ended"
                await asyncio.sleep(0.02)


@pytest.fixture
async def site(tmp_path):
    """Both readers in session."""
    broker = Nats(tmp_path)
    broker.start()
    central = Central(broker.port)
    address = f"127.0.0.1:{free_port()}"
    async with FakeReader() as one, FakeReader() as two:
        readers = {"r1": one, "r2": two}
        text = CONFIG.format(url=broker.url)
        text += "".join(
            DOOR.format(reader=name, port=reader.port, keepalive_ms=KEEPALIVE_MS) for name, reader in readers.items()
        )
        (tmp_path / "edge.toml").write_text(text)
        words = ["run", "--config", tmp_path / "edge.toml", "--data-dir", tmp_path / "data", "--metrics", address]
        with (tmp_path / "log").open("wb") as log:
            program = Path(sys.executable).with_name("stockgate-edge")
            process = await asyncio.create_subprocess_exec(program, *words, stdout=log, stderr=log)
        try:
            for reader in readers.values():
                await asyncio.wait_for(reader.started.wait(), PATIENCE_S)
            yield Site(central, readers, process, tmp_path / "log", f"http://{address}/metrics")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            central.stop()
            broker.stop()


def frames(epc, antenna, rssi_dbm, channel, phase, at_us):  # noqa: PLR0917 (one a column)
    """Columns of reads as one report of an R420."""
    record = np.dtype({"names": list(FIELDS), "formats": [kind for kind, _ in FIELDS.values()],
                       "offsets": [at for _, at in FIELDS.values()], "itemsize": TAG.size + PHASE.size})  # fmt: skip
    blank = TAG.pack(
        240, TAG.size + PHASE.size, 0x8D, b"", 0x81, 0, 0x86, 0, 0x87, 0, 0x82, 0, 0x84, 0, 0x88, 1, 0x89, 1
    )
    blank += PHASE.pack(1023, 14, 25882, 56, 0, 1023, 14, 25882, 57, 0)
    made = np.frombuffer(bytearray(blank * len(epc)), record)
    made["epc"], made["antenna"], made["rssi"], made["channel"] = epc, antenna, rssi_dbm, channel
    made["first"], made["last"], made["phase"], made["fine"] = at_us, at_us, phase, 100 * np.asarray(rssi_dbm)
    return message(REPORT, 0, made.tobytes())


FIELDS = {
    "epc": ("V12", 5), "antenna": (">u2", 18), "rssi": ("i1", 21), "channel": (">u2", 23), "first": (">u8", 26),
    "last": (">u8", 35), "phase": (">u2", TAG.size + 12), "fine": (">i2", TAG.size + PHASE.size - 2),
}  # fmt: skip
"""Where the columns stand in a tag report."""


async def flood(reader, epcs, sent, stop):
    """Send reads of `epcs(rng, n)` at full rate, or as fast as the agent takes them, until told to stop."""
    rng, due_s = np.random.default_rng(3), time.monotonic()
    count = round(FLOOD_HZ * FLOOD_S)
    while not stop.is_set():
        now_us = time.time_ns() // 1000
        at_us = now_us - np.arange(count, dtype=np.int64)[::-1] * (1_000_000 // FLOOD_HZ)
        radio = rng.integers(1, 5, count), rng.integers(-70, -45, count), rng.integers(1, 51, count)
        await reader.send(frames(epcs(rng, count), *radio, rng.integers(0, 4096, count), at_us))
        sent.append(count)
        due_s += FLOOD_S
        line = reader.writers[-1].transport
        while not stop.is_set() and line.get_write_buffer_size() > FULL_BYTES:  # noqa: ASYNC110 (a transport tells it to its protocol alone)
            await asyncio.sleep(FLOOD_S)
        due_s = max(due_s, time.monotonic() - 0.1)
        await asyncio.sleep(max(due_s - time.monotonic(), 0))


def few(rng, count):
    """A hundred tags that the reader is stuck on."""
    hundred = np.array([b"\x30\x34\x25\x7b" + bytes([*([1] * 7), n]) for n in range(100)], "V12")
    return hundred[rng.integers(0, 100, count)]


def ghosts(rng, count):
    """Noise that decodes: each read is another tag."""
    return np.frombuffer(rng.bytes(12 * count), "V12")


def way_out():
    """Somebody on his way out of a door: the reads, and his EPC."""
    scene = doorway.Scene(np.random.default_rng(5), seconds=12.0)
    mover = scene.walk("out", 1.0)
    mover.gain_db = -4.0
    return scene.rows(), mover.epc.hex()


async def walk_out(reader, way, *, epc=None):
    """Somebody goes out of a reader's door, in real time; return his EPC, and how many reads that were."""
    rows, own_epc = way
    begun_us = time.time_ns() // 1000
    for t_us, short, antenna, rssi_cdbm, phase, channel in rows:
        due_us = begun_us + t_us - doorway.EPOCH_US
        await asyncio.sleep(max(due_us / 1e6 - time.time(), 0))
        made = frames(np.frombuffer(short, "V12"), antenna, rssi_cdbm // 100, channel, phase, due_us)
        await reader.send(made if epc is None else with_epc(made, epc))
    return own_epc, len(rows)


def with_epc(made, epc):
    """Another EPC, of any length, in the place of the one in a report of one tag."""
    named = tlv(241, struct.pack("!H", 8 * len(epc)) + epc)
    return message(REPORT, 0, tlv(240, named + made[10 + 17 :]))


@pytest.mark.parametrize(("epcs", "told"), [(few, 0), (ghosts, 1)])
async def test_a_reader_that_floods_is_bounded_and_counted_and_an_alarm_at_another_door_comes_meanwhile(
    site, epcs, told
):
    """100,000 reads a second are offered until after the central knows that somebody left through the other door."""
    way = await asyncio.to_thread(way_out)
    memory, stop, sent = psutil.Process(site.process.pid), asyncio.Event(), []
    before_mb = memory.memory_info().rss / 1e6
    flooding = asyncio.create_task(flood(site.readers["r1"], epcs, sent, stop))
    await site.until(lambda: sum(sent) > FLOOD_HZ)
    epc, walked = await walk_out(site.readers["r2"], way)
    await site.until(lambda: site.movements("r2"))
    most_mb = memory.memory_info().rss / 1e6
    stop.set()
    await flooding
    alarm = site.movements("r2")[0]
    assert (alarm.kind, alarm.epc) == ("out", epc)
    taken = {}
    while taken.get("reader_reads") != sum(sent) + walked:  # whatever waited was taken, nothing was let go
        taken = await site.figures()
        assert taken["reader_reads"] <= sum(sent) + walked
        assert not taken["reader_lost_reports"]
    assert most_mb - before_mb < MOST_GROWN_MB
    await site.until(lambda: any(one.final for one in site.movements("r2")))
    assert [(one.kind, one.rev, one.final) for one in site.movements("r2")] == [("out", 1, False), ("out", 2, True)]
    await site.until(site.whole)
    assert len(site.said("too many strange tags at once")) == told
    assert bool(taken["windows_shed_visits"]) == bool(told)
    loud = [*site.said('"level": "warning"'), *site.said('"level": "error"')]
    assert len([line for line in loud if not any(words in line for words in OF_THE_UPLINK)]) == told, loud


async def test_epc_memory_of_0_of_31_and_of_62_words_is_refused_or_told_and_an_alarm_still_comes(site):
    """The first has no number, the second the longest there is; of the third no tag can be, it is a broken report."""
    reader, count = site.readers["r1"], 40
    longest = bytes(range(1, 63))
    for _ in range(count):
        await reader.send(report(epc_data(b"", 0), epc_data(bytes(124), 992)) + report(epc_data(b"", 0)))
    way = await asyncio.to_thread(way_out)
    epc, _ = await walk_out(site.readers["r2"], way)
    _, walked = await walk_out(reader, way, epc=longest)
    await site.until(lambda: {one.epc for one in site.central.rows if is_out(one)} == {epc, longest.hex()})
    figures = await site.figures()
    assert figures["windows_unusable_reads"] == 2 * count
    assert figures["reader_lost_reports"] == count
    assert walked
    assert len(site.said("reads of tags whose EPC is empty are left out")) == 1
    assert len(site.said("an EPC of more than 496 bits")) == 1
    losses = [one for one in site.central.rows if isinstance(one, LossRow)]
    assert {one.reason for one in losses} == {"undecodable_report"}
    assert len(losses) < count / 2


def is_out(row):
    """Whether it tells of a way out."""
    return isinstance(row, MovementRow) and row.kind == "out"


def epc_data(epc, bits):
    """A tag report with an EPC of any length."""
    now = struct.pack("!BQBQ", 0x82, time.time_ns() // 1000, 0x84, time.time_ns() // 1000)
    return tlv(240, tlv(241, struct.pack("!H", bits) + epc) + b"\x81\0\1\x86\xc0" + now)
