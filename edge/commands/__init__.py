"""Signed commands of the central: who may give one, that each is carried out once, and that every one is answered.

Knows no reader: what a command does is handed in as an `Order`. Errors: `OrderError`, an order that can't be carried
out; below it `TooSoonError`, where another was obeyed just now, and `NoncesError`, where it was given before, with
`NotNotedError` under that, where the disk can't take that it was.
"""

from edge.commands.desk import CONFIGURE, Desk, DeskCounters, LateOrder, Order
from edge.commands.errors import NoncesError, NotNotedError, OrderError, TooSoonError
from edge.commands.nonces import Nonces

__all__ = [
    "CONFIGURE", "Desk", "DeskCounters", "LateOrder", "Nonces", "NoncesError", "NotNotedError", "Order", "OrderError",
    "TooSoonError",
]  # fmt: skip
