"""The walks of a commissioning at a live doorway: readers in session, windows fed, each walk told as it happens."""

import asyncio
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from edge.agent.attend import Attended, attend, readers_of
from edge.agent.clock import host_synced
from edge.agent.pipeline import feed_chunk, window_clock
from edge.agent.survey_command import CONNECT_S, powers_of
from edge.commissioning.certificate import outcome_line
from edge.commissioning.course import Course, Outcome
from edge.commissioning.recipe import Walk
from edge.commissioning.report import ReaderFact
from edge.commissioning.rule import LEAST_WALKS
from edge.commissioning.shortfall import Ear, counted, may_still
from edge.config import EdgeConfig, PortalConfig, reader_settings, windows_settings
from edge.contracts import MovementRow
from edge.profiles import profile_named
from edge.readers import Chunk, ReaderError
from edge.windows import Windows

LOOK_S: Final = 0.1
KEYS: Final = "Enter: it was walked and nothing was called; s: leave it out; r: the last one again; q: end"
HOPELESS: Final = "End with q (or Control-C) and the page says what to change, or walk on to learn more of it."
Say = Callable[[str], None]


@dataclass(slots=True)
class Walked:
    """What the walks gave.

    Attributes:
        problems: why there were none, or why they ended early; a line each.
    """

    outcomes: tuple[Outcome, ...] = ()
    strays: tuple[MovementRow, ...] = ()
    doubtful: tuple[MovementRow, ...] = ()
    beside: tuple[MovementRow, ...] = ()
    readers: tuple[ReaderFact, ...] = ()
    powers_cdbm: dict[tuple[str, int], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Walks:
    """One course at one portal.

    Args:
        config: the agent's configuration, with the powers that the walks are to be done with.
        portal: the doorway.
        walks: what is to be walked.
        residents: EPCs that lie there.
        wait_s: a walk that isn't called for so long was missed; None waits for the installer.
        say: gets lines for the installer.
    """

    def __init__(
        self,
        config: EdgeConfig,
        portal: PortalConfig,
        walks: Sequence[Walk],
        *,
        base: Path,
        residents: Collection[str],
        wait_s: float | None,
        say: Say,
    ) -> None:
        self._config, self._portal, self._base, self._say = config, portal, base, say
        self._course = Course(portal.id, walks, residents=residents, wait_s=wait_s)
        self._windows = Windows(windows_settings(config), boot=uuid4().hex)
        self._stop = asyncio.Event()
        self._keys: list[str] = []
        self._ears = [Ear(f"{one.reader}/{one.port}", one.side or "") for one in portal.antennas]
        self._hopeless = False

    async def walked(self) -> Walked:
        """Do them all, until the last, or until the installer or a signal ends it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        names = readers_of(self._config, [self._portal])
        async with attend(self._config, names, base=self._base, sink=self._sink) as attended:
            problems = await attended.in_session(CONNECT_S)
            if problems:
                return Walked(problems=problems)
            readers = await facts_of(self._config, attended, base=self._base)
            powers = powers_of(attended)
            with self._listening_to_keys():
                lost = await self._lead(attended)
        course = self._course
        # What isn't walked any more is told as left out: nothing is known of it.
        rest = [Outcome(walk, "skipped") for walk in course.to_come] if course.outcomes else []
        outcomes = (*course.outcomes, *rest)
        strays, doubtful, beside = tuple(course.strays), tuple(course.doubtful), tuple(course.beside)
        return Walked(outcomes, strays, doubtful, beside, readers, powers, problems=lost)

    async def _sink(self, chunk: Chunk) -> None:
        clock = window_clock(chunk.clock, host_synced=host_synced())
        rows = feed_chunk(self._windows, chunk, clock, arrival_us=chunk.arrival_us)
        opened, closed = self._windows.take_open_changes()
        now_s = asyncio.get_running_loop().time()
        self._course.opened(((one.passage, one.epc, one.portal) for one in opened), closed, now_s)
        beside = len(self._course.beside)
        for row in self._course.take(rows, now_s):
            if not row.final:
                self._say(f"   … {row.kind} {row.confidence:.2f} ({row.epc[-8:]})")
        for row in self._course.beside[beside:]:
            self._say(f"   ({row.kind} at {row.portal}, {row.epc[-8:]}: no walk of this doorway)")

    async def _lead(self, attended: Attended) -> list[str]:
        """Lead through the walks; return what ended it early."""
        loop = asyncio.get_running_loop()
        self._course.begin(loop.time())
        self._announce()
        while self._course.walk is not None and not self._stop.is_set():
            await asyncio.sleep(LOOK_S)
            outcome = self._course.settle(loop.time()) or self._by_key(loop.time())
            if outcome is not None:
                self._tell(outcome)
                self._announce()
            lost = attended.problems()
            if lost:
                return lost
        return [] if self._course.walk is None else ["ended before the last walk"]

    def _tell(self, outcome: Outcome) -> None:
        """Say what the last walk was called and lacked, and once that no more walks can prove the doorway."""
        done = self._course.outcomes
        counts = counted(done, self._ears)
        of_this = next((one for one in counts if one.number == len(done)), None)
        self._say(f"   {outcome_line(outcome, of_this)}")
        to_come = sum(walk.expect != "none" for walk in self._course.to_come)
        hopeless = not may_still(counts, to_come)
        if hopeless and not self._hopeless and len(counts) + to_come >= LEAST_WALKS:
            short = sum(not one.enough for one in counts)
            self._say(f"   {short} walks had too few reads: as it hangs, the doorway won't be certified. {HOPELESS}")
        self._hopeless = hopeless

    def _announce(self) -> None:
        walk = self._course.walk
        if walk is not None:
            self._say(f"walk {self._course.place}, {walk.how}: {walk.says}")

    def _by_key(self, now_s: float) -> Outcome | None:
        """Do what the installer typed."""
        if not self._keys:
            return None
        word = self._keys.pop(0).strip().lower()
        if word == "q":
            self._stop.set()
        elif word == "s":
            return self._course.skip(now_s)
        elif word == "r" and self._course.repeat(now_s) is not None:
            self._announce()
        elif word == "":
            return self._course.missed(now_s)
        return None

    @contextmanager
    def _listening_to_keys(self) -> Iterator[None]:
        """Take lines from a terminal, if there is one."""
        if not sys.stdin.isatty():
            yield
            return
        self._say(KEYS)
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin.fileno(), self._typed)
        try:
            yield
        finally:
            loop.remove_reader(sys.stdin.fileno())

    def _typed(self) -> None:
        """Take a line; its end alone is no Enter, and from a keyboard that is gone nothing more comes."""
        line = sys.stdin.readline()
        if line:
            self._keys.append(line)
            return
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self._say("no more keys are taken: walks are taken as they come, Control-C ends")


async def facts_of(config: EdgeConfig, attended: Attended, *, base: Path) -> tuple[ReaderFact, ...]:
    """Return what the readers in session say that they are."""
    settings = {one.id: one for one in reader_settings(config, base=base)}
    facts = []
    for name, supervisor in attended.llrp.items():
        session, health = supervisor.session, supervisor.health()
        try:
            serial = await session.identity()
        except ReaderError:
            serial = ""
        profile = profile_named(session.profile.partition(";")[0])
        seen = session.seen
        product = None if seen is None else next((one for one in profile.products if one.model == seen.model), None)
        model = f"{profile.title} (model number {health.model})" if product is None else product.name
        one = settings[name]
        facts.append(
            ReaderFact(
                id=name,
                address=one.address,
                model=model,
                firmware=health.firmware or "not told",
                serial=serial,
                profile=session.profile,
                region=one.region or "",
            )
        )
    for name, keeper in attended.others.items():
        health = keeper.health()
        facts.append(
            ReaderFact(
                id=name,
                address="",
                model=health.model or "not told",
                firmware="not told",
                serial="",
                profile=health.profile,
                region="",
            )
        )
    return tuple(facts)
