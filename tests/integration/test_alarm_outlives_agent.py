"""Whatever becomes of the agent, sirens end and lamps that say `alive` go dark: both end in the device."""

import asyncio
import contextlib
import json
import signal
import sys
import time
import urllib.request
from pathlib import Path

import structlog

from edge.gate import GateFiles, GateStore
from edge.trust import Keyring
from tests.helpers.brokers import free_port
from tests.helpers.commands import KEY_LINE
from tests.helpers.conformance.bench import sim_reader
from tests.helpers.fake_serial import FakeModbusBoard
from tests.helpers.fault_proxy import FaultProxy
from tests.helpers.gate_messages import give, messages

PATIENCE_S = 240.0
"""A busy machine starts an agent in half a minute."""
SOUNDS_S = 8
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
SIMULATOR = Path(sys.executable).with_name("stockgate-sim")
ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {cut}
keepalive_ms = 500
[[readers]]
id = "r2"
host = "127.0.0.1"
port = {whole}
outputs = [{{ output = 1, inverted = false }}]
[[boards]]
id = "b1"
serial = "{board}"
protocol = "modbus"
outputs = 1
timed_outputs = true
[[portals]]
id = "east"
inside = "stockroom"
outside = "corridor"
antennas = [{{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }}]
[[portals]]
id = "west"
inside = "stockroom"
outside = "yard"
antennas = [{{ reader = "r2", port = 1, side = "inside" }}, {{ reader = "r2", port = 2, side = "outside" }}]
[[gate.outputs]]
portal = "east"
device = "b1"
output = 1
kind = "gone"
seconds = {seconds}
[[gate.outputs]]
portal = "west"
device = "r2"
output = 1
kind = "alive"
[mqtt]
url = "mqtt://127.0.0.1:1"
"""


@contextlib.asynccontextmanager
async def program(log_file, *words):
    """A program of ours, killed at the end if it wasn't before."""
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(*map(str, words), stdout=log, stderr=log)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(condition, what, log_file):
    """Wait until `condition()` holds."""
    begun_s = time.monotonic()
    while not condition():
        assert time.monotonic() - begun_s < PATIENCE_S, f"{what}: {log_file.read_text()[-2000:]}"
        await asyncio.sleep(0.02)


async def test_the_board_sounds_for_a_lost_reader_and_nothing_stays_on_when_the_agent_is_killed_meanwhile(tmp_path):
    """The whole agent: its board sounds for a reader whose cable is cut; kill -9; relay and lamp end by themselves."""
    log = tmp_path / "agent.log"
    async with sim_reader() as cut, sim_reader() as whole, FaultProxy(cut.port) as proxy, FakeModbusBoard(
        tmp_path / "board"
    ) as board:  # fmt: skip
        told = CONFIG.format(cut=proxy.port, whole=whole.port, board=board.path, seconds=SOUNDS_S)
        (tmp_path / "edge.toml").write_text(told)
        words = (PROGRAM, "run", "--config", tmp_path / "edge.toml", "--data-dir", tmp_path / "data")
        async with program(log, *words) as agent:
            await until(lambda: whole.device.config.gpo_high == {1}, "the lamp is lit", log)
            await until(lambda: not board.relays[0], "what the board had on before is off", log)
            await proxy.cut_cable()
            await until(lambda: board.relays[0], "the board sounds", log)
            timed = [(at, value / 10) for at, value in board.orders if at >= 0x200]
            assert [at for at, _ in timed] == [0x200]
            assert 0 < timed[0][1] <= SOUNDS_S, "the board itself counts, no longer than was set"
            await until(lambda: whole.device.config.gpo_high == {1}, "the other door is still watched", log)
            agent.send_signal(signal.SIGKILL)
            assert await agent.wait() == -signal.SIGKILL
            assert board.relays[0], "killed while it sounds"
            said = len(board.orders)
            await until(lambda: not board.relays[0], "silence", log)
            await until(lambda: not whole.device.config.gpo_high, "the lamp is dark", log)
            assert len(board.orders) == said, "nobody but the board ended it"


WALK = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {reader}
outputs = [{{ output = 1, inverted = false }}]
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "inside" }},
  {{ reader = "r1", port = 3, side = "outside" }}, {{ reader = "r1", port = 4, side = "outside" }},
]
[[gate.outputs]]
portal = "stockroom-a-door"
device = "r1"
output = 1
kind = "siren"
seconds = {seconds}
[trust]
central_keys = ["{key}"]
[mqtt]
url = "mqtt://127.0.0.1:1"
"""


def high(port):
    """The reader's outputs that are high, as the simulator's API says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/state", timeout=PATIENCE_S) as answer:
        return json.load(answer)["readers"]["r1"]["outputs_high"]


async def test_a_readers_siren_is_silent_within_its_set_time_when_the_agent_is_killed_during_an_alarm(tmp_path):
    """The centre is gone, the snapshot of an earlier start lists nothing: a laptop leaves, it sounds, kill -9."""
    log, ready, http = tmp_path / "agent.log", tmp_path / "ready.json", free_port()
    door = {"id": "stockroom-a-door", "out": ["stockroom-a"], "into": [], "mode": "alarm"}
    store = GateStore("gw-1", Keyring.of([KEY_LINE]), GateFiles(tmp_path / "data" / "gate"), log=structlog.get_logger())
    give(store, messages(3, [], gateway="gw-1", doors=(door,), issued_us=time.time_ns() // 1000))
    scenario = ROOT / "simulator" / "scenarios" / "single-walk.toml"
    served = (SIMULATOR, "serve", scenario, "--base-port", 0, "--ready-file", ready, "--http", http)
    async with program(tmp_path / "simulator.log", *served):
        await until(ready.exists, "the simulator serves", tmp_path / "simulator.log")
        port = json.loads(ready.read_text())["readers"]["r1"]["port"]
        (tmp_path / "edge.toml").write_text(WALK.format(reader=port, seconds=SOUNDS_S, key=KEY_LINE))
        words = (PROGRAM, "run", "--config", tmp_path / "edge.toml", "--data-dir", tmp_path / "data")
        async with program(log, *words) as agent:
            await until(lambda: high(http) == [1], "the siren sounds", log)
            agent.send_signal(signal.SIGKILL)
            await agent.wait()
            assert high(http) == [1], "killed while it sounds"
            await until(lambda: high(http) == [], "silence", log)
