"""What the console knows: the API's lists, kept fresh by its live feed. One board serves every open page."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from central.console import words
from central.console.client import ApiClient
from central.console.errors import ConsoleError

STALE_S: Final = 5.0
"""A feed that says nothing for longer is called stale; it has a heartbeat every 2 s."""
RECENT_MOVEMENTS: Final = 40
RECENT_ALERTS: Final = 100
RECENT_MOVED: Final = 2000
OPEN_ALERTS: Final = 1000
"""The gravest that are read at once, and at most; of critical ones all are read, however many."""
HEALTH_EVERY_S: Final = 2.0
"""A broker that is gone is on the screen within 5 s."""
# A burst of a thousand events is one reading of the lists, not a thousand.
REFRESH_EVERY_S: Final = 0.4
# Lists are read again now and then even without an event, so that a lost one can't last.
REFRESH_AT_LEAST_S: Final = 10.0
RETRY_FIRST_S: Final = 0.5
RETRY_LAST_S: Final = 5.0

Item = dict[str, Any]


@dataclass(slots=True)
class Board:
    """The newest lists; pages compare what they show with them."""

    client: ApiClient
    clock: Callable[[], float]
    rng: random.Random
    locations: list[Item] = field(default_factory=list)
    alerts: list[Item] = field(default_factory=list)
    gateways: list[Item] = field(default_factory=list)
    movements: list[Item] = field(default_factory=list)
    portals: list[Item] = field(default_factory=list)
    measures: list[Item] = field(default_factory=list)
    cut: bool = False
    """Whether more alerts are open than are listed; none of those is critical."""
    quarantined: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    """How often the feed told of an asset, for those that it told of last."""
    as_of: str | None = None
    problem: str | None = None
    ill: str = ""
    """What the central service says that it lacks, and what to do."""
    _heard_at: float | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def silent_s(self) -> float | None:
        """Seconds since the feed last said anything; None before its first word."""
        return None if self._heard_at is None else self.clock() - self._heard_at

    @property
    def stale(self) -> bool:
        """Whether figures may be old."""
        return self.silent or bool(self.deaf)

    @property
    def silent(self) -> bool:
        """Whether the central service doesn't speak to us."""
        return self.silent_s is None or self.silent_s > STALE_S or self.problem is not None

    @property
    def deaf(self) -> str:
        """Why the central service, though it speaks, hears no door; empty if it does."""
        return self.ill or words.doors_words(self.gateways)

    @property
    def notice(self) -> str:
        """Why figures may be old, in words; empty if they aren't."""
        return words.feed_words(self.silent_s, self.problem) if self.silent else self.deaf

    def place(self, location: str | None) -> str:
        """A location's name, or its id where the registry has none."""
        return next((item["name"] for item in self.locations if item["id"] == location), location or "nowhere known")

    def door(self, portal: str | None) -> str:
        """A portal's name, or its id as words where the registry has none."""
        return next((item["name"] for item in self.portals if item["id"] == portal), words.portal_name(portal))

    def names(self) -> dict[str, str]:
        """Names of doors and places by id."""
        return {item["id"]: item["name"] for item in (*self.locations, *self.portals)}

    async def run(self) -> None:
        """Follow the feed and read the lists after it, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._keep_fresh())
            tasks.create_task(self._keep_asking_health())

    def hear(self, kind: str, data: str) -> None:
        """Take one event of the feed."""
        self._heard_at = self.clock()
        if kind == "heartbeat":
            return
        if kind == "asset":
            with contextlib.suppress(ValueError, LookupError, TypeError):
                asset = str(json.loads(data)["id"])
                self.moved[asset] = self.moved.pop(asset, 0) + 1
                while len(self.moved) > RECENT_MOVED:
                    del self.moved[next(iter(self.moved))]
        self._changed.set()

    async def refresh(self) -> None:
        """Read all lists once; a failure is kept as words for the screen."""
        try:
            locations = await self.client.get("locations")
            portals = await self.client.get("portals")
            measures = await self.client.get("portal-measures")
            open_alerts, cut = await self._open_alerts()
            alerts = await self.client.get("alerts", state="all", limit=RECENT_ALERTS)
            movements = await self.client.get("movements", limit=RECENT_MOVEMENTS)
            gateways = await self.client.get("gateways")
            summary = await self.client.get("summary")
        except ConsoleError as error:
            self._set_problem(str(error))
            return
        self.locations, self.as_of = locations["locations"], locations["as_of"]
        self.portals, self.measures = portals["portals"], measures["measures"]
        self.movements = movements["movements"]
        # Whatever its age, an open alert is on the board; one taken between the two answers is as the later one says.
        newest = {one["id"]: one for one in alerts["alerts"]}
        self.alerts, self.cut = [*newest.values(), *(one for one in open_alerts if one["id"] not in newest)], cut
        self.gateways = gateways["gateways"]
        self.quarantined = summary["quarantined"]
        self._set_problem(None)

    async def check_health(self) -> None:
        """Ask once how the central service is; one that doesn't answer is told of by the lists."""
        with contextlib.suppress(ConsoleError):
            self._set_ill(words.health_words(await self.client.health()))

    async def acknowledge(self, alerts: Sequence[int], by: str) -> None:
        """Take alerts on in somebody's name.

        Raises:
            ConsoleError: one was refused; those before it are taken.
        """
        try:
            for alert in alerts:
                await self.client.acknowledge(alert, by)
        finally:
            await self.refresh()

    async def _open_alerts(self) -> tuple[list[Item], bool]:
        """Read what is open, the gravest first: all that is critical, and whether anything less was left out."""
        found: dict[int, Item] = {}
        skip = 0
        while True:
            told = await self.client.get("alerts", state="open", order="gravest", limit=OPEN_ALERTS, skip=skip)
            part = told["alerts"]
            found |= {one["id"]: one for one in part}
            if len(part) < OPEN_ALERTS:
                return list(found.values()), False
            if part[-1]["severity"] != "critical":
                return list(found.values()), True
            skip += len(part)

    async def _follow(self) -> None:
        delay_s = RETRY_FIRST_S
        while True:
            try:
                async for event in self.client.events():
                    delay_s = RETRY_FIRST_S
                    self.hear(event.kind, event.data)
            except ConsoleError as error:
                self._set_problem(str(error))
            await asyncio.sleep(delay_s * self.rng.uniform(0.5, 1.0))
            delay_s = min(delay_s * 2, RETRY_LAST_S)
            # What was said while we weren't listening stands in the lists.
            self._changed.set()

    async def _keep_fresh(self) -> None:
        while True:
            self._changed.clear()
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_AT_LEAST_S):
                    await self._changed.wait()

    async def _keep_asking_health(self) -> None:
        while True:
            await self.check_health()
            await asyncio.sleep(HEALTH_EVERY_S)

    def _set_ill(self, ill: str) -> None:
        log = structlog.get_logger("central.console")
        if ill and not self.ill:
            log.warning("the central service is not well", problem=ill)
        elif self.ill and not ill:
            log.info("the central service is well again")
        self.ill = ill

    def _set_problem(self, problem: str | None) -> None:
        """Log when a condition starts and when it ends, never in between."""
        if (problem is None) != (self.problem is None):
            log = structlog.get_logger("central.console")
            if problem:
                log.warning("no news from the central service", problem=problem)
            else:
                log.info("the central service answers again")
        self.problem = problem
