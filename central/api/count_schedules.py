"""Routes of what is counted again and again: schedules, and how often classes of each ABC rank are counted."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from central.api.counts import By, Kind, Place, Run
from central.api.knowing import ByQuery
from central.api.patience import PatientRoute
from central.api.routes import Services
from central.api.shapes import Answer, Day
from central.application.count_views import Plan, ScheduleView


class Schedules(Answer):
    """Schedules by the day of their next count, and the months between counts of each ABC rank."""

    schedules: list[ScheduleView]
    intervals: dict[str, int]


class ScheduleAsked(BaseModel):
    """What is to be counted again and again, from a day on; an abc_cycle counts each rank at its own interval."""

    kind: Kind | Literal["abc_cycle"]
    location: Place
    first_on: Day
    by: By
    ranks: list[Literal["A", "B", "C"]] = Field(default=[], description="ABC ranks of classes; none: all.")
    blind: bool = Field(default=True, description="The counters don't see what the book expects.")


class IntervalAsked(BaseModel):
    """How often classes of a rank are counted; it holds from each schedule's next count on."""

    by: By
    months: int = Field(ge=1, le=60)


def schedules_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["counts"])

    @router.get("/count-schedules")
    async def schedules() -> Schedules:
        """Return what is counted again and again, and when next."""
        return await _schedules(on)

    return router


def schedules_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["counts"], route_class=PatientRoute)

    @router.post("/count-schedules")
    async def schedule(body: ScheduleAsked) -> Schedules:
        """Count a location again and again; each count is opened on its day, or the next one that the place works."""
        ranks = tuple(sorted(set(body.ranks)))
        await on.counts.schedule(Plan(body.kind, body.location, ranks, body.blind, body.first_on, body.by))
        return await _schedules(on)

    @router.delete("/count-schedules/{schedule}")
    async def end_schedule(schedule: Run, by: ByQuery) -> Schedules:
        """Plan no more by a schedule; counts that it opened go on."""
        await on.counts.end_schedule(schedule, by, on.now())
        return await _schedules(on)

    @router.put("/count-intervals/{rank}")
    async def interval(rank: Literal["A", "B", "C"], body: IntervalAsked) -> Schedules:
        """Change how often classes of a rank are counted."""
        await on.counts.set_interval(rank, body.months, body.by, on.now())
        return await _schedules(on)

    return router


async def _schedules(on: Services) -> Schedules:
    found, months = await on.counts.schedules(), await on.counts.intervals()
    return Schedules(as_of=on.now(), schedules=found, intervals=months)
