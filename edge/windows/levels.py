"""How loud a carried tag is in the doorway, antenna by antenna: what the walks of a commissioning taught."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Final

from edge.contracts import MovementRow

CROSSINGS: Final = ("in", "out")
LEAST_SHARE: Final = 0.5
"""An antenna that heard fewer of the walks has no level: its peaks were luck."""


def doorway_levels(rows: Iterable[MovementRow]) -> dict[tuple[str, int], int]:
    """Return the level of a carried tag in the doorway, 1/100 dBm, by (reader, port).

    It is the median over the final crossings among `rows` of that antenna's peak RSSI; all else among them is passed
    over. An antenna heard in fewer than half of the crossings has none.
    """
    peaks: dict[tuple[str, int], list[int]] = defaultdict(list)
    crossings = 0
    for row in rows:
        if not row.final or row.kind not in CROSSINGS:
            continue
        crossings += 1
        for heard in row.evidence.antennas:
            if heard.peak_rssi_cdbm is not None:
                peaks[heard.reader, heard.port].append(heard.peak_rssi_cdbm)
    return {
        antenna: round(median(levels))
        for antenna, levels in sorted(peaks.items())
        if len(levels) >= LEAST_SHARE * crossings
    }
