"""Publishes every gateway's snapshot: deltas at once, new generations in the background, nothing twice."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from central.application.errors import RowsRefused, StoreUnavailable
from central.application.gate import Changes, GateStore, Held
from central.application.metrics import Metrics
from central.application.ports import Log
from central.domain.gate import GateView, gate_view
from central.gate.keys import KeyFileError, KeyRing
from central.gate.messages import make_delta, make_manifest, make_parts, outline_of
from central.gate.retained import Retained
from edge.contracts import MAX_DELTA_BYTES, ContractError, EpcPrefix, decode_delta, topic
from edge.contracts.topics import GATE_DELTA, GATE_MANIFEST, GATE_PART, ROOT

SUBSCRIPTIONS: Final = tuple(f"{ROOT}/+/+/{channel}" for channel in (GATE_MANIFEST, GATE_DELTA))
SETTLE_S: Final = 1.0
"""A broker sends what it retains right after the subscription; it says nothing when it has no more."""
LOOK_EVERY_S: Final = 10.0
"""A notice may be lost with a connection, time passes and keys rotate: so look without one too."""
FULL_DELTA: Final = MAX_DELTA_BYTES * 3 // 4
"""From here on a new generation is made in the background, while the delta still has room."""
LOOK: Final = ""
"""What has a problem where it is no one gateway's."""

_log = structlog.get_logger("central.gate")


class Broker(Protocol):
    """A connection to a broker; `central.ingest.link.Link` is one."""

    @property
    def connected(self) -> bool:
        """Whether the subscriptions stand."""

    def start(
        self, topics: Sequence[str], on_message: Callable[[str, bytes], None], on_session: Callable[[], None]
    ) -> None:
        """Connect and subscribe."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish retained at QoS 1, in order."""

    def stop(self) -> None:
        """Disconnect in order."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How long a manifest holds, and which EPCs are ours: silence about one of those is a refusal."""

    life: timedelta = timedelta(days=1)
    prefixes: tuple[EpcPrefix, ...] = ()


