"""Which stretches of time were told already, so that no two spans of a zone overlap whatever the clock does. Pure.

A clock that is set back brings time around again that has been told: nothing is told of it a second time. A clock that
was years ahead leaves a short stretch there, which keeps nothing back today.
"""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import msgspec

from edge.presence.settings import PresenceError

MOST_STRETCHES: Final = 16
"""A gateway that has run without a break has one; beyond this many the two that lie closest are taken for one."""


@dataclass(slots=True)
class Told:
    """Disjoint stretches (from, to), in order."""

    stretches: list[tuple[int, int]] = field(default_factory=list)

    def free(self, at_us: int) -> int:
        """Return the first instant from `at_us` on that was not told."""
        return next((end for begin, end in self.stretches if begin <= at_us < end), at_us)

    def until(self, begin_us: int, end_us: int) -> int:
        """Return how far a span that begins at a free instant may go, at most to `end_us`."""
        return min([end_us, *(begin for begin, _ in self.stretches if begin >= begin_us)])

    def add(self, begin_us: int, end_us: int) -> None:
        """Note a span."""
        insort(self.stretches, (begin_us, end_us))
        joined: list[tuple[int, int]] = []
        for begin, end in self.stretches:
            if joined and begin <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((begin, end))
        while len(joined) > MOST_STRETCHES:
            gaps = [after[0] - before[1] for before, after in pairwise(joined)]
            at = gaps.index(min(gaps))
            joined[at : at + 2] = [(joined[at][0], joined[at + 1][1])]
        self.stretches = joined


def encode_told(told: Mapping[str, Told]) -> bytes:
    """Return the bytes that the outbox keeps."""
    return msgspec.json.encode({name: one.stretches for name, one in told.items()})


def decode_told(payload: bytes) -> dict[str, Told]:
    """Return what `encode_told` made; other bytes raise `PresenceError`."""
    try:
        found = msgspec.json.decode(payload, type=dict[str, list[tuple[int, int]]])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PresenceError(f"what was told of presence can't be read: {error}") from error
    told: dict[str, Told] = {}
    for name, stretches in found.items():
        told[name] = Told()
        for begin, end in stretches:
            if begin < end:
                told[name].add(begin, end)
    return told
