"""Badges come in by HTTP and MQTT over real sockets, and whoever has no token, no TLS or no manners does not."""

import asyncio
import http.client
import json
import socket
import ssl

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from edge import config
from edge.access.lines import MOST, MOST_A_PEER
from edge.agent.controller import Controller
from edge.config import windows_settings
from edge.windows import Windows
from tests.helpers.authority import Authority
from tests.helpers.brokers import Nats, free_port
from tests.helpers.kept import now_us

PATIENCE_S = 30.0
TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "192.0.2.10"
[[portals]]
id = "east"
inside = "stockroom"
outside = "corridor"
antennas = [{{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }}]
[windows]
engine = "plain"
[mqtt]
url = "{url}"
[access.http]
listen = "127.0.0.1:{port}"
token_file = "token"
{more}
"""
BADGE = {"portal": "east", "kind": "badge", "person": "E-0042"}
FORCED = {"portal": "east", "kind": "forced"}


class Rows(list):
    """A journal."""

    def add(self, rows):
        self.extend(rows)


class Bench:
    """A controller with real windows."""

    def __init__(self, folder, *, url="mqtt://127.0.0.1:1", more="", mode=0o600) -> None:
        self.port, self.rows = free_port(), Rows()
        (folder / "token").write_text(TOKEN + "\n")
        (folder / "token").chmod(mode)
        text = CONFIG.format(url=url, port=self.port, more=more)
        (folder / "edge.toml").write_text(text)
        parsed = config.load(folder / "edge.toml")
        self.windows = Windows(windows_settings(parsed), boot="b")
        self.controller = Controller(
            parsed, base=folder, windows=self.windows, journal=self.rows, now_us=now_us, log=structlog.get_logger()
        )

    @property
    def counters(self):
        return self.controller.desk.counters

    @property
    def refused(self):
        """What posts were refused, by why."""
        return self.counters.refused_by("http")

    def badges(self):
        """The persons whose badges the door knows of by now, the nearest first."""
        (group,) = self.windows._groups
        return group.sensed.badges_near(0, now_us(), now_us() + 1)

    async def post(self, told, *, token=TOKEN, path="/access-events", context=None):
        """Post something; returns the status and the body."""
        return await asyncio.to_thread(self._post, told, token, path, context)

    def _post(self, told, token, path, context):
        kind = http.client.HTTPConnection if context is None else http.client.HTTPSConnection
        more = {} if context is None else {"context": context}
        connection = kind("127.0.0.1", self.port, timeout=PATIENCE_S, **more)
        try:
            body = told if isinstance(told, bytes) else json.dumps(told)
            connection.request("POST", path, body, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


async def until(condition):
    """Wait until `condition()` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (counters, which can't notify)
            await asyncio.sleep(0.02)


async def test_a_posted_badge_is_the_windows_evidence_and_a_forced_door_a_row(tmp_path):
    bench = Bench(tmp_path)
    async with bench.controller:
        (door,) = bench.controller.doors()
        assert (door.state, door.heard_at) == ("open", None)
        assert await bench.post([BADGE, FORCED]) == (200, {"taken": 2})
        assert bench.controller.doors()[0].heard_at is not None
    assert bench.badges() == ("E-0042",)
    assert [(row.reader, row.kind, row.portal) for row in bench.rows] == [("access", "forced", "east")]


async def test_who_has_no_token_or_makes_no_sense_is_refused_with_words_and_counted(tmp_path):
    bench = Bench(tmp_path)
    async with bench.controller:
        found = [
            await bench.post(BADGE, token="guessed"),
            await bench.post(BADGE, token="é"),
            await bench.post(BADGE, path="/"),
            await bench.post(b"{"),
            await bench.post(BADGE | {"portal": "south"}),
            await bench.post(b" " * 20_000),
        ]
        assert [status for status, _ in found] == [401, 401, 404, 400, 400, 413]
        assert found[4][1]["detail"] == "portal 'south' is none of this gateway: name one of east"
        await until(lambda: bench.refused == {"stranger": 2, "unreadable": 1, "unfit": 1})
        (tmp_path / "token").write_text("another-token-another-token")
        assert (await bench.post(BADGE))[0] == 401, "a new token holds at once"
        assert (await bench.post(BADGE, token="another-token-another-token"))[0] == 200
    assert bench.counters.badges == 1


async def shut(bench):
    """Why the door for posts stays shut while all else goes on."""
    with capture_logs() as said:
        async with bench.controller:
            (door,) = bench.controller.doors()
    assert (door.state, door.problem) == ("shut", said[0]["problem"])
    return said[0]["problem"]


async def test_a_token_that_others_can_read_keeps_the_door_shut(tmp_path):
    bench = Bench(tmp_path, mode=0o644)
    assert "others can read it: chmod 600" in await shut(bench)


async def test_a_port_that_is_taken_is_told(tmp_path):
    bench = Bench(tmp_path)
    with socket.create_server(("127.0.0.1", bench.port)):
        assert "can't listen on" in await shut(bench)


async def test_connections_that_say_nothing_go_for_who_has_something_to_say(tmp_path):
    bench = Bench(tmp_path)
    async with bench.controller:
        idle = [socket.create_connection(("127.0.0.1", bench.port)) for _ in range(MOST + 3)]
        try:
            await until(lambda: bench.refused.get("crowded", 0) >= MOST + 3 - MOST_A_PEER)
            assert (await bench.post(BADGE))[0] == 200, "the first try is let in at once"
            assert idle[0].recv(1) == b"", "the oldest went"
        finally:
            for one in idle:
                one.close()


async def _status(bench):
    try:
        return (await bench.post(BADGE))[0]
    except (OSError, http.client.HTTPException):
        return None


async def test_under_tls_a_token_is_taken_and_plain_text_is_not(tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.pair("gateway")
    more = f'certificate_file = "{certificate}"\nkey_file = "{key}"'
    bench = Bench(tmp_path, more=more)
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    async with bench.controller:
        assert (await bench.post(BADGE, context=context))[0] == 200
        assert await _status(bench) is None
        await until(lambda: bench.refused)


async def test_a_published_badge_is_taken_garbage_is_counted_and_what_was_retained_is_left_out(tmp_path):
    broker = Nats(tmp_path)
    broker.start()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="controller")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        client.publish("doors/east", json.dumps(BADGE | {"person": "old"}), qos=1, retain=True).wait_for_publish(
            PATIENCE_S
        )
        bench = Bench(tmp_path, url=broker.url, more='[access.mqtt]\ntopic = "doors/+"')
        async with bench.controller:
            async with asyncio.timeout(PATIENCE_S):
                while not bench.counters.badges:  # it may not have subscribed yet
                    client.publish("doors/east", json.dumps(BADGE), qos=1)
                    await asyncio.sleep(0.2)
            client.publish("doors/west", b"\x00garbage", qos=1)
            client.publish("doors/east", json.dumps(FORCED), qos=1)
            # Two topics: a broker may send the later message first.
            expected = {("mqtt", "unreadable"): 1}
            await until(lambda: bench.counters.doors == 1 and bench.counters.refused == expected)
            assert [(one.way, one.state) for one in bench.controller.doors()] == [("http", "open"), ("mqtt", "open")]
            broker.stop()
            await until(lambda: bench.controller.doors()[1].problem)
            (group,) = bench.windows._groups
            assert {person for _, person in group.sensed._watches["east"].badges} == {"E-0042"}
    finally:
        client.disconnect()
        client.loop_stop()
        broker.stop()
