"""The collector leaves alone what stands, and all is as before afterwards."""

import gc

from central.ingest.heap import YOUNG, settled_heap


def test_what_stands_is_left_alone_and_everything_is_as_before_afterwards():
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with settled_heap():
        assert gc.get_threshold() == (YOUNG, *before[1:])
        assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
