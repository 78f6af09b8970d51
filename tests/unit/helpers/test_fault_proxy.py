"""The fault proxy does to a stream what its switches say, and nothing else."""

import asyncio
import contextlib
import random

import pytest

from tests.helpers.fault_proxy import FaultProxy, Way

WAIT_S = 10.0


class Far:
    """The far end of a proxy: keeps what it hears."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ended = asyncio.Event()
        self.writer = None
        self.taken = asyncio.Event()

    async def serve(self, stream, writer):
        self.writer = writer
        self.taken.set()
        try:
            while data := await stream.read(65536):
                self.heard += data
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


@contextlib.asynccontextmanager
async def wire(seed=1):
    """A proxy, its far end, and a client that is connected through it."""
    far = Far()
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    async with FaultProxy(server.sockets[0].getsockname()[1], seed=seed) as proxy:
        stream, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await asyncio.wait_for(far.taken.wait(), WAIT_S)
        try:
            yield proxy, far, stream, writer
        finally:
            writer.transport.abort()
            server.close()
    far.writer.transport.abort()
    await asyncio.sleep(0)


async def until(what):
    async with asyncio.timeout(WAIT_S):
        while not what():  # noqa: ASYNC110 (the state of another object, which has no event)
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("cut", ["whole", "bytes", "split"])
async def test_bytes_arrive_whole_and_in_order_however_they_are_cut(cut):
    sent = bytes(range(256)) * 4
    async with wire() as (proxy, far, stream, writer):
        proxy.up.cut = proxy.down.cut = cut
        writer.write(sent)
        await until(lambda: len(far.heard) == len(sent))
        assert far.heard == sent
        far.writer.write(sent)
        assert await asyncio.wait_for(stream.readexactly(len(sent)), WAIT_S) == sent


def test_the_same_seed_cuts_alike_and_another_differently():
    def sizes(seed):
        return [len(piece) for piece in Way(random.Random(seed), cut="split").pieces(bytes(500))]

    assert sizes(3) == sizes(3) != sizes(4)
    assert sum(sizes(3)) == 500


async def test_a_half_open_connection_swallows_one_way_only():
    async with wire() as (proxy, far, stream, writer):
        proxy.up.swallow = True
        writer.write(b"lost")
        await until(lambda: proxy.up.lost == 4)
        far.writer.write(b"heard")
        assert await asyncio.wait_for(stream.readexactly(5), WAIT_S) == b"heard"
        assert far.heard == b""
        proxy.up.swallow = False
        writer.write(b"again")
        await until(lambda: far.heard == b"again")


async def test_lost_and_inserted_bytes_shift_the_stream():
    async with wire() as (proxy, far, _, writer):
        proxy.up.lose(2)
        proxy.up.insert(b"##")
        writer.write(b"abcdef")
        await until(lambda: far.heard == b"##cdef")
        assert proxy.up.lost == 2


async def test_a_delay_holds_back_and_keeps_the_order():
    async with wire() as (proxy, far, _, writer):
        loop = asyncio.get_running_loop()
        proxy.up.delay_s, proxy.up.jitter_s = 0.1, 0.05
        begun_s = loop.time()
        for letter in b"abcdef":
            writer.write(bytes([letter]))
            await asyncio.sleep(0.005)
        await until(lambda: len(far.heard) == 6)
        assert far.heard == b"abcdef"
        assert loop.time() - begun_s >= 0.1


async def test_a_merging_way_forwards_several_writes_in_one():
    async with wire() as (proxy, far, stream, _):
        proxy.down.merge_s = 0.1
        for letter in b"abc":
            far.writer.write(bytes([letter]))
            await asyncio.sleep(0.005)
        assert await asyncio.wait_for(stream.read(100), WAIT_S) == b"abc"


async def test_a_throttled_way_takes_its_time():
    async with wire() as (proxy, far, _, writer):
        proxy.up.bytes_per_s = 1000
        begun_s = asyncio.get_running_loop().time()
        writer.write(bytes(200))
        await until(lambda: len(far.heard) == 200)
        assert asyncio.get_running_loop().time() - begun_s >= 0.15


async def test_a_cut_cable_says_nothing_to_either_end_and_a_mended_one_gives_what_was_held():
    async with wire() as (proxy, far, stream, writer):
        await proxy.cut_cable()
        writer.write(b"held")
        far.writer.write(b"held too")
        await asyncio.sleep(0.1)
        assert far.heard == b""
        assert not far.ended.is_set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.mend_cable()
        await until(lambda: far.heard == b"held")
        assert await asyncio.wait_for(stream.readexactly(8), WAIT_S) == b"held too"


async def test_an_end_behind_a_cut_cable_is_heard_after_mending():
    async with wire() as (proxy, far, _, writer):
        await proxy.cut_cable()
        writer.close()
        await asyncio.sleep(0.1)
        assert not far.ended.is_set()
        await proxy.mend_cable()
        await asyncio.wait_for(far.ended.wait(), WAIT_S)


async def test_a_reset_reaches_both_ends_as_one():
    async with wire() as (proxy, far, stream, _):
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(stream.read(), WAIT_S)
        await asyncio.wait_for(far.ended.wait(), WAIT_S)


async def test_a_refusing_port_refuses_until_it_accepts():
    async with wire() as (proxy, *_):
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.accept()
        _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.close()
        assert proxy.connections >= 1


async def test_an_end_of_stream_is_passed_on():
    async with wire() as (_, far, stream, writer):
        writer.close()
        await asyncio.wait_for(far.ended.wait(), WAIT_S)
        assert await asyncio.wait_for(stream.read(), WAIT_S) == b""
