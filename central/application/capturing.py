"""Captures by command: a one-time address for each, the file that comes to it, and how long it is kept."""

import asyncio
import secrets
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import structlog
from pydantic import Field

from central.application.errors import CentralError, NotAllowed, NotFound, StepUnfit, StoreUnavailable
from central.application.views import Instant, View
from central.domain.captures import MAX_BYTES, PCAPNG, Held, beyond, digest_in, lives_until
from central.domain.commands import Argument

DEFAULT_S: Final = 30
SILENCE_S: Final = 20.0
"""A gateway that sends no byte for so long has gone."""
MOST_AT_ONCE: Final = 4
"""Files that come at the same time; a gateway that is told to wait comes again."""
BY: Final = "central"

_log = structlog.get_logger("central.captures")


class CaptureView(View):
    """A capture that was ordered, and what came of it."""

    id: int = Field(description="The command that ordered it.")
    gateway: str
    args: dict[str, Any]
    by: str
    given_at: Instant
    expires_at: Instant = Field(description="Until when its address takes a file.")
    received_at: Instant | None
    dropped_at: Instant | None = Field(description="When the file was deleted, for there were too many.")
    bytes: int | None
    sha256: str | None = Field(description="Of the file as it came.")
    result: dict[str, Any] | None = Field(description="What the gateway says of it.")
    problem: str | None
    state: Literal["awaited", "kept", "unconfirmed", "contradicted", "failed", "missing", "dropped"] = Field(
        description="`kept`: the gateway's answer names the same hash; `unconfirmed`: no answer says that it is whole; "
        "`contradicted`: the answer names another hash."
    )


@dataclass(frozen=True, slots=True)
class Address:
    """A one-time address: `args` go to the gateway with the order, and nowhere else."""

    token_hash: bytes
    max_bytes: int
    expires_at: datetime
    args: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class Expected:
    """What an address is for; `sha256` of what came already."""

    command: int
    gateway: str
    max_bytes: int
    expires_at: datetime
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Coming:
    """A file on its way: what the request's head says, and its bytes."""

    size: int | None
    digest: str
    parts: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came."""

    held: Held
    gateway: str
    at: datetime


class UploadRefused(CentralError):  # noqa: N818 (a verdict on a request, named as one)
    """A file isn't taken; `status` is HTTP's, the message says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class CaptureBook(Protocol):
    """Where captures are kept account of; raises `StoreUnavailable`."""

    async def expect(self, command: int, address: Address) -> None:
        """Keep an address."""

    async def address(self, token_hash: bytes) -> Expected | None:
        """Return what an address is for."""

    async def receive(self, received: Received) -> bool:
        """Keep that a file came, as an act; False if another came before, or the address has expired."""

    async def fetched(self, command: int, by: str, at: datetime) -> None:
        """Keep that somebody took a file away, as an act."""

    async def drop(self, commands: Collection[int], at: datetime) -> None:
        """Keep that files were deleted, each as an act."""

    async def held(self) -> list[Held]:
        """Return which files are kept, newest first."""

    async def captures(self, now: datetime, *, gateway: str | None = None, limit: int = 100) -> list[CaptureView]:
        """Return captures, newest first. Raises `NotFound` for an unknown gateway without any."""

    async def capture(self, number: int, now: datetime) -> CaptureView:
        """Return one. Raises `NotFound`."""


class Sheet(Protocol):
    """A file that is being written."""

    async def write(self, data: bytes) -> None:
        """Write some. Raises `OSError`."""

    async def keep(self, name: str) -> None:
        """Give the whole its place. Raises `OSError`."""


class Shelf(Protocol):
    """The folder of the files."""

    def sheet(self) -> AbstractAsyncContextManager[Sheet]:
        """Begin a file; at the end of the context what wasn't kept is gone. Raises `OSError`."""

    def path(self, name: str) -> Path | None:
        """Return where a file lies, None where it doesn't."""

    async def room(self) -> int:
        """Return how many bytes may be written. Raises `OSError`."""

    async def drop(self, names: Collection[str]) -> None:
        """Delete files. Raises `OSError`."""

    async def tidy(self, names: Collection[str]) -> None:
        """Delete what has lain for a while and is none of these, or half written. Raises `OSError`."""


