"""The radio between readers and tags: link budget, shadows, mirrors, coherent fading, and what is reported of it."""

from simulator.world.compiled import forget_stale
from simulator.world.radio.channel import Channel, Links, channel_of
from simulator.world.radio.first import LIGHT_M_S, Antenna, Link, Tags, antenna, link
from simulator.world.radio.kernels import all_gains, closing_mps, observe, one_way_db
from simulator.world.radio.surroundings import coupling_db, scattered_waves

__all__ = [
    "LIGHT_M_S",
    "Antenna",
    "Channel",
    "Link",
    "Links",
    "Tags",
    "all_gains",
    "antenna",
    "channel_of",
    "closing_mps",
    "coupling_db",
    "link",
    "observe",
    "one_way_db",
    "scattered_waves",
]

forget_stale()
