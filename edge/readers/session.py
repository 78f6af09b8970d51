"""One session with one reader, used once: dial, greet, set up, hand on what comes, hang up.

The session ends by a `ReaderError`, or by cancellation, which closes it in order. Who wants another one makes another
object (`edge.readers.supervisor`).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.llrp import Chunk as Messages
from edge.llrp import Frame, LlrpError, control
from edge.llrp.messages import decode_message
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse
from edge.llrp.messages.commands import EnableEventsAndReports, GetReaderCapabilities, GetReport
from edge.llrp.messages.enums import GetReaderCapabilitiesRequestedData
from edge.llrp.wire import Message as Number
from edge.profiles import GENERIC, profile_named
from edge.readers.antennas import AntennaChange, Antennas
from edge.readers.configuration import Abilities, abilities
from edge.readers.connection import Connection
from edge.readers.delivery import Delivery
from edge.readers.dial import Dialler
from edge.readers.errors import ReaderClosedError, ReaderError, ReaderRefusedError
from edge.readers.gpo import ReaderOutputs
from edge.readers.identity import read_identity
from edge.readers.inputs import NEVER_US
from edge.readers.intake import Intake
from edge.readers.inventory import FAREWELL, Inventory
from edge.readers.losses import LossLog
from edge.readers.model import Chunk, ReaderCounters, ReaderSettings, SweepWish
from edge.readers.planner import PlanLimits, Planner
from edge.readers.residents import Residents
from edge.readers.rospec import sweep_session
from edge.readers.setup import SetUp
from edge.readers.survey import ChannelLevel, Survey
from edge.readers.sweep import Sweep, SweepResult
from edge.readers.tap import Tap
from edge.readers.thermometer import read_temperature_c
from edge.readers.wishes import plan_limits, radio_for

TICK_S: Final = 1.0
"""Antennas are judged this often."""
PLANS_A_TICK: Final = 5
"""The plan is looked at more often: a walk lasts two seconds, and a newcomer is to be followed for most of it."""
ASKED_REPORTS: Final = 64
"""GET_REPORTs whose refusal is recognised; a reader answers long before so many more were sent."""
TEMPERATURE_S: Final = 60.0
"""A reader warms up within minutes."""


class ReaderSession:
    """One session.

    Args:
        settings: the reader.
        dialler: gives it its connection.
        counters: counts that go on over sessions.
        antennas: judgement of the antennas, which goes on over sessions.
        sink: gets every chunk in order; receiving waits for it when it is slow.
        now_us: the host's clock, UTC microseconds.
        log: logger with the reader's id bound.
        tell: gets what is not as configured though the session goes on, in words.
        lost_at_us: when the session before this one last heard from the reader; None if there was none.
        losses: what waits to be told of the sessions before; None if there was none.
        tap: sees the connection's bytes and what was made of them, for a recording.
    """

    def __init__(
        self,
        settings: ReaderSettings,
        *,
        dialler: Dialler,
        counters: ReaderCounters,
        antennas: Antennas,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        tell: Callable[[str], None],
        lost_at_us: int | None = None,
        losses: LossLog | None = None,
        tap: Tap | None = None,
    ) -> None:
        self._tap = tap
        self._settings = settings
        self._counters = counters
        self._antennas = antennas
        self._now_us = now_us
        self._log = log
        self._tell = tell
        self._intake = Intake(settings, counters, log, lost_at_us=lost_at_us, losses=losses)
        self._connection = Connection(
            settings,
            dialler,
            received=self._received,
            stray=self._stray,
            bad=self._intake.bad_message,
            log=log,
            tap=tap,
        )
        self._requests, self._where = self._connection.requests, self._connection.where
        self._delivery = Delivery(
            sink, pause=self._connection.pause, resume=self._connection.resume, counters=counters, log=log
        )
        self._polls = False
        self._asked_reports: deque[int] = deque(maxlen=ASKED_REPORTS)
        self._drains = lost_at_us is not None
        self._profile = profile_named(GENERIC)
        self._doubt = ""
        self._abilities = Abilities()
        self._inventory: Inventory | None = None
        self._planner = Planner(PlanLimits(quiet_above=0))
        self._residents = Residents(bytes.fromhex(epc) for epc in settings.reference_epcs)
        self._busy = asyncio.Lock()
        self._sweep: Sweep | None = None
        self._survey: Survey | None = None
        self.errand: tuple[str, int] | None = None
        """What keeps it from watching, in words, and since when; None while it watches."""
        self.seen: control.Capabilities | None = None
        """What the reader says that it is; None before it was asked."""
        self.outputs: ReaderOutputs | None = None
        """Its wired outputs, once the session is set up."""
        self.temperature_c: float | None = None
        self.problem = ""
        """What is not as configured though the session runs, in words."""

    @property
    def heard_us(self) -> int | None:
        """Host time of the last message; None before the first."""
        return self._intake.heard_us

    @property
    def profile(self) -> str:
        """Name of the profile that it is driven by, and how far the reader is from those on record."""
        return f"{self._profile.name}; {self._doubt}" if self._doubt else self._profile.name

    @property
    def plan(self) -> str:
        """How tags are singulated now, in words."""
        return self._planner.plan.words

    @property
    def asks_all(self) -> bool:
        """Whether tags at rest are asked all the time, so that one that isn't heard is silent."""
        return self._judges_silence and self.errand is None

    @property
    def residents(self) -> int:
        """Tags that stay in the field."""
        return self._residents.count()

    @property
    def abilities(self) -> Abilities:
        """What the reader can, beyond what every LLRP reader does."""
        return self._abilities

    @property
    def powers_cdbm(self) -> dict[int, int]:
        """Transmit power by antenna port, where we set it; a port without an entry has the reader's own."""
        chosen = {} if self._inventory is None else self._inventory.radio.powers
        return {port: power.cdbm for port, power in chosen.items()}

    @property
    def intake(self) -> Intake:
        """What its messages mean, clock and inputs included."""
        return self._intake

    async def run(self, started: Callable[[], None]) -> None:
        """Run until the reader is lost (`ReaderError`) or until cancelled; `started` is called once it inventories."""
        deliver = asyncio.create_task(self._delivery.run())
        stopping = False
        try:
            await self._connection.open()
            await self._set_up()
            now_us = self._now_us()
            self._antennas.connected(now_us)
            self._antennas.replanned(full=self._judges_silence, now_us=now_us)
            self._put_aside(self._intake.started(now_us))
            started()
            await self._serve(deliver)
        except asyncio.CancelledError:
            stopping = True
            raise
        finally:
            await self._hang_up()
            await self._delivery.flush(deliver, bounded=stopping)

    async def sweep(self, wish: SweepWish) -> SweepResult:
        """Count every tag in the field once, then go back to the plan; the doorway is blind meanwhile.

        What is read goes to the sink too. `ReaderError` where there is no session, or it is on an errand already.
        """
        async with self._errand("counts every tag once") as inventory:
            begin_us = self._now_us()
            if wish.ports and not set(wish.ports) & set(inventory.radio.antennas):
                raise ReaderRefusedError(f"{self._where} has none of the antenna ports that are to count")
            sweep = self._sweep = Sweep(wish, known=self._residents.__contains__, log=self._log)
            try:
                ended = await sweep.run(inventory, sweep_session(inventory.radio, self._planner.quieted_in))
                end_us = self._now_us()
            finally:
                self._sweep = None
        return SweepResult(sweep.epcs, begin_us, end_us, ended)

    def end_sweep(self) -> None:
        """End a sweep at once, as a beam, a contact or a new tag demands; nothing happens without one."""
        if self._sweep is not None:
            self._sweep.end()

    async def survey(self, antenna: int, *, from_khz: int, to_khz: int, duration_ms: int) -> tuple[ChannelLevel, ...]:
        """Listen on one antenna, channel by channel, then go back to the plan; the doorway is blind meanwhile."""
        if not self._abilities.surveys:
            raise ReaderRefusedError(f"{self._where} can't survey: its capabilities say so")
        async with self._errand("listens to what else is on the air") as inventory:
            survey = self._survey = Survey(self._log)
            try:
                await survey.run(inventory, antenna, from_khz=from_khz, to_khz=to_khz, duration_ms=duration_ms)
            finally:
                self._survey = None
        return survey.levels

    def end(self, why: str) -> None:
        """End the session as a loss, for a reason in words; who keeps the reader dials it anew."""
        self._connection.lose(ReaderClosedError(why))

    async def identity(self) -> str:
        """Return what the reader calls itself by, lower-case hex; `ReaderError` where it doesn't tell."""
        return await read_identity(self._requests)

    @asynccontextmanager
    async def _errand(self, what: str) -> AsyncIterator[Inventory]:
        """Take the reader from its plan for a while; the gap that this makes is told in health."""
        inventory = self._inventory
        if inventory is None or self._busy.locked():
            raise ReaderRefusedError(f"{self._where} is not in session, or just being set: try again")
        async with self._busy:
            now_us = self._now_us()
            self.errand = what, now_us
            self._antennas.replanned(full=False, now_us=now_us)
            try:
                yield inventory
            finally:
                await inventory.replace(self._planner.plan)
                self.errand = None
                self._antennas.replanned(full=self._judges_silence, now_us=self._now_us())

    @property
    def _judges_silence(self) -> bool:
        """Whether tags at rest answer all the time, so that silence means something."""
        return self._planner.plan.full and self._settings.trigger is None

    async def _set_up(self) -> None:
        wanted = GetReaderCapabilities(requested_data=GetReaderCapabilitiesRequestedData.ALL)
        frame = await self._requests.ask_frame(wanted, GetReaderCapabilitiesResponse)
        try:
            seen = self.seen = control.decode_capabilities(frame)
            said = decode_message(frame)
        except LlrpError as error:
            raise ReaderRefusedError(f"{self._where}: {error}") from error
        if isinstance(said, GetReaderCapabilitiesResponse):
            self._abilities = abilities(said)
        setup = SetUp(self._settings, self._requests, self._where, note=self._note, log=self._log)
        profile = self._profile = setup.choose_profile(seen)
        extensions = await setup.enable_extensions(profile)
        if self._drains:
            self._drain(seen)
        await setup.clear()
        self._doubt = setup.doubt
        took_all = await setup.configure(profile, seen, extensions=extensions)
        if took_all and extensions and profile.extensions.handshake == "impinj":
            self._intake.inputs_are_settled()
        self.outputs = ReaderOutputs(
            self._where, self._requests, self._settings.outputs, profile, extensions=extensions, log=self._log
        )
        try:
            await self.outputs.all_off()
        except ReaderRefusedError as error:
            self._note(f"its outputs can't be switched: {error}")
        await self._look(setup)
        self._planner = Planner(plan_limits(self._settings, profile, self._abilities, note=self._note))
        self._inventory = Inventory(
            self._requests,
            radio_for(
                self._where,
                self._settings,
                profile,
                seen,
                extensions=extensions,
                note=self._note,
                log=self._log,
            ),
            note=self._note,
            log=self._log,
            trigger=self._settings.trigger,
        )
        await self._inventory.start(self._planner.plan)
        if seen.holds_events:
            self._requests.say(EnableEventsAndReports())

    async def _look(self, setup: SetUp) -> None:
        """Learn how antennas and inputs are now: no event tells what was so before we came."""
        at_us = self._now_us()
        for port, on in (await setup.antennas()).items():
            if not on:
                self._intake.plugged.append((port, on, at_us))
        chunk = self._intake.levels(await setup.inputs(), at_us)
        if chunk.rows:
            self._put_aside(chunk)
        self._settle_later()

    def _drain(self, seen: control.Capabilities) -> None:
        """Ask for what the reader has gathered since the session before, which goes with the ROSpec otherwise."""
        if seen.holds_events:
            self._requests.say(EnableEventsAndReports())
        self._ask_reports()

    def _ask_reports(self) -> None:
        self._asked_reports.append(self._requests.say(GetReport()))

    async def _serve(self, deliver: asyncio.Task[None]) -> None:
        """Run until the reader is lost or the sink fails; a task of ours that fails ends the session by its error."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._connection.watch(), self._poll(), self._tick(), self._feel_temperature())
        ]
        waiting: set[asyncio.Future[None]] = {self._connection.lost, deliver, *tasks}
        try:
            while not (self._connection.lost.done() or deliver.done()):
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done.intersection(tasks):
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._connection.lost.done():
            self._connection.lost.result()

    async def _poll(self) -> None:
        """Where reports are gathered, ask for them in time, so that no read waits for company."""
        every_ms = self._settings.report_every_ms
        if every_ms is None:
            every_ms = self._profile.reports.every_ms
        if not every_ms or self._inventory is None:
            return
        self._polls = True
        while self._polls:
            self._ask_reports()
            await asyncio.sleep(every_ms / 1000)
        self._note("does not know GET_REPORT: each read is reported by itself")
        try:
            async with self._busy:
                self._inventory.radio = replace(self._inventory.radio, every_tags=1)
                await self._inventory.replace(self._planner.plan)
        except ReaderError as error:
            self._connection.lose(error)

    async def _tick(self) -> None:
        """Let the plan follow who is there, and judge the antennas."""
        while True:
            for _ in range(PLANS_A_TICK):
                await asyncio.sleep(TICK_S / PLANS_A_TICK)
                await self._follow()
            for port, on, proof_us in self._intake.plugged:
                self._antennas.plugged(port, on=on, proof_us=proof_us)
            self._intake.plugged.clear()
            tell_changes(self._antennas.second(self._intake.hearing.take(), self._now_us()), self._log)

    async def _follow(self) -> None:
        now_us = self._now_us()
        self._residents.hear(self._intake.news.take())
        if not self._planner.remembers:
            self._residents.forget_gone(now_us)
        newcomers = self._residents.newcomers(now_us, since_us=self._planner.newcomers_from_us)
        if self._planner.step(now_us, residents=self._residents.count(), newcomers=newcomers):
            await self._replan(now_us)

    async def _replan(self, now_us: int) -> None:
        if self._planner.counts_anew:
            self._residents.clear()
        if self._inventory is None or self._busy.locked():
            return
        self._counters.plan_changes += 1
        self._antennas.replanned(full=self._judges_silence, now_us=now_us)
        try:
            async with self._busy:
                await self._inventory.replace(self._planner.plan)
        except ReaderError as error:
            self._connection.lose(error)

    async def _feel_temperature(self) -> None:
        """Ask for the temperature now and then; a reader that refuses once is not asked again."""
        if self._profile.hardware.temperature != "impinj" or self._inventory is None:
            return
        with suppress(ReaderError):
            while self._inventory.radio.extensions:
                self.temperature_c = await read_temperature_c(self._requests)
                await asyncio.sleep(TEMPERATURE_S)

    async def _hang_up(self) -> None:
        """Leave the reader without our ROSpec, its outputs off and free for the next client, if it still answers."""
        self._delivery.end()
        if not self._connection.lost.done():  # else the next session tells it: a recording has room for it there
            if (chunk := self._intake.ended(self._now_us())) is not None:
                self._put_aside(chunk)
            if self.outputs is not None:
                await self.outputs.close()
        await self._connection.hang_up(FAREWELL)

    def _received(self, messages: Messages, events: list[control.ReaderEvent]) -> None:
        """Take all messages of one receive; their data is valid during this call only."""
        if self._survey is not None and messages.reports:
            self._survey.take(messages)
        chunks = self._intake.take(self._now_us(), messages, events)
        if self._tap is not None:
            self._tap.took(chunks[-1])
        for chunk in chunks:
            if self._sweep is not None:
                self._sweep.take(chunk.batch, events)
            self._delivery.put(chunk)
        if any(event.gpi is not None for event in events):
            self._settle_later()

    def _settle_later(self) -> None:
        """Come back when an input's level has lasted; levels that come meanwhile make their own appointments."""
        due_us = self._intake.inputs_due_us
        if due_us != NEVER_US:
            rest_s = max(due_us - self._now_us(), 0) / 1e6
            asyncio.get_running_loop().call_later(rest_s, self._settle, due_us)

    def _settle(self, due_us: int) -> None:
        chunk = self._intake.settle_inputs(max(due_us, self._now_us()))
        if chunk is not None and not self._connection.lost.done():
            self._put_aside(chunk)
        self._settle_later()

    def _put_aside(self, chunk: Chunk) -> None:
        """Hand on a chunk that no receive brought."""
        if self._tap is not None:
            self._tap.aside(chunk)
        self._delivery.put(chunk)

    def _stray(self, frame: Frame) -> None:
        """Meet a message that answers nothing we wait for; GET_REPORT is answered by reports, or by an error."""
        if frame.type == Number.ERROR_MESSAGE and frame.message_id in self._asked_reports:
            self._polls = self._polls and not self._is_unsupported(frame)
            return
        words = f"{control.message_name(frame)} came that answers nothing"
        if frame.type == Number.ERROR_MESSAGE:
            with suppress(LlrpError):
                words = f"the reader complains: {control.decode_status(frame)}"
        self._intake.stray_message(words)

    def _is_unsupported(self, frame: Frame) -> bool:
        with suppress(LlrpError):
            return control.decode_status(frame).code == control.UNSUPPORTED_MESSAGE
        return False

    def _note(self, words: str) -> None:
        """Keep in sight what is not as configured though the session goes on."""
        self.problem = f"{self.problem}; {words}" if self.problem else words
        self._tell(words)


def tell_changes(changes: list[AntennaChange], log: FilteringBoundLogger) -> None:
    """Tell an antenna's fault once when it begins, and its end once."""
    for change in changes:
        bad = change.report.state in {"fault", "silent"}
        if bad:
            log.warning("antenna fault", antenna=change.port, problem=change.report.reason)
        elif change.before in {"fault", "silent"} and change.report.state == "ok":
            log.info("antenna well again", antenna=change.port)
