"""Clients written by others inventory a small world: each sees every tag in range and is one client among one."""

import asyncio
import contextlib
import json
import struct
import subprocess
import sys
import time

import pytest

from simulator.server.wire import message

WAIT_S = 120
TAGS = 10
CLIENTS = ["sllurp", "llrpkit", "pyllrp"]
BUSY = {"sllurp": "Client initiated connection already exists", "llrpkit": "CLIENT", "pyllrp": "Client"}
"""What each says to its user when a second client is turned away by status 2."""
KNOCKS = 12
"""pyllrp lets go of what it hears between two inventories, so that it is told more than once."""
ANOTHER = {"sllurp": "Another connection attempted", "llrpkit": 4, "pyllrp": 4}
"""How each hears of status 4."""
SCENE = f"""
name = "small"
seconds = 3600.0
tags = {{ epc_prefix = "3034257bf7194e40000000", loss_db = 0.0, loss_spread_db = 0.0, count = {TAGS} }}
portals = [{{ id = "door", layout = "single" }}]
[[readers]]
id = "r1"
antennas = [
  {{ port = 1, portal = "door", position = [0.5, 0.0, 2.2], aim = [0.5, 0.0, 0.0] }},
  {{ port = 2, portal = "door", position = [-0.5, 0.0, 2.2], aim = [-0.5, 0.0, 0.0] }},
]
""" + "".join(
    f'[[residents]]\ntag = {tag}\nportal = "door"\nposition = [{0.25 * tag - 1.4}, {0.1 * (tag % 3)}, 1.2]\n'
    for tag in range(1, TAGS + 1)
)
EPCS = {f"3034257bf7194e40000000{tag:02x}" for tag in range(1, TAGS + 1)}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """The reader's port at the simulator's own program, which all tests share: each leaves the reader free."""
    folder = tmp_path_factory.mktemp("small")
    scenario, ready = folder / "small.toml", folder / "ready.json"
    scenario.write_text(SCENE)
    words = ["serve", str(scenario), "--base-port", "0", "--ready-file", str(ready)]
    with subprocess.Popen([sys.executable, "-c", "from simulator.cli import main; main()", *words]) as process:
        try:
            limit = time.monotonic() + WAIT_S
            while not ready.exists():
                assert process.poll() is None
                assert time.monotonic() < limit
                time.sleep(0.05)
            yield json.loads(ready.read_bytes())["readers"]["r1"]["port"]
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def running(*words):
    """A Python program with its pipes; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", *map(str, words), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        process._transport.close()


def client(who, what, port):
    return running("-m", "tests.helpers.other_clients", who, what, "127.0.0.1", port)


async def said(process):
    async with asyncio.timeout(WAIT_S):
        line = await process.stdout.readline()
    assert line, "the client ended early"
    return json.loads(line)


async def greeted(stream):
    """Status of the next ConnectionAttemptEvent that a raw client hears of; what it is told of tags is passed over."""
    return struct.unpack(">H", (await heard(stream, 63))[-2:])[0]


async def heard(stream, kind):
    """Body of the next message of a kind."""
    async with asyncio.timeout(WAIT_S):
        while True:
            head, length, _ = struct.unpack(">HII", await stream.readexactly(10))
            body = await stream.readexactly(length - 10)
            if head & 0x3FF == kind:
                return body


async def only_client(port):
    """Connect as the only client, once the one of the test before has been missed, and take away what it left."""
    async with asyncio.timeout(WAIT_S):
        while True:
            stream, writer = await asyncio.open_connection("127.0.0.1", port)
            if await greeted(stream) == 0:
                writer.write(message(21, 1, bytes(4)))
                await heard(stream, 31)
                return stream, writer
            writer.close()
            await asyncio.sleep(0.1)


async def leave(stream, writer):
    """Say goodbye, and wait until the reader has heard it."""
    writer.write(message(14, 1))
    await stream.read()
    writer.close()


@pytest.mark.parametrize("who", CLIENTS)
async def test_a_client_of_others_sees_every_tag_and_hears_of_a_second_client(who, port):
    await leave(*await only_client(port))
    async with client(who, "inventory", port) as process:
        epcs = set()
        while epcs != EPCS:
            epcs.add((await said(process))["epc"])
            assert epcs <= EPCS
        for _ in range(KNOCKS):
            stream, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await greeted(stream) == 2
            assert await stream.read() == b""
            writer.close()
            await asyncio.sleep(0.1)
        process.stdin.close()
        ending = await said(process)
        while "attempts" not in ending:
            ending = await said(process)
        assert set(ending["epcs"]) == EPCS
        assert ANOTHER[who] in ending["attempts"]
        assert (ending["dopplers"] > 0) == (who != "pyllrp"), "it asks for none"


@pytest.mark.parametrize("who", CLIENTS)
async def test_a_client_of_others_is_turned_away_as_the_second(who, port):
    stream, writer = await only_client(port)
    async with client(who, "connect", port) as process:
        assert BUSY[who].lower() in (await said(process))["refused"].lower()
    assert await greeted(stream) == 4
    await leave(stream, writer)
