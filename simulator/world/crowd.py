"""A crowd: every tag passes one antenna once and never comes again. Load for the links behind, cheap to make."""

import math
from collections.abc import Sequence
from typing import Final

from simulator.scenarios.model import CrowdPart, Scenario
from simulator.world.radio.layout import LIGHT_M_S
from simulator.world.values import Crossing, InputChange, RadioState, Read, Reads, columns, no_reads

NEAREST_M: Final = 0.8
FARTHEST_M: Final = 2.0
"""Distance at the middle and at the ends of a pass; RSSI and phase follow from it."""
RSSI_NEAREST_CDBM: Final = -4500
RSSI_STEP_CDBM: Final = 50
PHASE_STEPS: Final = 4096


class Crowd:
    """Passes at a steady rate; pass `i` has the EPC with the number `i + 1`."""

    def __init__(
        self, scenario: Scenario, part: CrowdPart, seconds: float | None, frequencies_khz: Sequence[int]
    ) -> None:
        self._scenario = scenario
        self._part = part
        self._frequencies_khz = frequencies_khz
        self._period_us = 1e6 / part.passes_per_s
        self._pass_us = round(1e6 * part.pass_s)
        self._ends_us = None if seconds is None else round(1e6 * seconds)
        quiet_us = round(1e6 * scenario.quiet_end_s)
        self._last_end_us = math.inf if self._ends_us is None else self._ends_us - quiet_us
        self._read_to_us = self._told_to_us = -1

    @property
    def residents(self) -> list[bytes]:
        """None: every tag moves on."""
        return []

    @property
    def ends_us(self) -> int | None:
        """The limit that was given."""
        return self._ends_us

    def advance(self, reader: str, until_us: int, radio: RadioState | None) -> Reads:
        """Reads since the last call; other readers hear nothing."""
        if reader != self._part.reader:
            return no_reads()
        since_us, self._read_to_us = self._read_to_us, max(until_us, self._read_to_us)
        if radio is None or self._part.port not in radio.antennas:
            return no_reads()
        reads = [
            self._read(number, index)
            for index in range(self._part.reads_per_pass)
            for number in self._passes(since_us - self._offset_us(index), until_us - self._offset_us(index))
        ]
        return columns(sorted(reads, key=lambda read: (read.at_us, read.epc)))

    def take_crossings(self, until_us: int) -> list[Crossing]:
        """Passes that ended since the last call; one antenna can't tell a direction, so all are near."""
        since_us, self._told_to_us = self._told_to_us, max(until_us, self._told_to_us)
        over = self._passes(since_us - self._pass_us, until_us - self._pass_us)
        return [
            Crossing(self._epc(number), self._part.portal, "near", start, None, start + self._pass_us)
            for number in over
            for start in (self._start_us(number),)
        ]

    def take_inputs(self, until_us: int) -> list[InputChange]:  # noqa: ARG002 - nothing is wired
        """None: nothing is wired."""
        return []

    def _passes(self, after_us: int, until_us: int) -> range:
        """Numbers (from 0) of passes that start in (after, until] and end before the quiet end."""
        last_us = min(until_us, self._last_end_us - self._pass_us)
        first = math.floor(after_us / self._period_us) + 1 if after_us >= 0 else 0
        return range(first, math.floor(last_us / self._period_us) + 1) if last_us >= 0 else range(0)

    def _start_us(self, number: int) -> int:
        return math.ceil(number * self._period_us)

    def _offset_us(self, index: int) -> int:
        return (2 * index + 1) * self._pass_us // (2 * self._part.reads_per_pass)

    def _epc(self, number: int) -> bytes:
        return self._scenario.epc(number + 1)

    def _read(self, number: int, index: int) -> Read:
        part = self._part
        along = abs(2 * self._offset_us(index) / self._pass_us - 1)
        distance_m = math.hypot(NEAREST_M, along * math.sqrt(FARTHEST_M**2 - NEAREST_M**2))
        rssi_cdbm = RSSI_NEAREST_CDBM - 4000 * math.log10(distance_m / NEAREST_M)
        channel = number % len(self._frequencies_khz)
        turns = 2 * distance_m * 1000 * self._frequencies_khz[channel] / LIGHT_M_S
        return Read(
            at_us=self._start_us(number) + self._offset_us(index),
            antenna=part.port,
            epc=self._epc(number),
            rssi_cdbm=RSSI_STEP_CDBM * round(rssi_cdbm / RSSI_STEP_CDBM),
            phase=int(PHASE_STEPS * turns) % PHASE_STEPS,
            channel=channel + 1,
        )