class Captures:
    """Makes addresses, takes files, and lets old ones go.

    Args:
        book: the account of them.
        shelf: the files.
        may: tells whether somebody may give commands, and so take files away.
        now: clock.
        most_bytes: all files together.
    """

    def __init__(
        self,
        book: CaptureBook,
        shelf: Shelf,
        *,
        may: Callable[[str], Awaitable[bool]],
        now: Callable[[], datetime],
        most_bytes: int,
    ) -> None:
        self._book, self._shelf, self._may, self._now, self._most_bytes = book, shelf, may, now, most_bytes
        self._coming: set[int] = set()
        self.base = ""
        """The API's address as gateways reach it."""

    @property
    def book(self) -> CaptureBook:
        """The account of them."""
        return self._book

    def address(self, seconds: int, now: datetime) -> Address:
        """Make an address for a capture of so many seconds; `StepUnfit` where gateways can't reach this service."""
        if not self.base:
            raise StepUnfit("gateways don't know where to send it: set public_url, the API's address as they reach it")
        token, expires = secrets.token_urlsafe(32), lives_until(now, seconds)
        max_bytes = min(MAX_BYTES, self._most_bytes)
        return Address(
            _hash(token),
            max_bytes,
            expires,
            {
                "url": f"{self.base}/api/v1/uploads/{token}",
                "max_bytes": max_bytes,
                "until": expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        )

    async def expect(self, command: int, address: Address) -> None:
        """Keep an address, before the order is on its way."""
        await self._book.expect(command, address)

    async def take(self, token: str, coming: Coming) -> None:
        """Take a file that comes to an address.

        Raises:
            UploadRefused: it isn't taken.
        """
        expected = await self._book.address(_hash(token))
        if expected is None:
            raise UploadRefused(404, "there is no such address")
        told = _check(expected, coming, self._now())
        if expected.sha256 is not None:
            if expected.sha256 == told:
                return  # its answer was lost on the way, so the same file comes again
            raise UploadRefused(409, "the address was used: each takes one file")
        if expected.command in self._coming or len(self._coming) >= MOST_AT_ONCE:
            raise UploadRefused(503, "another file is coming: try again")
        self._coming.add(expected.command)
        try:
            await self._receive(expected, told, coming)
        except OSError as error:
            _log.error("capture can't be kept", command=expected.command, problem=error.strerror or str(error))
            raise UploadRefused(507, f"the file can't be kept here: {error.strerror or error}") from error
        finally:
            self._coming.discard(expected.command)
        await self.tidy()

    async def _receive(self, expected: Expected, told: str, coming: Coming) -> None:
        size = coming.size or 0
        if await self._shelf.room() < size:
            raise UploadRefused(507, "the disk is nearly full here")
        async with self._shelf.sheet() as sheet:
            found = sha256()
            left_s = (expected.expires_at - self._now()).total_seconds()
            try:
                async with asyncio.timeout(left_s):
                    got = await _copy(coming.parts, sheet, found, size)
            except TimeoutError:
                raise UploadRefused(408, "too slow: no byte for a while, or the address has expired") from None
            if got != size:
                raise UploadRefused(400, f"{got} bytes came, {size} were announced")
            if found.hexdigest() != told:
                raise UploadRefused(400, "the bytes that came have another hash than Content-Digest says")
            held = Held(expected.command, size, told)
            await sheet.keep(held.name)
            await self._enter(Received(held, expected.gateway, self._now()))
        _log.info("capture received", command=expected.command, gateway=expected.gateway, bytes=size)

    async def _enter(self, received: Received) -> None:
        """Keep account of a file that has its place; one that can't be is taken away, so that it may come again."""
        entered = False
        try:
            entered = await self._book.receive(received)
        finally:
            if not entered:
                await self._shelf.drop([received.held.name])
        if not entered:
            raise UploadRefused(410, "the address was used meanwhile, or has expired")

    async def fetch(self, number: int, by: str) -> tuple[CaptureView, Path]:
        """Return where a capture's file lies, for somebody who may have it; that it was fetched is an act.

        Raises:
            NotFound: there is none.
            NotAllowed: it isn't for them.
            StepUnfit: its bytes aren't those that the gateway speaks of.
        """
        if not await self._may(by):
            raise NotAllowed(f"{by!r} may not have captures: that takes one of the roles that may give commands")
        view = await self._book.capture(number, self._now())
        if view.state == "contradicted":
            raise StepUnfit(f"capture {number} isn't what {view.gateway} says it sent: order another")
        path = None
        if view.bytes is not None and view.sha256 is not None:
            path = self._shelf.path(Held(number, view.bytes, view.sha256).name)
        if path is None:
            why = {"dropped": "was deleted since, for newer ones", "awaited": "has not come yet"}
            told = why.get(view.state, view.problem or "is not kept by this service")
            raise NotFound(f"the file of capture {number} {told}")
        await self._book.fetched(number, by, self._now())
        return view, path

    async def tidy(self) -> None:
        """Let go of the oldest files where there are too many, and of what nobody knows."""
        held = await self._book.held()
        gone = beyond(held, most_bytes=self._most_bytes)
        if gone:
            await self._book.drop([one.command for one in gone], self._now())
            _log.info("captures dropped", count=len(gone))
        try:
            await self._shelf.drop([one.name for one in gone])
            await self._shelf.tidy({one.name for one in held})
        except OSError as error:
            _log.warning("old captures can't be deleted", problem=error.strerror or str(error))

    async def tidy_at_start(self, retry_s: float = 1.0) -> None:
        """Tidy once the database answers."""
        while True:
            try:
                await self.tidy()
            except StoreUnavailable:
                await asyncio.sleep(retry_s)
            else:
                return


def _check(expected: Expected, coming: Coming, now: datetime) -> str:
    """Refuse what can be seen to be wrong before a byte is read; return the hash that is announced, in hex."""
    digest = digest_in(coming.digest)
    if coming.size is None:
        raise UploadRefused(411, "say how long it is: Content-Length")
    if digest is None:
        raise UploadRefused(400, "say what its hash is: Content-Digest: sha-256=:BASE64:")
    told = b64decode(digest).hex()
    if expected.sha256 != told and now >= expected.expires_at:
        raise UploadRefused(410, "the address has expired")
    if not 0 < coming.size <= expected.max_bytes:
        raise UploadRefused(413, f"{coming.size} bytes are announced, 1 to {expected.max_bytes} are taken")
    return told


async def _copy(parts: AsyncIterator[bytes], sheet: Sheet, found: Any, size: int) -> int:
    """Write what comes, part by part; no more than was announced."""
    got, begin = 0, b""
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                part = await anext(parts)
        except StopAsyncIteration:
            return got
        got += len(part)
        if got > size:
            raise UploadRefused(413, f"more comes than the {size} bytes that were announced")
        if len(begin) < len(PCAPNG):
            begin += part[: len(PCAPNG)]
            if begin[: len(PCAPNG)] != PCAPNG[: len(begin)]:
                raise UploadRefused(415, "it is no pcapng file")
        found.update(part)
        await sheet.write(part)


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
