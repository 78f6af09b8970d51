"""The trial's network: a fault proxy on each link, in a thread with an event loop of its own."""

import asyncio
import random
import threading
from collections.abc import Coroutine
from typing import Any, Final

from tests.helpers.fault_proxy import FaultProxy

CALL_S: Final = 20.0
LINKS: Final = ("agent-broker", "central-broker", "agent-reader")
TROUBLES: Final = ("delay", "black-hole", "half-open", "reset", "refuse", "throttle")


class Links:
    """Proxies by the name of their link; use as a context."""

    def __init__(self, targets: dict[str, int], rng: random.Random) -> None:
        self._rng = rng
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._proxies = {name: FaultProxy(port, seed=rng.randrange(1 << 30)) for name, port in targets.items()}

    def start(self) -> None:
        """Listen on all."""
        self._thread.start()
        for proxy in self._proxies.values():
            self._call(proxy.__aenter__())

    def stop(self) -> None:
        """End all connections and the thread."""
        if self._thread.is_alive():
            for proxy in self._proxies.values():
                self._call(proxy.__aexit__())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CALL_S)
        self._loop.close()

    def port(self, name: str) -> int:
        """Return where a link is dialled."""
        return int(self._proxies[name].port)

    def begin(self, name: str, trouble: str) -> None:
        """Let a link have a trouble, until `end`."""
        self._call(self._begin(self._proxies[name], trouble))

    def end(self, name: str, trouble: str) -> None:
        """Let the link be well again."""
        self._call(self._end(self._proxies[name], trouble))

    async def _begin(self, proxy: Any, trouble: str) -> None:
        ways = (proxy.up, proxy.down)
        if trouble == "black-hole":
            await proxy.cut_cable()
        elif trouble == "refuse":
            await proxy.refuse()
            proxy.reset()
        elif trouble == "reset":
            proxy.reset()
        for way in ways:
            way.delay_s = self._rng.uniform(0.2, 2.0) if trouble == "delay" else 0.0
            way.jitter_s = 0.5 if trouble == "delay" else 0.0
            way.swallow = trouble == "half-open"
            way.bytes_per_s = self._rng.randrange(4_000, 40_000) if trouble == "throttle" else 0

    async def _end(self, proxy: Any, trouble: str) -> None:
        if trouble == "black-hole":
            await proxy.mend_cable()
        elif trouble == "refuse":
            await proxy.accept()
        elif trouble == "half-open":
            proxy.reset()  # of what was swallowed TCP would never deliver the rest
        for way in (proxy.up, proxy.down):
            way.delay_s = way.jitter_s = 0.0
            way.swallow, way.bytes_per_s = False, 0

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_S)
