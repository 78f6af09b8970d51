"""An RF survey: what else is on the air, channel by channel, told by a reader that can listen without asking."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.llrp import Chunk as Messages
from edge.llrp import Frame, LlrpError
from edge.llrp.messages import decode_message
from edge.llrp.messages.answers import ROAccessReport
from edge.llrp.wire import HEADER, HEADER_BYTES, TYPE_MASK
from edge.llrp.wire import Message as Number
from edge.readers.inventory import Inventory
from edge.readers.rospec import survey_rospec
from edge.readers.within import within

LAST_REPORT_S: Final = 3.0
"""After its time a reader has so long for its report."""


@dataclass(frozen=True, slots=True)
class ChannelLevel:
    """What was heard on one channel."""

    frequency_khz: int
    bandwidth_khz: int
    average_dbm: int
    peak_dbm: int


class Survey:
    """One survey; `take` gets what comes meanwhile."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._came = asyncio.Event()
        self._levels: dict[int, ChannelLevel] = {}

    @property
    def levels(self) -> tuple[ChannelLevel, ...]:
        """Channels heard so far, by frequency; of one heard twice the newest."""
        return tuple(self._levels[frequency] for frequency in sorted(self._levels))

    async def run(self, inventory: Inventory, antenna: int, *, from_khz: int, to_khz: int, duration_ms: int) -> None:
        """Listen on one antenna for a while."""
        await inventory.run_once(survey_rospec(antenna, from_khz=from_khz, to_khz=to_khz, duration_ms=duration_ms))
        await asyncio.sleep(duration_ms / 1000)
        try:
            async with within(LAST_REPORT_S):
                await self._came.wait()
        except TimeoutError:
            self._log.warning("the reader ended its survey without a report")

    def take(self, messages: Messages) -> None:
        """Note the levels in reports; what can't be read is the tag decoder's to count."""
        for frame in _reports(messages):
            try:
                report = decode_message(frame)
            except LlrpError:
                continue
            found = report.rf_survey_report_data if isinstance(report, ROAccessReport) else ()
            for entry in (entry for one in found for entry in one.frequency_rssi_level_entries):
                level = ChannelLevel(entry.frequency, entry.bandwidth, entry.average_rssi, entry.peak_rssi)
                self._levels[level.frequency_khz] = level
            if found:
                self._came.set()


def _reports(messages: Messages) -> Iterator[Frame]:
    at = 0
    while at + HEADER_BYTES <= len(messages.data):
        word, length, message_id = HEADER.unpack_from(messages.data, at)
        if word & TYPE_MASK == Number.RO_ACCESS_REPORT:
            payload = bytes(messages.data[at + HEADER_BYTES : at + length])
            yield Frame(word & TYPE_MASK, message_id, word >> 10, payload, at)
        at += length
