"""Subscriptions and sessions of the gateways that this process serves, following its leases."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from central.application.leases import STRANGERS, Leases
from central.ingest.link import Link
from central.ingest.promises import Promises
from edge.contracts import topic
from edge.contracts.topics import HEALTH, MOVEMENT, PRESENCE, ROOT, STATE

CHANNELS: Final = (MOVEMENT, PRESENCE, STATE, HEALTH)
EVERYBODY: Final = tuple(f"{ROOT}/+/+/{channel}" for channel in CHANNELS)
STRANGE: Final = tuple(f"{ROOT}/+/+/{channel}" for channel in (STATE, HEALTH))
"""A gateway says who it is before anything else: this is how one that nobody registered is seen."""


class Serving:
    """Follows the leases; `leases` None serves everybody, as the one process of a test does."""

    def __init__(self, link: Link, promises: Promises, leases: Leases | None, wake: Callable[[], None]) -> None:
        self._link, self._promises, self._leases, self._wake = link, promises, leases, wake
        self._topics: dict[str, tuple[str, ...]] = {}
        self._awaited: set[str] = set()
        if leases is not None:
            promises.serve(lambda gateway: gateway in leases.lease.fences)

    @property
    def problem(self) -> str:
        """Why gateways that are ours may not be heard yet, or empty."""
        if self._leases is None:
            return ""
        if not self._leases.settled:
            return "no lease on gateways could be had yet"
        if self._awaited or self._topics.keys() != self._leases.lease.fences.keys():
            return "the subscriptions of gateways don't stand yet"
        return ""

    @property
    def base(self) -> tuple[str, ...]:
        """What to subscribe from the start."""
        return EVERYBODY if self._leases is None else ()

    def wants(self, gateway: str, sites: Mapping[str, str]) -> bool:
        """Tell whether a gateway's word is ours to note."""
        if self._leases is None:
            return True
        return (gateway if gateway in sites else STRANGERS) in self._leases.lease.fences

    def follow(self, sites: Mapping[str, str]) -> None:
        """Subscribe what was gained and leave what was lost; a gateway hears of us once its subscription stands."""
        if self._leases is None:
            return
        wanted = dict(_wanted(self._leases.lease.fences, sites))
        for gateway in [one for one in self._topics if self._topics[one] != wanted.get(one)]:
            self._link.drop(self._topics.pop(gateway))
            self._awaited.discard(gateway)
        for gateway, topics in wanted.items():
            if gateway not in self._topics:
                self._topics[gateway] = topics
                self._promises.close([gateway])
                self._awaited.add(gateway)
                self._link.add(topics, partial(self._stands, gateway))

    def stand(self) -> None:
        """A new session brought all subscriptions."""
        self._awaited.clear()

    def _stands(self, gateway: str) -> None:
        self._awaited.discard(gateway)
        self._promises.open([gateway])
        self._wake()


def _wanted(gateways: Iterable[str], sites: Mapping[str, str]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for gateway in gateways:
        if gateway == STRANGERS:
            yield gateway, STRANGE
        elif gateway in sites:
            yield gateway, tuple(topic(sites[gateway], gateway, channel) for channel in CHANNELS)
