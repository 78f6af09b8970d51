"""What a certificate asks of walks: fifteen reads, four of them on each side, in nine walks of ten."""

import pytest

from edge.commissioning.rule import best, lacks, needed, proves, suffices

GOOD, THIN, ONE_SIDED, NOTHING = (11, 4), (10, 4), (40, 3), (0, 0)


@pytest.mark.parametrize(
    ("reads", "in_all", "by_side"),
    [(GOOD, 0, [0, 0]), (THIN, 1, [0, 0]), (ONE_SIDED, 0, [0, 1]), (NOTHING, 15, [4, 4]), ((3, 90), 0, [1, 0])],
)
def test_walk_lacks_what_is_short_of_fifteen_in_all_and_four_on_each_side(reads, in_all, by_side):
    assert lacks(reads) == (in_all, by_side)
    assert suffices(reads) == (reads is GOOD)


@pytest.mark.parametrize(("reads", "enough"), [([15], True), ([14], False)])
def test_layout_single_has_no_sides_and_needs_fifteen_in_all(reads, enough):
    assert suffices(reads) is enough


@pytest.mark.parametrize(
    ("good", "bad", "proven"),
    [(18, 2, True), (17, 3, False), (9, 1, True), (8, 2, False), (29, 3, True), (28, 4, False)],
)
@pytest.mark.parametrize("kind", [THIN, ONE_SIDED, NOTHING])
def test_nine_walks_of_ten_prove_a_doorway_whatever_the_others_lack(good, bad, kind, proven):
    assert proves([GOOD] * good + [kind] * bad) is proven


def test_fewer_than_ten_walks_prove_nothing_however_good():
    assert not proves([])
    assert not proves([GOOD] * 9)
    assert proves([GOOD] * 10)


def test_needed_walks_are_rounded_up():
    assert [needed(walks) for walks in (10, 11, 20, 30, 32)] == [9, 10, 18, 27, 29]


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [([NOTHING, GOOD], GOOD), ([ONE_SIDED, GOOD], GOOD), ([(5, 5), (9, 5)], (9, 5)), ([(40, 0), (6, 5)], (40, 0)),
     ([GOOD, (20, 9)], (20, 9))],
)  # fmt: skip
def test_walk_counts_by_the_tag_that_lacks_least(tags, chosen):
    assert best(tags) == best(reversed(tags)) == chosen
