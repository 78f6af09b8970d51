"""The agent as a program: simulated readers on one side, a broker and a central of the test's own on the other."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import (
    MovementRow,
    check_row,
    decode_envelope,
    decode_health,
    decode_row,
    decode_state,
    instant_us,
    topic,
)
from tests.helpers.brokers import Nats
from tests.helpers.commands import KEY_LINE
from tests.helpers.gate_messages import entry, give, messages, store
from tests.helpers.uplink import KeepingCentral

SITE, GATEWAY = "hq", "hq-east-1"
PATIENCE_S = 90.0
ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {reader}
backoff_max_s = 0.5
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "inside" }},
  {{ reader = "r1", port = 3, side = "outside" }}, {{ reader = "r1", port = 4, side = "outside" }},
]
[mqtt]
url = "{url}"
reconnect_max_s = 0.5
[agent]
heartbeat_s = 0.5
"""


class Central(KeepingCentral):
    """Commits what it is sent, publishes the watermark, and keeps rows in the order of their arrival."""

    def __init__(self, port) -> None:
        super().__init__()
        self.rows, self.states, self.healths, self.final_payloads = [], [], [], []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="central", clean_session=True)
        self.client.on_connect = lambda client, *_: client.subscribe(f"stockgate/v1/{SITE}/{GATEWAY}/+", qos=1)
        self.client.on_subscribe = lambda *_: self._publish_new_session()
        self.client.on_message = self._message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def stop(self):
        """Disconnect in order."""
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_subscribe = self.client.on_message = None

    def finals(self):
        """Final movement rows so far."""
        return [row for row in self.rows if isinstance(row, MovementRow) and row.final]

    def _publish_new_session(self):
        self.restart()
        self._publish()

    def _publish(self):
        self.client.publish(topic(SITE, GATEWAY, "watermark"), self.watermark(), qos=1, retain=True)

    def _message(self, _client, _data, message):
        channel = message.topic.rsplit("/", 1)[1]
        if channel == "state":
            self.states.append(decode_state(message.payload))
        elif channel == "health":
            self.healths.append(decode_health(message.payload))
        elif channel in {"movement", "presence"}:
            self.take(message.payload)
            events = decode_envelope(message.payload).events
            self.rows += [decode_row(event) for event in events]
            self.final_payloads += [bytes(event) for event in events if getattr(decode_row(event), "final", False)]
            self._publish()


