"""The body of `stockgate-edge commission`: who stays, which power, the walks, and what is written of it.

Exit 0 if the doorway is certified (or confirmed), 1 if it isn't or the walks could not be done, 2 for what the user
must change.
"""

import asyncio
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from edge import config as settings
from edge.agent import logs
from edge.agent.compose import now_us
from edge.agent.survey_command import EXIT_UNFIT, EXIT_USAGE, SurveyRun, portal_of
from edge.agent.tables import complain
from edge.agent.walks import Walked, Walks
from edge.agent.warm import warm_up
from edge.commissioning import CommissioningError
from edge.commissioning.advice import Lowering
from edge.commissioning.certificate import html_certificate, text_certificate
from edge.commissioning.pdf import pdf_of
from edge.commissioning.portal_file import with_antennas
from edge.commissioning.recipe import PLAIN, Walk, confirmation, read_plan, recipe
from edge.commissioning.report import AntennaFact, Report
from edge.commissioning.survey import Found
from edge.config import EdgeConfig, PortalConfig
from edge.windows import WindowsError
from edge.windows.levels import doorway_levels

FORMS: Final = (".html", ".pdf", ".txt")
HOW_TO_WALK: Final = "After each, stand 3 m and more away and wait: it is called some 10 s after its tag has left."
LEAST_TO_REPLACE: Final = 5
"""So many plain walks replace levels that a commissioning taught before: one that is broken off would spoil them."""
LEAST_SURVEY_S: Final = 10.0
"""As of `survey`: a shorter one hears too little of who stays."""
SURVEYS: Final = 2
"""A survey before the powers are set, and one after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for.

    Attributes:
        portal: its id.
        out: where the configuration goes; None beside the one that was read.
        certificate: where the certificate goes; None for none.
        plan: a file of walks; None for the usual ones.
        yes: set powers without asking.
        confirm: one walk after a reader was swapped; nothing is set.
        survey_s: length of the survey; 0 makes none.
        wait_s: a walk that isn't called for so long was missed; None waits for the installer.
    """

    config: Path
    portal: str
    out: Path | None
    certificate: Path | None
    plan: Path | None
    yes: bool
    confirm: bool
    survey_s: float
    wait_s: float | None

    @property
    def target(self) -> Path:
        """Where the configuration goes."""
        return self.out or self.config.with_name(f"{self.config.stem}.commissioned.toml")


def commission(wish: Wish) -> int:
    """Commission a portal and return the exit code."""
    logs.configure()
    try:
        work = _Commissioning(wish)
    except (settings.ConfigError, WindowsError, CommissioningError, OSError) as error:
        complain(str(error))
        return EXIT_USAGE
    warm_up()
    try:
        report = asyncio.run(work.run())
    except CommissioningError as error:
        complain(str(error))
        return EXIT_UNFIT
    return 0 if report.fit else EXIT_UNFIT


