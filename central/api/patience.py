"""Writing requests that lose a fight for locks are done again, before anybody hears of it."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from central.application.errors import StoreBusy

TRIES: Final = 4
WAIT_S: Final = 0.05
"""Before the second try, then twice as long each time, give or take half: those who met don't meet again."""


class PatientRoute(APIRoute):
    """A route that writes in one transaction, or several of which each may be repeated: it is tried a few times."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, tried again where `StoreBusy` took back what it did."""
        once = super().get_route_handler()

        async def patiently(request: Request) -> Response:
            for lost in range(TRIES - 1):
                try:
                    return await once(request)
                except StoreBusy:
                    await asyncio.sleep(WAIT_S * 2**lost * random.uniform(0.5, 1.5))  # noqa: S311 (spreads, hides nothing)
            return await once(request)

        return patiently
