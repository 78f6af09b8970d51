"""The command `capture`: readers recorded for some seconds, and the file sent to a one-time address of the central."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.agent.arguments import Arguments, integer, one_of, only, told
from edge.agent.capture_file import CaptureFile, DiskFullError
from edge.agent.put import Address, Content, PutError, parse_address, put
from edge.agent.unwell import NEARLY_FULL_BYTES
from edge.commands import Order, OrderError
from edge.contracts import ContractError, instant_us
from edge.contracts.commands import Argument
from edge.llrp.capture import RecordingNote
from edge.readers import Recorder, Taps
from edge.uplink import UplinkSettingsError

NAME: Final = "capture"
MIB: Final = 1024 * 1024
LONGEST_S: Final = 300
MOST_BYTES: Final = 64 * MIB
UPLOAD_S: Final = 180
"""Longest life of the address once the capture is over; at 64 MiB that is 3 Mbit/s."""
ORDER_S: Final = float(LONGEST_S + UPLOAD_S + 10)
"""After so long the desk breaks the order off."""
MEDIA_TYPE: Final = "application/vnd.tcpdump.pcap"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureParts:
    """What a capture needs of the agent.

    Attributes:
        taps: where each LLRP reader's connection is listened in on.
        portals: each portal's LLRP readers.
        folder: the data folder, whose disk is used.
        context: returns what connections to the central are made with; `UplinkSettingsError` for a file of no use.
        note: what the recording says of the agent.
        now_us: wall clock.
        host_synced: whether it may be believed.
        keep_free_bytes: what others must find free on the disk at any time.
    """

    taps: Mapping[str, Taps]
    portals: Mapping[str, Sequence[str]]
    folder: Path
    context: Callable[[], ssl.SSLContext]
    note: RecordingNote
    now_us: Callable[[], int]
    host_synced: Callable[[], bool]
    keep_free_bytes: int = NEARLY_FULL_BYTES


class Captures:
    """Carries captures out, one at a time."""

    def __init__(self, parts: CaptureParts) -> None:
        self._parts = parts
        self._busy = False

    def by_name(self) -> dict[str, Order]:
        """Return what the command does."""
        return {NAME: told(NAME, self._capture)}

    async def _capture(self, args: Arguments) -> dict[str, Argument]:
        """`reader` or `portal`, `seconds`, `url`, `max_bytes`, `until`: the central gives the last three."""
        only(args, ("reader", "portal", "seconds", "url", "max_bytes", "until"))
        readers = self._readers(args)
        seconds = integer(args, "seconds", 1, LONGEST_S, 30)
        max_bytes = integer(args, "max_bytes", 1, MOST_BYTES, MOST_BYTES)
        address, until_us = _address(args), _until_us(args)
        if self._parts.now_us() + seconds * 1_000_000 >= until_us:
            raise OrderError(f"the address lives until {args['until']}, which is before {seconds} s are over")
        context = self._context() if address.tls else None
        if self._busy:
            raise OrderError("a capture is being made: one at a time, ask again when it is over")
        self._busy = True
        try:
            with CaptureFile(
                self._parts.folder, max_bytes=max_bytes, keep_free_bytes=self._parts.keep_free_bytes
            ) as file:
                took_s = await self._record(readers, file, seconds)
                sha256 = file.seal()
                content = Content(file.bytes, sha256, lambda at: asyncio.to_thread(file.read, at))
                tries = await put(
                    address,
                    content,
                    context=context,
                    within_s=min((until_us - self._parts.now_us()) / 1e6, UPLOAD_S),
                    media_type=MEDIA_TYPE,
                )
                return {
                    **{key: args[key] for key in ("reader", "portal") if key in args},
                    "name": f"{self._parts.note.gateway}-{'-'.join(readers)}.pcapng",
                    "bytes": file.bytes,
                    "sha256": sha256,
                    "packets": file.packets,
                    "seconds": took_s,
                    "ended": f"full at {max_bytes:,} bytes" if file.full else "in time",
                    "tries": tries,
                }
        except (DiskFullError, PutError) as error:
            raise OrderError(f"command {NAME}: {error}") from error
        finally:
            self._busy = False

    def _readers(self, args: Arguments) -> list[str]:
        """Return whose connections are meant; each must stand, for of others there is nothing to record."""
        parts = self._parts
        if ("reader" in args) == ("portal" in args):
            raise OrderError("give either reader or portal")
        if "reader" in args:
            readers = [one_of(args, "reader", parts.taps)]
        else:
            readers = sorted(parts.portals[one_of(args, "portal", parts.portals)])
        if not readers:
            raise OrderError(f"portal {args['portal']} has no LLRP reader: only those can be captured")
        away = [name for name in readers if not parts.taps[name].open]
        if away:
            raise OrderError(f"reader {away[0]} is not connected: there is nothing to capture")
        return readers

    def _context(self) -> ssl.SSLContext:
        try:
            return self._parts.context()
        except UplinkSettingsError as error:
            raise OrderError(f"nothing can be sent by TLS: mqtt.{error}") from error

    async def _record(self, readers: Sequence[str], file: CaptureFile, seconds: int) -> int:
        """Listen in until the time is over or the file is; return whole seconds."""
        parts = self._parts
        recorder = Recorder(file.write, now_us=parts.now_us, host_synced=parts.host_synced, note=parts.note)
        begun_us = parts.now_us()
        with ExitStack() as stack:
            stack.callback(recorder.close)
            for name in readers:
                tap = recorder.tap(name)
                parts.taps[name].join(tap)
                stack.callback(parts.taps[name].leave, tap)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await file.over.wait()
        return max(round((parts.now_us() - begun_us) / 1e6), 0)


def _address(args: Arguments) -> Address:
    url = args.get("url")
    if not isinstance(url, str):
        raise OrderError("url is missing: the central names it, order the capture there")
    try:
        return parse_address(url)
    except PutError as error:
        raise OrderError(f"url: {error}") from None


def _until_us(args: Arguments) -> int:
    until = args.get("until")
    try:
        return instant_us(str(until))
    except ContractError as error:
        raise OrderError(f"until: {error}") from None
