"""An access controller's events, let in as the configuration says and handed to windows and journal."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from structlog.typing import FilteringBoundLogger

from edge.access import AccessDesk, AccessError, HttpDoor, HttpSettings, MqttDoor
from edge.agent.journal import Journal
from edge.agent.signalling import steady_us
from edge.config import EdgeConfig, access_settings
from edge.windows import Windows

ANEW_S: Final = 5.0


class Controller:
    """The doors that are configured, open from `async with` to its end; what can't be opened is told and left out."""

    def __init__(
        self,
        config: EdgeConfig,
        *,
        base: Path,
        windows: Windows,
        journal: Journal,
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
    ) -> None:
        self._http, self._mqtt = access_settings(config, base=base)
        self._now_us, self._log = now_us, log
        self._stack = AsyncExitStack()
        self.desk = AccessDesk(
            [portal.id for portal in config.portals],
            badge=windows.badge,
            note=lambda row: journal.add([row]),
            now_us=now_us,
            steady_us=steady_us,
            log=log,
        )

    async def __aenter__(self) -> Self:
        if self._http is not None:
            await self._open(self._http)
        if self._mqtt is not None:
            rng = random.Random()  # noqa: S311 (spreads reconnects, guards nothing)
            heard = MqttDoor(self._mqtt, self.desk, now_us=self._now_us, rng=rng, log=self._log)
            self._stack.push_async_callback(_ended, asyncio.create_task(self._hear(heard), name="access"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self, settings: HttpSettings) -> None:
        """Open the door for posts; the doorway is watched without it, too."""
        try:
            door = await self._stack.enter_async_context(HttpDoor(settings, self.desk))
        except AccessError as error:
            self._log.error("access events can't be posted until the agent starts anew", problem=str(error))
        else:
            self._log.info("access events may be posted", host=settings.host, port=door.port)

    async def _hear(self, door: MqttDoor) -> None:
        """Listen for ever; whatever a message did, the next ones are heard."""
        while True:
            try:
                await door.run()
            except Exception:  # noqa: BLE001 (the next message may be good, and nobody else would tell)
                self._log.exception("access events are listened for anew")
                await asyncio.sleep(ANEW_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
