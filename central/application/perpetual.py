"""The perpetual count's loop: folds and counts what is due."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from central.application.errors import StoreUnavailable
from central.application.metrics import Metrics
from central.application.presence import BATCH, PresenceStore, fold_place

LOOK_EVERY_S: Final = 2.0
"""A count is this far behind a door, at most, while places are quiet."""
AGAIN_AFTER: Final = timedelta(minutes=1)
"""A place that can't be folded is tried again after this; the others go on."""

_log = structlog.get_logger("central.counts")


class PerpetualCount:
    """Counts for ever; a database that is down is ingest's to tell."""

    def __init__(self, store: PresenceStore, metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._store, self._metrics, self._now = store, metrics, now
        self._again: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                busy = await self.look()
            except StoreUnavailable:
                busy = False
            await asyncio.sleep(0 if busy else LOOK_EVERY_S)

    async def look(self) -> bool:
        """Fold and count what is due now, and tell stories again of what was heard; say whether anything was."""
        now = self._now()
        due = [place for place in await self._store.due(now, BATCH) if self._again.get(place, now) <= now]
        for place in due:
            await self._fold(place)
        told = await self._store.retell(self._now())
        for asset, why in told.failed.items():
            self._metrics.uncounted.inc()
            _log.error("what was heard of an asset can't be told; it is tried again with its next news",
                       asset=asset, error=why)  # fmt: skip
        return bool(due or told)

    async def _fold(self, place: str) -> None:
        try:
            await fold_place(self._store, place, self._now())
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (one place that trips a fault of ours must not stop all others)
            if place not in self._again:
                _log.error("a place can't be counted; it is tried again every minute", place=place, error=str(error))
            self._again[place] = self._now() + AGAIN_AFTER
            self._metrics.uncounted.inc()
        else:
            self._metrics.counted.inc()
            if self._again.pop(place, None):
                _log.info("a place is counted again", place=place)
