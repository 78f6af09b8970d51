"""The compiler where there is one: kernels that are their own plain twin run without it as they stand."""

from collections.abc import Callable
from typing import Any


def _as_it_stands(**_options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return lambda function: function


njit: Any
try:
    import numba
except ImportError:  # no wheel for this platform: `engine = "plain"`
    njit = _as_it_stands
else:
    njit = numba.njit
