"""LCUS USB relay boards (LCUS-1 and its kin): 9600 8N1, `A0 channel state sum`, and no answer."""

from typing import Final

BAUD: Final = 9_600
HEAD: Final = 0xA0
GAP_S: Final = 0.02
"""Between two orders: four bytes take 4 ms, and the board's small controller has no queue."""
OFF_TIMES: Final = 3
"""It never answers: an order to be off is given so often, lest noise took one and a siren sounds on."""


def switch(channel: int, *, on: bool) -> bytes:
    """Switch a channel, from 1."""
    body = bytes((HEAD, channel, int(on)))
    return body + bytes((sum(body) & 0xFF,))
