"""One look at a reader: greet, ask what it is and how it is set up, try its antennas, and leave it as it was.

Nothing is set on the reader. A test inventory adds an ROSpec under a number that is free and deletes it again; reads
that another program's ROSpec sends meanwhile are not counted. A look that is killed leaves its ROSpec, which the reader
stops by itself; the next look deletes it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from edge.llrp import Chunk as Messages
from edge.llrp import Frame, LlrpError, ReportDecoder, control
from edge.llrp.batch import NO_RSSI_CDBM
from edge.llrp.messages import Message as LlrpMessage
from edge.llrp.messages import encode_message
from edge.llrp.messages.answers import (
    AddROSpecResponse,
    CloseConnectionResponse,
    DeleteROSpecResponse,
    EnableROSpecResponse,
    GetReaderCapabilitiesResponse,
    GetReaderConfigResponse,
    GetROSpecsResponse,
    StartROSpecResponse,
    StopROSpecResponse,
)
from edge.llrp.messages.commands import (
    AddROSpec,
    CloseConnection,
    DeleteROSpec,
    EnableEventsAndReports,
    EnableROSpec,
    GetReaderCapabilities,
    GetROSpecs,
    KeepaliveAck,
    StartROSpec,
    StopROSpec,
)
from edge.llrp.reports import PlainReports
from edge.llrp.wire import Message
from edge.readers.answers import (
    CONFIG_PARTS,
    EVERYTHING,
    config_parts,
    config_request,
    reader_of,
    rospecs_of,
    trial_rospec,
    with_clock,
    with_config,
    with_events,
)
from edge.readers.errors import (
    NotAnLlrpReaderError,
    ReaderBusyError,
    ReaderClosedError,
    ReaderError,
    ReaderRefusedError,
    ReaderSilentError,
    ReaderUnreachableError,
)
from edge.readers.found import AntennaFound, ReaderFound, RospecFound
from edge.readers.link import Link
from edge.readers.requests import Requests
from edge.readers.strangers import what_speaks
from edge.readers.within import within

FIRST_ROSPEC_ID: Final = 1084
"""The test inventory's ROSpec, found on the reader where an earlier look was killed; the next free number where it
can't be deleted."""
FAREWELL_S: Final = 2.0
"""Longest wait for each answer while the reader is being left."""
STRANGER_S: Final = 2.0
"""Longest wait for each try to find out what a silent port speaks."""
TRIAL_GRACE_S: Final = 5.0
"""The reader ends a test inventory by itself so long after we should have: for a look that was killed."""
ADD_REFUSED: Final = f"{AddROSpec.STANDARD_NAME}: "


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """How to look.

    Attributes:
        timeout_s: longest wait for the connection, for the greeting, and for each answer.
        listen_s: length of the test inventory of each port; 0 for none.
        antennas: ports that should have an antenna; None for all that the reader has.
        max_frame_bytes: longest LLRP message that is taken for one.
    """

    host: str
    port: int = 5084
    timeout_s: float = 5.0
    listen_s: float = 2.0
    antennas: tuple[int, ...] | None = None
    max_frame_bytes: int = 16 * 1024 * 1024

    @property
    def address(self) -> str:
        """`host:port`, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def probe(settings: ProbeSettings, *, now_us: Callable[[], int]) -> ReaderFound:
    """Look at one reader; `ReaderError` says why that could not be."""
    look = _Look(settings, now_us)
    try:
        try:
            await look.dial()
            return await look.ask()
        finally:
            await look.leave()
    except (NotAnLlrpReaderError, ReaderClosedError) as error:
        if look.greeted or look.began:
            raise
        words = await what_speaks(settings.host, settings.port, timeout_s=min(settings.timeout_s, STRANGER_S))
        if words is None:
            raise
        what = "shows no plain LLRP" if words.startswith("TLS") else "is no LLRP reader's port"
        raise NotAnLlrpReaderError(f"{settings.address} {what}: it speaks {words}") from error


@dataclass(slots=True)
class _Heard:
    """What the test inventory of one port heard."""

    reads: int = 0
    best_cdbm: int | None = None
    tags: set[bytes] | None = None


class _Look:
    """One connection, used once."""

    def __init__(self, settings: ProbeSettings, now_us: Callable[[], int]) -> None:
        self._settings, self._now_us = settings, now_us
        self._where = f"reader at {settings.address}"
        self._link = Link(max_frame_bytes=settings.max_frame_bytes, received=self._received, lost=self._lose)
        self._requests = Requests(self._where, self._link.send, timeout_s=settings.timeout_s)
        self._greeting: asyncio.Future[tuple[int, control.ReaderEvent]] = asyncio.get_running_loop().create_future()
        self._decoder = ReportDecoder(PlainReports())
        self._rospec_id: int | None = None
        self._heard = _Heard()
        self._told: list[str] = []
        self._plugged: dict[int, bool] = {}

    @property
    def greeted(self) -> bool:
        """Whether it has said that the connection is ours, or that it is not."""
        if not self._greeting.done() or self._greeting.cancelled():
            return False
        error = self._greeting.exception()
        return error is None or isinstance(error, ReaderBusyError)

    @property
    def began(self) -> bool:
        """Whether a part of an LLRP message has come and nothing after it."""
        return bool(self._link.begun)

    async def dial(self) -> None:
        """Connect and wait until the reader has greeted."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        try:
            async with within(settings.timeout_s):
                await loop.create_connection(lambda: self._link, settings.host, settings.port)
        except TimeoutError:
            raise ReaderUnreachableError(
                f"no answer from {settings.address} within {settings.timeout_s:g} s: check power, cable and address"
            ) from None
        except OSError as error:
            raise ReaderUnreachableError(
                f"{settings.address} can't be reached ({error.strerror or error}): check power, cable, address and port"
            ) from error
        try:
            async with within(settings.timeout_s):
                await asyncio.shield(self._greeting)
        except TimeoutError:
            if self._link.begun:
                raise ReaderSilentError(f"{settings.address} {self._link.begun}: network or reader?") from None
            raise NotAnLlrpReaderError(
                f"{settings.address} takes the connection but sends no LLRP greeting within {settings.timeout_s:g} s: "
                "is this an LLRP reader's port (5084)?"
            ) from None

    async def ask(self) -> ReaderFound:
        """Ask for capabilities and configuration, then try the antennas."""
        answer = await self._requests.ask(
            GetReaderCapabilities(requested_data=EVERYTHING), GetReaderCapabilitiesResponse
        )
        general = answer.general_device_capabilities
        if general is None:
            raise ReaderRefusedError(f"{self._where} does not say what it is (GeneralDeviceCapabilities is missing)")
        settings = self._settings
        found = reader_of(settings.address, answer, general, tested_s=settings.listen_s)
        found = with_clock(found, *self._greeting.result())
        if (config := await self._config()) is not None:
            found = with_config(found, config)
        found = replace(found, rospecs=await self._rospecs())
        if settings.listen_s > 0:
            found = await self._delete_old_trial(found)
            found = replace(found, antennas=await self._try_antennas(found))
        found = replace(found, told=tuple(dict.fromkeys(self._told)))
        return with_events(found, self._plugged, settings.antennas)

    async def leave(self) -> None:
        """Delete what we added, close in order."""
        if self._rospec_id is not None:
            await self._quietly(DeleteROSpec(rospec_id=self._rospec_id), DeleteROSpecResponse)
        if self.greeted:
            await self._quietly(CloseConnection(), CloseConnectionResponse)
        self._link.close()
        if not self._greeting.cancel() and not self._greeting.cancelled():
            self._greeting.exception()

    async def _config(self) -> GetReaderConfigResponse | None:
        """Return what the reader tells of its configuration; some refuse to tell all at once, some to tell at all."""
        try:
            return await self._requests.ask(config_request(EVERYTHING), GetReaderConfigResponse)
        except ReaderRefusedError:
            parts = []
            for part in CONFIG_PARTS:
                with suppress(ReaderRefusedError):
                    parts.append(await self._requests.ask(config_request(part), GetReaderConfigResponse))
        return config_parts(parts) if parts else None

    async def _rospecs(self) -> tuple[RospecFound, ...]:
        try:
            return rospecs_of(await self._requests.ask(GetROSpecs(), GetROSpecsResponse))
        except ReaderRefusedError:
            return ()

    async def _delete_old_trial(self, found: ReaderFound) -> ReaderFound:
        """Delete what an earlier look that was killed left; a reader that holds one ROSpec would take no other."""
        if FIRST_ROSPEC_ID not in {one.id for one in found.rospecs}:
            return found
        try:
            await self._requests.ask(DeleteROSpec(rospec_id=FIRST_ROSPEC_ID), DeleteROSpecResponse)
        except ReaderRefusedError:
            return found
        left = tuple(one for one in found.rospecs if one.id != FIRST_ROSPEC_ID)
        return replace(found, rospecs=left, deleted=(FIRST_ROSPEC_ID,))

    async def _try_antennas(self, found: ReaderFound) -> tuple[AntennaFound, ...]:
        taken = {one.id for one in found.rospecs}
        self._rospec_id = next(number for number in range(FIRST_ROSPEC_ID, 1 << 32) if number not in taken)
        if found.holds_reports:
            self._requests.say(EnableEventsAndReports())
        tried = []
        for antenna in found.antennas:
            try:
                heard = await self._listen(antenna.port, self._rospec_id)
            except ReaderRefusedError as error:
                tried.append(replace(antenna, refused=str(error).removeprefix(f"{self._where} refused ")))
                await self._quietly(DeleteROSpec(rospec_id=self._rospec_id), DeleteROSpecResponse)
                continue
            tags = len(heard.tags or ())
            tried.append(replace(antenna, reads=heard.reads, tags=tags, best_rssi_cdbm=heard.best_cdbm))
        if found.rospecs and tried and all(one.refused.startswith(ADD_REFUSED) for one in tried):
            self._told.append(_no_room(found.rospecs, tried))
            return found.antennas
        return tuple(tried)

    async def _listen(self, port: int, number: int) -> _Heard:
        self._heard = _Heard(tags=set())
        longest_s = self._settings.listen_s + TRIAL_GRACE_S
        await self._requests.ask(AddROSpec(rospec=trial_rospec(number, port, longest_s=longest_s)), AddROSpecResponse)
        await self._requests.ask(EnableROSpec(rospec_id=number), EnableROSpecResponse)
        await self._requests.ask(StartROSpec(rospec_id=number), StartROSpecResponse)
        await asyncio.sleep(self._settings.listen_s)
        await self._requests.ask(StopROSpec(rospec_id=number), StopROSpecResponse)
        await self._requests.ask(DeleteROSpec(rospec_id=number), DeleteROSpecResponse)
        return self._heard

    async def _quietly(self, question: LlrpMessage, answer: type[LlrpMessage]) -> None:
        with suppress(ReaderError):
            await self._requests.ask(question, answer, timeout_s=min(FAREWELL_S, self._settings.timeout_s))

    def _received(self, messages: Messages) -> None:
        if messages.reports and self._heard.tags is not None:
            self._count(messages)
        for frame in messages.others:
            if frame.type == Message.KEEPALIVE:
                self._link.send(encode_message(KeepaliveAck(), frame.message_id))
            elif frame.type == Message.READER_EVENT_NOTIFICATION:
                self._event(frame)
            else:
                self._requests.answer(frame)

    def _count(self, messages: Messages) -> None:
        batch = self._decoder.decode(messages.data)
        for row in range(len(batch)):
            if batch.rospec_id[row] in {0, self._rospec_id} and self._heard.tags is not None:
                self._heard.reads += int(batch.seen_count[row])
                self._heard.tags.add(batch.epc[row, : (int(batch.epc_bits[row]) + 7) // 8].tobytes())
                level = int(batch.rssi_cdbm[row])
                if level != NO_RSSI_CDBM:
                    self._heard.best_cdbm = max(level, self._heard.best_cdbm or level)

    def _event(self, frame: Frame) -> None:
        try:
            event = control.decode_event(frame)
        except LlrpError as error:
            self._told.append(f"an event of it can't be read: {error}")
            return
        if event.antenna is not None:
            self._plugged[event.antenna[0]] = event.antenna[1]
        if event.exception is not None:
            self._told.append(f"it reports an exception: {event.exception or 'no text'}")
        if event.connection_attempt is not None and not self._greeting.done():
            self._greet(event.connection_attempt, event)

    def _greet(self, status: int, event: control.ReaderEvent) -> None:
        if status == control.CONNECTED:
            self._greeting.set_result((self._now_us(), event))
        elif status in control.ALREADY_CONNECTED:
            self._lose(
                ReaderBusyError(
                    "another client holds this reader, or the reader still thinks so: end that one (a running agent, "
                    "for instance), or wait a minute"
                )
            )
        else:
            self._lose(ReaderBusyError(f"it turned us away (ConnectionAttemptEvent status {status}): restart it"))

    def _lose(self, reason: ReaderError) -> None:
        words = str(reason)
        if not self._greeting.done() and self._link.begun:
            words = f"it {self._link.begun}: network or reader? ({words})"
        elif not self._greeting.done() and isinstance(reason, ReaderClosedError):
            words += " before it greeted us: does it serve another client, or is this no LLRP reader's port?"
        error = type(reason)(f"{self._where}: {words}")
        self._requests.fail(error)
        if not self._greeting.done():
            self._greeting.set_exception(error)


def _no_room(left: Sequence[RospecFound], tried: Sequence[AntennaFound]) -> str:
    ids = ", ".join(f"ROSpec {one.id}" for one in left)
    words = "an inventory order" if len(left) == 1 else "inventory orders"
    return (
        f"{words} ({ids}) {'is' if len(left) == 1 else 'are'} left on the reader, and it takes none of ours besides "
        f"({tried[0].refused}): no antenna was tried. The agent deletes such orders when it starts; restarting the "
        "reader does too"
    )
