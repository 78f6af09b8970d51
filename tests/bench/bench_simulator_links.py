"""Links of the simulator's radio: a day of 12 portals asks for 100 million, so each may cost tens of ns."""

import time

import numpy as np

from simulator.world.radio import Links, all_gains
from simulator.world.scene import Surroundings
from tests.bench.figures import BENCH, Figure
from tests.bench.plain_links import link_db
from tests.helpers.radio_scene import FCC, antennas, carriers, holds, leaves, scene, walls

TAGS = 416
ROUNDS = 400
PEER = "numpy, first model"
INDOORS = Surroundings(path_exponent=2.0, k_db=8.0, ground=0.35)


@BENCH.register("simulator.link.")
def links():
    """Yield nanoseconds a link to tags that lie still, behind a door that has turned, and that move."""
    rng = np.random.default_rng(1)
    ants = antennas(((-0.8, 0.8, 2), (0, 0, 1)), ((0.8, -0.8, 2), (0, 0, 1)))
    peer_ns = _peer(ants, rng)
    still = holds(rng.uniform([-8, -8, 0.2], [8, 8, 2.0], (TAGS, 3)))
    carried = holds(rng.uniform([0.2, -0.4, 0.8], [0.4, 0.4, 1.2], (TAGS, 3)), carriers=[k % 2 for k in range(TAGS)])
    for name, held, doors, what in (
        ("still", still, _door(), "two walkers near, 20 walls, a metal door that rests"),
        ("still_door_turns", still, _door(turning=True), "the door turns at every round"),
        ("moving", carried, _door(), "on the two walkers"),
    ):
        spent_ns = _kernel(ants, held, doors, rng)
        yield Figure(f"simulator.link.{name}", spent_ns, "ns", PEER, peer_ns, peer_ns / spent_ns, what)


def _door(*, turning=False):
    return leaves(((0, -0.6), [(0, 1.5), (10_000_000, 0.1)] if turning else [(0, 1.5)]))


def _kernel(ants, held, doors, rng):
    paths = [[(0, -4, 0), (10_000_000, 4, 0.2)], [(0, 4, -0.3), (10_000_000, -4, -0.3)]]
    standing = walls(*rng.uniform(-9, 9, (20, 4)))
    parts = {"around": INDOORS, "carried": carriers(*paths), "standing": standing, "doors": doors}
    channel = Links(ants, FCC, 1).channel(scene(held, **parts))
    out = np.zeros(TAGS)
    spent = 0.0
    for lap in (0, 1):
        begun = time.process_time()
        for number in range(ROUNDS):
            all_gains(channel, number % 2, 20_000 * number + lap, number // 2 % 50, out)
        spent = time.process_time() - begun
    return 1e9 * spent / ROUNDS / TAGS


def _peer(ants, rng):
    waves = ants.wave_directions[0], ants.wave_phases[0], ants.wave_delays_s[0]
    places, bodies = rng.uniform([-8, -8, 0.2], [8, 8, 2.0], (TAGS, 3)), rng.uniform(-8, 8, (TAGS, 2))
    begun = time.process_time()
    for _ in range(50):
        link_db(ants.position[0], ants.boresight[0], waves, places, bodies, 915e6)
    return 1e9 * (time.process_time() - begun) / 50 / TAGS
