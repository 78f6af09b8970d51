"""Ports of the use cases; `central.storage` implements them on PostgreSQL.

All raise `StoreUnavailable` when the database can't be used now; then nothing of the open transaction is kept.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from central.application.calendars import PlaceCalendars
from central.application.changes import Run
from central.application.leases import Lease
from central.application.openings import Openings
from central.application.records import Incoming, Movement, StreamKey, Unreadable
from central.application.stories import Stories
from central.application.views import (
    AlertView,
    AssetView,
    GatewayView,
    LocationView,
    MovementView,
    PortalView,
    QuarantineView,
    Summary,
)
from central.domain.alerts import Finding, Revision
from central.domain.anomalies.records import Knowledge, Seen, Subject
from central.domain.anomalies.tags import ChipOf, Visit
from central.domain.carrying import Carried
from central.domain.exits import Authorisation
from central.domain.gate import Manner, Quiet
from central.domain.places import PlaceOpening, Places, Portal
from central.domain.position import Position
from central.domain.quiet import Measure, mode_at
from central.domain.story import Routes, World
from central.domain.tags import Bindings


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry as one version of it stands."""

    version: int
    places: Places
    portals: Mapping[str, Portal]
    sites: Mapping[str, str]
    """Gateway id to the site that it is registered at."""
    world: World
    routes: Routes
    knowledge: Knowledge
    openings: tuple[PlaceOpening, ...] = ()
    neighbours: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Portal to the portals beside it."""
    measures: Sequence[Measure] = ()
    """Doors that are, or were, told to be quieter for a while."""
    calendars: PlaceCalendars = field(default_factory=PlaceCalendars)
    """On which business days are counted; its overrides make a new version of the registry, too."""
    needs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(portal, class of assets) to what the door asks for; the class '' stands for every other."""
    stale: Mapping[str, str] = field(default_factory=dict)
    """Portal to what an old snapshot means there."""
    zones: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(gateway, zone) to the location that somebody said it lies in."""

    def ends(self, gateway: str) -> Iterator[str]:
        """Yield the locations that a gateway's doors join."""
        for portal in self.portals.values():
            if portal.gateway == gateway:
                yield from (portal.inside, portal.outside)

    def mode_at(self, portal: str, at: datetime) -> str:
        """Return how a door behaved at an instant."""
        return mode_at(self.portals[portal], self.measures, at)

    def wants_person(self, portal: str, asset_class: str) -> bool:
        """Tell whether a badge has to name who carries an asset of a class through a door."""
        wanted = self.needs.get((portal, asset_class), self.needs.get((portal, ""), "asset"))
        return wanted == "asset+person"

    def wants_badges(self, portal: str) -> bool:
        """Tell whether there is any class of assets for which a door asks for a badge."""
        return any(door == portal and wanted == "asset+person" for (door, _), wanted in self.needs.items())

    def manners(self, now: datetime) -> dict[str, Manner]:
        """Return how each door behaves from now on."""
        return {
            portal.id: Manner(
                portal.mode,
                tuple(
                    Quiet(one.mode, one.from_at, one.end)
                    for one in self.measures
                    if one.portal == portal.id and one.end > max(one.from_at, now)
                ),
                self.stale.get(portal.id, "refuse"),
                self.wants_badges(portal.id),
            )
            for portal in self.portals.values()
        }

    def is_closed(self, location: str) -> bool:
        """Tell whether every way out of a location is listed and watched."""
        return self.places.is_closed(location, self.openings, self.portals.values())


