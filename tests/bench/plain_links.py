"""The simulator's first link model, in numpy over whole arrays: a named peer for the kernels.

It knows neither walls nor doors, floor, mirrors or polarisation, and computes every tag anew each time.
"""

import math

import numpy as np

LIGHT_M_S = 299_792_458.0
K = 10**0.8


def link_db(at, boresight, waves, places, bodies, frequency_hz):  # noqa: PLR0917 - as the first model had it
    """(n,) one-way gain in dB and phase of an antenna's links to tags at (n, 3) places, carried by bodies at (n, 2)."""
    way = places - at
    distance = np.maximum(np.linalg.norm(way, axis=1), 0.1)
    fade = _fade(at, waves, places, bodies, distance, frequency_hz)
    path_db = 20 * np.log10(LIGHT_M_S / frequency_hz / (4 * math.pi * distance))
    pattern_db = np.maximum(35 * np.log10(np.maximum(way @ boresight / distance, 1e-3)), -22)
    return 6 + pattern_db + path_db - 3 + 20 * np.log10(np.abs(fade) + 1e-6), -np.angle(fade)


def _fade(at, waves, places, bodies, distance, frequency_hz):  # noqa: PLR0917 - the same
    directions, phases, delays_s = waves
    wavenumber = 2 * math.pi * frequency_hz / LIGHT_M_S
    direct = math.sqrt(K / (K + 1)) * 10 ** (-_shadow_db(at, places, bodies) / 20)
    turns = wavenumber * (places @ directions.T) + phases
    scattered = np.exp(-1j * (turns + 2 * math.pi * frequency_hz * delays_s)).sum(axis=1)
    return direct * np.exp(-1j * wavenumber * distance) + scattered / math.sqrt(len(phases) * (K + 1))


def _shadow_db(at, places, bodies):
    to_body, to_antenna = bodies - places[:, :2], at[:2] - places[:, :2]
    scale = np.linalg.norm(to_body, axis=1) * np.linalg.norm(to_antenna, axis=1)
    return 12 * np.maximum(np.einsum("ij,ij->i", to_body, to_antenna) / np.maximum(scale, 1e-9), 0) ** 2
