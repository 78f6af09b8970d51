"""Two ingest workers as processes over one broker and one database: one dies, the other takes its gateways."""

import contextlib
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from central.application.commit import commit
from central.application.leases import Lease
from central.ingest.intake import read_envelope
from edge.contracts import decode_watermark, topic
from tests.helpers.brokers import Mosquitto
from tests.helpers.central import central, envelope, epc, movement, registered_database
from tests.helpers.service import service, wait

GATEWAYS = [f"door-{number}" for number in range(6)]
ROWS, PER_ENVELOPE = 400, 20
PORTALS = "id,name,site,gateway,inside,outside,mode\n" + "".join(
    f"portal-{name},{name},hq,{name},stockroom-a,corridor,\n" for name in GATEWAYS
)


class Edge:
    """A gateway that sends what no watermark covers, at a new session or when nothing moves, as the agent does."""

    def __init__(self, port, name) -> None:
        self.name, self.upto, self.session, self.heard_at = name, 0, "", {}
        start = datetime.now(UTC)
        self.rows = [
            movement(seq, gateway=name, portal=f"portal-{name}", tag=epc(1 + seq % 3), after_s=seq / 1000, start=start,
                     kind="near" if seq % 20 else "in")
            for seq in range(1, ROWS + 1)
        ]  # fmt: skip
        self.sent, self.moved_at, self.limit = 0, time.monotonic(), ROWS
        self.lock = threading.Lock()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self.client.on_connect = lambda client, *_: client.subscribe(topic("hq", name, "watermark"), qos=1)
        self.client.on_message = self._mark
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _mark(self, _client, _data, message):
        mark = decode_watermark(message.payload)
        stream = mark.streams.get("movement")
        with self.lock:
            upto = stream.upto if stream else 0
            if upto < self.upto:
                before = mark.session != self.session and mark.session in self.heard_at
                assert before, "what was promised is promised for ever"
                return  # the gateway's former worker said it on its own connection, and the new one's overtook it
            if upto > self.upto:
                self.moved_at = time.monotonic()
            if mark.session != self.session:
                self.heard_at[mark.session] = time.monotonic()
                self.sent = upto
            self.upto, self.session = upto, mark.session
            self.sent = max(self.sent, upto)

    def step(self):
        """Send a little."""
        with self.lock:
            if time.monotonic() - self.moved_at > 3.0:
                self.sent, self.moved_at = self.upto, time.monotonic()
            rows = self.rows[self.sent : min(self.sent + PER_ENVELOPE, self.limit)]
            if not self.session or not rows or self.sent - self.upto >= 5 * PER_ENVELOPE:
                return
            self.sent += len(rows)
        self.client.publish(topic("hq", self.name, "movement"), envelope(rows, gateway=self.name), qos=1)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def holders(connection):
    """Worker's pid to its gateways."""
    rows = connection.execute(
        "SELECT split_part(w.name, '/', 2)::int, array_agg(l.gateway) FROM ingest_worker AS w"
        " JOIN ingest_lease AS l ON l.worker = w.number WHERE l.gateway <> '' GROUP BY 1"
    ).fetchall()
    return {pid: set(gateways) for pid, gateways in rows}


@pytest.mark.system("mosquitto")
async def test_a_worker_killed_is_replaced_within_ten_seconds_and_no_row_is_lost_or_doubled(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    with contextlib.ExitStack() as stack:
        stack.callback(broker.stop)
        dsn = stack.enter_context(registered_database())
        async with central(dsn) as one:
            assert not (await one.import_(portals=PORTALS)).problems
        database = stack.enter_context(psycopg.connect(dsn, autocommit=True))
        first, second = (stack.enter_context(service(tmp_path, dsn, broker.url, name))[0] for name in ("a", "b"))
        edges = {name: Edge(broker.port, name) for name in GATEWAYS}
        stack.callback(lambda: [edge.close() for edge in edges.values()])

        def send():
            for edge in edges.values():
                edge.step()

        for edge in edges.values():
            edge.limit = ROWS // 2
        wait(lambda: len(holders(database)) == 2 and min(map(len, holders(database).values())) >= 3, send)
        wait(lambda: all(edge.upto >= ROWS // 4 for edge in edges.values()), send)
        orphans = holders(database)[first.pid] & edges.keys()
        assert orphans
        for edge in edges.values():
            edge.limit = ROWS
        send()
        before = {name: edges[name].session for name in orphans}
        killed_at = time.monotonic()
        first.kill()
        wait(lambda: all(edges[name].session != before[name] for name in orphans), send)
        took = max(edges[name].heard_at[edges[name].session] for name in orphans) - killed_at
        assert took < 10
        wait(lambda: all(edge.upto == ROWS for edge in edges.values()), send)
        counted = database.execute("SELECT gateway, count(*), count(DISTINCT seq), max(seq) FROM movement GROUP BY 1")
        assert {row[0]: row[1:] for row in counted} == dict.fromkeys(GATEWAYS, (ROWS, ROWS, ROWS))
        assert set().union(*holders(database).values()) >= set(GATEWAYS)
        assert set(holders(database)) == {second.pid}


async def test_a_commit_under_a_fence_that_was_passed_on_changes_nothing(tmp_path):
    """The worker slept: when it wakes its gateway is another's, whatever it believes."""
    with registered_database() as dsn:
        async with central(dsn) as one:
            await one.sql("INSERT INTO ingest_worker (name, since, expires_at) VALUES ('a', now(), now())")
            await one.sql("INSERT INTO ingest_lease (gateway, worker, fence) VALUES ('hq-east-1', 1, 4)")
            now = datetime.now(UTC)
            rows = read_envelope(topic("hq", "hq-east-1", "movement"), envelope([movement(1, start=now)]), now).rows
            stale = await commit(one.log, rows, [], [], now, lease=Lease(1, {"hq-east-1": 3}))
            assert (stale.rows, stale.unheld, stale.positions) == (0, 1, {})
            other = await commit(one.log, rows, [], [], now, lease=Lease(2, {"hq-east-1": 4}))
            assert (other.rows, other.unheld) == (0, 1)
            done = await commit(one.log, rows, [], [], now, lease=Lease(1, {"hq-east-1": 4}))
            assert (done.rows, done.unheld) == (1, 0)
