"""Unsequenced messages: births, wills and heartbeats to gateways' states; portals and zones against the registry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from central.application.errors import RowsRefused
from central.application.ports import Log, Notice, Registry, Transaction
from central.application.records import Unreadable
from central.ingest.intake import Word
from edge.contracts import PortalBirth, State, ZoneBirth, topic

MAX_STRANGERS: Final = 1000
"""Unregistered gateways that are kept to be seen; more are a flood."""

_log = structlog.get_logger("central.words")


@dataclass(slots=True)
class Hearing:
    """What the words of one round came to."""

    notices: list[Notice]
    gateways: set[str]


class Gateways:
    """Keeps each gateway's newest word; strangers are seen, bounded and named once."""

    def __init__(self) -> None:
        self._strangers: set[tuple[str, str]] = set()
        self._flooded = False

    def hear(self, words: Sequence[Word], registry: Registry) -> Hearing:
        """Compare births with the registry; return notices, and whose state is going to change."""
        notices = [notice for word in words for notice in compare(word, registry)]
        return Hearing(notices, {word.topic.gateway for word in words})

    async def note(
        self, log: Log, registry: Registry, words: Sequence[Word], waiting: set[tuple[str, str]], now: datetime
    ) -> list[Unreadable]:
        """Store words, and that unregistered gateways sent rows; return the words that had to be quarantined."""
        if not words and not waiting:
            return []
        refused: list[Unreadable] = []
        async with log.transaction() as transaction:
            for site, gateway in sorted(waiting):
                if self._welcome(site, gateway, registry):
                    await transaction.saw(site, gateway, now, online=True)
            for word in words:
                if self._welcome(word.topic.site, word.topic.gateway, registry):
                    refused += await _store(transaction, word, now)
        return refused

    def _welcome(self, site: str, gateway: str, registry: Registry) -> bool:
        if registry.sites.get(gateway) == site:
            if (site, gateway) in self._strangers:
                self._strangers.discard((site, gateway))
                _log.info("the gateway that waited is registered now", site=site, gateway=gateway)
            return True
        if (site, gateway) in self._strangers:
            return True
        if len(self._strangers) >= MAX_STRANGERS:
            if not self._flooded:
                self._flooded = True
                _log.error("too many unregistered gateways, further ones are not kept", kept=MAX_STRANGERS)
            return False
        self._strangers.add((site, gateway))
        _log.warning("an unregistered gateway speaks: import a portal that names it", site=site, gateway=gateway)
        return True


def compare(word: Word, registry: Registry) -> list[Notice]:
    """Compare a birth's portals and zones with the registry, which wins; an alert opens, or ends, for the gateway."""
    gateway = word.topic.gateway
    if not isinstance(word.message, State) or not word.message.online or gateway not in registry.sites:
        return []
    told = {portal.id: portal for portal in word.message.portals}
    ours = {portal.id for portal in registry.portals.values() if portal.gateway == gateway}
    wrong = [f"{name}: {_difference(told.get(name), registry, name)}" for name in sorted(told.keys() | ours)]
    doors = [text for text in wrong if not text.endswith(": ")]
    zones = [text for zone in word.message.zones or () for text in _misplaced(zone, registry, gateway)]
    key = f"portals/{gateway}"
    if doors or zones:
        files = ["portals.csv"] if doors else []
        files += ["the zones' places (/api/v1/zones)"] if zones else []
        reason = (
            f"{'; '.join(doors + zones)}. The registry's answer is used: correct edge.toml or {' and '.join(files)}."
        )
        return [Notice(key, "portal_config_mismatch", "low", gateway, reason)]
    reason = "The gateway's portals and zones agree with the registry again."
    return [Notice(key, "portal_config_mismatch", "low", gateway, reason, cleared=True)]


def _difference(told: PortalBirth | None, registry: Registry, name: str) -> str:
    portal = registry.portals.get(name)
    if told is None:
        return "registered for this gateway, which does not have it"
    if portal is None:
        return "the gateway has it, the registry does not"
    if (told.inside, told.outside) != (portal.inside, portal.outside):
        said, right = f"{told.inside} to {told.outside}", f"{portal.inside} to {portal.outside}"
        return f"the gateway says it joins {said}, the registry {right}"
    return ""


def _misplaced(zone: ZoneBirth, registry: Registry, gateway: str) -> Iterator[str]:
    """Yield what the registry says otherwise of a zone's place; a zone that bears a location's id lies there."""
    said, name = zone.location, f"zone {zone.id}"
    right = registry.zones.get((gateway, zone.id), zone.id if zone.id in registry.places else None)
    if said not in registry.places:
        yield f"{name}: the gateway says it lies in {said}, which the registry does not have"
    elif right is None:
        yield f"{name}: the gateway says it lies in {said}, the registry does not know where"
    elif right != said:
        yield f"{name}: the gateway says it lies in {said}, the registry in {right}"
    if right is not None and right in registry.places:
        sites = {registry.places.site(end) for end in registry.ends(gateway)}
        site = registry.places.site(right)
        if sites and site not in sites:
            yield f"{name}: lies in {right} at {site}, where the gateway has no door"


async def _store(transaction: Transaction, word: Word, now: datetime) -> list[Unreadable]:
    """Store a word; return it if the database refuses it, which is quarantined then."""
    site, gateway, channel = word.topic
    text = word.payload.decode()
    try:
        async with transaction.savepoint():
            if isinstance(word.message, State):
                online = word.message.online
                birth = text if online else None
                await transaction.saw(site, gateway, now, online=online, stopped=word.message.stopped, birth=birth)
            else:
                await transaction.saw(site, gateway, now, online=True, health=text)
    except RowsRefused as error:
        where = topic(site, gateway, channel)
        refused = [Unreadable(where, str(error), word.payload, now)]
        await transaction.quarantine(refused)
        return refused
    return []
