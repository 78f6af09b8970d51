"""An agent that obeys signed commands, as a process or in the test's own, and who gives them and hears the answers."""

import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.agent.compose import serve
from edge.agent.leftover import Leftover
from edge.agent.renewal import Held, Renewal
from edge.agent.trial_files import TrialFiles
from edge.config import document_of, parse
from edge.contracts import Health, decode_envelope, decode_health, decode_reply, decode_row, decode_state, topic

PATIENCE_S = 120.0
"""Only a command that is never answered takes so long; a busy machine starts an agent in half a minute."""
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
CONFIG = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
backoff_max_s = 0.5
outputs = [{{ output = 1 }}]
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }},
]
[mqtt]
url = "{url}"
drain_s = 0.2
[trust]
central_keys = ["{key}"]
"""


@dataclass
class Central:
    """Gives commands and hears the answers."""

    port: int
    health: list[Health] = field(default_factory=list)
    replies: list = field(default_factory=list)
    states: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    gateway: str = "gw-1"

    def __enter__(self):  # noqa: ANN204 (itself)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="orders", clean_session=True)
        channels = ["health", "reply/+", "state", "movement"]
        wanted = [(topic("hq", self.gateway, channel), 1) for channel in channels]
        self.client.on_connect = lambda client, *_: client.subscribe(wanted)
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_message = None

    def _hear(self, _client, _data, message):
        if message.topic.endswith("/health"):
            self.health.append(decode_health(message.payload))
        elif message.topic.endswith("/state"):
            self.states.append(decode_state(message.payload))
        elif message.topic.endswith("/movement"):
            self.rows += [decode_row(row) for row in decode_envelope(message.payload).events]
        else:
            self.replies.append(decode_reply(message.payload))

    async def until(self, condition, what):
        begun_s = time.monotonic()
        while not condition():
            assert time.monotonic() - begun_s < PATIENCE_S, f"{what}: {self.health[-1:]} {self.replies}"
            await asyncio.sleep(0.02)

    async def in_session(self):
        """Wait for a heartbeat from now on that says that the reader is there."""
        self.health.clear()
        await self.until(lambda: self.health and self.health[-1].readers[0].state == "connected", "the reader is there")

    def give(self, payload, name):
        """Give a command."""
        self.client.publish(topic("hq", self.gateway, f"cmd/{name}"), payload, qos=1)

    async def ask(self, payload, name):
        """Give a command and return its answer."""
        before = len(self.replies)
        self.give(payload, name)
        await self.until(lambda: len(self.replies) > before, f"answer to {name}")
        return self.replies[-1]


@contextlib.asynccontextmanager
async def agent(folder, *more, data="data"):
    """Run the program over `folder/edge.toml`, with more words; yields its process."""
    words = ["run", "--config", folder / "edge.toml", "--data-dir", folder / data, *more]
    with (folder / "agent.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=log, stderr=log)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def feed(reader):
    """Let antenna 1 hear two tags and antenna 2 one, ten times a second."""
    while True:
        reader.put(1, 2, antenna=1)
        reader.put(3, antenna=2)
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def composed(folder, **knobs):
    """Run the agent over `folder/edge.toml` in this process, as the program does; yields its renewal."""
    path = folder / "edge.toml"
    settled = TrialFiles(path).settle()
    log = structlog.get_logger("edge")
    held = Held(parse(document_of(settled.text, source="edge.toml"), source="edge.toml"), settled.text)
    renewal = Renewal(path, held, log=log, untold=settled.untold, **knobs)
    (folder / "data").mkdir(exist_ok=True)

    leftover = Leftover(folder / "data", log=log)

    async def one_round(config, stop):
        how = {"base": folder, "data_dir": folder / "data", "metrics": None, "leftover": leftover}
        await serve(config, stop=stop, renewal=renewal, log=log, **how)

    task = asyncio.create_task(renewal.run(one_round))
    try:
        yield renewal
    finally:
        renewal.stop()
        await asyncio.wait_for(task, PATIENCE_S)
        leftover.close()
