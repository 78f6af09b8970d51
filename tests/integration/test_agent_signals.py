"""The whole agent with a board, a fire alarm and an access controller: what is heard, shown and told."""

import asyncio
import http.client
import json

import pytest
import structlog

from edge import config
from edge.agent.compose import serve
from edge.agent.leftover import Leftover
from edge.contracts import SensorRow
from tests.helpers.brokers import Nats, free_port
from tests.helpers.conformance.bench import sim_reader
from tests.helpers.fake_serial import FakeModbusBoard
from tests.helpers.fault_proxy import FaultProxy
from tests.integration.test_agent_devices import Listener

TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {reader}
keepalive_ms = 500
[[boards]]
id = "b1"
serial = "{board}"
protocol = "modbus"
outputs = 1
timed_outputs = true
gpis = [{{ port = 2, kind = "fire", debounce_ms = 20, active_high = false }}]
[[portals]]
id = "east"
inside = "stockroom"
outside = "corridor"
antennas = [{{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }}]
[[gate.outputs]]
portal = "east"
device = "b1"
output = 1
kind = "gone"
seconds = 120
[access.http]
listen = "127.0.0.1:{access}"
token_file = "token"
[mqtt]
url = "{url}"
drain_s = 0.2
[agent]
heartbeat_s = 0.3
"""


@pytest.fixture
def broker(tmp_path):
    """A private broker."""
    nats = Nats(tmp_path)
    nats.start()
    yield nats
    nats.stop()


def post(port, told):
    """Tell the agent something as an access controller."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/access-events", json.dumps(told), {"Authorization": f"Bearer {TOKEN}"})
        return connection.getresponse().status
    finally:
        connection.close()


def alarms(listener):
    """Alarm rows as the broker has them."""
    return [
        (row.reader, row.kind, row.state, row.portal)
        for row in listener.rows
        if isinstance(row, SensorRow) and row.kind != "door"
    ]


async def test_a_fire_alarm_silences_the_board_in_the_middle_of_its_sound_and_all_of_it_is_told(broker, tmp_path):
    access, board = free_port(), FakeModbusBoard(tmp_path / "board")
    board.inputs[1] = True  # a fire alarm's loop is closed while there is no fire
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "data").mkdir()
    stop, listener = asyncio.Event(), Listener(broker.port)
    async with sim_reader() as reader, FaultProxy(reader.port) as proxy, board:
        text = CONFIG.format(reader=proxy.port, board=board.path, access=access, url=broker.url)
        (tmp_path / "edge.toml").write_text(text)
        parsed = config.load(tmp_path / "edge.toml")
        how = {"base": tmp_path, "data_dir": tmp_path / "data", "metrics": None, "log": structlog.get_logger()}
        agent = asyncio.create_task(
            serve(parsed, leftover=Leftover(tmp_path / "data", log=structlog.get_logger()), stop=stop, **how)
        )
        try:
            await listener.until(lambda: listener.healths and listener.healths[-1].portals[0].state == "watching")
            assert await asyncio.to_thread(post, access, {"portal": "east", "kind": "forced"}) == 200
            await listener.until(lambda: ("access", "forced", True, "east") in alarms(listener))
            await listener.until(lambda: not board.relays[0])  # the board had it on before the agent came
            await proxy.cut_cable()
            await listener.until(lambda: board.relays[0])
            assert board.orders[-1][1] <= 1200, "two minutes at most, in the board"
            board.inputs[1] = False
            await listener.until(lambda: not board.relays[0])
            assert board.orders[-1] == (0, 0), "switched off, long before its time"
            await listener.until(lambda: ("b1", "fire", True, None) in alarms(listener))
            assert ("b1", "fire", False, None) in alarms(listener), "and how it was at first"
        finally:
            stop.set()
            await agent
            listener.stop()
