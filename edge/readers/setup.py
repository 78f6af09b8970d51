"""How a session makes a reader its own: profile, vendor extensions, clean-up, configuration."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from edge.llrp.control import Capabilities
from edge.llrp.messages import Message
from edge.llrp.messages.answers import (
    DeleteAccessSpecResponse,
    DeleteROSpecResponse,
    GetReaderConfigResponse,
    SetReaderConfigResponse,
)
from edge.llrp.messages.commands import DeleteAccessSpec, DeleteROSpec, GetReaderConfig
from edge.llrp.messages.enums import GetReaderConfigRequestedData, GPIPortState
from edge.llrp.messages.impinj import ImpinjEnableExtensions, ImpinjEnableExtensionsResponse
from edge.profiles import AUTO, GENERIC, ReaderProfile, match_reader, profile_named
from edge.readers.configuration import keepalive_only, reader_config
from edge.readers.errors import ReaderRefusedError
from edge.readers.model import ReaderSettings
from edge.readers.requests import Requests

_LEFTOVERS: tuple[tuple[Message, type[Message]], ...] = (
    (DeleteROSpec(rospec_id=0), DeleteROSpecResponse),
    (DeleteAccessSpec(access_spec_id=0), DeleteAccessSpecResponse),
)

_LEVELS = frozenset({GPIPortState.LOW, GPIPortState.HIGH})


class SetUp:
    """The steps between greeting and inventory; what a reader refuses is told by `note`, and gone on without."""

    def __init__(
        self,
        settings: ReaderSettings,
        requests: Requests,
        where: str,
        *,
        note: Callable[[str], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._settings, self._requests, self._where = settings, requests, where
        self._note, self._log = note, log
        self.doubt = ""
        """How far the reader is from those that its profile was held against."""

    def choose_profile(self, seen: Capabilities) -> ReaderProfile:
        """Return the configured profile, or the one that fits what the reader says that it is."""
        itself = f"vendor {seen.vendor}, model {seen.model}, firmware {seen.firmware}"
        matched = match_reader(vendor=seen.vendor, model=seen.model, firmware=seen.firmware)
        fitting = matched.profile
        if self._settings.profile != AUTO:
            chosen = profile_named(self._settings.profile)
            if not chosen.fits(vendor=seen.vendor, model=seen.model, firmware=seen.firmware):
                self._note(
                    f"profile {chosen.name} is configured, but the reader says it is {itself}: {fitting.name} fits"
                )
            return chosen
        if fitting.name == GENERIC:
            self._note(matched.words)
        elif matched.words:
            self.doubt = matched.words
            self._log.info("reader unlike those on record", reason=matched.words)
        return fitting

    async def enable_extensions(self, profile: ReaderProfile) -> bool:
        """Switch the vendor's extensions on, before any parameter of theirs; return whether they are."""
        if profile.extensions.handshake == "none":
            return False
        try:
            await self._requests.ask(ImpinjEnableExtensions(), ImpinjEnableExtensionsResponse)
        except ReaderRefusedError as error:
            self._note(f"goes on without vendor extensions and phase: {error}")
            return False
        return True

    async def clear(self) -> None:
        """Delete what a client before us left; readers that have nothing to delete may refuse."""
        for message, answer in _LEFTOVERS:
            try:
                await self._requests.ask(message, answer)
            except ReaderRefusedError as error:
                self._log.info("nothing deleted", reason=str(error))

    async def antennas(self) -> dict[int, bool]:
        """Ask which antennas are connected; a reader that doesn't tell gives nothing."""
        said = await self._state(GetReaderConfigRequestedData.ANTENNA_PROPERTIES)
        return {} if said is None else {one.antenna_id: one.antenna_connected for one in said.antenna_properties}

    async def inputs(self) -> dict[int, bool]:
        """Ask for the level of each wired input; one that the reader doesn't know is left out."""
        if not self._settings.gpis:
            return {}
        said = await self._state(GetReaderConfigRequestedData.GPIPORT_CURRENT_STATE)
        states = () if said is None else said.gpi_port_current_states
        return {one.gpi_port_num: one.state == GPIPortState.HIGH for one in states if one.state in _LEVELS}

    async def _state(self, wanted: GetReaderConfigRequestedData) -> GetReaderConfigResponse | None:
        question = GetReaderConfig(antenna_id=0, requested_data=wanted, gpi_port_num=0, gpo_port_num=0)
        try:
            return await self._requests.ask(question, GetReaderConfigResponse)
        except ReaderRefusedError as error:
            self._log.info("not told by the reader", asked=wanted.name.lower(), reason=str(error))
            return None

    async def configure(self, profile: ReaderProfile, seen: Capabilities, *, extensions: bool) -> bool:
        """Set keepalives and events; where the reader refuses them, keepalives alone; return whether it took all."""
        wanted = reader_config(self._settings, profile, seen, extensions=extensions)
        try:
            await self._requests.ask(wanted, SetReaderConfigResponse)
        except ReaderRefusedError as error:
            self._note(f"goes on with keepalives alone, without events: {error}")
            await self._requests.ask(keepalive_only(self._settings), SetReaderConfigResponse)
            return False
        return True
