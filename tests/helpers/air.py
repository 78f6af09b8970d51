"""Small scenes for the air: an antenna, tags on a shelf, somebody who walks by."""

from types import SimpleNamespace

import numpy as np

from simulator.server.model import ETSI_KHZ, FCC_KHZ
from simulator.world.air import AirReader
from simulator.world.command import InventoryHabits
from simulator.world.scene import STILL, Antennas, Carriers, Holds, Leaves, Scene, Surroundings, Tags, Walls
from simulator.world.values import ReaderTraits

NO_PAUSES = InventoryHabits(idle_us=0, idle_busy_us=0)
FOREVER_US = 1 << 50


def antennas(count=1, *, apart_m=0.0, gain_dbi=6.0, at=(0.0, 0.0, 1.5), waves=0, seed=1):
    """Antennas side by side, all looking along +x."""
    rng = np.random.default_rng(seed)
    position = np.array(at) + np.arange(count)[:, None] * np.array([0.0, apart_m, 0.0])
    directions = rng.normal(size=(count, waves, 3))
    return Antennas(
        port=np.arange(1, count + 1),
        position=position,
        boresight=np.tile([1.0, 0.0, 0.0], (count, 1)),
        axis=np.zeros((count, 3)),
        gain_dbi=np.full(count, gain_dbi),
        beam_deg=np.full(count, 70.0),
        cable_loss_db=np.full(count, 1.0),
        wave_directions=directions / np.linalg.norm(directions, axis=2, keepdims=True) if waves else directions,
        wave_phases=rng.uniform(0, 2 * np.pi, (count, waves)),
        wave_delays_s=rng.uniform(0, 8e-9, (count, waves)),
    )


def shelf(count, distance_m=2.0, spread_m=1.0, seed=2):
    """(n, 3) places of tags in front of the antennas."""
    rng = np.random.default_rng(seed)
    return np.array([distance_m, 0.0, 1.5]) + rng.uniform(-spread_m / 2, spread_m / 2, (count, 3))


def scene(still=(), walkers=(), *, sensitivity_dbm=-20.0, loss_db=3.0, end_us=FOREVER_US, dead=(), k_db=60.0):
    """Tags at places, then one tag for each walker (begin_us, begin place, end_us, end place)."""
    still = np.array(still, dtype=float).reshape(-1, 3)
    n, k = len(still) + len(walkers), len(walkers)
    return Scene(
        begin_us=0,
        end_us=end_us,
        surroundings=Surroundings(path_exponent=2.0, k_db=k_db, ground=0.0),
        tags=Tags(
            sensitivity_dbm=np.full(n, sensitivity_dbm),
            loss_db=np.full(n, loss_db),
            modulation_db=np.full(n, 5.5),
            dead=np.isin(np.arange(n), dead),
        ),
        carriers=Carriers(
            first=np.arange(0, 2 * k + 1, 2),
            at_us=np.array([walk[i] for walk in walkers for i in (0, 2)], dtype=np.int64),
            place=np.array([walk[i] for walk in walkers for i in (1, 3)], dtype=float).reshape(-1, 3),
            heading=np.zeros(2 * k),
            radius_m=np.zeros(k),
            bottom_m=np.zeros(k),
            top_m=np.zeros(k),
            loss_db=np.zeros(k),
        ),
        holds=Holds(
            tag=np.arange(n),
            carrier=np.array([STILL] * len(still) + list(range(k)), dtype=np.int64),
            begin_us=np.array([0] * len(still) + [walk[0] for walk in walkers], dtype=np.int64),
            end_us=np.array([FOREVER_US] * len(still) + [walk[2] for walk in walkers], dtype=np.int64),
            offset=np.concatenate([still, np.zeros((k, 3))]),
            axis=np.tile([0.0, 0.0, 1.0], (n, 1)),
            face=np.zeros((n, 3)),
            loss_db=np.zeros(n),
        ),
        walls=Walls(np.zeros((0, 4)), np.zeros(0), np.zeros(0), np.zeros(0)),
        leaves=Leaves(
            hinge=np.zeros((0, 2)),
            length_m=np.zeros(0),
            top_m=np.zeros(0),
            loss_db=np.zeros(0),
            mirror=np.zeros(0),
            first=np.zeros(1, dtype=np.int64),
            at_us=np.zeros(0, dtype=np.int64),
            angle=np.zeros(0),
        ),
    )


def asked(ports=(1,), power_dbm=30.0, command=None, extra_loss_db=None, noise_db=0.0):
    """What a client asks for."""
    return SimpleNamespace(
        antennas=tuple(ports),
        power_dbm=dict.fromkeys(ports, power_dbm),
        commands={} if command is None else dict.fromkeys(ports, command),
        extra_loss_db=extra_loss_db or {},
        noise_db=noise_db,
    )


def reader(of, at=None, *, seed=1, hopping=True, habits=None, sensitivity_dbm=-84.0, epcs=None):
    """A reader in one scene that holds for ever."""
    n = len(of.tags.dead)
    epcs = epcs or [number.to_bytes(12, "big") for number in range(n)]
    return AirReader(
        antennas() if at is None else at,
        ReaderTraits(
            frequencies_khz=FCC_KHZ if hopping else ETSI_KHZ,
            hopping=hopping,
            sensitivity_dbm=sensitivity_dbm,
            habits=InventoryHabits() if habits is None else habits,
        ),
        seed=seed,
        scene_of=lambda _begin_us, _end_us: of,
        epc=np.frombuffer(b"".join(epcs), dtype=np.uint8).reshape(n, 12),
        epc_bytes=np.full(n, 12),
        power_dbm=30.0,
    )
