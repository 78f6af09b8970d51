"""How long commands and answers take on the air (EPC Gen2 air interface 2.0.1, 6.3.1.2 to 6.3.1.6 and 6.3.2.12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulator.world.air import layout as L  # noqa: N812 (one letter, as in the kernels)
from simulator.world.command import ModeTiming, Select

DELIMITER_US: Final = 12.5
QUERY_BITS: Final = 22
ADJUST_BITS: Final = 9
REP_BITS: Final = 4
ACK_BITS: Final = 18
SELECT_BITS: Final = 4 + 3 + 3 + 2 + 8 + 8 + 1 + 16
"""Command, target, action, bank, pointer, length, truncate and CRC-16; the mask comes on top."""
DIVIDE_RATIO: Final = 64 / 3
FM0_PREAMBLE: Final = 6
MILLER_PREAMBLE: Final = 10
"""Symbols before an answer without the pilot tone (TRext 0)."""
PILOT_TONE: Final = 12
"""Symbols more with it (TRext 1), which the dense-reader modes take: Miller 4 and 8."""
PILOT_FROM: Final = 4
RN16_BITS: Final = 16
PC_AND_CRC_BITS: Final = 32
DUMMY_BIT: Final = 1
T2_CYCLES: Final = 18
"""A reader may take 3 to 20 cycles of the link frequency until its next command."""
T3_CYCLES: Final = 5
"""How long a reader listens beyond T1 before it calls a slot empty: its own choice."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """The reader's and the tags' symbols of one mode, in microseconds."""

    mode: ModeTiming

    @property
    def rtcal_us(self) -> float:
        """Data-0 and data-1: what tells them apart."""
        return self.mode.tari_us * (1 + self.mode.pie_ratio)

    @property
    def cycle_us(self) -> float:
        """One cycle of the backscatter link frequency."""
        return 1e6 / self.mode.link_hz

    @property
    def bit_us(self) -> float:
        """One bit of a tag's answer."""
        return self.mode.miller * self.cycle_us

    def command_us(self, bits: int, *, preamble: bool = False) -> float:
        """A command of so many bits, as many zeros as ones; only Query has the preamble with TRcal."""
        calibration = DIVIDE_RATIO * self.cycle_us if preamble else 0.0
        return DELIMITER_US + self.mode.tari_us + self.rtcal_us + calibration + bits * self.rtcal_us / 2

    def answer_us(self, bits: int) -> float:
        """An answer of so many bits, with its preamble and the dummy bit at its end."""
        preamble = FM0_PREAMBLE if self.mode.miller == 1 else MILLER_PREAMBLE
        preamble += PILOT_TONE * (self.mode.miller >= PILOT_FROM)
        return (preamble + bits + DUMMY_BIT) * self.bit_us

    @property
    def t1_us(self) -> float:
        """From a command to the tag's answer."""
        return max(self.rtcal_us, 10 * self.cycle_us)


def durations(mode: ModeTiming, filters: Sequence[Select]) -> list[int]:
    """One row of `Plan.timings`; Selects with the time T4 after each go before every round."""
    symbols = Symbols(mode)
    selects = sum(symbols.command_us(SELECT_BITS + one.mask_bits) + 2 * symbols.rtcal_us for one in filters)
    row = [0] * L.TIMINGS
    row[L.SELECT_US] = round(selects)
    row[L.QUERY_US] = round(symbols.command_us(QUERY_BITS, preamble=True))
    row[L.ADJUST_US] = round(symbols.command_us(ADJUST_BITS))
    row[L.REP_US] = round(symbols.command_us(REP_BITS))
    row[L.ACK_US] = round(symbols.command_us(ACK_BITS))
    row[L.T1_US] = round(symbols.t1_us)
    row[L.T2_US] = round(T2_CYCLES * symbols.cycle_us)
    row[L.T3_US] = round(T3_CYCLES * symbols.cycle_us)
    row[L.RN16_US] = round(symbols.answer_us(RN16_BITS))
    row[L.REPLY_US] = round(symbols.answer_us(PC_AND_CRC_BITS))
    row[L.BYTE_NS] = round(8000 * symbols.bit_us)
    return row