class Publisher:
    """One process of many: it works while `seated()` gives the number of its turn, and starts anew with another."""

    def __init__(
        self,
        broker: Broker,
        log: Log,
        store: GateStore,
        keys: KeyRing,
        metrics: Metrics,
        *,
        now: Callable[[], datetime],
        seated: Callable[[], int | None],
        settings: GateSettings | None = None,
    ) -> None:
        self._broker, self._log, self._store, self._keys, self._metrics = broker, log, store, keys, metrics
        self._now, self._seated, self._settings = now, seated, settings or GateSettings()
        self._retained = Retained()
        self._session_at = 0.0
        self._turn: int | None = None
        self._held: dict[str, Held] = {}
        self._views: dict[str, GateView] = {}
        self._version: int | None = None
        self._seen: str | None = None
        self._touched: set[str] = set()
        self._due: dict[str, bool] = {}
        self._building: str | None = None
        self._unchecked: set[str] = set()
        self._awake, self._build_now = asyncio.Event(), asyncio.Event()
        self._problems: dict[str, str] = {}

    @property
    def problem(self) -> str:
        """Why a gateway's snapshot isn't what it should be, or empty."""
        return next(iter(self._problems.values()), "")

    def wake(self) -> None:
        """Look at once: something changed."""
        self._awake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._broker.start(SUBSCRIPTIONS, self._retained.hear, self._new_session)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_for_ever())
                tasks.create_task(self._build_for_ever())
        finally:
            self._broker.stop()

    def _new_session(self) -> None:
        self._retained.forget()
        self._session_at = time.monotonic()
        self._unchecked = set(self._held)
        self.wake()

    async def _look_for_ever(self) -> None:
        while True:
            self._awake.clear()
            try:
                await self._look()
                self._mend(LOOK)
            except StoreUnavailable as error:
                self._fail(LOOK, f"the database is not available: {error}")
            except KeyFileError as error:
                self._fail(LOOK, str(error))
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._awake.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        if not self._broker.connected or (turn := self._seated()) is None:
            return
        if turn != self._turn:
            await self._begin(turn)
        await asyncio.sleep(max(0.0, self._session_at + SETTLE_S - time.monotonic()))
        await self._look_at_registry()
        await self._look_at_changes()
        self._compare_retained()
        for gateway, view in self._views.items():
            if gateway in self._due or (gateway != self._building and self._needs_generation(gateway, view)):
                self._due.setdefault(gateway, False)
                self._build_now.set()
        for gateway in sorted(self._touched & self._held.keys() & self._views.keys()):
            self._touched.discard(gateway)  # before the look: what changes meanwhile touches it again
            try:
                await self._send_delta(self._views[gateway])
            except BaseException:
                self._touched.add(gateway)
                raise

    async def _begin(self, turn: int) -> None:
        """Start from what the database holds, whoever published before."""
        self._held = await self._store.held()
        self._unchecked, self._seen, self._turn = set(self._held), None, turn

    async def _look_at_registry(self) -> None:
        registry = await self._log.registry()
        if registry.version != self._version:
            manners = registry.manners(self._now())
            self._views = {
                gateway: gate_view(gateway, site, registry.places, registry.portals.values(), manners)
                for gateway, site in registry.sites.items()
            }
            self._version = registry.version
            for gateway in (self._held.keys() | self._problems.keys()) - {*self._views, LOOK}:
                self._held.pop(gateway, None)  # its rows went with it; should it come again, it gets all anew
                self._problems.pop(gateway, None)

    async def _look_at_changes(self) -> None:
        first, news = self._seen is None, await self._store.news(self._seen)
        for gateway, view in self._views.items():
            scopes = {scope for _, scope in view.opened_by}
            if first or "" in news.boundaries or not scopes.isdisjoint(news.boundaries):
                self._touched.add(gateway)
        self._seen = news.seen

    def _compare_retained(self) -> None:
        """After a (re)connect: a broker that has our manifest has the parts that went before it; else it gets all."""
        for gateway in self._unchecked & self._views.keys() & self._held.keys():
            held, site = self._held[gateway], self._views[gateway].site
            if not self._retained.has(topic(site, gateway, GATE_MANIFEST), held.manifest):
                self._due[gateway] = True
            elif not self._retained.has(topic(site, gateway, GATE_DELTA), held.delta):
                self._broker.publish(topic(site, gateway, GATE_DELTA), held.delta)
        self._unchecked.clear()

    def _needs_generation(self, gateway: str, view: GateView) -> bool:
        held = self._held.get(gateway)
        return (
            held is None
            or held.key != self._keys.signing.name
            or held.geometry != outline_of(view, self._settings.prefixes)
            or self._aged(held)
        )

    def _aged(self, held: Held) -> bool:
        return self._now() >= held.issued_at + self._settings.life / 2

    async def _send_delta(self, view: GateView) -> None:
        held, now = self._held[view.gateway], self._now()
        changes = await self._store.changes(view, self._settings.prefixes, now, held.base)
        n = held.n + 1
        delta = make_delta(view.gateway, held.generation, n, changes, now=now, key=self._keys.signing)
        if len(delta) > FULL_DELTA:
            self._due.setdefault(view.gateway, False)
            self._build_now.set()
        if len(delta) > MAX_DELTA_BYTES or _same(delta, held.delta):
            return
        if not await self._store.advance(view.gateway, held.generation, n, delta, now):
            await self._reload(view.gateway)
            return
        if self._held[view.gateway] is not held:
            return  # a generation that was built meanwhile is out already, and this delta is of the one before
        self._held[view.gateway] = replace(held, n=n, delta=delta)
        self._broker.publish(topic(view.site, view.gateway, GATE_DELTA), delta)
        self._metrics.gate_deltas.inc()

    async def _reload(self, gateway: str) -> None:
        """Somebody else, or our own builder, was faster."""
        self._held = await self._store.held()
        self._touched.add(gateway)
        self.wake()

    async def _build_for_ever(self) -> None:
        while True:
            await self._build_now.wait()
            self._build_now.clear()
            while self._due:
                gateway = min(self._due)
                resend = self._due.pop(gateway)
                if gateway in self._views:
                    await self._build_with_care(self._views[gateway], resend=resend)

    async def _build_with_care(self, view: GateView, *, resend: bool) -> None:
        self._building = view.gateway
        try:
            with self._metrics.gate_generation_s.time():
                await self._build(view, resend=resend)
        except (StoreUnavailable, RowsRefused, KeyFileError, ContractError) as error:
            self._fail(view.gateway, f"gateway {view.gateway} keeps its old snapshot: {error}")
            self._version = None  # refused rows may be those of a gateway that is gone by now
            if resend:
                self._unchecked.add(view.gateway)
        else:
            self._mend(view.gateway)
        finally:
            self._building = None

    async def _build(self, view: GateView, *, resend: bool) -> None:
        held, now, prefixes = self._held.get(view.gateway), self._now(), self._settings.prefixes
        outline, key = outline_of(view, prefixes), self._keys.signing
        moved = held is None or _geometry(held.geometry) != _geometry(outline)
        whole = resend or moved or (held is not None and self._aged(held))
        generation = 1 + max(held.generation if held else 0, self._retained.generation(view, self._keys))
        contents = await self._store.contents(view, prefixes, now, None if whole or held is None else held.base)
        parts = await asyncio.to_thread(make_parts, generation, contents, resend=resend or held is None)
        manifest = make_manifest(view, prefixes, parts, generation, now=now, life=self._settings.life, key=key)
        delta = make_delta(view.gateway, generation, 1, Changes((), ()), now=now, key=key)
        new = Held(
            gateway=view.gateway,
            generation=generation,
            n=1,
            base=contents.base,
            geometry=outline,
            key=key.name,
            issued_at=now,
            expires_at=now + self._settings.life,
            entries=sum(part.entries for part in parts.standing.values()),
            manifest=manifest,
            delta=delta,
        )
        if await self._store.open(new, held.generation if held else None, tuple(parts.standing.values())):
            self._held[view.gateway] = new
            self._publish(view, parts.fresh, new)
        else:
            await self._reload(view.gateway)
        self._touched.add(view.gateway)  # what changed while it was built goes into its delta
        self.wake()

    def _publish(self, view: GateView, parts: Mapping[int, bytes], held: Held) -> None:
        """Send parts, then the manifest that names them, then the delta: on one connection they keep this order."""
        for index, payload in sorted(parts.items()):
            self._broker.publish(topic(view.site, view.gateway, f"{GATE_PART}/{index}"), payload)
        self._broker.publish(topic(view.site, view.gateway, GATE_MANIFEST), held.manifest)
        self._broker.publish(topic(view.site, view.gateway, GATE_DELTA), held.delta)
        self._metrics.gate_generations.inc()
        self._metrics.gate_parts.inc(len(parts))

    def _fail(self, what: str, problem: str) -> None:
        if what not in self._problems:
            _log.error("a gate snapshot can't be made or sent, trying again", problem=problem)
        self._problems[what] = problem

    def _mend(self, what: str) -> None:
        if self._problems.pop(what, None) is not None:
            _log.info("the gate snapshot is made and sent again", what=what)


def _geometry(outline: str) -> str:
    """Return the part of an outline that all parts depend on: a door that behaves otherwise changes no entry."""
    return outline.partition("/")[0]


def _same(delta: bytes, before: bytes) -> bool:
    """Tell whether two deltas say the same of the same generation."""
    one, other = decode_delta(delta), decode_delta(before)
    return (one.entries, one.removed) == (other.entries, other.removed)
