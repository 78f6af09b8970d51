"""Work spread over processes, in the order of its items: each has its own kernels, and one cache of them."""

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
PROCESSES: Final = int(os.environ.get("ACCURACY_PROCESSES", "2"))


def spread(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return `work` of each item; with one process in this one."""
    if PROCESSES < 2:
        return [work(item) for item in items]
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(work, items))
