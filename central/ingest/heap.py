"""What the garbage collector walks through while the service works.

The program and all that it loaded stay until it ends, and rows come and go by the thousand: with Python's own
thresholds batches set off walks through all of them, an eighth of the program's time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 20_000
"""New objects after which the youngest are looked through; Python's own 700 are less than the rows of one batch."""


@contextmanager
def settled_heap() -> Iterator[None]:
    """Leave all that is there now to itself, and look through what is new less often, until the block ends."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