class _Commissioning:
    """One commissioning: the configuration's text changes as it goes on, and is written in the end."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._text = _text_of(wish.config)
        self._base = wish.config.resolve().parent
        portal = self._portal
        if portal.layout == "single":
            raise CommissioningError(f"portal {portal.id} is `single` and can't tell a way: `survey` it instead")
        self._walks = self._planned()
        if 0 < wish.survey_s < LEAST_SURVEY_S:
            raise CommissioningError(
                f"--survey-seconds {wish.survey_s:g}: who stays can't be told so soon: {LEAST_SURVEY_S:g} at least, or "
                "0 for no survey"
            )
        _check_targets(wish)
        if not wish.confirm:
            # Whatever the walks will teach can be written: else nobody need walk.
            with_antennas(self._text, portal.id, [{"tx_power_dbm": 0.0, "doorway_cdbm": 0} for _ in portal.antennas])
        self._found: Found | None = None
        self._residents: frozenset[str] = frozenset()

    async def run(self) -> Report:
        """Survey, set powers, walk, and write; `CommissioningError` where the walks can't be done."""
        wish = self._wish
        if wish.survey_s and not wish.confirm:
            await self._survey()
        _say(f"{len(self._walks)} walk{'s' if len(self._walks) > 1 else ''} at {wish.portal}. {HOW_TO_WALK}")
        walks = Walks(
            self._config,
            self._portal,
            self._walks,
            base=self._base,
            residents=self._residents,
            wait_s=wish.wait_s,
            say=_say,
        )
        walked = await walks.walked()
        if not walked.outcomes:
            raise CommissioningError("\n".join(walked.problems or ["no walk was done"]))
        report = self._report(walked)
        self._write(report)
        return report

    @property
    def _config(self) -> EdgeConfig:
        return settings.parse(tomllib.loads(self._text), source=str(self._wish.config))

    @property
    def _portal(self) -> PortalConfig:
        return portal_of(self._config, self._wish.portal)

    def _planned(self) -> list[Walk]:
        if self._wish.confirm:
            return confirmation()
        return recipe() if self._wish.plan is None else read_plan(self._wish.plan)

    async def _survey(self) -> None:
        """Find out who stays; lower powers where that is needed, if the installer agrees."""
        for number in range(SURVEYS):
            _say(f"Leave the doorway free for {self._wish.survey_s:.0f} s: the tags that stay are counted.")
            run = SurveyRun(self._config, self._portal, base=self._base, seconds=self._wish.survey_s, shows=False)
            found = await run.found()
            if isinstance(found, list):
                raise CommissioningError("\n".join(found))
            # Nobody walked meanwhile: whoever was heard lies there, at the edge of hearing too.
            self._found, self._residents = found, run.epcs
            verdict = found.verdict
            if verdict is None:
                raise CommissioningError("\n".join(found.problems))
            _say(f"airtime: {verdict.words}")
            for problem in found.problems:
                _say(f"wrong: {problem}")
            if number + 1 < SURVEYS and not (verdict.lowerings and self._lowered(found, verdict.lowerings)):
                return

    def _lowered(self, found: Found, lowerings: Sequence[Lowering]) -> bool:
        """Lower the powers in the configuration; False where that can't be or isn't wanted."""
        powers = {(one.reader, one.port): one.power_cdbm for one in found.antennas}
        wanted: dict[tuple[str, int], float] = {}
        for one in lowerings:
            cdbm = powers.get((one.reader, one.port))
            if cdbm is None:
                _say(
                    f"antenna {one.port} of {one.reader} has the reader's own power: write its tx_power_dbm, then again"
                )
                return False
            wanted[one.reader, one.port] = cdbm / 100 - one.by_db
        if not self._wish.yes and not _agreed():
            return False
        changes = [_power_change(wanted.get((one.reader, one.port))) for one in self._portal.antennas]
        self._text = with_antennas(self._text, self._wish.portal, changes)
        _say(", ".join(f"antenna {port} of {reader}: {dbm:g} dBm" for (reader, port), dbm in wanted.items()))
        return True

    def _report(self, walked: Walked) -> Report:
        """Take the levels over into the configuration, and say what was found."""
        config, portal = self._config, self._portal
        plain = [one for one in walked.outcomes if one.walk.how == PLAIN and one.result == "right"]
        levels = doorway_levels(row for one in plain for row in one.rows)
        antennas = tuple(self._antennas(portal, levels, walked.powers_cdbm))
        stay = () if self._wish.confirm else levels_that_stay(portal, len(plain))
        if not (self._wish.confirm or stay):
            changes = [_level_change(levels.get((one.reader, one.port))) for one in portal.antennas]
            self._text = with_antennas(self._text, portal.id, changes)
        return Report(
            site=config.site,
            gateway=config.gateway,
            portal=portal.id,
            inside=portal.inside,
            outside=portal.outside,
            layout=portal.layout,
            made_at=datetime.fromtimestamp(now_us() / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC"),
            version=version("stockgate"),
            readers=walked.readers,
            antennas=antennas,
            airtime=None if self._found is None else self._found.verdict,
            outcomes=walked.outcomes,
            strays=tuple(dict.fromkeys(row.epc for row in walked.strays)),
            confirms=self._wish.confirm,
            own_notes=(
                *stay,
                *_doubts(walked),
                *_beside(walked),
                *walked.problems,
                *(() if self._found is None else self._found.problems),
            ),
        )

    def _antennas(
        self, portal: PortalConfig, levels: Mapping[tuple[str, int], int], powers: Mapping[tuple[str, int], int]
    ) -> Sequence[AntennaFact]:
        found = () if self._found is None else self._found.antennas
        residents = {(one.reader, one.port): one.residents for one in found}
        return [
            AntennaFact(
                reader=one.reader,
                port=one.port,
                side=one.side or "",
                power_cdbm=powers.get((one.reader, one.port)),
                residents=residents.get((one.reader, one.port)),
                doorway_cdbm=levels.get((one.reader, one.port)),
                before_cdbm=one.doorway_cdbm,
            )
            for one in portal.antennas
        ]

    def _write(self, report: Report) -> None:
        """Print the certificate and write what was asked for; after a failure the walks are not lost."""
        text = text_certificate(report)
        print(f"\n{text}", flush=True)  # noqa: T201 (a command prints)
        failed = []
        if not self._wish.confirm:
            failed += _written(self._wish.target, self._text.encode())
        if self._wish.certificate is not None:
            failed += _written(self._wish.certificate, _certificate(self._wish.certificate, report, text))
        if failed:
            raise CommissioningError("\n".join(failed))


def levels_that_stay(portal: PortalConfig, plain: int) -> tuple[str, ...]:
    """Say that a portal keeps its levels, where too few plain walks were right; nothing where it doesn't."""
    if plain >= LEAST_TO_REPLACE or all(one.doorway_cdbm is None for one in portal.antennas):
        return ()
    right = f"{plain} plain walks were right, and {LEAST_TO_REPLACE} are needed to teach others"
    return (f"the levels (doorway_cdbm) stay as they were: {right}",)


def _text_of(path: Path) -> str:
    """Return a configuration with its ends of lines as they are, for it is written again."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommissioningError(f"{path}: is not UTF-8, as TOML is: save it as that") from error


def _check_targets(wish: Wish) -> None:
    """Refuse before anybody walks what could not be written afterwards."""
    target, certificate = wish.target, wish.certificate
    if not wish.confirm and target.exists() and not target.samefile(wish.config):
        raise CommissioningError(f"{target}: exists already: name another file with --out, or delete that one")
    if certificate is not None and certificate.suffix not in FORMS:
        raise CommissioningError(f"{certificate}: a certificate ends in {', '.join(FORMS)}")
    for path in (target, certificate):
        if path is not None and not os.access(path.resolve().parent, os.W_OK):
            raise CommissioningError(f"{path}: nothing can be written in its folder")


def _certificate(path: Path, report: Report, text: str) -> bytes:
    if path.suffix == ".html":
        return html_certificate(report).encode()
    return pdf_of(text) if path.suffix == ".pdf" else text.encode()


def _written(path: Path, content: bytes) -> list[str]:
    """Write a file as a whole, and say so; return what went wrong."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        return [f"{path}: could not be written: {error.strerror or error}"]
    _say(f"written: {path}")
    return []


def _power_change(dbm: float | None) -> dict[str, float | int] | None:
    return None if dbm is None else {"tx_power_dbm": round(dbm, 2)}


def _level_change(cdbm: int | None) -> dict[str, float | int] | None:
    return None if cdbm is None else {"doorway_cdbm": cdbm}


def _doubts(walked: Walked) -> list[str]:
    """Say of each tag once that it may not have been carried at all."""
    counts = Counter(row.epc for row in walked.doubtful)
    return [
        f"tag {epc} was called a crossing by a read or two, beside {count} of the walks: if nobody carried it, it lies "
        "at the edge of hearing; move it, or lower the power"
        for epc, count in counts.items()
    ]


def _beside(walked: Walked) -> list[str]:
    """Say what was called at other doorways meanwhile: the installer knows whether it was a walk through this."""
    counts = Counter(row.portal for row in walked.beside)
    return [
        f"crossings called at {portal} meanwhile: {count}, which are no walks here; if one was, the two doors are told "
        "apart badly: turn the antennas of each away from the other"
        for portal, count in counts.items()
    ]


def _agreed() -> bool:
    """Ask the installer; without a terminal nobody has agreed."""
    if not sys.stdin.isatty():
        _say("without a terminal powers are lowered only with --yes")
        return False
    return input("Lower the powers so? [y/N] ").strip().lower() in {"y", "yes"}


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 (a command says what it does)
