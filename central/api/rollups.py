"""Routes of the rollups: how busy doors were, how readers fared."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from central.api.calendars import ID
from central.api.routes import TEXT, Limit
from central.api.shapes import Answer, Moment
from central.application.rollups import By, ReaderHourView, Rollups, TrafficView

SHOWN: Final = timedelta(days=7)
"""How far back is shown unless told."""

Since = Annotated[Moment | None, Query(description="From then on; a week ago unless told.")]
Until = Annotated[Moment | None, Query(description="Until before then; now unless told.")]


class Traffic(Answer):
    """How busy a door was, newest first."""

    traffic: list[TrafficView]


class ReaderHours(Answer):
    """How readers fared, newest first."""

    readers: list[ReaderHourView]


def rollup_routes(store: Rollups, now: Callable[[], datetime]) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["read"])

    @router.get("/portals/{portal}/traffic")
    async def traffic(
        portal: Annotated[str, Path(pattern=ID)],
        *,
        by: By = "hour",
        since: Since = None,
        until: Until = None,
        limit: Limit = 1000,
    ) -> Traffic:
        """Return a door's finals by hour or day (UTC) and kind."""
        end = until or now()
        rows = await store.traffic(portal, since or end - SHOWN, end, by, limit)
        return Traffic(as_of=now(), traffic=rows)

    @router.get("/gateways/{gateway}/reader-hours")
    async def reader_hours(
        gateway: Annotated[str, Path(pattern=TEXT, max_length=80)],
        *,
        since: Since = None,
        until: Until = None,
        limit: Limit = 1000,
    ) -> ReaderHours:
        """Return heartbeats, connection and reads of a gateway's readers by hour."""
        end = until or now()
        return ReaderHours(as_of=now(), readers=await store.readers(gateway, since or end - SHOWN, end, limit))

    return router
