"""Readers that dial us: one socket an address, connections handed to the reader whose host they come from.

A reader is told by the address that it dials from, and over TLS by its certificate; anybody else is turned away and
counted. A connection that nobody takes yet waits unread; the newest one of a reader wins, since a reader dials again
only when the one before is dead to it.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from ipaddress import ip_address
from typing import Any, Final, Self

from structlog.typing import FilteringBoundLogger

from edge.readers.dial import peer_certificate
from edge.readers.errors import ReaderError, ReaderUnreachableError
from edge.readers.link import Link
from edge.readers.model import ReaderSettings
from edge.readers.tls import check_peer, server_context
from edge.readers.within import within

MOST_PORT: Final = 65_535
MAX_STRANGERS_TOLD: Final = 16
"""Addresses of strangers that are told once each; all are counted."""


class Listener:
    """All readers of one agent that dial us; sockets are open from `async with` to its end.

    Args:
        readers: settings, of which those with `listen` concern us.
        log: logger.
    """

    def __init__(self, readers: tuple[ReaderSettings, ...], *, log: FilteringBoundLogger) -> None:
        self._readers = tuple(reader for reader in readers if reader.listen is not None)
        self._log = log
        self._waiting: dict[str, asyncio.Transport] = {}
        self._came: dict[str, asyncio.Event] = {reader.id: asyncio.Event() for reader in self._readers}
        self._told: set[str] = set()
        self._stack = AsyncExitStack()
        self._ports: dict[str, int] = {}
        self.strangers = 0
        """Connections that were turned away."""

    async def __aenter__(self) -> Self:
        """Open the sockets."""
        loop = asyncio.get_running_loop()
        for place in dict.fromkeys(reader.listen for reader in self._readers if reader.listen is not None):
            here = [reader for reader in self._readers if reader.listen == place]
            host, port = split_address(place)
            try:
                server = await loop.create_server(
                    lambda here=here: _Door(lambda transport: self._met(here, transport)),
                    host,
                    port,
                    ssl=None if here[0].tls is None else server_context(here[0].tls),
                )
            except OSError as error:
                await self._stack.aclose()
                raise ReaderUnreachableError(
                    f"can't listen at {place} ({error.strerror or error}): give `listen` an address of this machine "
                    "and a free port"
                ) from error
            self._stack.push_async_callback(_closed, server)
            self._ports[place] = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the sockets, and connections that nobody took."""
        for transport in self._waiting.values():
            transport.abort()
        self._waiting.clear()
        await self._stack.aclose()

    def port(self, place: str) -> int:
        """Return the port of an address, for one that was given as 0."""
        return self._ports[place]

    def dialler(self, settings: ReaderSettings) -> "Accepted":
        """Return what connects one reader's links."""
        return Accepted(self, settings)

    async def take(self, reader: str) -> asyncio.Transport:
        """Wait for a reader's connection; it is still unread."""
        while True:
            await self._came[reader].wait()
            self._came[reader].clear()
            transport = self._waiting.pop(reader, None)
            if transport is not None and not transport.is_closing():
                return transport

    def _met(self, here: list[ReaderSettings], transport: asyncio.Transport) -> None:
        peer = str(transport.get_extra_info("peername")[0])
        mine = next((reader for reader in here if is_from(reader.host, peer)), None)
        if mine is None:
            self._turn_away(transport, peer, "no reader with `listen` has this address as its host")
            return
        if mine.tls is not None:
            try:
                check_peer(f"reader {mine.id} at {peer}", mine.tls, peer_certificate(transport))
            except ReaderError as error:
                self._turn_away(transport, peer, str(error))
                return
        older = self._waiting.pop(mine.id, None)
        if older is not None:
            older.abort()
        transport.pause_reading()
        self._waiting[mine.id] = transport
        self._came[mine.id].set()

    def _turn_away(self, transport: asyncio.Transport, peer: str, why: str) -> None:
        self.strangers += 1
        transport.abort()
        if peer not in self._told and len(self._told) < MAX_STRANGERS_TOLD:
            self._told.add(peer)
            self._log.warning("connection turned away", peer=peer, reason=why)


class Accepted:
    """Connects one reader's links with what the listener has accepted."""

    def __init__(self, listener: Listener, settings: ReaderSettings) -> None:
        self._listener, self._settings = listener, settings

    async def connect(self, link: Link) -> None:
        """Take the reader's newest connection, or wait for one."""
        settings = self._settings
        try:
            async with within(settings.connect_timeout_s):
                transport = await self._listener.take(settings.id)
        except TimeoutError:
            raise ReaderUnreachableError(
                f"reader {settings.id} has not dialled {settings.listen} from {settings.host} yet: check that it is "
                "set to connect to this machine, and that its address is right"
            ) from None
        transport.set_protocol(link)
        link.connection_made(transport)
        transport.resume_reading()


class _Door(asyncio.Protocol):
    """Holds a connection unread until a session takes it."""

    def __init__(self, met: Callable[[asyncio.Transport], None]) -> None:
        self._met = met

    def connection_made(self, transport: Any) -> None:
        self._met(transport)


def split_address(place: str) -> tuple[str, int]:
    """Return host and port of `host:port`, `[v6]:port`; ValueError where it is neither, or no port."""
    host, colon, port = place.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise ValueError(f"{place!r} is no address: write it like 192.0.2.1:5084")
    if int(port) > MOST_PORT:
        raise ValueError(f"{place!r} has no port that exists: they end at {MOST_PORT}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_from(host: str, peer: str) -> bool:
    """Whether a peer's address is a host's, which is one too; IPv4 in IPv6's clothes is the same."""
    try:
        mine, other = ip_address(host), ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return mine == (getattr(other, "ipv4_mapped", None) or other)


async def _closed(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()
