"""The store as the routes of deadlines, loans and repairs see it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from central.application.deadlines import DeadlineFilter, DeadlineView, SweepTransaction
from central.application.loans import LoanTransaction, LoanView, RepairView
from central.domain.deadlines import Policy


class DueTransaction(SweepTransaction, LoanTransaction, Protocol):
    """One open transaction with both."""


class DueStore(Protocol):
    """Transactions, and the lists."""

    def transaction(self) -> AbstractAsyncContextManager[DueTransaction]:
        """Open a transaction."""

    async def policies(self) -> Sequence[Policy]:
        """Return who hears when."""

    async def deadlines(self, chosen: DeadlineFilter, limit: int) -> Sequence[DeadlineView]:
        """Return deadlines by their time: those to come, or those that fired, newest first."""

    async def loans(self, asset: str | None, limit: int, *, still_open: bool) -> Sequence[LoanView]:
        """Return loans: open ones by due date, or those that ended, newest first."""

    async def repairs(self, asset: str | None, limit: int, *, still_open: bool) -> Sequence[RepairView]:
        """Return repairs: open ones, the oldest first, or those that ended, newest first."""
