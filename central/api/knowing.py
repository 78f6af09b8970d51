"""Routes of what people tell that rules judge by, of sightings by others, and of doors that were dark."""

from datetime import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, model_validator

from central.api.exceptions import PERSON
from central.api.patience import PatientRoute
from central.api.routes import TEXT, Limit, Services
from central.api.shapes import Answer, Moment
from central.application.knowing import (
    DoubtView,
    OpenHours,
    OutageView,
    PlaceHoursView,
    Sighted,
    TravelView,
    set_place_hours,
    set_spot,
    set_travel,
    sight,
)
from central.application.views import AlertView

LONGEST_WAY_S = 30 * 86_400

Id = Annotated[str, Field(min_length=1, max_length=80, pattern=TEXT)]
ClassName = Annotated[str, Path(max_length=80, pattern=TEXT, examples=["laptop"])]
ByQuery = Annotated[str, Query(pattern=PERSON, examples=["p-017"], description="Who says so.")]
Location = Annotated[str, Path(max_length=80, pattern=TEXT, examples=["hq-site"])]


class Outages(Answer):
    """When doors were not watched."""

    outages: list[OutageView]


class Doubts(Answer):
    """Assets whose place is in doubt."""

    doubtful: list[DoubtView]


class Told(Answer):
    """What was told is known from now on; `alerts` are those that it changed."""

    alerts: list[AlertView] = Field(default_factory=list)


class ByTold(BaseModel):
    """Who says so."""

    by: str = Field(pattern=PERSON, examples=["p-017"])


class HoursTold(ByTold):
    """When assets of a class may move, in the local time of the place that they leave.

    A closing before the opening is on the day after: a night shift belongs to the day on which it begins.
    """

    days: list[Annotated[int, Field(ge=1, le=7)]] = Field(min_length=1, description="ISO weekdays, 1 is Monday.")
    opens: time
    closes: time

    @model_validator(mode="after")
    def _in_order(self) -> "HoursTold":
        if self.opens == self.closes:
            raise ValueError(f"it opens and closes at {self.opens}: give another closing")
        return self


class OpenTold(BaseModel):
    """When a place is open on some weekdays, by its own time."""

    days: list[Annotated[int, Field(ge=1, le=7)]] = Field(min_length=1, description="ISO weekdays, 1 is Monday.")
    opens: time
    closes: time

    @model_validator(mode="after")
    def _in_order(self) -> "OpenTold":
        if self.opens >= self.closes:
            raise ValueError(f"it opens at {self.opens} and closes at {self.closes}: give a later closing")
        return self


class PlaceHoursTold(ByTold):
    """When a place is open; without any, it has the hours of the place around it."""

    hours: list[OpenTold] = Field(max_length=7)


class PlaceHours(Answer):
    """When places are open."""

    hours: list[PlaceHoursView]


class TravelTimes(Answer):
    """How long ways between sites take."""

    ways: list[TravelView]


class SpotTold(ByTold):
    """Where a site lies, in degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class TravelTold(ByTold):
    """How long the fastest way between two sites takes."""

    one: Id
    other: Id
    fastest_s: float = Field(gt=0, le=LONGEST_WAY_S)


class SightingTold(BaseModel):
    """Where something that is no door of ours saw an asset."""

    asset: Id
    location: Id
    at: Moment
    source: Literal["mdm", "discovery", "vpn", "scan"]
    by: str = Field(min_length=1, max_length=80, pattern=TEXT)
    reference: str = Field(min_length=1, max_length=400, pattern=TEXT, examples=["mdm check-in 8812"])


def knowing_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["doors"])

    @router.get("/portal-outages")
    async def outages(limit: Limit = 100) -> Outages:
        """Return when doors were not watched, those that still aren't first."""
        return Outages(as_of=on.now(), outages=await on.knowledge.outages(limit))

    @router.get("/doubtful-assets")
    async def doubtful(
        location: Annotated[str | None, Query(max_length=80, pattern=TEXT)] = None, limit: Limit = 100
    ) -> Doubts:
        """Return assets that could have passed a door while nobody watched it, and were not seen since."""
        return Doubts(as_of=on.now(), doubtful=await on.knowledge.doubtful(location, limit))

    @router.get("/opening-hours")
    async def opening_hours() -> PlaceHours:
        """Return when places are open; a place that isn't listed has the hours of the place around it."""
        return PlaceHours(as_of=on.now(), hours=await on.knowledge.place_hours())

    @router.get("/travel-times")
    async def travel_times() -> TravelTimes:
        """Return how long ways between sites take, as far as that was told."""
        return TravelTimes(as_of=on.now(), ways=await on.knowledge.travel())

    return router


def knowing_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["doors"], route_class=PatientRoute)

    @router.put("/class-hours/{asset_class}")
    async def hours(asset_class: ClassName, body: HoursTold) -> Told:
        """Say when assets of a class may move; a crossing outside these hours is an alert."""
        async with on.knowledge.work() as work:
            await work.set_hours(asset_class, sorted(set(body.days)), body.opens, body.closes)
            await work.told(f"class-hours/{asset_class}", body.by, _plainly(body), on.now())
        return Told(as_of=on.now())

    @router.delete("/class-hours/{asset_class}")
    async def any_hours(asset_class: ClassName, by: ByQuery) -> Told:
        """Let assets of a class move at any time again."""
        async with on.knowledge.work() as work:
            await work.drop_hours(asset_class)
            await work.told(f"class-hours/{asset_class}", by, {}, on.now())
        return Told(as_of=on.now())

    @router.put("/locations/{location}/hours")
    async def place_hours(location: Location, body: PlaceHoursTold) -> PlaceHours:
        """Say when a place and all below it is open; what leaves it outside these hours is an alert."""
        hours = [
            OpenHours(days="".join(map(str, sorted(set(one.days)))), opens=one.opens, closes=one.closes)
            for one in body.hours
        ]
        await set_place_hours(on.knowledge, location, hours, body.by, on.now())
        return PlaceHours(as_of=on.now(), hours=await on.knowledge.place_hours())

    @router.put("/locations/{location}/spot")
    async def spot(location: Location, body: SpotTold) -> Told:
        """Say where a site lies: from the distance follows how fast an asset can come to another."""
        await set_spot(on.knowledge, location, (body.latitude, body.longitude), body.by, on.now())
        return Told(as_of=on.now())

    @router.put("/travel-times")
    async def travel(body: TravelTold) -> Told:
        """Say how long the fastest way between two sites takes; it counts before their distance."""
        await set_travel(on.knowledge, (body.one, body.other), body.fastest_s, body.by, on.now())
        return Told(as_of=on.now())

    @router.post("/sightings")
    async def sighting(body: SightingTold) -> Told:
        """Tell that something else saw an asset; if the book has it inside and no door saw it leave, it is an alert."""
        changed = await sight(on.knowledge, Sighted(**body.model_dump()), on.now())
        return Told(as_of=on.now(), alerts=await on.views.alerts_by_id(changed) if changed else [])

    return router


def _plainly(body: BaseModel) -> dict[str, Any]:
    """Return what was told as the log keeps it."""
    return body.model_dump(mode="json", exclude={"by"})
