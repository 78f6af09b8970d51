"""The agent with a zone: what it hears arrives over a real broker, span by span, and the central counts by it."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import (
    PresenceRow,
    check_row,
    decode_envelope,
    decode_health,
    decode_row,
    decode_state,
    instant_us,
    topic,
)
from tests.helpers.brokers import Nats
from tests.helpers.central import START, central, epc, registered_database
from tests.helpers.conformance.bench import sim_reader
from tests.helpers.counted import SECOND_US, SHELF, counted, hear, look, reader
from tests.helpers.listening import count
from tests.helpers.listening import hear as commit
from tests.helpers.uplink import KeepingCentral

PATIENCE_S = 120.0
SPAN_US = 10 * SECOND_US
SITE, GATEWAY = "hq", "hq-east-1"
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
backoff_max_s = 0.5
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [{{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }}]
[[zones]]
id = "shelf"
location = "stockroom-a"
antennas = [{{ reader = "r1", port = 3 }}, {{ reader = "r1", port = 4 }}]
[presence]
span_s = 10
[mqtt]
url = "{url}"
reconnect_max_s = 0.5
[agent]
heartbeat_s = 0.5
"""


class Central(KeepingCentral):
    """Commits what it is sent, publishes the watermark, and keeps presence rows in the order of their arrival."""

    def __init__(self, port) -> None:
        super().__init__()
        self.rows, self.states, self.busy = [], [], ""
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="central", clean_session=True)
        self.client.on_connect = lambda client, *_: client.subscribe(f"stockgate/v1/{SITE}/{GATEWAY}/+", qos=1)
        self.client.on_subscribe = lambda *_: self._begin()
        self.client.on_message = self._message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_subscribe = self.client.on_message = None

    def of(self, zone, mode="zone"):
        """The rows of a zone."""
        return [row for row in self.rows if (row.zone, row.mode) == (zone, mode)]

    def _begin(self):
        self.restart()
        self._publish()

    def _publish(self):
        self.client.publish(topic(SITE, GATEWAY, "watermark"), self.watermark(), qos=1, retain=True)

    def _message(self, _client, _data, message):
        channel = message.topic.rsplit("/", 1)[1]
        if channel == "state":
            self.states.append(decode_state(message.payload))
        elif channel == "health":
            self.busy = decode_health(message.payload).readers[0].busy
        elif channel in {"movement", "presence"}:
            self.take(message.payload)
            rows = [decode_row(event) for event in decode_envelope(message.payload).events]
            self.rows += [row for row in rows if isinstance(row, PresenceRow)]
            self._publish()


@contextlib.asynccontextmanager
async def stand(folder, text=CONFIG):
    """A broker, a central, a simulated reader, and how to start the agent between them."""
    broker = Nats(folder)
    broker.start()
    listening = Central(broker.port)
    running = []
    try:
        async with sim_reader() as simulated:
            (folder / "edge.toml").write_text(text.format(port=simulated.port, url=broker.url))

            async def begin():
                words = ["run", "--config", folder / "edge.toml", "--data-dir", folder / "data"]
                with (folder / "agent.log").open("ab") as log:
                    running.append(
                        await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=log, stderr=log)
                    )
                return running[-1]

            yield simulated, listening, begin
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
                await process.wait()
        listening.stop()
        broker.stop()


async def until(condition, what):
    begun_s = time.monotonic()
    while not condition():
        assert time.monotonic() - begun_s < PATIENCE_S, what
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def lying(simulated, tags, antenna):
    """Let an antenna hear tags five times a second."""

    async def feed():
        while True:
            simulated.put(*tags, antenna=antenna)
            await asyncio.sleep(0.2)

    task = asyncio.create_task(feed())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_a_zone_hears_arrives_span_by_span_over_kills_and_restarts(tmp_path):
    """Two tags on a shelf, one at the door: the zone's rows name the two; an orderly stop tells the span it cuts."""
    async with (
        stand(tmp_path) as (simulated, listening, begin),
        lying(simulated, [1, 2], 3),
        lying(simulated, [9], 1),
    ):
        process = await begin()
        await until(lambda: any(map(_is_whole, listening.of("shelf"))), "a whole span of the shelf")
        (zone,) = listening.states[-1].zones
        assert (zone.id, zone.location) == ("shelf", "stockroom-a")
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        before = len(listening.rows)
        process = await begin()
        await until(lambda: len(listening.rows) > before + 1, "spans after a kill")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    rows = listening.of("shelf")
    assert rows == listening.rows, "portals tell no presence unless asked to"
    assert listening.twice == 0
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    spans = [[instant_us(edge) for edge in row.span] for row in rows]
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert spans[-1][1] % SPAN_US, "the last span was cut by the stop"
    for row in rows:
        check_row(row)
    (whole, *_) = [
        row for row in rows if row.complete and instant_us(row.span[1]) - instant_us(row.span[0]) > 9_000_000
    ]
    assert len(whole.tags) == 2
    assert whole.antennas[0].reads == sum(tag.reads for tag in whole.tags) > 0
    assert [(one.port, one.rounds >= 7) for one in whole.antennas] == [(3, True), (4, True)]


