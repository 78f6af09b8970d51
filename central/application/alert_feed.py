"""Alerts on the live feed: those that any process on the database committed, each as it stands when it is told."""

import asyncio
from typing import Final

from central.application.errors import StoreUnavailable
from central.application.feed import Feed
from central.application.ports import Views

RETRY_S: Final = 0.5
"""What was heard of while the database can't be read is told once it can."""


class AlertFeed:
    """Tells the feed which alerts changed: one reader, so that no older state of an alert is told after a newer one."""

    def __init__(self, views: Views, feed: Feed) -> None:
        self._views, self._feed = views, feed
        self._changed: set[int] = set()
        self._awake = asyncio.Event()

    def hear(self, alert: str) -> None:
        """Take the id of an alert that changed."""
        if alert.isdecimal():
            self._changed.add(int(alert))
            self._awake.set()

    def begin(self) -> None:
        """Notices come from now on; what came before may have been missed, so whoever listens reads the lists anew."""
        self._feed.begin_anew()

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            # Taken before they are read: one that changes meanwhile is heard of again.
            changed, self._changed = self._changed, set()
            try:
                await self._tell(changed)
            except StoreUnavailable:
                self._changed |= changed
                self._awake.set()
                await asyncio.sleep(RETRY_S)

    async def _tell(self, changed: set[int]) -> None:
        if not self._feed.heard:
            return  # who comes later reads the lists
        for alert in await self._views.alerts_by_id(sorted(changed)):
            self._feed.publish("alert", alert.model_dump_json())
