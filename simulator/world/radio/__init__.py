"""The radio between readers and tags: link budget, shadows, mirrors, coherent fading, and what is reported of it."""

from simulator.world.compiled import forget_stale
from simulator.world.radio.channel import Channel, Links
from simulator.world.radio.kernels import all_gains, closing_mps, observe, one_way_db
from simulator.world.radio.surroundings import coupling_db, scattered_waves

__all__ = [
    "Channel",
    "Links",
    "all_gains",
    "closing_mps",
    "coupling_db",
    "observe",
    "one_way_db",
    "scattered_waves",
]

forget_stale()
