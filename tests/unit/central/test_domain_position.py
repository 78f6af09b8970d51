"""Stream positions against the set that they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from central.domain.position import Position

ranges = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(st.lists(ranges, max_size=6))
def test_position_is_the_set_of_all_ranges_ever_included(batches):
    """However ranges overlap and come, the position holds exactly their union."""
    position, model = Position(), set()
    for batch in batches:
        position = position.including(batch)
        model |= {seq for low, high in batch for seq in range(low, high + 1)}
    assert {seq for seq in range(100) if seq in position} == model
    assert position.covered == len(model)


@given(ranges)
def test_position_is_in_lowest_form(batch):
    """`upto` swallows what touches it, and the ranges above are sorted with holes between them."""
    position = Position().including(batch)
    edges = [position.upto] + [edge for span in position.above for edge in span]
    assert edges == sorted(edges)
    assert all(low > high + 1 for high, low in zip(edges[::2], edges[1::2], strict=False))


def test_numbering_that_begins_above_one_leaves_upto_at_zero():
    """Rows 5 and 6 alone are above the mark, not under it."""
    assert Position().including([(5, 6)]) == Position(0, ((5, 6),))
    assert Position(0, ((5, 6),)).including([(1, 4)]) == Position(6)