@pytest.fixture
def broker(tmp_path):
    """A private nats-server."""
    running = Nats(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def central(broker):
    """Subscribes before anything is sent."""
    running = Central(broker.port)
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path):
    """Start a program of ours with its log in a file; whatever still runs at the end is killed."""
    running = []

    def begin(program, *words):
        with (tmp_path / f"{program}-{len(running)}.log").open("wb") as log:
            process = subprocess.Popen([BIN / program, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def reader(start, tmp_path):
    """The simulated reader's port; the truth is in truth.json."""
    ready, truth = tmp_path / "ready.json", tmp_path / "truth.json"
    scenario = tmp_path / "brisk.toml"
    text = (ROOT / "simulator" / "scenarios" / "single-walk.toml").read_text()
    for slow, brisk in (("at_s = 1.0", "at_s = 0.5"), ("-4.8", "-3.2"), ("4.8", "3.2"), ("1.2", "1.6")):
        assert slow in text
        text = text.replace(slow, brisk)
    scenario.write_text(text)
    words = ["--base-port", "0", "--ready-file", ready, "--truth", truth]
    start("stockgate-sim", "serve", scenario, *words)
    _until(ready.exists)
    return json.loads(ready.read_text())["readers"]["r1"]["port"]


@pytest.fixture
def agent(start, broker, reader, tmp_path):
    """Start the agent; again over the same folder if called again."""
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG.format(reader=reader, url=broker.url))
    words = ["run", "--config", config, "--data-dir", tmp_path / "data"]
    return lambda *more: start("stockgate-edge", *words, *more)


def _stay_open(folder):
    """Let a visit end by a minute's silence: whatever cuts the agent off then comes before the final."""
    config = folder / "edge.toml"
    config.write_text(config.read_text().replace("[[portals]]", "[[portals]]\ngap_ms = 60000"))


def _until(condition, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "nothing came within the test's patience"
        time.sleep(0.02)


def test_walk_out_of_the_door_arrives_once_with_its_evidence(agent, central, tmp_path):
    """Reader, decoder, windows, outbox, broker: one laptop leaves, the central holds one final `out`.

    A replay of what `--record` wrote meanwhile prints the bytes that were published.
    """
    recording = tmp_path / "walk.pcapng"
    running = agent("--record", recording)
    _until(central.finals)
    truth = json.loads((tmp_path / "truth.json").read_text())["crossings"][0]
    (final,) = central.finals()
    for row in central.rows:
        check_row(row)
    assert (final.kind, final.portal, final.epc) == ("out", "stockroom-a-door", truth["epc"])
    assert abs(instant_us(final.crossed_at) - instant_us(truth["crossed_at"])) < 1_000_000
    assert {antenna.port for antenna in final.evidence.antennas} == {1, 2, 3, 4}
    assert final.clock.boot == central.states[-1].boot
    _until(lambda: central.healths[-1].streams[0].written == len(central.rows))
    _until(lambda: central.healths[-1].streams[0].pending == 0)
    health = central.healths[-1]
    assert (health.readers[0].state, health.uplink) == ("connected", "live")
    assert health.readers[0].reads > 0
    birth = central.states[-1]
    assert birth.online
    assert [(portal.id, portal.inside, portal.outside) for portal in birth.portals] == [
        ("stockroom-a-door", "stockroom-a", "corridor")
    ]
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 0
    _until(lambda: not central.states[-1].online)
    assert central.twice == 0
    replay = subprocess.run(
        [BIN / "stockgate-edge", "replay", recording, "--config", tmp_path / "edge.toml"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert replay.stdout.splitlines() == central.final_payloads
    assert b"1 connection, " in replay.stderr


def test_passage_that_is_open_at_a_reload_ends_as_unresolved_and_no_row_is_lost_or_told_twice(agent, central, tmp_path):
    """SIGHUP between the provisional and the final: the parts begin anew, in the same process."""
    _stay_open(tmp_path)
    running = agent()
    _until(lambda: central.rows)
    provisional, born = central.rows[0], central.states[-1].boot
    assert not provisional.final
    os.kill(running.pid, signal.SIGHUP)
    _until(lambda: any(row.passage == provisional.passage for row in central.finals()))
    (final,) = [row for row in central.finals() if row.passage == provisional.passage]
    assert (final.kind, final.rev) == ("unresolved", provisional.rev + 1)
    _until(lambda: central.healths[-1].boot != born)
    assert all(state.online for state in central.states), "it is back before anybody misses it"
    _until(lambda: central.healths[-1].streams[0].pending == 0)
    assert [row.seq for row in central.rows] == list(range(1, len(central.rows) + 1))
    assert central.twice == 0
    assert running.poll() is None


def test_passage_cut_off_by_a_crash_ends_as_unresolved(agent, central, tmp_path):
    """Kill -9 between the provisional and the final: the next start sends the one final, and says why."""
    _stay_open(tmp_path)
    running = agent()
    _until(lambda: central.rows)
    provisional = central.rows[0]
    assert not provisional.final
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    again = agent()
    _until(lambda: any(row.passage == provisional.passage for row in central.finals()))
    (final,) = [row for row in central.finals() if row.passage == provisional.passage]
    assert (final.kind, final.rev) == ("unresolved", provisional.rev + 1)
    assert "started anew" in final.reason
    check_row(final)
    again.send_signal(signal.SIGTERM)
    assert again.wait(PATIENCE_S) == 0


def test_events_wait_on_disk_while_the_broker_is_away(agent, broker, central, tmp_path):
    """The walk happens with the broker dead; when it is back the central gets every row, once and in order.

    The exit is decided on the gate snapshot that an earlier start left on disk; a newer one is taken with the broker.
    """
    door = {"id": "stockroom-a-door", "out": ["stockroom-a"], "into": [], "mode": "alarm"}
    told = {"gateway": GATEWAY, "doors": (door,), "issued_us": time.time_ns() // 1000}
    give(store(tmp_path / "data" / "gate", structlog.get_logger(), gateway=GATEWAY), messages(3, [], **told))
    with (tmp_path / "edge.toml").open("a") as config:
        config.write(f'[trust]\ncentral_keys = ["{KEY_LINE}"]\n')
    for channel, payload in messages(4, [entry(7)], **told):
        central.client.publish(topic(SITE, GATEWAY, channel), payload, qos=1, retain=True).wait_for_publish(PATIENCE_S)
    broker.kill()
    running = agent()
    truth = tmp_path / "truth.json"
    _until(lambda: truth.exists() and json.loads(truth.read_text())["done"])
    assert not central.rows
    broker.start()
    _until(central.finals)
    assert [row.seq for row in central.rows] == list(range(1, len(central.rows) + 1))
    final = central.finals()[0]
    assert (final.kind, final.gate.verdict, final.gate.snapshot, final.gate.acted_at) == ("out", "refuse", [3, 0], None)
    _until(lambda: central.healths and central.healths[-1].gate.generation == 4)
    assert (central.healths[-1].gate.judged, central.healths[-1].gate.refused) == ({"refuse": 1}, {})
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 0
