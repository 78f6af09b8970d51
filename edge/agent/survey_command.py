"""The body of `stockgate-edge survey`: the doorway as its antennas hear it, live, and whether its airtime suffices.

Exit 0 if the portal is fit to be commissioned, 1 if it isn't or a reader isn't in session, 2 for what the user must
change.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from rich.live import Live

from edge import config as settings
from edge.agent import logs
from edge.agent.attend import Attended, attend, readers_of
from edge.agent.compose import now_us
from edge.agent.tables import complain, console, show_json, show_table
from edge.agent.warm import warm_up
from edge.commissioning.airtime import Ways
from edge.commissioning.picture import doorway_table, level_words, plain_line
from edge.commissioning.rule import NEEDED_READS
from edge.commissioning.shortfall import lacking
from edge.commissioning.survey import AntennaFound, Found, Place, Survey
from edge.config import EdgeConfig, PortalConfig
from edge.readers import Chunk, ReaderSettings
from edge.readers.hearing import Hearing
from edge.windows import WindowsError

EXIT_UNFIT: Final = 1
EXIT_USAGE: Final = 2
CONNECT_S: Final = 20.0
"""Longest wait until all readers are in session: two tries of a usual reader."""
REFRESH_S: Final = 0.25
PLAIN_S: Final = 5.0
"""Without a terminal a line comes so often."""


def survey(config: Path, portal: str | None, *, seconds: float, as_json: bool) -> int:
    """Survey a portal and return the exit code."""
    logs.configure()
    try:
        checked = settings.load(config)
        chosen = portal_of(checked, portal)
    except (settings.ConfigError, WindowsError) as error:
        complain(str(error))
        return EXIT_USAGE
    warm_up()
    base = config.resolve().parent
    found = asyncio.run(SurveyRun(checked, chosen, base=base, seconds=seconds, shows=not as_json).found())
    if isinstance(found, list):
        for problem in found:
            complain(problem)
        return EXIT_UNFIT
    if as_json:
        show_json(document(found))
    else:
        print_found(found)
    return 0 if found.fit else EXIT_UNFIT


def portal_of(config: EdgeConfig, name: str | None) -> PortalConfig:
    """Return the portal of that name, or the only one; `WindowsError` where there is none."""
    known = [portal.id for portal in config.portals]
    if name is None and len(known) == 1:
        return config.portals[0]
    for portal in config.portals:
        if portal.id == name:
            return portal
    begin = "say which portal" if name is None else f"portal {name!r} is not in the configuration"
    raise WindowsError(f"{begin}: there are {', '.join(known)}")


def places_of(config: EdgeConfig, portal: PortalConfig) -> list[Place]:
    """Return a portal's antennas with their reference tags."""
    references = {(one.id, tag.port): tag.epc for one in config.readers for tag in one.references}
    return [
        Place(one.reader, one.port, one.side or "one side", references.get((one.reader, one.port)))
        for one in portal.antennas
    ]


def open_plan(one: ReaderSettings) -> ReaderSettings:
    """Let all tags answer all the time, reference tags too: only so they can be counted."""
    return replace(one, quiet_above=0, references=(), reference_epcs=frozenset(), trigger=None)


def ways_of(config: EdgeConfig, attended: Attended) -> dict[str, Ways]:
    """Return what each reader can do about many tags, when the agent drives it as configured."""
    configured = {one.id: one for one in config.readers}
    found = {}
    for name, supervisor in attended.llrp.items():
        able, one = supervisor.session.abilities, configured[name]
        found[name] = Ways(
            quiet_above=one.quiet_above,
            takes_turns=able.specs != 1 and one.trigger is None,
            masks=max(able.filters - bool(one.references), 0),
        )
    return found | {name: Ways() for name in attended.others}


