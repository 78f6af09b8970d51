"""Cut, merged and dead connections and power cuts, as a client of the simulated reader sees them on its socket."""

import asyncio
import contextlib
import struct
import time

import pytest

from simulator.server.wire import message
from tests.helpers.conformance.bench import sim_reader

WAIT_S = 60
HEADER = 10
KEEPALIVE_MS = 400
"""A pause of this process of two of them ends a link before the test has cut it."""


class Socket(asyncio.Protocol):
    """A client that keeps each piece as it came."""

    def __init__(self) -> None:
        self.pieces, self.lost, self.error = [], False, None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.pieces.append(data)

    def connection_lost(self, error):
        self.lost, self.error = True, error

    @property
    def data(self):
        return b"".join(self.pieces)

    def ask(self, kind=1, body=b"\0"):
        self.transport.write(message(kind, 7, body))


@contextlib.asynccontextmanager
async def connected(reader):
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(Socket, "127.0.0.1", reader.port)
    try:
        yield client
    finally:
        transport.abort()


async def until(what):
    limit = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < limit, "nothing within the time"
        await asyncio.sleep(0.002)


def whole(data):
    """Types of the whole messages in these bytes; nothing may be left."""
    found, rest = taken(data)
    assert rest == b""
    return found


def begun(data):
    """Types of the messages that are whole already; more may be on its way."""
    return taken(data)[0]


def taken(data):
    """Types of the whole messages, and the bytes behind them."""
    found = []
    while len(data) >= HEADER:
        word, length, _ = struct.unpack_from(">HII", data)
        if len(data) < length:
            break
        found.append(word & 0x3FF)
        data = data[length:]
    return found, data


async def test_messages_come_in_pieces_and_are_the_same():
    """No piece is longer than asked, unless the network put two together, and the bytes are those of a whole one."""
    async with sim_reader() as reader:
        async with connected(reader) as client:
            client.ask()
            await until(lambda: begun(client.data) == [63, 11])
            straight = client.data
        await until(lambda: not reader.device.connected)
        reader.faults.split_bytes = 7
        async with connected(reader) as client:
            client.ask()
            await until(lambda: len(client.data) == len(straight))
            assert len(client.pieces) > len(straight) / 7 / 4
            assert whole(client.data) == whole(straight) == [63, 11]
            assert client.data[-1000:] == straight[-1000:]


async def test_messages_come_together_and_none_is_lost_when_the_switch_goes():
    async with sim_reader() as reader:
        reader.faults.merge_ms = 300
        async with connected(reader) as client:
            for _ in range(3):
                client.ask(62 + 10, b"")
                client.ask(26, b"")
            await until(lambda: len(begun(client.data)) == 4)
            assert len(client.pieces) <= 2
            client.ask(26, b"")
            await asyncio.sleep(0.05)
            reader.faults.merge_ms = 0
            client.ask(26, b"")
            await until(lambda: len(begun(client.data)) == 6)


async def test_nothing_comes_through_a_half_open_connection_and_it_stays_up():
    async with sim_reader() as reader, connected(reader) as client:
        await until(lambda: begun(client.data) == [63])
        reader.faults.half_open = True
        client.ask(26, b"")
        reader.put(1)
        await asyncio.sleep(0.2)
        assert whole(client.data) == [63]
        assert not client.lost
        assert reader.device.inventory.counters.unheard_reads == 1
        reader.faults.half_open = False
        client.ask(26, b"")
        await until(lambda: begun(client.data) == [63, 36])


async def test_a_link_that_the_reader_gave_up_ends_only_once_something_comes_through():
    """Impinj's link monitor drops a client whose keepalives go unanswered; through a dead cable nobody hears of it."""
    monitor = struct.pack(">HHIIHH", 1023, 16, 25882, 38, 1, 2)
    async with sim_reader() as reader, connected(reader) as client:
        client.ask(3, b"\0" + struct.pack(">HHBI", 220, 9, 1, KEEPALIVE_MS) + monitor)
        await until(lambda: begun(client.data)[:2] == [63, 13])
        reader.faults.half_open = True
        await until(lambda: reader.device.closing)
        await asyncio.sleep(0.1)
        assert not client.lost
        reader.faults.half_open = False
        await until(lambda: client.lost)


async def test_without_power_all_is_silent_and_afterwards_nobody_is_known():
    """The connection hangs, a newcomer waits in vain; with power both are reset, and the configuration is gone."""
    async with sim_reader() as reader, connected(reader) as client:
        client.ask(3, b"\0" + struct.pack(">HHHB", 219, 7, 1, 0x80))
        await until(lambda: begun(client.data) == [63, 13])
        assert reader.device.config.gpo_high == {1}
        reader.faults.powered_off = True
        async with connected(reader) as newcomer:
            client.ask(26, b"")
            await asyncio.sleep(0.2)
            assert (newcomer.pieces, client.lost, newcomer.lost) == ([], False, False)
            assert whole(client.data) == [63, 13]
            assert reader.device.radio() is None
            reader.faults.powered_off = False
            await until(lambda: client.lost and newcomer.lost)
            assert isinstance(client.error, ConnectionResetError)
        assert reader.device.config.gpo_high == frozenset()
        await until(lambda: not reader.device.connected)
        async with connected(reader) as again:
            await until(lambda: begun(again.data) == [63])


@pytest.mark.parametrize("action", ["drop", "close"])
async def test_a_connection_ends_by_a_reset_or_with_a_word(action):
    async with sim_reader() as reader, connected(reader) as client:
        await until(lambda: begun(client.data) == [63])
        reader.listener.act(action, {})
        await until(lambda: client.lost)
        assert whole(client.data) == ([63] if action == "drop" else [63, 63])
        assert (client.error is None) == (action == "close")
