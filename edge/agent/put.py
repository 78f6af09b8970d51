"""A file up to a one-time address by HTTPS PUT, without the whole of it in memory.

HTTP/1.1 over the event loop's streams, since a transfer has to end at once when the agent does. Nothing is followed:
whoever signed the command named the address that is meant.
"""

import asyncio
import json
import re
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

MAX_URL: Final = 500
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_PROBLEM_BYTES: Final = 4 * 1024
CONNECT_S: Final = 10.0
SILENCE_S: Final = 20.0
"""No byte was taken, or no answer came, for so long: the try has failed."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 15.0
_AGAIN: Final = frozenset({408, 425, 429})
"""Refusals of now; so are all from 500 on."""
_OK: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_BROKEN: Final = 500
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: |\r\n)")
_PLAIN: Final = re.compile(r"[\x21-\x7e]+")


class PutError(Exception):
    """It can't be sent, or not to there; the message says why."""


class _AgainError(Exception):
    """This try failed, the next may not."""


class Address(NamedTuple):
    """Where a file goes: `target` is path and query."""

    host: str
    port: int
    tls: bool
    target: str


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent: its size, its SHA-256, and what returns some of it from a place on."""

    size: int
    sha256: str
    read: Callable[[int], Awaitable[bytes]]


def parse_address(url: str) -> Address:
    """Return what `https://host[:port]/path` says, or `http://` to this machine; anything else raises `PutError`."""
    shape = "an address is like https://central.example:8443/api/v1/uploads/TOKEN"
    if len(url) > MAX_URL or not _PLAIN.fullmatch(url):
        raise PutError(f"the address is no URL, or longer than {MAX_URL} characters: {shape}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PutError(f"the address is no URL ({error}): {shape}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or parts.fragment:
        raise PutError(f"the address is no URL that can be dialled: {shape}")
    if parts.username is not None or parts.password is not None:
        raise PutError(f"the address holds a user or password: {shape}")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise PutError(f"nothing is sent unencrypted but within one machine, and {parts.hostname} is another: {shape}")
    tls = parts.scheme == "https"
    query = f"?{parts.query}" if parts.query else ""
    return Address(parts.hostname, port or (443 if tls else 80), tls, (parts.path or "/") + query)


async def put(
    address: Address, content: Content, *, context: ssl.SSLContext | None, within_s: float, media_type: str
) -> int:
    """Send a file, again after what may pass; return the tries that it took.

    Args:
        address: where to.
        content: what.
        context: the authorities that the server's certificate must come from; None where it isn't TLS.
        within_s: the address's life.
        media_type: what it is.

    Raises:
        PutError: it was refused, or did not succeed in time.
    """
    tries, wait_s, last = 0, FIRST_WAIT_S, "no try was over in time"
    try:
        async with asyncio.timeout(within_s):
            while True:
                tries += 1
                try:
                    await _try(address, content, context, media_type)
                except _AgainError as error:
                    last = str(error)
                else:
                    return tries
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
    except TimeoutError:
        raise PutError(
            f"not sent within the {within_s:.0f} s that the address lives, in {tries} tries: {last}"
        ) from None


async def _try(address: Address, content: Content, context: ssl.SSLContext | None, media_type: str) -> None:
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=context, limit=MAX_HEAD_BYTES, ssl_handshake_timeout=None
            )
    except TimeoutError:
        raise _AgainError(f"{address.host}:{address.port} does not answer within {CONNECT_S:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise PutError(
            f"the certificate of {address.host}:{address.port} is not believed ({error.verify_message}): have it "
            "signed by the authority that the broker's is (mqtt.ca_file), or by one of the system's"
        ) from error
    except OSError as error:
        raise _AgainError(f"{address.host}:{address.port} can't be reached ({error.strerror or error})") from None
    try:
        await _talk(reader, writer, address, content, media_type)
    finally:
        writer.transport.abort()


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address, content: Content, media_type: str
) -> None:
    """Send the request and take the answer, which may come before all is sent."""
    answer = asyncio.create_task(_answer(reader))
    try:
        with suppress(OSError):  # who hangs up on what comes has often said why before
            await _send(writer, answer, address, content, media_type)
        async with asyncio.timeout(SILENCE_S):
            status, words = await answer
    except TimeoutError:
        raise _AgainError(f"{address.host}:{address.port} took or answered nothing for {SILENCE_S:g} s") from None
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        raise _AgainError(f"{address.host}:{address.port} hung up ({type(error).__name__})") from None
    finally:
        answer.cancel()
        with suppress(asyncio.CancelledError, OSError, EOFError, asyncio.LimitOverrunError, PutError):
            await answer
    _judge(status, words)


async def _send(
    writer: asyncio.StreamWriter, answer: "asyncio.Task[tuple[int, str]]", address: Address, content: Content, kind: str
) -> None:
    host = f"[{address.host}]" if ":" in address.host else address.host
    digest = b64encode(bytes.fromhex(content.sha256)).decode()
    lines = (
        f"PUT {address.target} HTTP/1.1",
        f"Host: {host}:{address.port}",
        "User-Agent: stockgate-edge",
        f"Content-Type: {kind}",
        f"Content-Length: {content.size}",
        f"Content-Digest: sha-256=:{digest}:",
        "Connection: close",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
    at = 0
    while at < content.size and not answer.done():
        part = (await content.read(at))[: content.size - at]
        if not part:
            raise PutError("the file ends before its time")
        at += len(part)
        writer.write(part)
        async with asyncio.timeout(SILENCE_S):
            await writer.drain()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Return the status of the final answer and, where it is a problem, what it says."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        found = _STATUS.match(head)
        if found is None:
            raise PutError("what listens at the address speaks no HTTP/1.1")
        status = int(found[1])
        if status >= _OK.start:
            return status, "" if status in _OK else await _problem(reader)


async def _problem(reader: asyncio.StreamReader) -> str:
    """Return the words of a problem document; nothing where it is none."""
    body = b""
    with suppress(OSError, EOFError, TimeoutError):
        async with asyncio.timeout(1.0):
            while len(body) < MAX_PROBLEM_BYTES and (part := await reader.read(MAX_PROBLEM_BYTES)):
                body += part
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(told.get("detail", ""))[:200] if isinstance(told, dict) else ""


def _judge(status: int, words: str) -> None:
    told = f"the central answered {status}" + (f": {words}" if words else "")
    if status in _OK:
        return
    if status in _MOVED:
        raise PutError(f"{told}: it points elsewhere, and nothing is sent but to the address that was signed")
    if status in _AGAIN or status >= _BROKEN:
        raise _AgainError(told)
    raise PutError(told)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
