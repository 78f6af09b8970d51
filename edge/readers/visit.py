"""A short visit to a reader for its outputs alone: nothing is inventoried, and it is left as free as it was found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger

from edge.llrp import LlrpError, control
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse
from edge.llrp.messages.commands import GetReaderCapabilities
from edge.llrp.messages.enums import GetReaderCapabilitiesRequestedData
from edge.readers.connection import Connection
from edge.readers.dial import Dialler
from edge.readers.errors import ReaderRefusedError
from edge.readers.gpo import ReaderOutputs
from edge.readers.model import ReaderSettings
from edge.readers.setup import SetUp


@asynccontextmanager
async def visit_outputs(
    settings: ReaderSettings, dialler: Dialler, *, log: FilteringBoundLogger
) -> AsyncIterator[ReaderOutputs]:
    """Give the reader's wired outputs, all off; what is on at the end is switched off. Raises `ReaderError`."""
    connection = Connection(
        settings,
        dialler,
        received=lambda _messages, _events: None,
        stray=lambda _frame: None,
        bad=lambda words: log.warning("bad message", words=words),
        log=log,
    )
    try:
        await connection.open()
        wanted = GetReaderCapabilities(requested_data=GetReaderCapabilitiesRequestedData.ALL)
        frame = await connection.requests.ask_frame(wanted, GetReaderCapabilitiesResponse)
        try:
            seen = control.decode_capabilities(frame)
        except LlrpError as error:
            raise ReaderRefusedError(f"{connection.where}: {error}") from error
        setup = SetUp(settings, connection.requests, connection.where, note=log.warning, log=log)
        profile = setup.choose_profile(seen)
        extensions = await setup.enable_extensions(profile)
        outputs = ReaderOutputs(
            connection.where, connection.requests, settings.outputs, profile, extensions=extensions, log=log
        )
        await outputs.all_off()
        try:
            yield outputs
        finally:
            await outputs.close()
    finally:
        await connection.hang_up(())
