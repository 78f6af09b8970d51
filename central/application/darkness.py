"""Watching over the doors themselves: which are dark, and which false reads the world has settled."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from central.application.alerting import AlertBook, settle_claims
from central.application.errors import StoreUnavailable
from central.application.openings import Opening, Openings
from central.application.ports import Notice, Registry
from central.domain.anomalies.doors import Dark, GatewayWord, portal_dark

LOOK_EVERY_S: Final = 2.0
"""A gateway that falls silent is told within 12 s: it may be silent for 10."""
SETTLE_EVERY_S: Final = 60.0
"""A false read is borne out or falls within a minute of what shows it."""
OUTAGES: Final = "outages"
CLEARED: Final = "The door is watched again."


class DarkWork(Openings, Protocol):
    """Outages inside one transaction."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""

    async def words(self) -> dict[str, GatewayWord]:
        """Return the newest word of each registered gateway."""

    async def known_dark(self) -> dict[str, Dark]:
        """Return the doors that are known to be dark, as we knew them; other watchers wait until we are done."""

    async def open_outage(self, dark: Dark) -> None:
        """Write down that a door is dark."""

    async def worsen_outage(self, dark: Dark) -> None:
        """Write down that what was planned went wrong."""

    async def end_outage(self, portal: str, now: datetime) -> None:
        """Write down that it is watched again."""

    async def notices(self, notices: Sequence[Notice], now: datetime) -> list[int]:
        """Open or clear alerts; return the ids of those that changed."""


class DarkBook(Protocol):
    """Outages as the watcher sees them."""

    def work(self) -> AbstractAsyncContextManager[DarkWork]:
        """Open a transaction."""


async def look_for_dark(book: DarkBook, listening_since: datetime, now: datetime) -> list[int]:
    """Bring outages, their exceptions and alerts up to what is heard; return the alerts that changed."""
    async with book.work() as work:
        registry = await work.registry()
        doors = {portal.id: portal.gateway for portal in registry.portals.values()}
        dark = {one.portal: one for one in portal_dark(doors, await work.words(), listening_since, now)}
        known = await work.known_dark()
        began = [one for portal, one in dark.items() if portal not in known]
        worse = [
            replace(one, since=known[portal].since)
            for portal, one in dark.items()
            if portal in known and known[portal].planned and not one.planned
        ]
        ended = sorted(known.keys() - dark.keys())
        for one in began:
            await work.open_outage(one)
        for one in worse:
            await work.worsen_outage(one)
        for portal in ended:
            await work.end_outage(portal, now)
        if began or worse:
            await work.open_exceptions([_gap(registry, one) for one in began + worse], now, source=OUTAGES)
        if not (began or worse or ended):
            return []
        alarming = {portal: one for portal, one in dark.items() if not one.planned}
        return await work.notices(_notices(registry, alarming, {*known, *dark}), now)


def _gap(registry: Registry, dark: Dark) -> Opening:
    told = {"portal": dark.portal, "since": dark.since.isoformat(), "why": dark.reason}
    severity = "low" if dark.planned else None
    return Opening("coverage_gap", severity, None, registry.portals[dark.portal].inside, dark.since, told, dark.portal)


def _notices(registry: Registry, dark: Mapping[str, Dark], portals: set[str]) -> list[Notice]:
    """Return what to say of each gateway whose doors changed: one alert a gateway, however many doors it has."""
    gateways = sorted({registry.portals[portal].gateway for portal in portals if portal in registry.portals})
    found = []
    for gateway in gateways:
        ours = [one for one in dark.values() if registry.portals[one.portal].gateway == gateway]
        key = f"dark/{gateway}"
        if not ours:
            found.append(Notice(key, "portal_dark", "high", gateway, CLEARED, cleared=True))
            continue
        names = ", ".join(registry.portals[one.portal].name for one in ours)
        reason = f"{names}: not watched since {min(one.since for one in ours):%H:%M:%S} UTC, {ours[0].reason}."
        found.append(Notice(key, "portal_dark", "high", gateway, reason))
    return found


class DoorWatch:
    """Looks at the doors and at provisional verdicts for ever."""

    def __init__(
        self, dark: DarkBook, alerts: AlertBook, *, now: Callable[[], datetime], deaf: Callable[[], str]
    ) -> None:
        self._dark, self._alerts, self._now, self._deaf = dark, alerts, now, deaf
        self._listening_since: datetime | None = None
        self._settled_at: datetime | None = None

    async def run(self) -> None:
        """Look for ever; a database that is down is ingest's to tell."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once. While we are deaf ourselves nothing is said of the doors, and the silence counts from anew."""
        now = self._now()
        if self._deaf():
            self._listening_since = None
        elif self._listening_since is None:
            self._listening_since = now
        else:
            await look_for_dark(self._dark, self._listening_since, now)
        if self._settled_at is None or (now - self._settled_at).total_seconds() >= SETTLE_EVERY_S:
            await settle_claims(self._alerts, now)
            self._settled_at = now
