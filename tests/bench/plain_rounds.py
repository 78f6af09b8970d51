"""The simulator's first inventory rounds, in numpy with an object a read: a named peer for the kernel.

It knows no slots, collisions, sessions or modes: whoever has power answers once a round, 7 ms each.
"""

import numpy as np

from simulator.world.values import Read
from tests.bench.plain_links import link_db

ROUND_US, SLOT_US, HOP_US = 8_000, 7_000, 200_000


class PlainReader:
    """One antenna before tags that lie still."""

    def __init__(self, antennas, places, khz, *, seed=1, power_dbm=30.0, loss_db=3.0, sensitivity_dbm=-20.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._at, self._boresight = antennas.position[0], antennas.boresight[0]
        self._waves = antennas.wave_directions[0], antennas.wave_phases[0], antennas.wave_delays_s[0]
        self._places, self._bodies = places, places[:, :2] + 0.3
        self._khz = self._rng.permutation(khz)
        self._power_dbm, self._loss_db, self._sensitivity_dbm = power_dbm, loss_db, sensitivity_dbm
        self._now_us = 0
        self._epcs = [number.to_bytes(12, "big") for number in range(len(places))]

    def advance(self, until_us):
        """Reads of all rounds that begin before a time."""
        reads = []
        while self._now_us < until_us:
            self._round(reads)
        return reads

    def _link(self, chosen, channel):
        hz = 1000.0 * self._khz[channel]
        gain_db, phase = link_db(self._at, self._boresight, self._waves, self._places[chosen], self._bodies[chosen], hz)
        return gain_db - self._loss_db, phase

    def _round(self, reads):
        begin_us = self._now_us + ROUND_US
        channel = begin_us // HOP_US % len(self._khz)
        gain_db, _ = self._link(slice(None), channel)
        margin_db = self._power_dbm + gain_db - self._sensitivity_dbm
        chance = 0.95 / (1 + np.exp(np.clip(-margin_db / 0.5, -60, 60)))
        order = self._rng.permutation(np.flatnonzero(self._rng.random(len(chance)) < chance))
        self._now_us = begin_us + SLOT_US * len(order)
        gain_db, phase = self._link(order, channel)
        noise = self._rng.normal(size=(2, len(order)))
        rssi = 50 * np.rint(2 * (self._power_dbm + 2 * gain_db - 5.5 + 0.3 * noise[0]))
        steps = np.floor((2 * phase + 0.08 * noise[1]) * 4096 / (2 * np.pi)).astype(np.int64) % 4096
        for place, tag in enumerate(order):
            at_us = begin_us + SLOT_US * (place + 1)
            reads.append(
                Read(at_us, 1, self._epcs[tag], int(rssi[place]), int(steps[place]), int(channel) + 1, tag=int(tag))
            )
