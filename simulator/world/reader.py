"""One reader's air time: inventory rounds over its antennas in turn, on hopping channels."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.world.radio import Antenna, Link, Tags, link
from simulator.world.values import NO_TAG, RadioState, Read

HOP_US: Final = 200_000
"""Dwell on one channel."""
ROUND_US: Final = 8_000
"""Air time of a round's commands and empty slots; with one tag in range it gives about 70 reads a second."""
SLOT_US: Final = 7_000
"""Air time of one tag's answer, with what collisions cost: it gives about 140 reads a second with 29 tags."""
SWITCH_US: Final = 12_000
"""What changing to another antenna costs."""
RSSI_STEP_CDBM: Final = 50
RSSI_NOISE_DB: Final = 0.3
PHASE_NOISE_RAD: Final = 0.08
PHASE_STEPS: Final = 4096
RANGE_M: Final = 12.0
"""Tags farther from an antenna than this are left out before any computing."""
_AMBIGUITIES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """What a reader is made of: antennas by port, channels, and where to ask for tags.

    Attributes:
        tags: tags around at a time of the scenario, in seconds.
        numbers: index of each EPC in the scenario.
    """

    antennas: dict[int, Antenna]
    frequencies_khz: Sequence[int]
    power_dbm: float
    tags: Callable[[float], Tags]
    numbers: Mapping[bytes, int] = field(default_factory=dict)


class RadioReader:
    """Draws the reads of one reader; the same seed gives the same reads, however the time is cut."""

    def __init__(self, air: Air, seed: np.random.SeedSequence) -> None:
        self._air = air
        self._rng = np.random.default_rng(seed)
        self._hops = self._rng.permutation(len(air.frequencies_khz))
        ports = max(air.antennas)
        self._offsets = self._rng.uniform(0, 2 * math.pi, (ports + 1, len(air.frequencies_khz)))
        self._flips = self._rng.integers(0, 2, (ports + 1, _AMBIGUITIES))
        self._now_us = 0
        self._turn = 0
        self._ready: deque[Read] = deque()

    def advance(self, until_us: int, radio: RadioState | None) -> list[Read]:
        """Reads up to a time; without a running ROSpec the time passes and nothing is read."""
        if radio is None:
            self._now_us = max(self._now_us, until_us)
            self._ready.clear()
            return []
        ports = [port for port in radio.antennas if port in self._air.antennas]
        while ports and self._now_us < until_us:
            self._turn += 1
            self._round(ports[self._turn % len(ports)], radio, switch=len(ports) > 1)
        if not ports:
            self._now_us = max(self._now_us, until_us)
        return self._take(until_us)

    def _take(self, until_us: int) -> list[Read]:
        taken = []
        while self._ready and self._ready[0].at_us <= until_us:
            taken.append(self._ready.popleft())
        return taken

    def _round(self, port: int, radio: RadioState, *, switch: bool) -> None:
        """One inventory round: whoever is powered answers once, in a random order."""
        begin_us = self._now_us + SWITCH_US * switch + ROUND_US
        antenna = self._air.antennas[port]
        power_dbm = radio.power_dbm.get(port, self._air.power_dbm)
        tags = _in_range(self._air.tags(begin_us / 1e6), antenna)
        self._now_us = begin_us
        if not tags.epcs:
            return
        channel, turn = self._channel(begin_us)
        frequency_hz = 1000.0 * self._air.frequencies_khz[channel]
        chance = link(antenna, tags, power_dbm, frequency_hz).read_chance(tags.sensitivity_dbm)
        answering = np.flatnonzero(self._rng.random(len(chance)) < chance)
        order = self._rng.permutation(answering)
        later_us = SLOT_US * np.arange(1, len(order) + 1, dtype=np.int64)
        self._now_us = begin_us + SLOT_US * len(order)
        if len(order):
            answers = tags.at(order, later_us / 1e6)
            heard = link(antenna, answers, power_dbm, frequency_hz)
            heard = replace(heard, phase_rad=heard.phase_rad + self._phase_offset(port, channel, turn))
            self._report(port, channel, answers, begin_us + later_us, heard)

    def _channel(self, at_us: int) -> tuple[int, int]:
        turn = at_us // HOP_US
        return int(self._hops[turn % len(self._hops)]), turn

    def _phase_offset(self, port: int, channel: int, turn: int) -> float:
        """Cable and oscillator: fixed for an antenna and a channel, but for half a turn that each hop draws anew."""
        return float(self._offsets[port, channel] + math.pi * self._flips[port, turn % _AMBIGUITIES])

    def _report(self, port: int, channel: int, tags: Tags, at_us: NDArray[np.int64], heard: Link) -> None:
        noise = self._rng.normal(size=(2, len(tags.epcs)))
        rssi_cdbm = RSSI_STEP_CDBM * np.rint(100 * (heard.rssi_dbm + RSSI_NOISE_DB * noise[0]) / RSSI_STEP_CDBM)
        phase = heard.phase_rad + PHASE_NOISE_RAD * noise[1]
        steps = np.floor(phase * PHASE_STEPS / (2 * math.pi)).astype(np.int64) % PHASE_STEPS
        for index, epc in enumerate(tags.epcs):
            number = self._air.numbers.get(epc, NO_TAG)
            read = Read(int(at_us[index]), port, epc, int(rssi_cdbm[index]), int(steps[index]), channel + 1, tag=number)
            self._ready.append(read)


def _in_range(tags: Tags, antenna: Antenna) -> Tags:
    near = np.flatnonzero(np.linalg.norm(tags.position - antenna.position, axis=1) < RANGE_M)
    return tags if len(near) == len(tags.epcs) else tags.at(near, np.zeros(len(near)))
