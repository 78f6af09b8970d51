"""An access controller's events, let in as the configuration says and handed to windows and journal."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from structlog.typing import FilteringBoundLogger

from edge.access import AccessDesk, AccessError, HttpDoor, HttpSettings, MqttDoor
from edge.access.http import SOURCE as HTTP
from edge.access.mqtt import SOURCE as MQTT
from edge.agent.at_the_door import AccessDoor
from edge.agent.clock import host_synced
from edge.agent.journal import Journal
from edge.agent.signalling import steady_us
from edge.config import EdgeConfig, access_settings
from edge.contracts import instant
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
        self._shut = ""
        self._heard: MqttDoor | None = None
        self.desk = AccessDesk(
            [portal.id for portal in config.portals],
            badge=windows.badge,
            note=lambda row: journal.add([row]),
            now_us=now_us,
            steady_us=steady_us,
            log=log,
            believed=host_synced,
        )

    async def __aenter__(self) -> Self:
        if self._http is not None:
            await self._open(self._http)
        if self._mqtt is not None:
            rng = random.Random()  # noqa: S311 (spreads reconnects, guards nothing)
            self._heard = MqttDoor(self._mqtt, self.desk, now_us=self._now_us, rng=rng, log=self._log)
            self._stack.push_async_callback(_ended, asyncio.create_task(self._hear(self._heard), name="access"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def doors(self) -> list[AccessDoor]:
        """Return how each configured way is."""
        told = []
        if self._http is not None:
            told.append(self._told(HTTP, self._shut))
        if self._mqtt is not None:
            told.append(self._told(MQTT, "it is not listened to" if self._heard is None else self._heard.problem))
        return told

    def _told(self, way: str, problem: str) -> AccessDoor:
        heard_us = self.desk.counters.heard_us.get(way)
        return AccessDoor(
            way=way,
            state="shut" if problem else "open",
            problem=problem,
            heard_at=None if heard_us is None else instant(heard_us),
            refused=self.desk.counters.refused_by(way),
        )

    async def _open(self, settings: HttpSettings) -> None:
        """Open the door for posts; the doorway is watched without it, too."""
        try:
            door = await self._stack.enter_async_context(HttpDoor(settings, self.desk))
        except AccessError as error:
            self._shut = str(error)
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
