"""The definition of `edge.presence.fold`, read by read; for tests and for the bench."""

from collections.abc import Iterable
from typing import NamedTuple


class PlainRead(NamedTuple):
    """One read."""

    place: int
    epc: bytes
    rssi_cdbm: int
    at_us: int
    seen: int


class PlainSum(NamedTuple):
    """What came of one tag at one place."""

    reads: int
    best_cdbm: int
    last_us: int


def summed(reads: Iterable[PlainRead]) -> dict[tuple[int, bytes], PlainSum]:
    """Sum reads by place and tag, in the order in which they first came."""
    sums: dict[tuple[int, bytes], PlainSum] = {}
    for read in reads:
        key = (read.place, read.epc)
        before = sums.get(key)
        if before is None:
            sums[key] = PlainSum(read.seen, read.rssi_cdbm, read.at_us)
        else:
            sums[key] = PlainSum(
                before.reads + read.seen,
                max(before.best_cdbm, read.rssi_cdbm),
                max(before.last_us, read.at_us),
            )
    return sums
