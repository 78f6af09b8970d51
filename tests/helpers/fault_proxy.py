"""A TCP proxy between an agent and a reader that plays what cables, switches and networks do, switched at run time.

It has two ways: `proxy.up` carries what the client says, `proxy.down` what the reader says. Each way can lose, hold,
slow, cut up and garble; the cable as a whole can be cut, the connections be reset, and the port refuse. The same seed
gives the same cuts.
"""

import asyncio
import contextlib
import random
import socket
import struct
import time
from dataclasses import dataclass, field

READ_BYTES = 65536
NOTHING = b""


@dataclass
class Way:
    """One direction, as long as its switches stand so.

    Attributes:
        delay_s: each piece comes so much later; the order stays.
        jitter_s: and up to so much later still, drawn for each piece.
        swallow: bytes go nowhere and nobody hears of it: the half-open connection.
        cut: "whole" forwards as received, "bytes" one byte a segment, "split" 1 to 23 bytes a segment.
        merge_s: gathers for so long and forwards all of it in one piece.
        bytes_per_s: a slow link; 0 is as fast as it goes.
        forwarded_us: when something was forwarded last, by the host's clock; it can't have arrived before.
    """

    rng: random.Random
    delay_s: float = 0.0
    jitter_s: float = 0.0
    swallow: bool = False
    cut: str = "whole"
    merge_s: float = 0.0
    bytes_per_s: int = 0
    lose_bytes: int = 0
    forwarded: int = 0
    forwarded_us: int = 0
    lost: int = 0
    _insert: bytearray = field(default_factory=bytearray)

    def lose(self, count):
        """Lose the next so many bytes, as a faulty device between does; TCP itself never would."""
        self.lose_bytes += count

    def insert(self, garbage):
        """Put bytes before what is forwarded next."""
        self._insert += garbage

    def damaged(self, data):
        """Return what is left of a piece, with what was inserted before it."""
        if self.swallow:
            self.lost += len(data)
            return NOTHING
        gone = min(self.lose_bytes, len(data))
        self.lose_bytes -= gone
        self.lost += gone
        data = bytes(self._insert) + data[gone:]
        self._insert.clear()
        self.forwarded += len(data)
        return data

    def pieces(self, data):
        """Cut a piece as this way does now; a slow way forwards what a twentieth of a second holds."""
        whole = max(1, self.bytes_per_s // 20) if self.bytes_per_s else len(data)
        at = 0
        while at < len(data):
            step = {"whole": whole, "bytes": 1, "split": self.rng.randint(1, 23)}[self.cut]
            yield data[at : at + step]
            at += step


class FaultProxy:
    """Stands before one reader on a loopback port of its own.

    Args:
        target: the reader's port; may be changed, connections to come go there.
        seed: of random cuts and jitter.
    """

    def __init__(self, target, *, seed=1) -> None:
        self.target = target
        rng = random.Random(seed)
        self.up, self.down = Way(rng), Way(rng)
        self.port = 0
        self.connections = 0
        self._whole = asyncio.Event()
        self._whole.set()
        self._server = None
        self._full = []
        self._writers = set()
        self._tasks = set()

    async def __aenter__(self):  # noqa: ANN204 (itself)
        await self._listen()
        return self

    async def __aexit__(self, *_) -> None:
        await asyncio.sleep(0.01)  # Python 3.11 leaks a connection whose server closes while it is being accepted
        await self._stop_listening()
        self._unblock()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close their sockets

    async def cut_cable(self):
        """Stop forwarding both ways without a word to either end; a new connection gets no answer at all."""
        self._whole.clear()
        await self._stop_listening()
        self._block()

    async def mend_cable(self):
        """Forward again: what TCP still held arrives now, the ends of connections too."""
        self._unblock()
        await self._listen()
        self._whole.set()

    async def refuse(self):
        """Refuse new connections, as a device does that is up and serves nothing there."""
        await self._stop_listening()

    async def accept(self):
        """Take connections again."""
        await self._listen()

    def reset(self):
        """Reset every connection at both ends, now."""
        for writer in list(self._writers):
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _listen(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self):
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)

    def _block(self):
        """Take the port with a backlog that is full: Linux then answers no further SYN, as nobody there would."""
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", self.port))
        held.listen(0)
        self._full = [held]
        for _ in range(2):
            filler = socket.socket()
            filler.setblocking(False)  # noqa: FBT003 (as the socket module has it)
            filler.connect_ex(("127.0.0.1", self.port))
            self._full.append(filler)

    def _unblock(self):
        for held in self._full:
            held.close()
        self._full = []

    async def _serve(self, client, to_client):
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        self._writers.add(to_client)
        to_reader = None
        try:
            reader, to_reader = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(to_reader)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(self.up, client, to_reader))
                group.create_task(self._carry(self.down, reader, to_client))
        except* OSError:
            pass
        except* asyncio.CancelledError:  # our end: in Python 3.11 the streams complain of a cancelled task
            pass
        finally:
            for writer in filter(None, (to_client, to_reader)):
                self._writers.discard(writer)
                writer.transport.abort()
            self._tasks.discard(asyncio.current_task())

    async def _carry(self, way, source, sink):
        """Carry one way until its source ends, then end the other end too."""
        loop = asyncio.get_running_loop()
        due = asyncio.Queue(64)

        async def deliver():
            while (entry := await due.get()) is not None:
                at_s, data = entry
                await asyncio.sleep(max(0.0, at_s - loop.time()))
                await self._whole.wait()
                await self._forward(way, sink, data)

        delivery = asyncio.create_task(deliver())
        last_s = 0.0
        try:
            while data := await source.read(READ_BYTES):
                if way.merge_s:
                    data += await self._more(source, way.merge_s)
                last_s = max(last_s, loop.time() + way.delay_s + way.rng.uniform(0, way.jitter_s))
                await due.put((last_s, data))
            await due.put(None)
            await delivery
            await self._whole.wait()
        finally:
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)
        sink.close()

    async def _more(self, source, merge_s):
        found = bytearray()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(merge_s):
                while data := await source.read(READ_BYTES):
                    found += data
        return bytes(found)

    async def _forward(self, way, sink, data):
        for piece in way.pieces(way.damaged(data)):
            way.forwarded_us = time.time_ns() // 1000
            sink.write(piece)
            await sink.drain()
            if way.bytes_per_s:
                await asyncio.sleep(len(piece) / way.bytes_per_s)
            elif way.cut != "whole":
                await asyncio.sleep(0)
