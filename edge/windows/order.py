"""Reads into event order: a grace for what comes out of order, a restart where a clock was set back.

Whatever the cuts between calls, the same reads leave in the same order, because lateness is judged read by read
against the newest read before it on the wire.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)

LAG_US: Final = 2_000_000
"""A reader that delivered nothing while its group went on by this much doesn't hold the others up."""
_NEVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads as the engines take them: `cols` as in `layout`, EPC bytes beside it."""

    cols: NDArray[np.int64]
    epcs: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.cols)

    def pick(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> "Reads":
        """Return some of the reads."""
        return Reads(self.cols[which], self.epcs[which])


@dataclass(frozen=True, slots=True)
class Step:
    """Reads released in event order, and the instant before which nothing more will come.

    `restart` is set where a clock was set back: all visits end, time begins anew.
    """

    reads: Reads
    before_us: int
    restart: bool = False


@dataclass(slots=True)
class Orderer:
    """Holds the reads of one group of readers (readers that share a portal) until their order is certain."""

    grace_us: int
    step_back_us: int
    newest_us: dict[str, int] = field(default_factory=dict)
    late: int = 0
    restarts: int = 0
    _met_us: dict[str, int] = field(default_factory=dict)
    """How far the group was when a reader last delivered: who brings old reads holds the others up meanwhile."""
    _held: list[Reads] = field(default_factory=list)

    def push(self, reader: str, reads: Reads) -> list[Step]:
        """Take reads in wire order, return what may go on."""
        steps = []
        while len(reads):
            newest = np.maximum.accumulate(np.append(self.newest_us.get(reader, _NEVER), reads.cols[:, L.C_US]))
            back = newest[:-1] - reads.cols[:, L.C_US]
            cut = int(np.argmax(back > self.step_back_us)) if (back > self.step_back_us).any() else len(reads)
            good = back[:cut] <= self.grace_us
            self.late += int((~good).sum())
            self._held.append(reads.pick(slice(cut)).pick(good))
            self.newest_us[reader] = max(int(newest[cut]), self.newest_us.get(reader, _NEVER))
            self._met_us[reader] = max(self.newest_us.values())
            if cut < len(reads):
                steps.append(self._restart(reader))
            reads = reads.pick(slice(cut, None))
        return [*steps, self._release(self.before_us())]

    def idle(self, reader: str, now_us: int) -> Step:
        """Nothing was read until an instant: release what is older, without making later reads late."""
        now_us -= self.grace_us
        active = [
            self._released_us(at)
            for other, at in self.newest_us.items()
            if other != reader and self._released_us(self._met_us[other]) > now_us - LAG_US
        ]
        return self._release(max(min([now_us, *active]), self.before_us()))

    def flush(self) -> Step:
        """Release everything."""
        return self._release(L.NEVER_US)

    def before_us(self) -> int:
        """Instant before which no read in order can come any more."""
        if not self.newest_us:
            return _NEVER
        newest = max(self.newest_us.values())
        active = (at for reader, at in self.newest_us.items() if self._met_us[reader] > newest - LAG_US)
        return min(self._released_us(at) for at in active)

    def _released_us(self, newest_us: int) -> int:
        return newest_us - self.grace_us

    def _restart(self, reader: str) -> Step:
        self.restarts += 1
        step = self._release(L.NEVER_US)
        del self.newest_us[reader]
        return Step(step.reads, step.before_us, restart=True)

    def _release(self, before_us: int) -> Step:
        if not self._held:
            return Step(Reads(np.empty((0, L.COLS), np.int64), np.empty((0, 62), np.uint8)), before_us)
        cols = np.concatenate([held.cols for held in self._held])
        epcs = np.concatenate([held.epcs for held in self._held])
        held = Reads(cols, epcs)
        go = cols[:, L.C_US] < before_us
        self._held = [held.pick(~go)] if not go.all() else []
        ready = held.pick(go)
        return Step(ready.pick(np.argsort(ready.cols[:, L.C_US], kind="stable")), before_us)
