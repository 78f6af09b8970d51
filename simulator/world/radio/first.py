"""The radio between an antenna and tags: link budget, antenna pattern, Rician fading coherent in space, phase.

First model. One-way gain is free space with a path exponent, the antenna's pattern, polarisation, the tag's own loss on
its object, and a fading that is one direct ray plus a few scattered plane waves. The waves are fixed per antenna, so
that fading is a property of place and channel: a tag that stands still keeps its level, one that walks sees nulls
half a wavelength apart. The same gain acts on the way to the tag and back, which gives RSSI and phase together.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.world.scene import Floats

LIGHT_M_S: Final = 299_792_458.0
POLARISATION_DB: Final = 3.0
"""Circular antenna to linear tag."""
MODULATION_DB: Final = 6.0
"""What a tag's modulation takes from the power that it scatters back (5 to 6 dB)."""
READER_SENSITIVITY_DBM: Final = -84.0
PATH_EXPONENT: Final = 2.0
RICIAN_K_DB: Final = 8.0
"""Direct against scattered power in sight; a body takes from the direct ray only."""
PATTERN_POWER: Final = 3.5
"""Exponent of the cosine that has a 70 degree beam, as patch antennas have."""
BACK_LOBE_DB: Final = -22.0
BODY_DB: Final = 12.0
SCATTERERS: Final = 8
EXCESS_DELAY_S: Final = 8e-9
"""Longest extra way of a scattered wave (2.4 m): it decides how much a hop changes the level."""
READ_MARGIN_DB: Final = 0.5
"""How soft the threshold of a tag's sensitivity is."""
BEST_READ_CHANCE: Final = 0.95
"""Singulations that succeed with power to spare: the rest are collisions and CRC errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Antenna:
    """One antenna in the site's frame, with the scattered waves of its surroundings."""

    port: int
    position: Floats
    boresight: Floats
    gain_dbi: float
    cable_loss_db: float
    wave_directions: Floats
    wave_phases: Floats
    wave_delays_s: Floats


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags at one moment, as columns.

    Attributes:
        epcs: the EPC of each.
        position: (n, 3) metres.
        velocity: (n, 3) metres a second.
        bodies: (n, 2) where the carrier stands; NaN where nobody carries.
        loss_db: (n,) what object and label take, one way.
        sensitivity_dbm: (n,) power that wakes the tag.
    """

    epcs: list[bytes]
    position: Floats
    velocity: Floats
    bodies: Floats
    loss_db: Floats
    sensitivity_dbm: Floats

    def at(self, chosen: NDArray[np.intp], later_s: Floats) -> "Tags":
        """Some of these tags, each moved on by its own time."""
        step = self.velocity[chosen] * later_s[:, None]
        return Tags(
            [self.epcs[index] for index in chosen],
            self.position[chosen] + step,
            self.velocity[chosen],
            self.bodies[chosen] + step[:, :2],
            self.loss_db[chosen],
            self.sensitivity_dbm[chosen],
        )


@dataclass(frozen=True, slots=True)
class Link:
    """What antenna and tags say of each other: (n,) arrays."""

    tag_dbm: Floats
    rssi_dbm: Floats
    phase_rad: Floats

    def read_chance(self, sensitivity_dbm: Floats) -> Floats:
        """(n,) probability that a singulation of each tag succeeds."""
        margin = np.minimum(self.tag_dbm - sensitivity_dbm, self.rssi_dbm - READER_SENSITIVITY_DBM)
        chance: Floats = BEST_READ_CHANCE / (1 + np.exp(np.clip(-margin / READ_MARGIN_DB, -60, 60)))
        return chance


def antenna(
    port: int,
    position: Floats,
    aim: Floats,
    rng: np.random.Generator,
    *,
    gain_dbi: float,
    cable_loss_db: float,
) -> Antenna:
    """Place an antenna that looks at a point, with surroundings of its own."""
    look = aim - position
    waves = rng.normal(size=(SCATTERERS, 3))
    return Antenna(
        port=port,
        position=position,
        boresight=look / np.linalg.norm(look),
        gain_dbi=gain_dbi,
        cable_loss_db=cable_loss_db,
        wave_directions=waves / np.linalg.norm(waves, axis=1, keepdims=True),
        wave_phases=rng.uniform(0, 2 * math.pi, SCATTERERS),
        wave_delays_s=rng.uniform(0, EXCESS_DELAY_S, SCATTERERS),
    )


def link(at: Antenna, tags: Tags, power_dbm: float, frequency_hz: float) -> Link:
    """Compute the link of one antenna to each tag at one frequency."""
    way = tags.position - at.position
    distance = np.maximum(np.linalg.norm(way, axis=1), 0.1)
    wavelength = LIGHT_M_S / frequency_hz
    fade = _fade(at, tags, distance, frequency_hz)
    path_db = 20 * math.log10(wavelength / (4 * math.pi)) - 10 * PATH_EXPONENT * np.log10(distance)
    pattern_db = at.gain_dbi + _pattern_db(way @ at.boresight / distance)
    one_way_db = pattern_db + path_db - POLARISATION_DB - tags.loss_db + 20 * np.log10(np.abs(fade) + 1e-6)
    return Link(
        tag_dbm=power_dbm - at.cable_loss_db + one_way_db,
        rssi_dbm=power_dbm - 2 * at.cable_loss_db + 2 * one_way_db - MODULATION_DB,
        phase_rad=-2 * np.angle(fade),
    )


def _pattern_db(cosine: Floats) -> Floats:
    pattern: Floats = np.maximum(10 * PATTERN_POWER * np.log10(np.maximum(cosine, 1e-3)), BACK_LOBE_DB)
    return pattern


def _fade(at: Antenna, tags: Tags, distance: Floats, frequency_hz: float) -> NDArray[np.complex128]:
    """Complex gain of direct ray and scattered waves, of mean power 1 in sight."""
    wavenumber = 2 * math.pi * frequency_hz / LIGHT_M_S
    k_factor = 10 ** (RICIAN_K_DB / 10)
    direct = math.sqrt(k_factor / (k_factor + 1)) * 10 ** (-_shadow_db(at, tags) / 20)
    turns = wavenumber * (tags.position @ at.wave_directions.T) + at.wave_phases
    scattered = np.exp(-1j * (turns + 2 * math.pi * frequency_hz * at.wave_delays_s)).sum(axis=1)
    gain: NDArray[np.complex128] = direct * np.exp(-1j * wavenumber * distance) + scattered / math.sqrt(
        SCATTERERS * (k_factor + 1)
    )
    return gain


def _shadow_db(at: Antenna, tags: Tags) -> Floats:
    """What the carrier's body takes: all where it stands between, nothing where it stands behind or beside."""
    to_body = tags.bodies - tags.position[:, :2]
    to_antenna = at.position[:2] - tags.position[:, :2]
    scale = np.linalg.norm(to_body, axis=1) * np.linalg.norm(to_antenna, axis=1)
    cosine = np.einsum("ij,ij->i", to_body, to_antenna) / np.maximum(scale, 1e-9)
    shadow: Floats = np.nan_to_num(BODY_DB * np.maximum(cosine, 0.0) ** 2, nan=0.0)
    return shadow
