"""Signed commands of the central: who may give one, that each is carried out once, and that every one is answered.

Knows no reader: what a command does is handed in as an `Order`. Errors: `OrderError`, an order that can't be carried
out, and below it `NoncesError`, where it can't be noted that a command was used.
"""

from edge.commands.desk import CONFIGURE, Desk, DeskCounters, LateOrder, Order
from edge.commands.errors import NoncesError, OrderError
from edge.commands.nonces import Nonces

__all__ = ["CONFIGURE", "Desk", "DeskCounters", "LateOrder", "Nonces", "NoncesError", "Order", "OrderError"]
