"""What a count proves of the rate behind it."""

import math
from typing import Final

HALVINGS: Final = 80


def poisson_upper(count: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper bound of a Poisson mean of which `count` was seen.

    It is the mean at which so few are as likely as 1 - `confidence` [Garwood 1936]; 3.0 where none was seen.
    """
    low, high = float(count), count + 10 * math.sqrt(count + 1) + 10
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(count, middle) > 1 - confidence else (low, middle)
    return high


def upper_of_sample(whole: int, sampled: int, times: float, confidence: float = 0.95) -> float:
    """Return an upper bound of two Poisson means' sum: one counted whole, the other in one part of so many.

    Each half of the doubt goes to one of the two, so that together they hold at least as often as is asked for. Of
    nothing in a part little is known of the whole: 3.7 times `times`.
    """
    each = 1 - (1 - confidence) / 2
    return poisson_upper(whole, each) + times * poisson_upper(sampled, each)


def _at_most(count: int, mean: float) -> float:
    """Return the chance of at most `count` events."""
    logs = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1)) if mean > 0 else (0.0,)
    return math.fsum(math.exp(log) for log in logs)
