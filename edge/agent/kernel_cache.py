"""Were the kernels on disk, or was the compiler needed? numba counts it for each function."""

import sys
from typing import Any

import msgspec


class Kernels(msgspec.Struct, frozen=True, kw_only=True):
    """What loading the kernels took.

    Attributes:
        seconds: how long it took.
        compiled: functions that the compiler had to make; 0 with a warm cache.
        loaded: functions that came from the cache.
        folder: where the cache is; empty where nothing is cached.
    """

    seconds: float
    compiled: int
    loaded: int
    folder: str = ""


def kernels_so_far(seconds: float) -> Kernels:
    """Return what was compiled and loaded in this process so far."""
    compiled = loaded = 0
    folder = ""
    for stats in _stats():
        compiled += sum(stats.cache_misses.values())
        loaded += sum(stats.cache_hits.values())
        folder = folder or stats.cache_path or ""
    return Kernels(seconds=round(seconds, 3), compiled=compiled, loaded=loaded, folder=folder)


def _stats() -> list[Any]:
    """Return numba's counts of each kernel of the agent's rooms, once each."""
    found: dict[int, Any] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("edge.") and name.endswith(".kernels"):
            found |= {id(one): one.stats for one in vars(module).values() if hasattr(one, "stats")}
    return list(found.values())
