"""What people tell that rules judge by: hours of classes, where sites lie, and who saw an asset that no door saw."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Protocol

from central.application.errors import NotFound, StepUnfit
from central.application.openings import Opening, Openings
from central.application.ports import Notice, Registry
from central.application.views import Instant, View
from central.domain.anomalies.doors import portal_bypass

BYPASS = "sightings"


class OutageView(View):
    """A span in which nobody watched a door; `doubtful` assets could have passed it and were not seen since.

    `planned`: its gateway was asked to stop and is due back within a quarter of an hour, or came back in time.
    """

    portal: str
    name: str
    from_at: Instant
    to_at: Instant | None
    reason: str
    planned: bool
    doubtful: int


class DoubtView(View):
    """An asset whose place is in doubt, since a door beside it was dark."""

    asset: str
    location: str
    portal: str
    from_at: Instant
    to_at: Instant | None


@dataclass(frozen=True, slots=True)
class Sighted:
    """An asset seen by something that is no door: management software, discovery, a VPN, a scan."""

    asset: str
    location: str
    at: datetime
    source: str
    by: str
    reference: str


class OpenHours(View):
    """When a place is open on some weekdays (ISO digits, 12345 is Monday to Friday), by its own time."""

    days: str
    opens: time
    closes: time


class PlaceHoursView(OpenHours):
    """The same of a place; those below it without hours of their own have them too."""

    location: str


class TravelView(View):
    """How long the fastest way between two sites takes."""

    one: str
    other: str
    fastest_s: float


class KnowledgeWork(Openings, Protocol):
    """Telling, inside one transaction. Whatever changes knowledge raises the registry's version."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""

    async def set_hours(self, asset_class: str, days: list[int], opens: time, closes: time) -> None:
        """Say when assets of a class may move."""

    async def drop_hours(self, asset_class: str) -> None:
        """Let them move at any time again, or raise `NotFound`."""

    async def set_place_hours(self, location: str, hours: Sequence[OpenHours]) -> None:
        """Say when a place is open; no hours are those of the place around it."""

    async def set_spot(self, location: str, latitude: float, longitude: float) -> None:
        """Say where a site lies."""

    async def set_travel(self, one: str, other: str, fastest_s: float) -> None:
        """Say how long the fastest way between two sites takes."""

    async def told(self, subject: str, by: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Write into the log who told which setting."""

    async def sighted(self, seen: Sighted, now: datetime) -> int:
        """Lock the asset and write the sighting into the log; return the act. Raises `NotFound`."""

    async def book(self, asset: str) -> tuple[str, datetime] | None:
        """Return where the book has an asset, and since when."""

    async def crossings_since(self, asset: str, since: datetime) -> list[tuple[str, str]]:
        """Return from where to where doors saw an asset go."""

    async def notice(self, notice: Notice, now: datetime) -> list[int]:
        """Open an alert that is about no passage; return its id if that changed anything."""


class KnowledgeBook(Protocol):
    """Telling, and what is known of dark doors, as the API sees it."""

    def work(self) -> AbstractAsyncContextManager[KnowledgeWork]:
        """Open a transaction."""

    async def place_hours(self) -> list[PlaceHoursView]:
        """Return when places are open."""

    async def travel(self) -> list[TravelView]:
        """Return how long ways between sites take, as far as that was told."""

    async def outages(self, limit: int) -> list[OutageView]:
        """Return when doors were dark, newest first."""

    async def doubtful(self, location: str | None, limit: int) -> list[DoubtView]:
        """Return assets whose place is in doubt since a door beside it was dark, by id."""


async def sight(book: KnowledgeBook, seen: Sighted, now: datetime) -> list[int]:
    """Write a sighting into the log; tell where it shows that an asset got out past the doors; return changed alerts.

    Raises:
        NotFound: there is no such asset or location.
        StepUnfit: the sighting lies in the future.
    """
    if seen.at > now:
        raise StepUnfit(f"a sighting at {seen.at.isoformat()} lies in the future: give the time at which it was seen")
    async with book.work() as work:
        registry = await work.registry()
        _known(registry, seen.location)
        act = await work.sighted(seen, now)
        place = await work.book(seen.asset)
        if place is None or place[1] > seen.at:
            return []
        crossings = await work.crossings_since(seen.asset, place[1])
        found = portal_bypass(place[0], seen.location, registry.knowledge, crossings)
        if found is None:
            return []
        told = {**found.evidence, "why": found.reason, "source": seen.source, "reference": seen.reference}
        opening = Opening(found.kind, None, seen.asset, place[0], seen.at, told, f"act/{act}")
        await work.open_exceptions([opening], now, source=BYPASS)
        gateway = next((one.gateway for one in registry.portals.values() if one.inside == place[0]), "none")
        reason = f"{seen.asset}: {found.reason} Told by {seen.source} ({seen.reference})."
        return await work.notice(Notice(f"bypass/{seen.asset}/{act}", found.kind, found.severity, gateway, reason), now)


async def set_travel(book: KnowledgeBook, sites: tuple[str, str], fastest_s: float, by: str, now: datetime) -> None:
    """Say how long the fastest way between two sites takes. Raises `NotFound`, `StepUnfit`."""
    one, other = sites
    if one == other:
        raise StepUnfit("a way from a site to itself takes no time: name two sites")
    async with book.work() as work:
        registry = await work.registry()
        for site in (one, other):
            _is_site(registry, site)
        await work.set_travel(one, other, fastest_s)
        await work.told(f"travel-times/{one}/{other}", by, {"fastest_s": fastest_s}, now)


async def set_place_hours(
    book: KnowledgeBook, location: str, hours: Sequence[OpenHours], by: str, now: datetime
) -> None:
    """Say when a place is open. Raises `NotFound`, `StepUnfit`."""
    days = "".join(one.days for one in hours)
    if len(set(days)) < len(days):
        raise StepUnfit("the hours name a weekday twice: one row a weekday, or rows that share none")
    async with book.work() as work:
        _known(await work.registry(), location)
        await work.set_place_hours(location, hours)
        await work.told(f"hours/{location}", by, {"hours": [one.model_dump(mode="json") for one in hours]}, now)


async def set_spot(book: KnowledgeBook, site: str, spot: tuple[float, float], by: str, now: datetime) -> None:
    """Say where a site lies. Raises `NotFound`, `StepUnfit`."""
    async with book.work() as work:
        _is_site(await work.registry(), site)
        await work.set_spot(site, *spot)
        await work.told(f"spot/{site}", by, {"latitude": spot[0], "longitude": spot[1]}, now)


def _is_site(registry: Registry, location: str) -> None:
    _known(registry, location)
    if registry.places[location].kind != "site":
        raise StepUnfit(f"location {location!r} is a {registry.places[location].kind}: name the site that it lies in")


def _known(registry: Registry, location: str) -> None:
    try:
        registry.places[location]
    except KeyError:
        raise NotFound(f"there is no location {location!r}: /api/v1/locations lists them") from None
