"""What stands around a visit: the group's sensors, asked about the time of its likely crossing."""

import numpy as np

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import NOTHING_AROUND, Around
from edge.windows.sensed import Sensed
from edge.windows.snapshot import Snapshot


def likely_us(snap: Snapshot) -> int:
    """Return when a tag was likeliest in the doorway: midway between the two sides' loudest reads."""
    peaks = []
    for side in (0, 1):
        mine = snap.log[(snap.log[:, L.G_SIDE] == side) & (snap.log[:, L.G_RSSI] != L.NO_RSSI)]
        if len(mine):
            peaks.append(int(mine[int(np.argmax(mine[:, L.G_RSSI])), L.G_US]))
    if not peaks:
        return int(snap.head[L.LAST_US])
    return int(snap.head[L.BIN0_US]) + sum(peaks) // len(peaks)


def around_visit(sensed: Sensed, snap: Snapshot, *, near_us: int | None = None) -> Around:
    """Return what the sensors say of a visit, of its likely crossing or of the one that was found."""
    portal, start_us = int(snap.head[L.PORTAL]), int(snap.head[L.START_US])
    if not sensed.watches(portal):
        return NOTHING_AROUND
    near_us = likely_us(snap) if near_us is None else near_us
    end_us = int(snap.head[L.LAST_US])
    way, beam_us = sensed.beams(portal, near_us, snap.at_us)
    person = sensed.badge_near(portal, near_us, snap.at_us)
    return Around(
        door=sensed.door(portal, start_us, end_us),
        beams=way,
        beam_us=beam_us,
        badge=None if person is None else bool(person),
        person=person or "",
    )
