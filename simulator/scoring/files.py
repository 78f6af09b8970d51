"""Truth and events from files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from edge.contracts import ContractError, MovementRow, decode_envelope, decode_row
from edge.contracts.times import Instant, instant_us
from simulator.scoring.calls import Call, Published, calls_of
from simulator.scoring.errors import ScoreError
from simulator.scoring.score import Score, score
from simulator.scoring.visits import visits_of
from simulator.truth import TruthError, TruthFile, read_truth

ARRIVED: Final = "arrived_at"
"""Key that `stockgate-sim run --events` adds to each row: when the broker brought it."""


class _Line(msgspec.Struct):
    """What is asked of a line before it is read whole."""

    events: list[msgspec.Raw] | None = None
    arrived_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One truth, one file of events, and their score.

    Attributes:
        rows: how many rows of each kind the events held; only movement rows are scored.
        strangers: EPCs at portals that the truth doesn't name: another run's events, most likely.
    """

    truth_file: Path
    events_file: Path
    scenario: str
    seed: int | None
    whole: bool
    rows: Counter[str]
    strangers: int
    score: Score


def score_files(truth_file: Path, events_file: Path) -> Scored:
    """Score one pair.

    Raises:
        ScoreError: one of them can't be read, or holds what it shouldn't.
    """
    truth = _truth(truth_file)
    rows: Counter[str] = Counter()
    calls = calls_of(_published(events_file, rows))
    try:
        visits = visits_of(truth.crossings)
    except ContractError as error:
        raise ScoreError(f"{truth_file}: {error}") from error
    return Scored(
        truth_file,
        events_file,
        truth.scenario,
        truth.seed,
        truth.done,
        rows,
        _strangers(truth, calls),
        score(visits, calls),
    )


def _truth(path: Path) -> TruthFile:
    try:
        return read_truth(path)
    except TruthError as error:
        raise ScoreError(str(error)) from error


def _strangers(truth: TruthFile, calls: list[Call]) -> int:
    known = {portal.id for portal in truth.portals} | {visit.portal for visit in truth.crossings}
    return sum(call.portal not in known for call in calls)


def _published(path: Path, rows: Counter[str]) -> Iterator[Published]:
    """Yield the movement rows of a file of JSON lines, each a row or an envelope; what else there is is counted."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield from _in_line(line, f"{path}: line {number}", rows)
    except OSError as error:
        raise ScoreError(f"{path}: can't be read: {error.strerror or error}") from error


def _in_line(line: bytes, where: str, rows: Counter[str]) -> Iterator[Published]:
    try:
        head = msgspec.json.decode(line, type=_Line)
        arrived_us = None if head.arrived_at is None else instant_us(head.arrived_at)
        parts = [line] if head.events is None else decode_envelope(line).events
        for part in parts:
            row = decode_row(part)
            rows[str(type(row).__struct_config__.tag)] += 1
            if isinstance(row, MovementRow):
                yield Published(row, arrived_us)
    except (ContractError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScoreError(
            f"{where}: {error}; a line holds one row or envelope, as `stockgate-edge replay` or "
            "`stockgate-sim run --events` writes it"
        ) from error
