"""The running agent under a service manager of the test's own: ready, fed, asked how it is, stopped."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import urllib.request
from pathlib import Path

from tests.helpers.brokers import free_port
from tests.helpers.conformance.bench import sim_reader

PATIENCE_S = 120.0
"""Only an agent that never answers takes so long; a busy machine starts one in half a minute."""
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
CONFIG = """
site = "hq"
gateway = "gw-1"
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
[mqtt]
url = "mqtt://127.0.0.1:{nobody}"
drain_s = 0.1
[agent]
data_dir = "data"
heartbeat_s = 0.2
"""


class Manager:
    """What systemd would hear. It listens all the time, as systemd does: a full queue loses what is said next."""

    def __init__(self, folder) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.setblocking(False)  # noqa: FBT003 (the standard library's signature)
        self.said = []
        self._heard = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.socket, self._hear)

    def _hear(self):
        self.said.append(self.socket.recv(4096).decode())
        self._heard.set()

    async def until(self, words):
        """Wait until something that holds words was said."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(words in said for said in self.said):
                self._heard.clear()
                await self._heard.wait()

    def close(self):
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()


async def program(*words):
    """Run the command to its end; return its exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=-1, stderr=-1)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, out.decode(), err.decode()


async def feed(reader):
    """Let antenna 1 hear two tags until some reads are reported."""
    while True:
        reader.put(1, 2, antenna=1)
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def agent(folder, metrics):
    manager = Manager(folder)
    words = ["run", "--config", folder / "edge.toml", "--metrics", f"127.0.0.1:{metrics}"]
    supervised = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "2000000"}
    with (folder / "agent.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *map(str, words), stdout=log, stderr=log, env=supervised
        )
    try:
        yield manager, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        manager.close()


async def status_that(folder, holds):
    """Ask until the answer holds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code, out, err = await program("status", "--config", folder / "edge.toml", "--json")
            assert code == 1, (out, err, "the broker isn't there, which should be seen to")
            if holds(told := json.loads(out)):
                return told


def figures(port):
    """Prometheus's figures by name and labels as they stand in the text."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def test_agent_is_ready_tells_how_it_is_as_its_metrics_do_and_stops(tmp_path):
    """The broker is not there, the reader is; nothing reads at the moment at which the figures are compared."""
    metrics = free_port()
    async with sim_reader() as reader:
        (tmp_path / "edge.toml").write_text(CONFIG.format(port=reader.port, nobody=free_port()))
        async with agent(tmp_path, metrics) as (manager, process):
            await manager.until("READY=1")
            await manager.until("WATCHDOG=1\nSTATUS=1 of 1 readers, uplink offline")
            feeding = asyncio.create_task(feed(reader))
            await status_that(tmp_path, lambda told: told["health"]["readers"][0]["reads"] > 0)
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            before = await asyncio.to_thread(figures, metrics)
            told = await status_that(tmp_path, lambda _: True)
            while (now := await asyncio.to_thread(figures, metrics))[READS] != before[READS]:
                told, before = await status_that(tmp_path, lambda _: True), now
            _agree(told, now)
            assert any(words.startswith("broker: mqtt://127.0.0.1") for words in told["see_to"])
            code, out, _ = await program("doctor", "--config", tmp_path / "edge.toml", "--json")
            found = {fault["about"]: fault["severity"] for fault in json.loads(out)["found"]}
            assert (code, found["broker"], "reader r1" in found) == (2, "bad", False), found
            process.send_signal(signal.SIGTERM)
            await manager.until("STOPPING=1")
            assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    assert manager.said[0] == "READY=1"
    code, _, err = await program("status", "--config", tmp_path / "edge.toml")
    assert (code, "no agent runs over" in err) == (3, True)


async def test_agent_that_reloads_tells_systemd_so_and_answers_afterwards_as_before(tmp_path):
    """By `systemctl reload`, which is SIGHUP: metrics and status are served by the next round, in the same process."""
    metrics = free_port()
    async with sim_reader() as reader:
        text = CONFIG.format(port=reader.port, nobody=free_port())
        (tmp_path / "edge.toml").write_text(text)
        async with agent(tmp_path, metrics) as (manager, process):
            await manager.until("1 of 1 readers")
            before = await status_that(tmp_path, lambda _: True)
            (tmp_path / "edge.toml").write_text(f"{text}\n[windows]\nmin_reads = 3\n")
            process.send_signal(signal.SIGHUP)
            await manager.until("RELOADING=1")
            del manager.said[: manager.said.index(next(said for said in manager.said if "RELOADING=1" in said)) + 1]
            await manager.until("READY=1")
            await manager.until("1 of 1 readers")
            after = await status_that(tmp_path, lambda _: True)
            assert after["pid"] == before["pid"] == process.pid
            assert after["health"]["boot"] != before["health"]["boot"]
            assert READS in await asyncio.to_thread(figures, metrics)
            assert not any("STOPPING" in said for said in manager.said)
            process.send_signal(signal.SIGTERM)
            await manager.until("STOPPING=1")
            assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


READS = 'stockgate_edge_reader_reads_total{reader="r1"}'


def _agree(told, metrics):
    (reader,), (movement, presence) = told["health"]["readers"], told["health"]["streams"]
    assert reader["reads"] == metrics[READS]
    assert metrics['stockgate_edge_reader_connected{reader="r1"}'] == (reader["state"] == "connected")
    for stream in (movement, presence):
        assert stream["pending"] == metrics[f'stockgate_edge_outbox_pending{{stream="{stream["stream"]}"}}']
        assert stream["written"] == metrics[f'stockgate_edge_outbox_rows_total{{stream="{stream["stream"]}"}}']
    assert metrics['stockgate_edge_uplink_state{state="offline"}'] == (told["health"]["uplink"] == "offline")
    (portal,) = told["health"]["portals"]
    watched = metrics['stockgate_edge_portal_watched{portal="stockroom-a-door"}']
    assert watched == {"watching": 1.0, "partial": 0.5, "dark": 0.0}[portal["state"]]
    for antenna in reader["antennas"]:
        well = metrics[f'stockgate_edge_antenna_well{{antenna="{antenna["port"]}",reader="r1"}}']
        assert well == (antenna["state"] not in {"fault", "silent"})
    assert metrics["stockgate_edge_clock_believed"] == told["machine"]["clock_believed"]
    assert metrics["stockgate_edge_outbox_bytes"] > 0
