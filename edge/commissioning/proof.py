"""What walks prove, and what their margins suggest. Pure arithmetic.

N faultless walks bound the error rate only at 1 - 0.05^(1/N) with 95 % confidence; with errors among them the bound is
that of Clopper and Pearson (Biometrika 26, 1934), of which the former is the case without errors. A margin is the
log-odds of the confidence with which a walk was called right, negative where it was called wrong: how far each was from
being called otherwise. Margins of a handful of walks say how rarely the next one falls below zero, by Student's
distribution of a further observation; the mean of what confidences leave to doubt is never undercut.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Final

import numpy as np

SURE: Final = 0.95
LIMIT: Final = 7.0
"""Log-odds beyond it (1 in 1,100) are more than walks can have taught a model."""
LEAST_SPREAD: Final = 1.0
"""Margins are no closer together than this by skill alone: a walk like the one before proves little about the next."""
LEAST_WALKS: Final = 5
_STEPS: Final = 20_000
_HALVINGS: Final = 60


def bound(errors: int, walks: int) -> float:
    """Return the error rate that so many walks with so many errors rule out with 95 % confidence; 1 without walks."""
    if walks == 0 or errors >= walks:
        return 1.0
    low, high = errors / walks, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(errors, walks, middle) > 1 - SURE else (low, middle)
    return high


def _at_most(errors: int, walks: int, rate: float) -> float:
    return math.fsum(math.comb(walks, k) * rate**k * (1 - rate) ** (walks - k) for k in range(errors + 1))


def margin(confidence: float, *, right: bool) -> float:
    """Return how far a call was from another one, in log-odds; negative where it was wrong."""
    held = min(max(confidence, 0.5), 1 - 1e-9)
    odds = min(math.log(held / (1 - held)), LIMIT)
    return odds if right else -odds


def expected_error(margins: Sequence[float]) -> float | None:
    """Return how often the next walk is called wrong, by the margins so far; None for fewer than five."""
    if len(margins) < LEAST_WALKS:
        return None
    spread = max(stdev(margins), LEAST_SPREAD) * math.sqrt(1 + 1 / len(margins))
    doubt = fmean(1 / (1 + math.exp(one)) for one in margins)
    return max(_tail(fmean(margins) / spread, len(margins) - 1), doubt)


def _tail(t: float, freedom: int) -> float:
    """Return the share of Student's distribution above `t`."""
    if t < 0:
        return 1 - _tail(-t, freedom)
    # From t to infinity, folded into 0 to 1; beyond that the density is as good as nothing.
    at = (np.arange(_STEPS) + 0.5) / _STEPS
    x = t + at / (1 - at)
    log_scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    density = np.exp(log_scale - (freedom + 1) / 2 * np.log1p(x * x / freedom))
    return float((density / (1 - at) ** 2).mean())


def one_in(rate: float) -> str:
    """Return an error rate in words: `1 in 7`, rounded so that no more is claimed than holds."""
    if rate <= 0:
        return "never"
    number = 1 / rate + 1e-9
    digits = max(0, math.floor(math.log10(number)) - 1)
    return f"1 in {math.floor(number / 10**digits) * 10**digits:,}"
