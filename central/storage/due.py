"""What is due, as the API and the jobs see it: transactions of the log, and the lists."""

from contextlib import AbstractAsyncContextManager

from central.application.deadlines import DeadlineFilter, DeadlineView
from central.application.loans import LoanView, RepairView
from central.domain.deadlines import Policy
from central.storage.log import PgLog, PgTransaction


class PgDue:
    """`central.application.due.DueStore`."""

    def __init__(self, log: PgLog) -> None:
        self._log = log

    def transaction(self) -> AbstractAsyncContextManager[PgTransaction]:
        """Open a transaction."""
        return self._log.transaction()

    async def policies(self) -> list[Policy]:
        """Return who hears when."""
        async with self._log.transaction() as transaction:
            return list((await transaction.deadlines.policies()).values())

    async def deadlines(self, chosen: DeadlineFilter, limit: int) -> list[DeadlineView]:
        """Return deadlines by their time: those to come, or those that fired, newest first."""
        async with self._log.transaction() as transaction:
            return await transaction.deadlines.listed(chosen, limit)

    async def loans(self, asset: str | None, limit: int, *, still_open: bool) -> list[LoanView]:
        """Return loans: open ones by due date, or those that ended, newest first."""
        async with self._log.transaction() as transaction:
            return await transaction.loans.loans(asset, limit, still_open=still_open)

    async def repairs(self, asset: str | None, limit: int, *, still_open: bool) -> list[RepairView]:
        """Return repairs: open ones, the oldest first, or those that ended, newest first."""
        async with self._log.transaction() as transaction:
            return await transaction.loans.repairs(asset, limit, still_open=still_open)
