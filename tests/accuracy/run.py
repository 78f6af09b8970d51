"""Measures many doors over two processes; the same doors give the same figures however they are shared out."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from tests.accuracy.tally import DoorResult

PROCESSES = 2
TELL_EVERY = 25


def measured(
    one_door: Callable[[int], DoorResult], seeds: Sequence[int], *, processes: int = PROCESSES
) -> list[DoorResult]:
    """Return the results of some doors in the order of their seeds; progress goes to stderr.

    Args:
        one_door: plays and scores the door of a seed.
        seeds: which doors.
        processes: how many at a time; 1 is this one.
    """
    if processes <= 1:
        return list(_told(map(one_door, seeds), len(seeds)))
    # Each process starts anew and loads the kernels from numba's cache: no state is shared but files.
    one_door(seeds[0])
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return list(_told(pool.imap(one_door, seeds), len(seeds)))


def _told(results: Iterable[DoorResult], count: int) -> Iterator[DoorResult]:
    begun_s = time.monotonic()
    for number, result in enumerate(results, start=1):
        if number % TELL_EVERY == 0 or number == count:
            print(f"{number} of {count} doors, {time.monotonic() - begun_s:.0f} s", file=sys.stderr)  # noqa: T201
        yield result
