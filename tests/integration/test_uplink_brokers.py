"""The uplink over real brokers, with a central of the test's own that commits and publishes watermarks."""

import asyncio
import contextlib
import gc
import itertools
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import Health, State, decode_health, decode_state, instant, topic
from edge.outbox import MemoryOutbox, SqliteOutbox
from edge.uplink import ConnectError, Forwarder, Message, PahoMqtt, UplinkSettings, UplinkSettingsError
from tests.helpers.brokers import ROOT, Mosquitto, free_port
from tests.helpers.uplink import NOW_US, KeepingCentral, movement

SITE, GATEWAY = "hq", "gw-1"
PATIENCE_S = 60.0
HOW = {"will": Message("a", b""), "subscribe": ["a"], "on_message": print, "on_change": lambda: None}
QUICK = {"reconnect_max_s": 0.5, "resend_after_s": 1.0, "watermark_wait_s": 0.3}


class CentralOverMqtt(KeepingCentral):
    """`KeepingCentral` behind a real client."""

    def __init__(self, port) -> None:
        super().__init__()
        self.states = []
        self.healths = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="central", clean_session=True)
        self.client.on_connect = self._connected
        self.client.on_subscribe = self._subscribed
        self.client.on_message = self._message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_subscribe = self.client.on_message = None

    def _connected(self, client, *_):
        client.subscribe(f"stockgate/v1/{SITE}/{GATEWAY}/+", qos=1)

    def _subscribed(self, *_):
        self.restart()
        self._publish()

    def _message(self, _client, _data, message):
        channel = message.topic.rsplit("/", 1)[1]
        if channel == "state":
            self.states.append((decode_state(message.payload).online, message.retain))
        elif channel == "health":
            self.healths.append(decode_health(message.payload))
        elif channel in ("movement", "presence"):
            self.take(message.payload)
            self._publish()

    def _publish(self):
        self.client.publish(topic(SITE, GATEWAY, "watermark"), self.watermark(), qos=1, retain=True)


async def until(true):
    """Wait for a fact; a test that waits in vain says so by its own assertion."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 (facts of other threads and programs have no event to wait for)
            await asyncio.sleep(0.02)


def forwarder(outbox, url, *, kept=None, **settings):
    knobs = UplinkSettings(url=url, **{**QUICK, **settings})
    birth = State(online=True, boot="b1", version="0.1.0")
    return Forwarder(
        outbox,
        PahoMqtt(knobs),
        site=SITE,
        gateway=GATEWAY,
        birth=birth,
        settings=knobs,
        rng=random.Random(1),
        kept=kept,
    )


@contextlib.asynccontextmanager
async def running(uplink):
    """Run a forwarder; it is stopped in order at the end."""
    task = asyncio.create_task(uplink.run())
    try:
        yield
        uplink.stop()
        await task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.contextmanager
def central_at(broker):
    """Run the test's central."""
    central = CentralOverMqtt(broker.port)
    try:
        yield central
    finally:
        central.stop()


def fill(outbox, first, count, **kinds):
    outbox.append("movement", [movement(n, **kinds) for n in range(first, first + count)])


async def test_rows_birth_health_and_last_word_arrive_and_the_watermark_frees(broker, tmp_path):
    """The whole of a quiet connection: birth, rows, heartbeat, watermark, orderly end."""
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    fill(outbox, 1, 250)
    uplink = forwarder(outbox, broker.url)
    with central_at(broker) as central:
        # Who subscribes while the birth comes may get it twice: as it comes, and as what the broker retains.
        await until(lambda: central.session)
        async with running(uplink):
            await until(lambda: uplink.state == "live" and outbox.stats("movement").pending == 0)
            fill(outbox, 251, 1)
            uplink.notify()
            await until(lambda: outbox.stats("movement").pending == 0)
            health = Health(
                gateway=GATEWAY,
                boot="b1",
                at=instant(NOW_US),
                uptime_s=1.0,
                uplink=uplink.state,
                readers=[],
                streams=[],
            )
            assert uplink.publish_health(health)
            await until(lambda: central.healths)
        await until(lambda: central.states and not central.states[-1][0])
    assert sorted(central.kept["movement"][outbox.epoch("movement")]) == list(range(1, 252))
    # QoS 1 is at least once: our broker sends again what is not acknowledged for three seconds.
    assert [online for online, _ in itertools.groupby(online for online, _ in central.states)] == [True, False]
    assert not uplink.publish_health(health)
    outbox.close()


async def test_backlog_drains_before_live_after_the_broker_was_killed(broker, tmp_path):
    """Kill -9 of the broker with rows under way: everything arrives once it is back, the state tells the way."""
    outbox = MemoryOutbox()
    uplink = forwarder(outbox, broker.url)
    with central_at(broker) as central:
        async with running(uplink):
            await until(lambda: uplink.state == "live")
            fill(outbox, 1, 500)
            uplink.notify()
            await asyncio.to_thread(broker.kill)
            await until(lambda: uplink.state == "offline")
            fill(outbox, 501, 3_000)
            uplink.notify()
            await asyncio.to_thread(broker.start)
            await until(lambda: uplink.state == "backlog")
            await until(lambda: outbox.stats("movement").pending == 0)
            await until(lambda: uplink.state == "live")
    assert sorted(central.kept["movement"][outbox.epoch("movement")]) == list(range(1, 3_501))


