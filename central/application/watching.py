"""Notice of imports: another process writes the registry, and the live feed tells which counts that changed."""

import asyncio
import contextlib
from typing import Final

from central.application.errors import StoreUnavailable
from central.application.feed import Feed
from central.application.ports import Log, Views

LOOK_EVERY_S: Final = 1.0
"""An import is on every screen within two seconds; a look reads one row."""


class RegistryWatch:
    """Looks at the registry's version; when it rose, publishes the locations that differ from the last look's.

    Counts that ingest moved since that look are told once more: it is the same truth, and imports are rare.
    """

    def __init__(self, log: Log, views: Views, feed: Feed) -> None:
        self._log, self._views, self._feed = log, views, feed
        self._version: int | None = None
        self._known: dict[str, str] = {}

    async def run(self) -> None:
        """Look for ever; a database that is down is ingest's to tell, an import made meanwhile is seen afterwards."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once; the first look only learns how things stand."""
        version = (await self._log.registry()).version
        if version == self._version:
            return
        found = {location.id: location.model_dump_json() for location in await self._views.locations()}
        if self._version is not None:
            for location, told in found.items():
                if told != self._known.get(location):
                    self._feed.publish("location", told)
        self._version, self._known = version, found
