"""A new certificate is tried on a connection beside the one that stands, which is left only for a pair that works.

The connection beside has another client id, since a broker ends the connection of whoever comes back under the same.
"""

import asyncio
from collections.abc import Callable, Sequence

from edge.uplink.certificate_watch import CertificateWatch
from edge.uplink.errors import UplinkError
from edge.uplink.own_certificate import Pair
from edge.uplink.port import MqttPort


class Beside:
    """Tries what the watch gives; all methods belong to the event loop.

    Args:
        port: makes connections.
        watch: gives pairs to try.
        client_id: what the broker is to call us meanwhile.
        subscribe: what the agent subscribes at a connection, for a broker that allows it to some certificates only.
        failed: called for each pair that the broker doesn't take.
    """

    def __init__(
        self,
        port: MqttPort,
        watch: CertificateWatch,
        *,
        client_id: str,
        subscribe: Sequence[str],
        failed: Callable[[], None],
    ) -> None:
        self._port, self._watch, self._client_id, self._failed = port, watch, client_id, failed
        self._subscribe = subscribe
        self._trial: asyncio.Task[str] | None = None

    def look(self) -> bool:
        """Begin or end a trial where one is due; tell whether the connection is to be left for a pair that works."""
        if self._trial is None:
            pair = self._watch.candidate()
            if pair is not None:
                self._trial = asyncio.create_task(self._try(pair), name="certificate")
            return False
        if not self._trial.done():
            return False
        problem, self._trial = self._trial.result(), None
        if problem:
            self._failed()
        return self._watch.tried(problem)

    async def end(self) -> None:
        """Give a trial up that hasn't ended."""
        if self._trial is not None:
            self._trial.cancel()
            await asyncio.wait([self._trial])
            self._trial = None

    async def _try(self, pair: Pair) -> str:
        """Return why no connection stands with the pair; empty where one did."""
        try:
            session = await self._port.connect(
                client_id=self._client_id,
                will=None,
                subscribe=self._subscribe,
                on_message=lambda _topic, _payload: None,
                on_change=lambda: None,
                pair=pair,
            )
        except UplinkError as error:
            return str(error)
        await session.close()
        return ""