class SurveyRun:
    """One survey, from the first dial to what was found."""

    def __init__(self, config: EdgeConfig, portal: PortalConfig, *, base: Path, seconds: float, shows: bool) -> None:
        self._config, self._portal, self._base = config, portal, base
        self._seconds, self._shows = seconds, shows
        self._names = readers_of(config, [portal])
        self._hearing = {name: Hearing() for name in self._names}
        others = {
            name: [a.port for one in config.portals if one.id != portal.id for a in one.antennas if a.reader == name]
            for name in self._names
        }
        self._survey = Survey(portal.id, places_of(config, portal), others)
        self._stop = asyncio.Event()

    @property
    def epcs(self) -> frozenset[str]:
        """EPCs of all tags that were heard, and of reference tags."""
        return self._survey.epcs()

    async def found(self) -> Found | list[str]:
        """Return what was found, or what keeps readers from being in session."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        async with attend(self._config, self._names, base=self._base, sink=self._sink, driven=open_plan) as attended:
            problems = await attended.in_session(CONNECT_S)
            if problems:
                return problems
            for hearing in self._hearing.values():
                hearing.take()
            self._survey.begin(now_us())
            await self._listen()
            lost = attended.problems()
            if lost:
                return lost
            ways, powers = ways_of(self._config, attended), powers_of(attended)
        return self._survey.finish(now_us(), ways, powers)

    async def _sink(self, chunk: Chunk) -> None:
        self._hearing[chunk.reader].add(chunk.batch, chunk.arrival_us, chunk.clock)

    async def _listen(self) -> None:
        """Show what is heard until time is over, or somebody has seen enough."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        with ExitStack() as stack:
            show = self._shower(stack)
            while (passed_s := loop.time() - begin_s) < self._seconds and not self._stop.is_set():
                for reader, hearing in self._hearing.items():
                    self._survey.take(reader, hearing.take())
                show(passed_s)
                await _either(self._stop.wait, min(REFRESH_S, self._seconds - passed_s))
        for reader, hearing in self._hearing.items():
            self._survey.take(reader, hearing.take())

    def _shower(self, stack: ExitStack) -> Callable[[float], None]:
        """Return what shows the doorway after so many seconds: a picture, lines, or nothing."""
        if not self._shows:
            return lambda _passed_s: None
        if sys.stdout.isatty():
            live = stack.enter_context(Live(console=console(), auto_refresh=False, transient=True))
            return lambda passed_s: live.update(
                doorway_table(self._portal.id, self._seconds - passed_s, self._survey.now(now_us())), refresh=True
            )
        told_s = [0.0]

        def line(passed_s: float) -> None:
            if passed_s >= told_s[0] + PLAIN_S:
                told_s[0] += PLAIN_S
                print(plain_line(passed_s, self._survey.now(now_us())), flush=True)  # noqa: T201 (a command prints)

        return line


async def _either(wait: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Wait for something, but no longer than this."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await wait()
    except TimeoutError:
        return


def powers_of(attended: Attended) -> dict[tuple[str, int], int]:
    """Return transmit powers by (reader, port), hundredths of dBm, where we set them."""
    return {
        (name, port): cdbm
        for name, supervisor in attended.llrp.items()
        for port, cdbm in supervisor.session.powers_cdbm.items()
    }


def document(found: Found) -> dict[str, object]:
    """Return what was found as one JSON document."""
    verdict = found.verdict
    return {
        "portal": found.portal,
        "seconds": found.seconds,
        "fit": found.fit,
        "antennas": [asdict(one) for one in found.antennas],
        "movers": [asdict(one) for one in found.movers],
        "airtime": None if verdict is None else {"needed": NEEDED_READS, **asdict(verdict)},
        "problems": list(found.problems),
    }


def print_found(found: Found) -> None:
    """Print what was found as tables, and the verdict in words."""
    out = console()
    heads = ("side", "antenna", "power", "reads/s", "stay", "their level", "reference tag")
    show_table(out, heads, [_row(one) for one in found.antennas], title=f"{found.portal}, {found.seconds:.0f} s")
    if found.movers:
        rows = [
            (
                one.epc,
                str(one.reads),
                f"{one.seconds:g}",
                level_words(one.peak_cdbm),
                _by_antenna(one.antennas),
                lacking(found.by_side(one.epc)) or "nothing",
            )
            for one in found.movers
        ]
        moved = ("tag that moved", "reads", "seconds", "loudest", "by antenna", "lacks for a walk")
        show_table(out, moved, rows)
    if found.verdict is not None:
        out.print(f"airtime: {found.verdict.words}", soft_wrap=True)
        quiet = any(air.quiets for air in found.airs)
        if quiet:
            out.print(f"without keeping residents quiet it would be {found.verdict.open_reads} reads", soft_wrap=True)
    for problem in found.problems:
        out.print(f"wrong: {problem}", soft_wrap=True)
    out.print(_fit(found), soft_wrap=True)


def _fit(found: Found) -> str:
    if found.verdict is None:
        return f"Whether {found.portal} is fit can't be said yet."
    if not found.fit:
        return f"{found.portal} is not fit."
    return f"{found.portal} is fit to be commissioned: `stockgate-edge commission` shows whether it can be certified."


def _row(one: AntennaFound) -> tuple[str, ...]:
    reference = "none" if one.reference is None else "not heard"
    if one.reference_rate:
        reference = f"{one.reference_rate:g}/s, {level_words(one.reference_cdbm)}"
    return (
        one.side,
        f"{one.reader}/{one.port}",
        "the reader's own" if one.power_cdbm is None else f"{one.power_cdbm / 100:g} dBm",
        f"{one.rate:.0f}",
        str(one.residents),
        level_words(one.resident_cdbm),
        reference,
    )


def _by_antenna(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{antenna}: {reads}" for antenna, reads in counts.items())
