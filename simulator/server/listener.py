"""The shell of one simulated reader: a loopback listener, one client at a time, and the device behind it."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from simulator.server.device import ReaderDevice
from simulator.server.errors import SimulatedReaderError, WireError
from simulator.server.inventory import Radio
from simulator.server.now import Now
from simulator.server.outlet import Outlet
from simulator.server.wire import read_message
from simulator.world.values import Reads

MAX_UNSENT_BYTES: Final = 4 << 20
"""What may wait in a slow client's socket before the reader's buffer counts as full."""
NO_POWER_S: Final = 0.05
"""How often a newcomer who waits before a reader without power is looked after."""

TRIES: Final = 50
APART_S: Final = 0.2
"""A rebooted reader looks for its port again so often, this far apart."""


class ListenError(SimulatedReaderError):
    """A reader's port can't be opened."""


class ReaderListener:
    """One simulated reader on a port."""

    def __init__(
        self, name: str, device: ReaderDevice, now: Callable[[], Now], log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self.name = name
        self.device = device
        self._now = now
        self._log = log.bind(reader=name)
        self._server: asyncio.Server | None = None
        self._client: asyncio.StreamWriter | None = None
        self._outlet: Outlet | None = None
        self._others: set[asyncio.StreamWriter] = set()
        self._losing = False
        self._told: set[tuple[str, str]] = set()
        self._down = False
        self._had_power = True
        self._closed = False
        self._reboots: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._listening: tuple[str, int, ssl.SSLContext | None] | None = None

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Listen, in TLS where a context is given; answers the port in use, which differs where 0 was asked for.

        Raises:
            ListenError: the port is in use or not allowed.
        """
        server = None
        try:
            # In two steps: whoever is cancelled while it begins to serve has it in hand already, and `close` ends it.
            server = await asyncio.start_server(self._serve, host, port, ssl=tls, start_serving=False)
            self._server = server
            await server.start_serving()
        except OSError as error:
            if server is not None:
                server.close()
            raise ListenError(
                f"reader {self.name}: can't listen on {host}:{port} ({error.strerror or error}); "
                "choose another port, or 0 for any free one"
            ) from error
        taken = int(server.sockets[0].getsockname()[1])
        self._listening = host, taken, tls
        return taken

    async def dial(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Play the reader that dials its client (reader-initiated connection); returns when the session has ended.

        Raises:
            OSError: nobody listens there.
        """
        stream, writer = await asyncio.open_connection(host, port, ssl=tls)
        await self._serve(stream, writer)

    async def reboot(self, down_s: float) -> None:
        """Lose power for so long: connections are reset, the port refuses, and nothing is remembered."""
        self._log.info("reader reboots", down_s=down_s)
        where = self._listening
        self._down = True
        if self._server is not None:
            self._server.close()
        if self._client is not None:
            reset(self._client)
        await asyncio.sleep(down_s)
        self.device.reboot(self._now().utc_us)
        self._down = False
        if where is not None:
            await self._start_again(*where)

    async def _start_again(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Listen where a rebooted reader listened before; another program may have taken the port for a moment."""
        for _ in range(TRIES):
            if self._closed:
                return
            with contextlib.suppress(ListenError):
                await self.start(host, port, tls=tls)
                return
            await asyncio.sleep(APART_S)
        await self.start(host, port, tls=tls)

    def act(self, action: str, arguments: Mapping[str, Any]) -> None:
        """Let one of `simulator.faults.ACTIONS` happen, with all of its arguments."""
        if action == "drop":
            if self._client is not None:
                reset(self._client)
        elif action == "reboot":
            task = asyncio.get_running_loop().create_task(self.reboot(arguments["down_s"]))
            self._reboots.add(task)
            task.add_done_callback(self._reboots.discard)
        else:
            with self.mishap(action):
                self._send(self.device.act(action, arguments, self._now()))

    def radio(self) -> Radio | None:
        """What the antennas do now; None while nothing is inventoried."""
        return None if self._down else self.device.radio()

    def now(self) -> Now:
        """This moment as the reader's clocks show it."""
        return self._now().by(self.device.faults)

    def tell(self, messages: Sequence[bytes]) -> None:
        """Send messages of the reader's own accord, such as events that a fault brings."""
        self._send(messages)

    async def close(self) -> None:
        """Close the listener and its connections, and wait until each has ended."""
        self._closed = True
        for task in self._reboots:
            task.cancel()
        if self._reboots:
            await asyncio.wait(self._reboots)
        if self._server is None:
            return
        self._server.close()
        writers = [*self._others, *([self._client] if self._client else [])]
        for writer in writers:
            writer.close()
        for writer in writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if self._serving:
            await asyncio.wait(self._serving)
        await self._server.wait_closed()

    def put(self, reads: Reads, begun_us: int) -> None:
        """Take reads, whose times count from `begun_us`: to the client where one keeps up, else counted."""
        outlet = self._outlet
        full = outlet is not None and outlet.unsent_bytes > MAX_UNSENT_BYTES
        if not len(reads):
            pass
        elif outlet is not None and outlet.silent:
            self.device.inventory.counters.unheard_reads += int(reads.seen.sum())
        elif full:
            self.device.inventory.lose(int(reads.seen.sum()))
        else:
            with self.mishap("reads", lost=int(reads.seen.sum())):
                self._send(self.device.put(reads, begun_us, self.now()))
        if full != self._losing:
            self._losing = full
            with self.mishap("loss"):
                self._tell_of_loss(full=full)

    def input(self, port: int, true: Now, *, high: bool) -> None:
        """An input got a level at a true moment; without power nobody notices."""
        if self._down or self.device.faults.powered_off:
            self.device.terminals.inputs[port] = high
        else:
            with self.mishap("input"):
                self._send(self.device.gpi(port, true.by(self.device.faults), high=high))

    def tick(self) -> None:
        """Do what is due."""
        with self.mishap("tick"):
            self._tick()

    @contextlib.contextmanager
    def mishap(self, doing: str, *, lost: int = 0) -> Iterator[None]:
        """Let no defect in one reader's part end all readers: it is counted, and logged the first time."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the other readers go on
            counters = self.device.inventory.counters
            counters.mishaps += 1
            counters.unheard_reads += lost
            kind = (doing, type(error).__name__)
            if kind not in self._told:
                self._told.add(kind)
                self._log.error("reader goes on after a defect", doing=doing, exc_info=error)

    def _tick(self) -> None:
        power = not self.device.faults.powered_off
        if power and not self._had_power:
            self._power_is_back()
        self._had_power = power
        if self._down or not power:
            return
        self._send(self.device.tick(self.now()))
        if self.device.closing and self._client is not None and self._outlet is not None and not self._outlet.silent:
            self._drop(self._client)

    def state(self) -> dict[str, Any]:
        """What the reader does now, as JSON has it."""
        device = self.device
        return {
            "model": device.model.model,
            "connected": device.connected,
            "running": self.radio() is not None,
            "inputs": {str(port): high for port, high in sorted(device.terminals.inputs.items())},
            "outputs_high": sorted(device.config.gpo_high),
            **device.inventory.counters.shown(),
        }

    def flush(self) -> None:
        """Send what is pending, as at the end of everything."""
        with self.mishap("flush"):
            self._send(self.device.inventory.flush(late=True))

    def _power_is_back(self) -> None:
        """A reader that has booted anew knows nothing of its client, and resets what comes from there."""
        self._log.info("reader has power again")
        if self._client is not None:
            reset(self._client)
        self.device.reboot(self._now().utc_us)

    def _tell_of_loss(self, *, full: bool) -> None:
        if not full:
            self._send(self.device.inventory.overflow_notice(self.now()))
        state = "client too slow, reports are lost" if full else "client keeps up again"
        self._log.warning(state, lost_reads=self.device.inventory.counters.overflowed_reads)

    def _drop(self, client: asyncio.StreamWriter) -> None:
        """Close a connection; one whose client no longer reads would never end with its bytes still waiting."""
        if client.transport.get_write_buffer_size():
            client.transport.abort()
        else:
            client.close()

    def _send(self, messages: Sequence[bytes]) -> None:
        if messages and self._outlet is not None:
            self._outlet.send(b"".join(messages) if len(messages) > 1 else messages[0])

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        if self.device.faults.powered_off:
            await self._without_power(writer)
            return
        if self._client is not None:
            await self._refuse(writer)
            return
        self._client, self._outlet = writer, Outlet(writer, self.device.faults)
        self.device.closing = False  # what the client before asked for; a tick may come before the greeting
        try:
            await self._session(stream, writer)
        except WireError as error:
            self._log.warning("client sent what isn't LLRP, closing", error=str(error))
        except OSError as error:
            self._log.info("client lost", error=str(error))
        finally:
            self._outlet.finish()
            lost_bytes = self._outlet.lost_bytes
            self._client = self._outlet = None
            self.device.disconnect(self.now())
            writer.close()
            self._log.info("client disconnected", **({"lost_bytes": lost_bytes} if lost_bytes else {}))

    async def _session(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.device.faults.greeting_delay_s)
        if turned_away := self.device.turns_away(self.now()):
            self._log.info("client turned away by a fault that was set")
            self._send(turned_away)
            return
        self._log.info("client connected", peer=writer.get_extra_info("peername"))
        self._send(self.device.connect(self.now()))
        await self._converse(stream, writer)

    async def _without_power(self, writer: asyncio.StreamWriter) -> None:
        """Let a newcomer wait before a reader without power; when it is back it knows nothing of the connection."""
        self._others.add(writer)
        while self.device.faults.powered_off and not self._closed:  # noqa: ASYNC110 - a switch that can't notify
            await asyncio.sleep(NO_POWER_S)
        self._others.discard(writer)
        reset(writer)

    async def _converse(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_message(stream)) is not None:
            if self._outlet is None or self._outlet.silent:
                continue
            await asyncio.sleep(self.device.faults.answer_delay_s)
            with self.mishap("request"):
                self._send(self.device.receive(request, self.now()))
            await writer.drain()
            if self.device.closing:
                return

    async def _refuse(self, writer: asyncio.StreamWriter) -> None:
        """One client only: the newcomer hears so and is closed, the first one hears of the attempt."""
        newcomer, told = self.device.refuse(self.now())
        self._others.add(writer)
        self._log.info("second client refused", peer=writer.get_extra_info("peername"))
        try:
            self._send(told)
            writer.write(newcomer)
            await writer.drain()
        except OSError:
            self._log.info("second client left before it was told")
        finally:
            self._others.discard(writer)
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST, as a device that lost power does when it hears of it again."""
    linger = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
