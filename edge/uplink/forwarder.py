"""Carries the outbox to the central: dials, sends from the watermark, and says who is alive."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import msgspec
import structlog

from edge.contracts import MAX_ENVELOPE_BYTES, Health, State, encode, topic
from edge.outbox import Outbox, OutboxError
from edge.uplink.beside import Beside
from edge.uplink.certificate_watch import SWAPPED, CertificateWatch
from edge.uplink.errors import ConnectError, UplinkError
from edge.uplink.own_certificate import KeptPair
from edge.uplink.port import Message, MqttPort, MqttSession, matches
from edge.uplink.pump import Pump, UplinkCounters
from edge.uplink.settings import UplinkSettings
from edge.uplink.states import UplinkEvent, UplinkState, after

# Time passes for waits and stalls even when nothing else happens.
TICK_S: Final = 0.25
# A store that can't be read is asked again after this long; the connection stays.
OUTBOX_RETRY_S: Final = 1.0
# Watermarks that wait for the outbox's thread; each says all that those before it said.
MAX_WATERMARKS: Final = 16
# At an orderly end the broker gets this long to take our last word.
LAST_WORD_S: Final = 1.0

_T = TypeVar("_T")


class Forwarder:
    """The uplink of one gateway; `run` is its life, all methods belong to the event loop's thread.

    Args:
        outbox: where the rows are; it keeps them until the watermark covers them.
        port: makes broker sessions.
        site: first half of the topics' identity.
        gateway: second half.
        birth: what to say when connected; its will is the same with `online` false.
        settings: knobs.
        rng: randomness of the backoff.
        executor: where the outbox is worked with; None works in the event loop's own thread.
        inbound: who takes what arrives, by channel (`gate/manifest`, `cmd/+`); called in the event loop with the
            channel and the payload. What it raises is logged and counted, and ends nothing.
        bulky: those of `inbound` on which a broker retains much: they are subscribed once the connection stands, for a
            broker may load them for longer than connecting may take.
        kept: the pair that worked over the agents of this process; None begins with none.
        now_s: monotonic seconds.
        now_us: wall clock in microseconds.
        log: structlog logger.
    """

    def __init__(
        self,
        outbox: Outbox,
        port: MqttPort,
        *,
        site: str,
        gateway: str,
        birth: State,
        settings: UplinkSettings,
        rng: random.Random,
        executor: Executor | None = None,
        inbound: Mapping[str, Callable[[str, bytes], None]] | None = None,
        bulky: Sequence[str] = (),
        kept: KeptPair | None = None,
        now_s: Callable[[], float] = time.monotonic,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        log: structlog.typing.FilteringBoundLogger | None = None,
    ) -> None:
        self._port = port
        self._gateway = gateway
        self._birth = birth
        self._settings = settings
        self._rng = rng
        self._executor = executor
        self._now_s = now_s
        self._now_us = now_us
        self._log: structlog.typing.FilteringBoundLogger = log or structlog.get_logger("edge.uplink")
        self._pump = Pump(outbox, site, gateway, settings, self._log)
        self._certificate = CertificateWatch(settings, now_s, now_us, self._log, KeptPair() if kept is None else kept)
        self._renewing = False
        self._returning = False
        self._topic = partial(topic, site, gateway)
        self._inbound, self._bulky = dict(inbound or {}), tuple(bulky)
        self._prefix = self._topic("")
        self._subscribed = [self._topic(one) for one in ("watermark", *self._inbound) if one not in self._bulky]
        self._beside = Beside(
            port,
            self._certificate,
            client_id=f"stockgate-{gateway}-renewal",
            subscribe=self._subscribed,
            failed=self._count_refusal,
        )
        self._state: UplinkState = "offline"
        self._session: MqttSession | None = None
        self._wake = asyncio.Event()
        self._rows_waiting = False
        self._watermarks: deque[bytes] = deque(maxlen=MAX_WATERMARKS)
        self._window_full = False
        self._stop_at_s: float | None = None
        self._dialling: asyncio.Timeout | None = None
        self._failures = 0
        self._problem = ""
        self._outbox_failed = False
        self._took_at_s = 0.0

    @property
    def state(self) -> UplinkState:
        """What the uplink is doing."""
        return self._state

    @property
    def counters(self) -> UplinkCounters:
        """What it has done since the agent started."""
        return self._pump.counters

    @property
    def central_heard(self) -> bool:
        """Whether the central has spoken over the connection that stands."""
        return self._session is not None and self._pump.central_heard

    @property
    def trouble(self) -> tuple[int, str]:
        """How many connections in a row were of no use, and what ended the last; 0 and nothing while all is well."""
        return self._failures, self._problem

    @property
    def certificate_days_left(self) -> float | None:
        """How many days our certificate at the broker still holds; None where there is none."""
        return self._certificate.days_left

    @property
    def certificate_problem(self) -> str:
        """Why the certificate that lies in our files isn't used; empty where it is."""
        return self._certificate.problem

    def notify(self) -> None:
        """Say that the outbox has new rows."""
        self._rows_waiting = True
        self._wake.set()

    def stop(self) -> None:
        """Drain for at most `drain_s`, then let `run` return."""
        if self._stop_at_s is None:
            self._stop_at_s = self._now_s() + self._settings.drain_s
            self._move(UplinkEvent.STOPPING)
            if self._dialling is not None:
                self._dialling.reschedule(asyncio.get_running_loop().time() + self._settings.drain_s)
        self._wake.set()

    def leave(self) -> None:
        """Let `run` return at once; nobody is told, since we are back before anybody misses us."""
        self._returning = True
        self._stop_at_s = self._now_s()
        if self._dialling is not None:
            self._dialling.reschedule(asyncio.get_running_loop().time())
        self._wake.set()

    def publish_state(self, birth: State) -> None:
        """Say something else about ourselves, now and at every connection from here on."""
        self._birth = birth
        if self._session is not None:
            self._session.publish(self._state_message(birth))

    def publish_health(self, health: Health) -> bool:
        """Publish a heartbeat; tell whether there was a connection to publish it on. The newest wins, none is kept."""
        return self.publish("health", encode(health), qos=0)

    def publish(self, channel: str, payload: bytes, *, qos: int = 1) -> bool:
        """Publish on a channel of ours outside the streams; tell whether there was a connection to do it on."""
        if self._session is None or self._session.closed is not None:
            return False
        self._session.publish(Message(self._topic(channel), payload, qos=qos))
        return True

    def ask_again(self, channels: Sequence[str]) -> bool:
        """Ask the broker for what it retains on channels of ours; tell whether there was a connection to do it on."""
        if self._session is None or self._session.closed is not None:
            return False
        self._session.subscribe([self._topic(channel) for channel in channels])
        return True

    async def run(self) -> None:
        """Dial and send until stopped (or cancelled); a lost connection is dialled again for ever."""
        while not (self._stopping_over() or await self._nothing_to_drain()):
            try:
                problem = await self._one_session()
            except UplinkError as error:
                problem = str(error)
            if problem is None:
                return
            if self._renewing:
                self._renewing = False
                continue
            self._count_failure(problem)
            await self._wait_to_dial()

    async def _one_session(self) -> str | None:
        """Live through one connection; return what ended it, or None where we did because we were stopped."""
        session = await self._connect()
        try:
            self._begin(session)
            return await self._serve(session)
        finally:
            self._session = None
            await self._beside.end()
            await self._finish(session)
            self._move(UplinkEvent.LOST)

    async def _connect(self) -> MqttSession:
        will = self._state_message(msgspec.structs.replace(self._birth, online=False))
        self._watermarks.clear()
        pair = self._certificate.to_dial()
        left_s = None if self._stop_at_s is None else self._stop_at_s - self._now_s()
        try:
            async with asyncio.timeout(left_s) as self._dialling:
                return await self._port.connect(
                    client_id=f"stockgate-{self._gateway}",
                    will=will,
                    subscribe=self._subscribed,
                    on_message=self._arrived,
                    on_change=self._changed,
                    pair=pair,
                )
        except TimeoutError:
            raise ConnectError("stopped while dialling") from None
        finally:
            self._dialling = None

    def _begin(self, session: MqttSession) -> None:
        self._session = session
        self._certificate.stood()
        self._pump.counters.connections += 1
        session.publish(self._state_message(self._birth))
        if self._bulky:
            session.subscribe([self._topic(channel) for channel in self._bulky])
        self._pump.connected(self._now_s())
        self._took_at_s = self._now_s()
        self._wake.set()
        self._move(UplinkEvent.CONNECTED)

    async def _serve(self, session: MqttSession) -> str | None:
        """Send until the session ends, is of no use, or we are stopped; return what ended it, None for a stop."""
        while session.closed is None and not self._stopping_over():
            await self._wait(session)
            try:
                await self._step(session)
            except OutboxError as error:
                await self._outbox_trouble(error)
            else:
                self._outbox_fine()
            if self._stop_at_s is None and self._beside.look():
                return self._renew()
            if self._broker_is_stuck(session):
                return f"the broker took nothing for {self._settings.ack_timeout_s:g} s"
        return session.closed

    def _renew(self) -> str:
        """Leave, to come back at once with the new certificate; what the watermark doesn't cover is sent again."""
        self._renewing = True
        self._pump.counters.renewals += 1
        self._log.info("certificate was renewed: connecting with the new one")
        return "certificate was renewed"

    async def _step(self, session: MqttSession) -> None:
        """Take what was heard, send what is due."""
        for _ in range(len(self._watermarks)):  # those that come meanwhile wait: a flood must not hold up what is due
            payload = self._watermarks[0]
            await self._work(partial(self._pump.heard, payload, self._now_s()))
            if self._watermarks and self._watermarks[0] is payload:  # else a flood has pushed it out
                self._watermarks.popleft()
            self._count_success()
        free = self._settings.max_inflight - session.unacknowledged
        for message in await self._work(partial(self._pump.due, self._now_s(), self._now_us(), free)):
            session.publish(message)
        self._window_full = session.unacknowledged >= self._settings.max_inflight
        if self._pump.behind or not self._pump.central_heard:
            self._move(UplinkEvent.FELL_BEHIND)
        elif not self._pump.waiting:
            self._move(UplinkEvent.CAUGHT_UP)
        if self._stop_at_s is not None and await self._work(self._pump.drained):
            self._stop_at_s = self._now_s()

    async def _wait(self, session: MqttSession) -> None:
        """Wait for something to do; rows that come together are left a moment to gather."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK_S):
                await self._wake.wait()
        if self._rows_waiting and session.closed is None and self._stop_at_s is None:
            self._rows_waiting = False
            await asyncio.sleep(self._settings.linger_s)
        self._wake.clear()

    async def _wait_to_dial(self) -> None:
        """Full jitter: gateways that lost one broker together don't come back together."""
        longest_s = min(
            self._settings.reconnect_first_s * 2.0 ** min(self._failures, 20), self._settings.reconnect_max_s
        )
        wait_s = self._rng.uniform(0.0, longest_s)
        if self._stop_at_s is not None:
            wait_s = min(wait_s, max(self._stop_at_s - self._now_s(), 0.0))
        was_stopping = self._stop_at_s is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while (self._stop_at_s is not None) == was_stopping:  # a stop ends the wait, new rows don't
                    self._wake.clear()
                    await self._wake.wait()

    async def _finish(self, session: MqttSession) -> None:
        """Say that we go, where someone can still hear it, and disconnect."""
        if session.closed is None:
            if not (self._renewing or self._returning):  # else we are back before anybody misses us
                stopped = self._stop_at_s is not None  # else we only leave a broker that takes nothing
                gone = msgspec.structs.replace(self._birth, online=False, stopped=stopped)
                session.publish(self._state_message(gone))
            self._window_full = True
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD_S):
                    while session.unacknowledged and session.closed is None:
                        self._wake.clear()
                        await self._wake.wait()
        await session.close()

    async def _work(self, work: Callable[[], _T]) -> _T:
        if self._executor is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _arrived(self, where: str, payload: bytes) -> None:
        if where == self._topic("watermark"):
            self._note_watermark(payload)
            return
        channel = where.removeprefix(self._prefix)
        for pattern, take in self._inbound.items():
            if matches(pattern, channel):
                self._hand(take, channel, payload)

    def _note_watermark(self, payload: bytes) -> None:
        """Keep a watermark for the next step: the newest few, and of an oversized one what shows that it is one."""
        if len(self._watermarks) == MAX_WATERMARKS:
            self._pump.counters.skipped_watermarks += 1
        self._watermarks.append(payload[: MAX_ENVELOPE_BYTES + 1])
        self._wake.set()

    def _hand(self, take: Callable[[str, bytes], None], channel: str, payload: bytes) -> None:
        """Whatever a message does to its taker, the events go on."""
        try:
            take(channel, payload)
        except Exception:  # noqa: BLE001 (a taker of hostile messages must not end the uplink)
            self._pump.counters.inbound_failures += 1
            self._log.exception("message could not be taken", channel=channel, bytes=len(payload))

    def _changed(self) -> None:
        """Wake up for the end of a session, and for an acknowledgement where one was waited for; note when it came."""
        self._took_at_s = self._now_s()
        if self._window_full or self._session is None or self._session.closed is not None:
            self._wake.set()

    def _state_message(self, state: State) -> Message:
        return Message(self._topic("state"), encode(state), retain=True)

    def _move(self, event: UplinkEvent) -> None:
        state = after(self._state, event)
        if state != self._state:
            self._log.info("uplink state", state=state, was=self._state)
            self._state = state

    def _stopping_over(self) -> bool:
        return self._stop_at_s is not None and self._now_s() >= self._stop_at_s

    async def _nothing_to_drain(self) -> bool:
        if self._stop_at_s is None:
            return False
        try:
            return await self._work(self._pump.drained)
        except OutboxError:
            return True  # what can't be read can't be sent; it stays on disk

    def _broker_is_stuck(self, session: MqttSession) -> bool:
        """Tell whether messages wait for the broker and none was acknowledged for too long."""
        if not session.unacknowledged:
            self._took_at_s = self._now_s()
        return self._now_s() - self._took_at_s > self._settings.ack_timeout_s

    def _count_failure(self, problem: str) -> None:
        self._failures += 1
        first, before, swapped = self._failures == 1, self._problem, self._certificate.untried
        self._problem = f"{problem}; {SWAPPED}" if swapped else problem
        self._pump.counters.connection_failures += 1
        if first or (swapped and SWAPPED not in before):
            self._log.warning(
                "broker out of reach: rows are kept, trying again until it is back", problem=self._problem
            )

    def _count_refusal(self) -> None:
        self._pump.counters.renewal_failures += 1

    def _count_success(self) -> None:
        """Only a broker over which the central is heard counts as good."""
        if self._failures:
            self._log.info("central is heard again", failures=self._failures)
        self._failures, self._problem = 0, ""

    async def _outbox_trouble(self, error: OutboxError) -> None:
        self._pump.counters.outbox_failures += 1
        if not self._outbox_failed:
            self._outbox_failed = True
            self._log.error("outbox can't be worked with: trying again", problem=str(error))
        await asyncio.sleep(OUTBOX_RETRY_S)

    def _outbox_fine(self) -> None:
        if self._outbox_failed:
            self._outbox_failed = False
            self._log.info("outbox works again")
