"""The central's commands and captures with their API, on a broker that isn't there."""

import asyncio
import contextlib
from datetime import UTC, datetime

import httpx

from central.api.captures import captures_fetch, captures_read, uploads
from central.api.commands import commands_read, commands_write
from central.api.server import create_app
from central.application.capturing import Captures
from central.gate.commander import Commander
from central.gate.keys import KeyRing
from central.storage.captures import PgCaptures
from central.storage.commanding import PgCommands
from central.storage.shelf import FolderShelf
from edge.contracts import Reply, decode_command, encode, instant, topic
from tests.helpers.central import GATEWAY, FakeLink

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TOKEN = {"Authorization": "Bearer t"}


class Wire(FakeLink):
    """A broker that also takes what no broker keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.told = []

    def tell(self, where, payload):
        if self.connected:
            self.told.append((where, payload))
        return self.connected

    def reply(self, *, gateway=GATEWAY, nonce=None, name="blink", where=None, ok=True, problem="", result=None):
        """Let a gateway answer the last command."""
        nonce = nonce or decode_command(self.told[-1][1]).nonce
        at = instant(int(NOW.timestamp()) * 1_000_000)
        reply = Reply(name=name, gateway=gateway, nonce=nonce, at=at, ok=ok, problem=problem, result=result or {})
        self.deliver(where or topic("hq", gateway, f"reply/{name}"), encode(reply))


@contextlib.asynccontextmanager
async def commanding(
    one, folder, *, roles=(), clock=None, base="http://127.0.0.1", most_bytes=2**30, keep_free_bytes=0
):
    """Run the commander with an API before it; yields (wire, client, commander)."""
    now = (lambda: NOW) if clock is None else lambda: clock[0]
    wire = Wire()
    captures = Captures(
        PgCaptures(one.database),
        FolderShelf(folder / "captures", keep_free_bytes=keep_free_bytes),
        may=lambda by: commander.may(by),  # noqa: PLW0108 (each needs the other)
        now=now,
        most_bytes=most_bytes,
    )
    captures.base = base
    commander = Commander(wire, PgCommands(one.database), KeyRing(folder), now=now, roles=roles, captures=captures)
    app = create_app(
        one.services(now),
        token="t",
        version="0",
        local=True,
        reads=[commands_read(commander.book, now), captures_read(captures.book, now)],
        orders=[commands_write(commander, now), captures_fetch(captures)],
        doors=[uploads(captures)],
    )
    await one.people("p-1", "p-2")
    await one.sql(
        "INSERT INTO gateway_state (site, gateway, online, last_seen) VALUES ('hq', %s, true, %s)", GATEWAY, NOW
    )
    task = asyncio.create_task(commander.run())
    await asyncio.sleep(0)
    wire.connect()
    transport = httpx.ASGITransport(app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", headers=TOKEN) as client:
            yield wire, client, commander
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
