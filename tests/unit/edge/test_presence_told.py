"""Time that was told is never told again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.presence import PresenceError, Told, decode_told, encode_told
from edge.presence.told import MOST_STRETCHES

STRETCHES = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=60)


def noted(stretches):
    told = Told()
    for begin, length in stretches:
        told.add(begin, begin + length)
    return told


@given(STRETCHES)
def test_what_was_told_stays_told_and_few_stretches_are_kept(stretches):
    told = noted(stretches)
    assert len(told.stretches) <= MOST_STRETCHES
    assert told.stretches == sorted(told.stretches)
    assert all(before[1] < after[0] for before, after in pairwise(told.stretches))
    for begin, length in stretches:
        assert told.free(begin) >= begin + length


@given(STRETCHES, st.integers(0, 500), st.integers(1, 100))
def test_a_span_from_a_free_instant_on_meets_nothing_that_was_told(stretches, begin, length):
    told = noted(stretches)
    begin = told.free(begin)
    end = told.until(begin, begin + length)
    assert begin < end <= begin + length
    assert not any(low < end and begin < high for low, high in told.stretches)


def test_notes_come_back_and_garbage_is_one_error():
    told = {"": noted([(5, 5), (100, 3)]), "sweep": Told()}
    assert decode_told(encode_told(told)) == told
    for payload in (b"", b"[]", b"\xff", b'{"": [[1]]}', b'{"": {"a": 1}}'):
        with pytest.raises(PresenceError):
            decode_told(payload)
    assert decode_told(b'{"": [[9, 3], [1, 2]]}') == {"": Told([(1, 2)])}
