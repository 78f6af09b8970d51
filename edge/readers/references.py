"""Reference tags: what each was like when it was commissioned, learnt once and kept on disk.

A reference tag hangs at the far edge of an antenna's zone and is never an asset. Its read rate and RSSI, learnt over
the first minute in which it is heard well, are the baseline that later days are compared with. Removing its entry from
`references.json` in the data directory commissions the antenna anew; another EPC or port does so by itself.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

LEARN_S: Final = 60
"""Seconds of hearing that make a baseline: three hops through 50 channels of 0.2 s, so that no channel stands alone."""
LEARN_SHARE: Final = 0.8
"""Share of them in which the tag must be heard: one heard less often is mounted too far away to tell anything."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """A reference tag as it was when commissioned."""

    reader: str
    port: int
    epc: str
    rate: float
    rssi_cdbm: int
    learnt_us: int


class Baselines:
    """The baselines of all readers of one agent, in one file; without a path they live as long as this object.

    A file that can't be read is no reason not to watch a door: `problem` says so, and baselines are learnt anew.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[tuple[str, int, str], Baseline] = {}
        self.problem = ""
        if path is not None and path.exists():
            self._load(path)

    def get(self, reader: str, port: int, epc: str) -> Baseline | None:
        """Return what is known of a reference tag at a port."""
        return self._known.get((reader, port, epc))

    def learn(self, baseline: Baseline) -> None:
        """Keep a baseline, on disk too; that it can't be written is told in `problem`."""
        self._known[baseline.reader, baseline.port, baseline.epc] = baseline
        if self._path is None:
            return
        whole = self._path.with_suffix(".new")
        try:
            whole.write_bytes(_encode(self._known.values()))
            whole.replace(self._path)
            self.problem = ""
        except OSError as error:
            self.problem = f"{self._path}: baselines can't be kept: {error.strerror or error}"

    def _load(self, path: Path) -> None:
        try:
            found = msgspec.json.decode(path.read_bytes(), type=list[Baseline])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.problem = f"{path}: can't be read ({error}): baselines of reference tags are learnt anew"
            return
        self._known = {(one.reader, one.port, one.epc): one for one in found}


class Learner:
    """Learns one baseline from seconds of hearing."""

    def __init__(self) -> None:
        self._seconds: list[tuple[int, int | None]] = []

    def second(self, reads: int, rssi_cdbm: int | None) -> tuple[float, int] | None:
        """Take a second's reads and mean RSSI; return rate and RSSI once they make a baseline."""
        self._seconds.append((reads, rssi_cdbm))
        del self._seconds[:-LEARN_S]
        heard = [(count, rssi) for count, rssi in self._seconds if count and rssi is not None]
        if len(heard) < LEARN_SHARE * LEARN_S:
            return None
        reads_all = sum(count for count, _ in heard)
        mean_cdbm = sum(count * rssi for count, rssi in heard if rssi is not None) / reads_all
        return reads_all / len(self._seconds), round(mean_cdbm)

    @property
    def progress(self) -> float:
        """Share of the hearing that is wanted."""
        return min(1.0, sum(bool(count) for count, _ in self._seconds) / (LEARN_SHARE * LEARN_S))


def _encode(baselines: Iterable[Baseline]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(sorted(baselines, key=lambda one: (one.reader, one.port))), indent=2)
