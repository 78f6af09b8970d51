"""Quantiles of the Beta distribution: what a rate may be, after so many of one kind and so many of the other."""

import math
from typing import Final

_TERMS: Final = 300
_ENOUGH: Final = 1e-12
_HALVINGS: Final = 60


def quantile(share: float, hits: float, others: float) -> float:
    """Return the rate below which the Beta(hits, others) distribution has `share` of its mass; both are above 0."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if mass_below(middle, hits, others) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def mass_below(rate: float, hits: float, others: float) -> float:
    """Return the mass of Beta(hits, others) below a rate: the regularised incomplete beta function."""
    if rate <= 0 or rate >= 1:
        return float(rate >= 1)
    if rate > (hits + 1) / (hits + others + 2):
        return 1 - mass_below(1 - rate, others, hits)
    front = math.lgamma(hits + others) - math.lgamma(hits) - math.lgamma(others)
    front += hits * math.log(rate) + others * math.log1p(-rate)
    return math.exp(front) / (hits * _fraction(rate, hits, others))


def _fraction(rate: float, hits: float, others: float) -> float:
    """Return 1 + t1/(1 + t2/(1 + …)), the denominator in DLMF 8.17.22, from the front (modified Lentz's method)."""
    value, upper, lower = 1.0, 1.0, 0.0
    for number in range(1, _TERMS):
        half = number // 2
        if number % 2:
            term = -(hits + half) * (hits + others + half) * rate / ((hits + 2 * half) * (hits + 2 * half + 1))
        else:
            term = half * (others - half) * rate / ((hits + 2 * half - 1) * (hits + 2 * half))
        lower = 1 / ((1 + term * lower) or _ENOUGH)
        upper = (1 + term / upper) or _ENOUGH
        value *= upper * lower
        if abs(upper * lower - 1) < _ENOUGH:
            break
    return value
