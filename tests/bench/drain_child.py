"""A gateway that was offline for a day, as a process: its outbox, journal and uplink, without readers.

`python -m tests.bench.drain_child FOLDER fill ROWS` writes the day's rows. `… FOLDER run URL ROWS ALARMS` connects as
soon as a broker is there, hands somebody's exit to the journal every fifth of a second from then on, and ends when the
central has promised the backlog and at least so many alarms. It prints one JSON line: seconds of the drain, and of each
alarm its id when it was handed over and when it was on disk. `… FOLDER hear PORT` says when each came by a broker.
"""

import asyncio
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.agent.journal import Journal
from edge.contracts import State, decode_envelope, topic
from edge.outbox import SqliteOutbox
from edge.uplink import Forwarder, PahoMqtt, UplinkSettings
from tests.bench.bench_ingest import row_of
from tests.helpers.central import movement

SITE, GATEWAY = "hq", "hq-1"
ASSETS = 10_000
DAY_S = 86_400
LIVE = "somebody goes out now"
ALARM_EVERY_S = 0.2
A_TRANSACTION = 100
SPARE_S = 2.0
"""From the last promise to the end, so that the last alarm is promised too."""


def fill(folder, rows):
    """Write a day's rows, with the times at which they would have been written."""
    now_s = time.time() - DAY_S
    start = datetime.fromtimestamp(now_s, UTC)
    outbox = SqliteOutbox(folder / "outbox.db", now_us=lambda: round(now_s * 1e6))
    for first in range(1, rows + 1, A_TRANSACTION):
        seqs = range(first, min(first + A_TRANSACTION, rows + 1))
        made = [row_of(n, n, ASSETS, GATEWAY, after_s=n * DAY_S / rows, start=start) for n in seqs]
        outbox.append("movement", made)
        now_s += A_TRANSACTION * DAY_S / rows
    outbox.close()


class Edge:
    """The gateway."""

    def __init__(self, folder, url, executor) -> None:
        self.outbox = SqliteOutbox(folder / "outbox.db")
        settings = UplinkSettings(url=url, reconnect_first_s=0.05, reconnect_max_s=0.1)
        now_us = lambda: time.time_ns() // 1000  # noqa: E731 (the clock)
        birth = State(online=True, boot="b", version="bench")
        self.forwarder = Forwarder(
            self.outbox, PahoMqtt(settings), site=SITE, gateway=GATEWAY, birth=birth, settings=settings,
            rng=random.Random(1), executor=executor,
        )  # fmt: skip
        self.journal = Journal(
            self.outbox, executor=executor, notify=self._stored, now_us=now_us, log=structlog.get_logger()
        )
        self.alarms = []
        self._stored_count = 0

    def alarm(self):
        """Somebody goes out who may not."""
        n = len(self.alarms)
        row = movement(
            1, kind="out", final=False, tag=f"3034257bf7{(n % (ASSETS // 10)) * 10 + 9:014x}", gateway=GATEWAY,
            portal=f"{GATEWAY}-door", start=datetime.now(UTC),
        )  # fmt: skip
        self.alarms.append([row.id, time.time_ns() // 1000, None])
        self.journal.add([msgspec.structs.replace(row, reason=LIVE)])

    def _stored(self):
        for alarm in self.alarms[self._stored_count : self.journal.committed]:
            alarm[2] = time.time_ns() // 1000
        self._stored_count = self.journal.committed
        self.forwarder.notify()


async def run(folder, url, rows, alarms):
    """Drain, with alarms beside it."""
    with ThreadPoolExecutor(1) as executor:
        edge = Edge(folder, url, executor)
        tasks = [asyncio.create_task(edge.forwarder.run()), asyncio.create_task(edge.journal.run())]
        say({"ready": True})
        counters = edge.forwarder.counters
        while not counters.connections:  # noqa: ASYNC110 (counters notify nobody)
            await asyncio.sleep(0.01)
        begun_s, drained_s = time.monotonic(), None
        while drained_s is None or len(edge.alarms) < alarms:
            edge.alarm()
            await asyncio.sleep(ALARM_EVERY_S)
            if drained_s is None and counters.acknowledged >= rows:
                drained_s = time.monotonic() - begun_s
        during = round(drained_s / ALARM_EVERY_S)
        await asyncio.sleep(SPARE_S)
        edge.forwarder.stop()
        edge.journal.stop()
        await asyncio.gather(*tasks)
        edge.outbox.close()
    say({"drained_s": drained_s, "during": during, "alarms": edge.alarms, "cpu_s": time.process_time(),
         "ahead": counters.alarms_ahead, "resends": counters.resends})  # fmt: skip


def hear(port):
    """Subscribe as the central does; print id and instant of each alarm until stdin ends."""

    def took(_client, _data, message):
        now_us = time.time_ns() // 1000
        if LIVE.encode() in message.payload:
            rows = (bytes(row) for row in decode_envelope(message.payload).events)
            sys.stdout.writelines(f"{json.loads(row)['id']} {now_us}\n" for row in rows if LIVE.encode() in row)

    ear = paho.Client(CallbackAPIVersion.VERSION2, client_id="ear")
    ear.on_connect = lambda client, *_: client.subscribe(topic(SITE, GATEWAY, "movement"), qos=1)
    ear.on_message = took
    ear.reconnect_delay_set(1, 1)
    ear.connect_async("127.0.0.1", port)
    ear.loop_start()
    say({"ready": True})
    sys.stdin.read()
    ear.loop_stop()


def say(values):
    """Tell whoever started us."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def main(folder, what, *more):
    """Fill or run."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    if what == "fill":
        fill(Path(folder), int(more[0]))
    elif what == "hear":
        hear(int(more[0]))
    else:
        asyncio.run(run(Path(folder), more[0], int(more[1]), int(more[2])))


if __name__ == "__main__":
    main(*sys.argv[1:])