async def test_rows_sent_while_the_central_is_away_come_again_when_it_is_back(broker):
    """A clean session keeps nothing for an absent central; its new session asks for everything."""
    outbox = MemoryOutbox()
    uplink = forwarder(outbox, broker.url, resend_after_s=1_000.0)
    async with running(uplink):
        fill(outbox, 1, 300)
        uplink.notify()
        await until(lambda: uplink.counters.rows_sent >= 300)
        with central_at(broker) as central:
            await until(lambda: outbox.stats("movement").pending == 0)
    assert sorted(central.kept["movement"][outbox.epoch("movement")]) == list(range(1, 301))


async def test_the_will_says_that_a_gateway_vanished(broker):
    """The broker speaks for an edge that was cut off."""
    seen = []
    with central_at(broker) as central:
        session = await PahoMqtt(UplinkSettings(url=broker.url)).connect(
            client_id="stockgate-gw-1",
            will=Message(topic(SITE, GATEWAY, "state"), b'{"online":false,"boot":"b1","version":"0"}', retain=True),
            subscribe=[topic(SITE, GATEWAY, "watermark")],
            on_message=lambda *args: seen.append(args),
            on_change=lambda: None,
        )
        await until(lambda: central.session)
        session._client._sock_close()  # the cable is pulled: no DISCONNECT
        await until(lambda: central.states)
        await session.close()
    assert central.states == [(False, False)]
    assert session.closed


async def test_a_port_without_a_broker_is_said_and_tried_again():
    """Nobody listens: the error names the address, the forwarder stays offline and can be stopped."""
    port = free_port()
    settings = UplinkSettings(url=f"mqtt://127.0.0.1:{port}")
    with pytest.raises(ConnectError, match=f"127.0.0.1:{port}.*is it running"):
        await PahoMqtt(settings).connect(client_id="x", **HOW)
    uplink = forwarder(MemoryOutbox(), settings.url)
    async with running(uplink):
        await until(lambda: uplink.counters.connection_failures > 1)
        assert uplink.state == "offline"


async def test_a_listener_that_stays_silent_is_left_after_the_time_limit():
    """Under TLS 1.3 a refused certificate shows as silence, so silence has a limit."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ConnectError, match="did not answer within"):
            await PahoMqtt(UplinkSettings(url=f"mqtt://127.0.0.1:{port}", connect_timeout_s=0.3)).connect(
                client_id="x", **HOW
            )


@pytest.fixture
def guarded(tmp_path):
    """Return a Mosquitto that knows one user, edge with the password right."""
    passwords = tmp_path / "passwd"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "edge", "right"], check=True, capture_output=True)
    broker = Mosquitto(tmp_path, extra=f"allow_anonymous false\npassword_file {passwords}\n")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def certificate(tmp_path):
    """Return a certificate for localhost that signs itself; its key stands beside it."""
    made = tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", tmp_path / "key.pem", "-out", made],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture
def tls(tmp_path, certificate):
    """Return a Mosquitto that speaks TLS."""
    key = certificate.with_name("key.pem")
    broker = Mosquitto(tmp_path, extra=f"certfile {certificate}\nkeyfile {key}\n")
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.system("mosquitto")
async def test_a_wrong_password_is_refused_with_what_to_check_and_the_right_one_works(tmp_path, guarded):
    """The password file is read at every connection, so a new password needs no restart."""
    secret = tmp_path / "secret"
    port = PahoMqtt(UplinkSettings(url=guarded.url, username="edge", password_file=secret))
    secret.write_text("wrong\n")
    with pytest.raises(ConnectError, match="check username, password file"):
        await port.connect(client_id="x", **HOW)
    secret.write_text("right\n")
    session = await port.connect(client_id="x", **HOW)
    await session.close()


@pytest.mark.system("mosquitto", "openssl")
# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_is_spoken_and_an_unknown_authority_refused(tls, certificate):
    """mqtts:// with a private authority: trusted when named, refused when not."""
    url = f"mqtts://localhost:{tls.port}"
    session = await PahoMqtt(UplinkSettings(url=url, ca_file=certificate)).connect(client_id="x", **HOW)
    await session.close()
    with pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await PahoMqtt(UplinkSettings(url=url)).connect(client_id="x", **HOW)
    with pytest.raises(UplinkSettingsError, match="ca_file"):
        await PahoMqtt(UplinkSettings(url=url, ca_file=Path("/nowhere.pem"))).connect(client_id="x", **HOW)
    gc.collect()


def test_the_nats_template_is_accepted_by_the_server(tmp_path):
    """A setting that the server does not know would be found at the customer's first start."""
    text = (ROOT / "deploy" / "nats" / "nats.conf").read_text().replace("/var/lib/nats", str(tmp_path))
    conf = tmp_path / "nats.conf"
    conf.write_text(text)
    server = Path(sys.executable).with_name("nats-server")
    checked = subprocess.run([server, "-t", "-c", conf], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
