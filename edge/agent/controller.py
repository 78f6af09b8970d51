"""An access controller's events, let in as the configuration says and handed to windows and journal."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from structlog.typing import FilteringBoundLogger

from edge.access import AccessDesk, HttpDoor, MqttDoor
from edge.agent.journal import Journal
from edge.agent.signalling import steady_us
from edge.config import EdgeConfig, access_settings
from edge.windows import Windows


class Controller:
    """The doors that are configured, open from `async with` to its end; `AccessError` if one can't be opened."""

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
            door = await self._stack.enter_async_context(HttpDoor(self._http, self.desk))
            self._log.info("access events may be posted", host=self._http.host, port=door.port)
        if self._mqtt is not None:
            rng = random.Random()  # noqa: S311 (spreads reconnects, guards nothing)
            heard = MqttDoor(self._mqtt, self.desk, now_us=self._now_us, rng=rng, log=self._log)
            self._stack.push_async_callback(_ended, asyncio.create_task(heard.run(), name="access"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
