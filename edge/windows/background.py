"""A portal's background: what its residents sound like at rest, with the door shut and with it open.

Door leaves are metal mirrors. While one swings, every tag behind it changes its phase and its level, and once it stands
open tags are heard that were not before: a burst of residents, and no movement (domain, Radio at a doorway). So motion
is asked of the reads between the swings; and what a tag's level was, with the door as it is now, is remembered.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.decide import Verdict
from edge.windows.sensed import Sensed
from edge.windows.snapshot import Snapshot

SWING_US: Final = 2_000_000
"""A leaf has stopped within this of the contact's opening, and has begun this long before its shutting."""
STILL: Final = -200
MOVES: Final = 400
"""Log-likelihood of motion by them, hundredths: 7 to 1 for rest, 50 to 1 for motion."""
ALIKE_CDB: Final = 300
"""A tag at rest is as loud again within this: 1.6 dB of standard deviation over the channels."""
LEAST_READS: Final = 3
DOUBTED: Final = 0.4
"""An `unresolved` that is no likelier to be anything but a crossing: only its having stood kept it from being told."""
EXPLAINED: Final = ("near", "turned_back", "unresolved")
"""What a resident may be taken for. A crossing is left to the decision, which was fitted on doors with leaves; what is
`parked` lies still by definition."""


@dataclass(frozen=True, slots=True)
class Between:
    """What the reads between the swings of the leaf say.

    Attributes:
        reads: how many there are.
        pairs: of them on one antenna and channel, near enough in time to compare phases.
        stir: log-likelihood that the tag moved, hundredths, and the highest that it was.
        stir_top: the highest that it was meanwhile.
        levels: (reads,) RSSI.
    """

    reads: int
    pairs: int
    stir: int
    stir_top: int
    levels: NDArray[np.int32]

    @property
    def is_still(self) -> bool:
        """Whether phases say that the tag lay still."""
        return self.pairs > 1 and self.stir <= STILL and self.stir_top < MOVES


class Background:
    """What is known of tags at rest, by portal and door; a tag heard longest ago is forgotten first."""

    def __init__(self, sensed: Sensed, most: int) -> None:
        self._sensed, self._most = sensed, most
        self._levels: OrderedDict[tuple[int, bytes, bool], int] = OrderedDict()
        self.residents = 0

    def judge(self, snap: Snapshot, verdict: Verdict) -> Verdict:
        """Return a verdict, or none (kind None) of a visit that a resident and the door explain; learn from it."""
        doubted = verdict.kind == "unresolved" and verdict.confidence < DOUBTED
        if (
            verdict.kind not in EXPLAINED
            or doubted
            or self._sensed.is_open(int(snap.head[L.PORTAL]), snap.at_us) is None
        ):
            return verdict
        explained = self._by_door(snap)
        self.residents += explained
        return Verdict(None, verdict.confidence) if explained else verdict

    def _by_door(self, snap: Snapshot) -> bool:
        """Say whether a tag lay still between the swings, or was as loud as ever with the door as it was."""
        between = self._between(snap)
        known = self._learn(snap, between)
        moves = between.pairs >= LEAST_READS and between.stir >= MOVES
        return between.is_still or (known and not moves)

    def _learn(self, snap: Snapshot, between: Between) -> bool:
        """Remember a visit's level with the door open or shut; return whether it was known to be so."""
        portal, start_us = int(snap.head[L.PORTAL]), int(snap.head[L.START_US])
        door = self._sensed.door(portal, start_us, int(snap.head[L.LAST_US]))
        levels = between.levels if between.reads >= LEAST_READS else snap.log[:, L.G_RSSI]
        level = int(np.median(levels))
        key = portal, snap.epc, door != "shut"
        before = self._levels.get(key)
        self._levels[key] = level if before is None else before + (level - before) // 2
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return before is not None and abs(level - before) <= ALIKE_CDB

    def _between(self, snap: Snapshot) -> Between:
        log = snap.log[snap.log[:, L.G_RSSI] != L.NO_RSSI]
        times_us = log[:, L.G_US].astype(np.int64) + int(snap.head[L.BIN0_US])
        stands = np.ones(len(log), np.bool_)
        begin_us, end_us = int(snap.head[L.START_US]) - SWING_US, int(snap.head[L.LAST_US]) + SWING_US
        for at_us, opens in self._sensed.moves(int(snap.head[L.PORTAL]), begin_us, min(end_us, snap.at_us)):
            since_us = times_us - at_us if opens else at_us - times_us
            stands &= (since_us < 0) | (since_us > SWING_US)
        kept = log[stands]
        pairs, stir, top = _stir(kept)
        return Between(len(kept), pairs, stir, top, kept[:, L.G_RSSI])


def _stir(log: NDArray[np.int32]) -> tuple[int, int, int]:
    """Weigh each change of phase on an antenna and channel as the engine does; return pairs, sum and its highest."""
    last: dict[tuple[int, int], tuple[int, int]] = {}
    pairs = stir = top = 0
    for at_us, antenna, _, _, phase, channel, _ in log.tolist():
        if phase < 0:
            continue
        before = last.get((antenna, channel))
        if before is not None and at_us - before[0] < L.PAIR_MIN_US:
            continue
        last[antenna, channel] = at_us, phase
        if before is None or at_us - before[0] > L.RECALL_US:
            continue
        change = abs((phase - before[1] + L.HALF_TURN // 2) % L.HALF_TURN - L.HALF_TURN // 2)
        weight = min(L.STIR_MOST, change * change * L.STIR_SCALE // L.STIR_SHIFT - L.STIR_REST)
        stir = min(L.STIR_UTMOST, max(L.STIR_LEAST, stir + weight))
        top, pairs = max(top, stir), pairs + 1
    return pairs, stir, top