class Filed(msgspec.Struct, frozen=True, gc=False):
    """A movement row ready for the log: placed, and its crossing resolved by the registry."""

    row: Incoming
    movement: Movement
    origin: str | None
    destination: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The movements of one transaction, each with its asset, and those of their passages that were known before."""

    movements: Sequence[tuple[Filed, str | None]]
    again: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A passage of a registered asset that may give rise to an alert."""

    passage: str
    asset: str
    epc: str
    portal: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """A passage's finding and the incident that it belongs to."""

    key: str
    case: Case
    gateway: str
    observed_only: bool
    finding: Finding


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a gateway itself that somebody has to look at; `cleared` ends it."""

    key: str
    kind: str
    severity: str
    gateway: str
    reason: str
    cleared: bool = False


class Oddities(Protocol):
    """What rules on odd passages ask of an open transaction."""

    async def seen(self, passages: Collection[str]) -> list[tuple[Seen, Subject]]:
        """Return those of the passages that are final and of one of our assets, with the asset."""

    async def watched(self, assets: Collection[str]) -> set[str]:
        """Return the assets that are odd wherever they are seen: gone by the record, missing, or ever on loan."""

    async def visits(self, finals: Sequence[Filed], again: Collection[str]) -> list[tuple[str, Visit]]:
        """Return passages and those of the same tag right before and after them, each with its asset, in order.

        `finals` are passages that nobody knew before, the only rows of them, `again` names others that are judged. Left
        out are those beside which the tag was at the same door, unless one of them was known before.
        """

    async def chips(self, epcs: Collection[str]) -> list[ChipOf]:
        """Return every passage of tags in which the chip told its number, in order."""

    async def once_bound(self, epcs: Collection[str]) -> dict[str, str]:
        """Return on which asset tags were last."""


class Transaction(Openings, Protocol):
    """One open transaction on the log. Positions are locked first, then assets by id: the order that can't deadlock."""

    @property
    def oddities(self) -> Oddities:
        """What rules on odd passages read."""

    @property
    def stories(self) -> Stories:
        """Where stories are kept."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""

    async def lock_positions(self, keys: Collection[StreamKey], now: datetime) -> dict[StreamKey, Position]:
        """Lock and return the positions of streams; a new stream gets an empty one."""

    async def hold(self, lease: Lease, gateways: Collection[str]) -> set[str]:
        """Return the gateways whose fence still is the lease's; until the transaction ends nobody else gets them."""

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint; an error inside takes back what was done in it, data that are refused as `RowsRefused`."""

    async def add_movements(self, rows: Sequence[Filed], received_at: datetime) -> set[str]:
        """Append movement rows and keep the highest revision of each passage; a row that stands already stays.

        Returns the passages of which a revision was known before.
        """

    async def add_others(self, rows: Sequence[Incoming], received_at: datetime) -> None:
        """Append sensor, loss, gap and presence rows."""

    async def registered(self, epcs: Collection[str]) -> set[str]:
        """Return which of the tags are on an asset, or ever were."""

    async def hold_places(self, rows: Sequence[Filed]) -> None:
        """Keep the doors and places of rows from being deleted until the transaction ends.

        If one is gone it raises `RowsRefused`. Assets are locked before: so does whoever deletes a place.
        """

    async def lock_assets(self, epcs: Collection[str]) -> Bindings:
        """Return the bindings of the tags that are registered, their assets locked by id."""

    async def accused(self, passages: Collection[str]) -> dict[str, str]:
        """Return which of the passages stand in an alert, and of what kind."""

    async def carried(self, cases: Sequence[Case]) -> dict[str, Carried]:
        """Return by passage what is known of who carried its asset."""

    async def cases(self, assets: Collection[str]) -> list[Case]:
        """Return the passages of assets that stand in an alert."""

    async def on_passes(self, assets: Collection[str]) -> set[str]:
        """Return which of the assets have an authorisation for one use."""

    async def settle_uses(self, assets: Collection[str]) -> None:
        """Write down what authorisations for one use were spent on, so that no door honours them again."""

    async def on_one_use(self, assets: Collection[str]) -> list[Case]:
        """Return the passages of assets that may live on an authorisation for one use."""

    async def revisions(
        self, passages: Collection[str], around: tuple[datetime, datetime]
    ) -> dict[str, list[Revision]]:
        """Return all revisions of the passages; `around` spans the event times that are known of them."""

    async def authorisations(
        self, assets: Collection[str], *, provisional: bool = False
    ) -> dict[str, Sequence[Authorisation]]:
        """Return the authorisations of assets, those for one use with the exit that each was spent on.

        `provisional` takes crossings for exits that aren't final yet.
        """

    async def raise_incidents(self, incidents: Sequence[Incident], now: datetime) -> list[int]:
        """Open, join or annotate alerts; return the ids of those that changed."""

    async def give_notices(self, notices: Sequence[Notice], now: datetime) -> list[int]:
        """Open or clear alerts about gateways; return the ids of those that changed."""

    async def quarantine(self, items: Sequence[Unreadable]) -> None:
        """Keep what could not be read; a repeat of the same bytes is counted."""

    async def save_positions(self, positions: Mapping[StreamKey, Position], now: datetime) -> None:
        """Store advanced positions."""

    async def saw(
        self,
        site: str,
        gateway: str,
        at: datetime,
        *,
        online: bool,
        stopped: bool = False,
        birth: str | None = None,
        health: str | None = None,
    ) -> None:
        """Note a gateway's word; None keeps what was known."""


class Log(Protocol):
    """The store as ingest sees it."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction; it commits when the block ends without an error."""

    async def registry(self) -> Registry:
        """Return the current registry."""

    async def marks(self) -> dict[StreamKey, Position]:
        """Return the position of every registered gateway's streams, each in the epoch that advanced last."""


class Views(Protocol):
    """The store as the API and the feed see it."""

    async def locations(self, ids: Collection[str] | None = None) -> list[LocationView]:
        """Return locations with their counts, all or those named."""

    async def locations_json(self) -> str:
        """Return all locations and their counts as JSON objects with commas between them, as `LocationView` is."""

    async def assets(self, *, location: str | None, query: str | None, limit: int, now: datetime) -> list[AssetView]:
        """Return assets, by id, as they are held to be at an instant."""

    async def asset(self, asset: str, now: datetime) -> AssetView:
        """Return one asset as it is held to be at an instant, or raise `NotFound`."""

    async def movements(self, *, portal: str | None = None, asset: str | None = None, limit: int) -> list[MovementView]:
        """Return the newest revision of each passage, newest first: of everything, of a portal, of an asset."""

    async def assets_by_id(self, ids: Collection[str], now: datetime) -> list[AssetView]:
        """Return the assets named, by id, as they are held to be at an instant."""

    async def movements_in(self, runs: Sequence[Run]) -> list[MovementView]:
        """Return all revisions of passages that stand in runs, oldest first."""

    async def portals(self) -> list[PortalView]:
        """Return all portals, by id."""

    async def alerts(self, *, state: str, limit: int, skip: int = 0, gravest: bool = False) -> list[AlertView]:
        """Return alerts by state (open, acknowledged or all), newest or gravest first, without the `skip` first."""

    async def alerts_by_id(self, ids: Collection[int]) -> list[AlertView]:
        """Return the alerts named, oldest first."""

    async def acknowledge(self, alert: int, by: str, now: datetime) -> AlertView:
        """Acknowledge an alert or raise `NotFound`; the first acknowledgement stands."""

    async def gateways(self, names: Collection[str] | None = None) -> list[GatewayView]:
        """Return gateways, all or those named: registered ones and those that wait."""

    async def quarantined(self, limit: int) -> list[QuarantineView]:
        """Return the quarantine, newest first."""

    async def summary(self) -> Summary:
        """Return totals."""

    async def ping(self) -> None:
        """Raise `StoreUnavailable` if the database doesn't answer."""
