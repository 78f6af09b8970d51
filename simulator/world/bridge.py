"""The first air over a scene: tags of one moment for `RadioReader`, until the kernels take scenes themselves."""

import numpy as np

from simulator.world.radio import Antenna, Tags
from simulator.world.scene import STILL, Antennas, Floats, Scene


def antenna_of(antennas: Antennas, index: int) -> Antenna:
    """One antenna in the first radio's form."""
    return Antenna(
        port=int(antennas.port[index]),
        position=antennas.position[index],
        boresight=antennas.boresight[index],
        gain_dbi=float(antennas.gain_dbi[index]),
        cable_loss_db=float(antennas.cable_loss_db[index]),
        wave_directions=antennas.wave_directions[index],
        wave_phases=antennas.wave_phases[index],
        wave_delays_s=antennas.wave_delays_s[index],
    )


def tags_at(scene: Scene, epcs: list[bytes], at_us: int) -> Tags:
    """Tags that exist at a moment."""
    holds = scene.holds
    there = np.flatnonzero((holds.begin_us <= at_us) & (at_us < holds.end_us) & ~scene.tags.dead[holds.tag])
    place, velocity, bodies = holds.offset[there].copy(), np.zeros((len(there), 3)), np.full((len(there), 2), np.nan)
    for carrier in np.unique(holds.carrier[there]):
        if carrier != STILL:
            rows = np.flatnonzero(holds.carrier[there] == carrier)
            foot, speed, turn = _moment(scene, int(carrier), at_us)
            place[rows] = foot + holds.offset[there[rows]] @ turn
            velocity[rows] = speed
            bodies[rows] = foot[:2]
    tag = holds.tag[there]
    return Tags(
        [epcs[index] for index in tag],
        place,
        velocity,
        bodies,
        scene.tags.loss_db[tag] + holds.loss_db[there],
        scene.tags.sensitivity_dbm[tag],
    )


def _moment(scene: Scene, carrier: int, at_us: int) -> tuple[Floats, Floats, Floats]:
    """Foot (3,), velocity (3,) in metres a second, and the turn of offsets (3, 3) of a carrier."""
    keys = slice(scene.carriers.first[carrier], scene.carriers.first[carrier + 1])
    times, places = scene.carriers.at_us[keys], scene.carriers.place[keys]
    leg = int(np.clip(np.searchsorted(times, at_us, side="right") - 1, 0, len(times) - 2))
    step = places[leg + 1] - places[leg]
    took_us = max(int(times[leg + 1] - times[leg]), 1)
    heading = scene.carriers.heading[keys][leg]
    cos, sin = np.cos(heading), np.sin(heading)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return places[leg] + step * (at_us - times[leg]) / took_us, 1e6 * step / took_us, turn