async def test_a_sweep_by_the_clock_yields_to_who_comes_counts_and_makes_its_location_sighted(tmp_path):
    """Two tags lie at the door's antennas. An input calls in the midst of it: it stops, waits, and comes to its end."""
    swept = CONFIG.replace(
        "[presence]",
        """[[sweeps]]
id = "room-sweep"
location = "stockroom-a"
antennas = [{{ reader = "r1", port = 1 }}, {{ reader = "r1", port = 2 }}]
every_min = 1
quiet_s = 2
[presence]""",
    ).replace("port = {port}\n", 'port = {port}\ngpis = [{{ port = 1, kind = "door" }}]\n')
    async with stand(tmp_path, swept) as (simulated, listening, begin), lying(simulated, [1, 2], 1):
        await begin()
        await until(lambda: listening.busy, "the sweep begins")
        simulated.gpi(1, high=True)
        await until(lambda: not listening.busy, "it yields to the door")
        assert not listening.of("room-sweep", "sweep")
        simulated.gpi(1, high=False)
        await until(lambda: len(listening.of("room-sweep", "sweep")) > 1, "it goes on, and is told")
        log = (tmp_path / "agent.log").read_text()
    rows = listening.of("room-sweep", "sweep")
    assert "yielded" in log
    assert [row.complete for row in rows] == [True] * len(rows)
    assert len(rows) > 1, "a pause cuts a sweep in stretches"
    assert [zone.id for zone in listening.states[-1].zones] == ["shelf", "room-sweep"]
    for row in rows:
        check_row(row)
        assert all(one.rounds >= 1 and one.up_s > 0 for one in row.antennas)
    tags = sorted({tag.epc for row in rows for tag in row.tags})
    assert len(tags) == 2
    with registered_database() as dsn:
        async with central(dsn) as one:
            for asset, tag in zip(("LT-0001", "LT-0002"), tags, strict=True):
                await one.sql("UPDATE tag SET epc = %s WHERE asset = %s", tag, asset)
            await one.sql("INSERT INTO presence_zone VALUES ('hq-east-1', 'room-sweep', 'stockroom-a')")
            later_h = (instant_us(rows[-1].span[1]) / 1e6 - START.timestamp()) / 3600 + 0.05
            numbered = [replace(row, seq=seq) for seq, row in enumerate(rows, 1)]
            await commit(one, *numbered, after_h=later_h)
            await count(one, after_h=later_h)
            told = await one.sql("SELECT coverage, book, found FROM place_count WHERE location = 'stockroom-a'")
    assert told == [("sighted", 2, 2)]


async def test_an_hour_of_a_zone_makes_its_location_sighted():
    """The agent's own rows of an hour, with the clock run ahead: committed, folded, counted."""
    presence, start_us = counted(SHELF), round(START.timestamp() * 1e6)
    tags = [bytes.fromhex(epc(number)) for number in (1, 2)]
    rows = []
    for at_us in range(start_us, start_us + 3700 * SECOND_US, 5 * SECOND_US):
        hear(presence, [(tag, 1, -5500, at_us, 1) for tag in tags], arrival_us=at_us)
        rows += look(presence, at_us, reader())
    numbered = [replace(row, seq=seq) for seq, row in enumerate(rows, 1)]
    assert [row.complete for row in numbered] == [True] * 4
    with registered_database() as dsn:
        async with central(dsn) as one:
            await one.sql("INSERT INTO presence_zone VALUES ('hq-east-1', 'shelf', 'stockroom-a')")
            await commit(one, *numbered, after_h=1.1)
            await count(one, after_h=1.1)
            ((coverage, book, found, missing),) = await one.sql(
                "SELECT coverage, book, found, missing FROM place_count WHERE location = 'stockroom-a'"
            )
    assert (coverage, book, found, missing) == ("sighted", 2, 2, 0)


def _is_whole(row):
    begin_us, end_us = map(instant_us, row.span)
    return row.complete and end_us - begin_us == SPAN_US
