"""What any process on the database committed, told to this process's feed; what a listener missed, to it alone.

All processes hear all notices in one order. A place in that order is named by the last mark (each process sends one
when it begins to listen) and the number of notices since: it means the same at every process that heard the mark. What
is told is how things stand when it is told, so a change that is told twice does no harm.
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import structlog

from central.application.changes import Changes, Notice, read_notice, write_notice
from central.application.errors import StoreUnavailable
from central.application.feed import ANEW, Feed, FeedEvent, FeedKind
from central.application.ports import Views
from central.application.views import View, on_the_wire

SLOT_S: Final = 0.25
"""Counts, movements and gateways are told four times a second at most, alerts at once."""
RETRY_S: Final = 0.5
"""What was heard of while the database can't be read is told once it can."""
AT_ONCE: Final = 500
"""Movements, or assets, that one look reads."""
KEPT_NOTICES: Final = 20_000
KEPT_WEIGHT: Final = 500_000
"""How much is remembered for listeners that come back: minutes of the busiest ingest, days of a quiet house."""

_log = structlog.get_logger("central.feed")


@dataclass(frozen=True, slots=True)
class _Kept:
    number: int
    notice: Notice


class Teller:
    """Reads what notices name and tells the feed.

    One reader for alerts, which wait for nothing, and one for all else: nothing older is told after something newer.
    """

    def __init__(
        self, views: Views, feed: Feed, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._views, self._feed, self._now, self._clock = views, feed, now, clock
        self._pending = Changes()
        self._alerting, self._awake = asyncio.Event(), asyncio.Event()
        self._slot_at = clock()
        self._heard = self._told = 0
        self._kept: deque[_Kept] = deque()
        self._weight = 0
        self._marks: dict[str, int] = {}
        self._telling = 0

    def begin(self) -> str:
        """Notices come from now on; what came before may have been missed. Returns the mark to send to all."""
        self._kept.clear()
        self._marks.clear()
        self._pending, self._weight, self._told = Changes(), 0, self._heard
        self._feed.begin_anew()
        return write_notice(Notice(mark=secrets.token_hex(4)))

    def hear(self, text: str) -> None:
        """Take a notice."""
        notice = read_notice(text)
        if notice is None:
            _log.warning("a notice makes no sense, it is left out", notice=text[:80])
            return
        self._heard += 1
        self._keep(notice)
        if self._feed.heard:
            self._pending.add(notice)
        else:
            self._pending = Changes()
        if self._pending.alerts:
            self._alerting.set()
        if self._pending:
            self._awake.set()
        elif not self._telling:
            self._reach()

    async def run(self) -> None:
        """Tell for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_alerts_for_ever())
            tasks.create_task(self._tell_rest_for_ever())

    async def _tell_alerts_for_ever(self) -> None:
        while True:
            await self._alerting.wait()
            self._alerting.clear()
            while self._pending.alerts:
                await self._tell(self._pending.take_alerts())

    async def _tell_rest_for_ever(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._pending.others:
                if (early_s := self._slot_at - self._clock()) > 0:
                    await asyncio.sleep(early_s)
                await self._tell_rest()

    async def since(self, place: str, kinds: Collection[str] | None = None) -> AsyncIterator[FeedEvent]:
        """Yield what was committed after a place in the order, up to where the feed is; who asks sets the pace.

        Where nobody remembers the place, or too much came since, the answer is to read the lists anew.
        """
        number = self._number(place)
        movements = kinds is None or "movement" in kinds
        while number is not None and number < self._told:
            page, number = self._page(number)
            if page is None:
                break
            events = [
                one
                for one in await self._events(page, movements=movements)
                if kinds is None or one.kind in {*kinds, "anew"}
            ]
            for event in events:
                yield event
            yield self._feed_place(number)
        if number is None or number < self._told:
            yield FeedEvent("anew", ANEW)

    def _page(self, after: int) -> tuple[Changes | None, int]:
        """Return the next notices after a number, and the number of the last; None if they are forgotten."""
        if not self._kept or self._kept[0].number > after + 1:
            return None, after
        page, weight, last = Changes(), 0, after
        for one in islice(self._kept, after + 1 - self._kept[0].number, None):
            if last == self._told or weight >= AT_ONCE:
                break
            page.add(one.notice)
            weight += one.notice.weight
            last = one.number
        return page, last

    def _feed_place(self, number: int) -> FeedEvent:
        return FeedEvent("heartbeat", f'{{"as_of":"{on_the_wire(self._now())}"}}', self._place(number))

    def _keep(self, notice: Notice) -> None:
        self._kept.append(_Kept(self._heard, notice))
        self._weight += notice.weight
        if notice.mark:
            self._marks[notice.mark] = self._heard
        while len(self._kept) > KEPT_NOTICES or self._weight > KEPT_WEIGHT:
            gone = self._kept.popleft()
            self._weight -= gone.notice.weight
            before = [mark for mark, at in self._marks.items() if at <= gone.number]
            for mark in before[:-1]:
                del self._marks[mark]

    def _place(self, number: int) -> str | None:
        """Name a place in the order, by the last mark before it; None where there is none."""
        before = [(at, mark) for mark, at in self._marks.items() if at <= number]
        if not before:
            return None
        at, mark = max(before)
        return f"{mark}.{number - at}"

    def _number(self, place: str) -> int | None:
        """Find a place that this process, or another, named; None if it isn't remembered."""
        mark, _, since = place.partition(".")
        at = self._marks.get(mark)
        if at is None or not since.isdecimal():
            return None
        number = at + int(since)
        return number if number <= self._heard else None

    async def _tell_rest(self) -> None:
        """Tell what waits beside alerts; the slot ends when nothing is left over."""
        await self._tell(self._pending.take(AT_ONCE))
        if not self._pending.others:
            self._slot_at = self._clock() + SLOT_S

    async def _tell(self, taken: Changes) -> None:
        """Tell what was taken; a place in the order is reached once nothing waits and nobody is telling."""
        self._telling += 1
        try:
            events = await self._events(taken, movements=self._feed.wanted("movement"))
        except StoreUnavailable:
            self._pending.join(taken)
            await asyncio.sleep(RETRY_S)
            return
        finally:
            self._telling -= 1
        self._feed.send(events, None if self._pending or self._telling else self._reach())

    def _reach(self) -> str | None:
        """Note that all that was heard of is told; returns that place."""
        self._told = self._heard
        self._feed.position = self._place(self._told)
        return self._feed.position

    async def _events(self, taken: Changes, *, movements: bool) -> list[FeedEvent]:
        """Read what changed, as it stands now."""
        events = [FeedEvent("anew", ANEW)] if taken.anew else []
        if taken.alerts:
            events += _told("alert", await self._views.alerts_by_id(sorted(taken.alerts)))
        if taken.runs and movements:
            events += _told("movement", await self._views.movements_in(taken.runs))
        if taken.runs:
            told = {"count": taken.movements, "as_of": on_the_wire(self._now())}
            events.append(FeedEvent("passed", json.dumps(told)))
        if taken.locations:
            events += _told("location", await self._views.locations(sorted(taken.locations)))
        if taken.assets:
            events += _told("asset", await self._views.assets_by_id(sorted(taken.assets), self._now()))
        if taken.gateways:
            events += _told("gateway", await self._views.gateways(sorted(taken.gateways)))
        return events


def _told(kind: FeedKind, views: Collection[View]) -> list[FeedEvent]:
    return [FeedEvent(kind, one.model_dump_json()) for one in views]
