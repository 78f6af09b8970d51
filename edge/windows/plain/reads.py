"""One read and what its phase says, as the twin takes it; in the kernels packed words, `wrap` and `strength`."""

from typing import NamedTuple

from edge.windows import layout as L  # noqa: N812 (as in the kernels)


class Read(NamedTuple):
    """One read of a tag at a portal."""

    at_us: int
    antenna: int
    rssi: int
    phase: int
    channel: int
    seen: int


class Pair(NamedTuple):
    """A change of phase modulo half a turn, and whether the channel stayed meanwhile."""

    change: int
    stayed: bool


def ticks(at_us: int) -> int:
    """Time as phases are remembered with."""
    return (at_us >> L.P_TIME_SHIFT) & L.P_TIME_MASK


def ticks_us(apart: int) -> int:
    """Return a difference of such times in microseconds."""
    return (apart & L.P_TIME_MASK) << L.P_TIME_SHIFT


def strength(change: int) -> int:
    """Log-likelihood of motion against rest that a change of phase gives, hundredths."""
    return min(L.STIR_MOST, change * change * L.STIR_SCALE // L.STIR_SHIFT - L.STIR_REST)


def nearest(value: int, modulus: int) -> int:
    """Return `value` modulo `modulus`, nearest to zero."""
    return (value + modulus // 2) % modulus - modulus // 2
