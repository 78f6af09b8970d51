"""How a regulatory region's channels are set on readers that know bands of their own. Pure.

A band is a raster of channels. R200 modules take a list of any of its channels, UHFReaders a first and a last one and
use all between; so where a region's channels have others between them, a UHFReader gets one of them alone.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple


class Raster(NamedTuple):
    """One band of a reader: its code, and channels from 0 at equal steps."""

    code: int
    first_khz: int
    step_khz: int
    channels: int

    def channel_of(self, khz: int) -> int | None:
        """Return a frequency's channel; None where the band has none there."""
        index, rest = divmod(khz - self.first_khz, self.step_khz)
        return index if rest == 0 and 0 <= index < self.channels else None


class Plan(NamedTuple):
    """A band and the channels of it to use, rising; `left_out` counts those of the region that can't be had."""

    code: int
    channels: tuple[int, ...]
    left_out: int = 0


R200_RASTERS: Final = (
    Raster(0x01, 920_125, 250, 20),
    Raster(0x02, 902_250, 500, 52),
    Raster(0x03, 865_100, 200, 15),
    Raster(0x04, 840_125, 250, 20),
    Raster(0x06, 917_100, 200, 32),
)
"""R200 user protocol V2.3.3, 14; the codes are a picture there, these are of several public drivers."""
UHFREADER18_RASTERS: Final = (
    Raster(1, 920_125, 250, 20),
    Raster(2, 902_750, 500, 50),
    Raster(3, 917_100, 200, 32),
    Raster(4, 865_100, 200, 15),
)
UHFREADER288_RASTERS: Final = (
    Raster(9, 865_700, 600, 4),
    *UHFREADER18_RASTERS,
    Raster(8, 840_125, 250, 20),
    Raster(10, 922_250, 500, 12),
    Raster(7, 916_200, 900, 12),
    Raster(12, 902_000, 500, 53),
)
"""User manual 1.14 of UHFReader288, 8.4.2; 18 is on record with the older four."""
_BY_LIST: Final = {"r200": R200_RASTERS}
_BY_RANGE: Final = {"uhfreader18": UHFREADER18_RASTERS, "uhfreader288": UHFREADER288_RASTERS}


def plan_channels(protocol: str, channels_khz: Sequence[int]) -> Plan | None:
    """Return how a reader is set to a region's channels; None where it has none of them."""
    if protocol in _BY_LIST:
        return _by_list(_BY_LIST[protocol], channels_khz)
    return _by_range(_BY_RANGE[protocol], channels_khz)


def _by_list(rasters: Sequence[Raster], channels_khz: Sequence[int]) -> Plan | None:
    plans = [
        Plan(raster.code, found, len(channels_khz) - len(found)) for raster, found in _found(rasters, channels_khz)
    ]
    return max(plans, key=lambda plan: len(plan.channels), default=None)


def _by_range(rasters: Sequence[Raster], channels_khz: Sequence[int]) -> Plan | None:
    """Take the band with the longest run of the region's channels, without a stranger between."""
    plans = []
    for raster, found in _found(rasters, channels_khz):
        runs = [found[a:b] for a in range(len(found)) for b in range(a + 1, len(found) + 1)]
        run = max((run for run in runs if run[-1] - run[0] == len(run) - 1), key=len)
        plans.append(Plan(raster.code, run, len(channels_khz) - len(run)))
    return max(plans, key=lambda plan: len(plan.channels), default=None)


def _found(rasters: Sequence[Raster], channels_khz: Sequence[int]) -> list[tuple[Raster, tuple[int, ...]]]:
    found = []
    for raster in rasters:
        indexes = sorted({index for khz in channels_khz if (index := raster.channel_of(khz)) is not None})
        if indexes:
            found.append((raster, tuple(indexes)))
    return found
