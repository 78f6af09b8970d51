"""Access events that a controller publishes: one topic, dialled again for ever."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.access.desk import AccessDesk
from edge.access.errors import AccessError
from edge.readers import ReaderError
from edge.readers.smart import SmartSettings
from edge.readers.smart.subscriber import Subscriber

SOURCE: Final = "mqtt"
IDLE_S: Final = 1.0
TOO_MANY: Final = "too many messages at once: those that nobody could take are dropped"


class MqttDoor:
    """`run` until cancelled; what the broker had retained is left out, for it tells of the past.

    Args:
        settings: topic and broker.
        desk: takes what was sent.
        now_us: the host's clock.
        rng: spreads reconnects.
        log: logger.
    """

    def __init__(
        self,
        settings: SmartSettings,
        desk: AccessDesk,
        *,
        now_us: Callable[[], int],
        rng: Random,
        log: FilteringBoundLogger,
    ) -> None:
        self._settings, self._desk, self._now_us, self._rng, self._log = settings, desk, now_us, rng, log
        self._problem = "it is being dialled"
        self._told = False

    @property
    def problem(self) -> str:
        """Why nothing is heard now; empty while the broker is there."""
        return self._problem

    async def run(self) -> None:
        """Listen, and dial again whenever the broker is lost."""
        attempt = 0
        while True:
            try:
                await self._listen()
            except ReaderError as error:
                attempt = attempt + 1 if self._told else 0
                if not self._told:
                    self._log.warning("access events can't be heard", problem=str(error))
                self._problem, self._told = str(error), True
            longest_s = min(self._settings.backoff_max_s, self._settings.backoff_base_s * 2 ** min(attempt, 16))
            await asyncio.sleep(self._rng.uniform(0, longest_s))

    async def _listen(self) -> None:
        """Listen until the broker is lost."""
        subscriber = Subscriber(self._settings, f"access events ({self._settings.address})", self._now_us)
        try:
            await subscriber.open()
            if self._told:
                self._log.info("access events are heard again")
            self._problem, self._told = "", False
            dropped = 0
            while True:
                for arrival in await subscriber.receive(IDLE_S):
                    if not arrival.stale:
                        with suppress(AccessError):  # the desk has counted and told it
                            self._desk.take(arrival.payload, SOURCE)
                for _ in range(subscriber.dropped - dropped):
                    self._desk.refuse(AccessError(TOO_MANY, "flood"), SOURCE)
                dropped = subscriber.dropped
        finally:
            await subscriber.close()
