"""What walks prove and what margins suggest, against values that others computed."""

import math

import pytest

from edge.commissioning.proof import LEAST_SPREAD, LIMIT, bound, expected_error, margin, one_in


@pytest.mark.parametrize("walks", [1, 5, 10, 20, 59])
def test_faultless_walks_prove_what_the_formula_says(walks):
    assert bound(0, walks) == pytest.approx(1 - 0.05 ** (1 / walks), abs=1e-9)


@pytest.mark.parametrize(("errors", "walks", "upper"), [(1, 20, 0.21611), (2, 20, 0.28262), (3, 50, 0.14782)])
def test_errors_raise_the_bound_as_in_clopper_and_pearsons_tables(errors, walks, upper):
    """Upper limits of 90 % intervals, which are one-sided 95 % ones."""
    assert bound(errors, walks) == pytest.approx(upper, abs=1e-4)


def test_nothing_walked_or_nothing_right_proves_nothing():
    assert bound(0, 0) == bound(3, 3) == 1.0


def test_twenty_faultless_walks_prove_better_than_one_in_seven():
    assert one_in(bound(0, 20)) == "1 in 7"


@pytest.mark.parametrize(
    ("rate", "words"),
    [(1 / 900, "1 in 900"), (1 / 1234, "1 in 1,200"), (0.5, "1 in 2"), (1 / 99.9, "1 in 99"), (0.0, "never")],
)
def test_rates_are_rounded_so_that_no_more_is_claimed(rate, words):
    assert one_in(rate) == words


def test_margin_is_the_log_odds_and_turns_with_the_call():
    assert margin(0.9, right=True) == pytest.approx(math.log(9))
    assert margin(0.9, right=False) == pytest.approx(-math.log(9))
    assert margin(1.0, right=True) == LIMIT
    assert margin(0.2, right=True) == 0.0


def test_few_walks_make_no_model():
    assert expected_error([5.0] * 4) is None


def test_margins_that_scatter_more_promise_less():
    close, wide = [4.0, 4.5, 5.0, 5.5, 6.0] * 4, [1.0, 3.0, 5.0, 7.0, 9.0] * 4
    assert expected_error(close) < expected_error(wide) / 5


def test_model_is_students_distribution_of_one_more_walk():
    """The table's 5.598 for 0.25 % with 4 degrees of freedom, by five walks as close as walks are taken to be."""
    assert expected_error([5.598 * LEAST_SPREAD * math.sqrt(1 + 1 / 5)] * 5) == pytest.approx(0.0025, abs=1e-5)


def test_what_confidences_leave_to_doubt_is_not_undercut():
    """Twenty walks alike at 95 % each: by their spread alone the next would never fail."""
    assert expected_error([margin(0.95, right=True)] * 20) == pytest.approx(0.05, rel=0.05)


def test_a_wrong_call_among_right_ones_weighs():
    assert expected_error([5.0] * 19 + [-5.0]) > 0.02
