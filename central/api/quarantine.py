"""The order to try quarantined items again."""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from central.api.patience import PatientRoute
from central.application.quarantine import Outcome

Retry = Callable[[Collection[int] | None, int, str], Awaitable[list[Outcome]]]


class RetryOrder(BaseModel):
    """Who wants which items tried again; without ids the oldest that wait, as many as the limit says."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$", examples=["a.keeper"])]
    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**62)]] | None, Field(max_length=1000)] = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class StillWaiting(BaseModel):
    """An item that stays, and why."""

    id: int
    reason: str


class RetryAnswer(BaseModel):
    """What a retry did."""

    tried: int
    settled: int
    rows: Annotated[int, Field(description="Rows that are committed now.")]
    waiting: list[StillWaiting]


def quarantine_orders(retry: Retry) -> APIRouter:
    """Return the writing route; who includes it puts the token before it."""
    router = APIRouter(prefix="/api/v1", tags=["write"], route_class=PatientRoute)

    @router.post("/quarantine/retry")
    async def try_again(order: RetryOrder) -> RetryAnswer:
        """Put quarantined items through ingest again, after a fix of registry or clock; twice does nothing more."""
        outcomes = await retry(order.ids, order.limit, order.by)
        waiting = [StillWaiting(id=one.id, reason=one.problem) for one in outcomes if one.problem]
        settled, rows = len(outcomes) - len(waiting), sum(one.rows for one in outcomes)
        return RetryAnswer(tried=len(outcomes), settled=settled, rows=rows, waiting=waiting)

    return router
