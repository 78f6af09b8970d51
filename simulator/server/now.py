"""One moment as a reader's clocks show it."""

import struct
from dataclasses import dataclass

from simulator.faults import Faults, Stamps
from simulator.server.codes import ParameterType
from simulator.server.wire import tlv


@dataclass(slots=True)
class Now:
    """One moment: the reader's UTC, which stamps, a steady clock, which measures durations, and the reader's Uptime.

    `stamps` says which of UTC and Uptime events carry; an event must carry one, so that "none" is Uptime here.
    """

    utc_us: int
    steady_us: int
    uptime_us: int = 0
    stamps: Stamps = "utc"

    def by(self, faults: Faults) -> "Now":
        """The same true moment as a reader with these faults shows it."""
        uptime_us = faults.uptime_us(self.utc_us)
        return Now(faults.reader_utc_us(self.utc_us), self.steady_us, uptime_us, faults.stamps)

    def stamp(self) -> bytes:
        """UTCTimestamp or Uptime, as an event carries it."""
        if self.stamps == "utc":
            return tlv(ParameterType.UTC_TIMESTAMP, struct.pack(">Q", self.utc_us))
        return tlv(ParameterType.UPTIME, struct.pack(">Q", self.uptime_us))
