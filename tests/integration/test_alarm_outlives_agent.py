"""Whatever becomes of the agent, sirens end and lamps that say `alive` go dark: both end in the device."""

import asyncio
import contextlib
import signal
import sys
import time
from pathlib import Path

from tests.helpers.conformance.bench import sim_reader
from tests.helpers.fake_serial import FakeModbusBoard
from tests.helpers.fault_proxy import FaultProxy

PATIENCE_S = 120.0
"""A busy machine starts an agent in half a minute."""
SOUNDS_S = 4
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
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
            assert not board.relays[0]
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


async def test_a_readers_siren_is_silent_within_its_set_time_when_the_agent_is_killed_during_an_alarm(tmp_path):
    log = tmp_path / "alarm.log"
    async with sim_reader() as reader:
        words = (sys.executable, "-m", "tests.helpers.alarming", reader.port, SOUNDS_S)
        async with program(log, *words) as agent:
            await until(lambda: reader.device.config.gpo_high == {1}, "the siren sounds", log)
            assert 0 < reader.device.config.pulse_ms[1] <= 1000 * SOUNDS_S, "the reader itself counts"
            agent.send_signal(signal.SIGKILL)
            await agent.wait()
            assert reader.device.config.gpo_high == {1}, "killed while it sounds"
            await until(lambda: not reader.device.config.gpo_high, "silence", log)
