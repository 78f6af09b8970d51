"""Small worlds for tests: a door with four antennas, and whatever a test adds to it."""

from types import SimpleNamespace

from simulator.scenarios.load import parse
from simulator.server.model import FCC_KHZ
from simulator.world.values import ReaderTraits
from simulator.world.world import World

DOOR = """
name = "door"
quiet_end_s = 2.0
[tags]
epc_prefix = "3034257bf7194e40000000"
count = 20
[[portals]]
id = "door"
inside = "room"
outside = "hall"
[[readers]]
id = "r1"
antennas = [
  { port = 1, portal = "door", position = [-0.15, 0.9, 1.5], aim = [-1.3, 0.0, 1.0] },
  { port = 2, portal = "door", position = [-0.15, -0.9, 1.5], aim = [-1.3, 0.0, 1.0] },
  { port = 3, portal = "door", position = [0.15, 0.9, 1.5], aim = [1.3, 0.0, 1.0] },
  { port = 4, portal = "door", position = [0.15, -0.9, 1.5], aim = [1.3, 0.0, 1.0] },
]
[[routes]]
id = "out"
portal = "door"
points = [[-4.0, 0.0], [4.0, 0.0]]
"""
ALL_ON = SimpleNamespace(antennas=(1, 2, 3, 4), power_dbm={}, commands={}, extra_loss_db={}, noise_db=0.0)


def scenario(more="", base=DOOR):
    return parse(base + more, "test")


def world(more="", seed=1, seconds=None, base=DOOR):
    made = scenario(more, base) if isinstance(more, str) else more
    return World(made, seed, seconds, {reader.id: ReaderTraits(frequencies_khz=FCC_KHZ) for reader in made.readers})


def walk(at_s=1.0, route="out", **keys):
    lines = [f"at_s = {at_s}", f'route = "{route}"']
    lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
    return "[[walks]]\n" + "\n".join(lines) + "\n"


def crossings(source, until_s=None):
    """All true visits up to the end; nobody needs to read for them."""
    return source.take_crossings(source.ends_us if until_s is None else round(1e6 * until_s))


def _toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
