"""The body of `stockgate-sim run --record`: a scenario into recordings, faster than real time."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.runs.errors import OptionError
from simulator.runs.offline import OfflineRun, Outcome
from simulator.runs.places import edge_config, gateways_in_use
from simulator.runs.recording import file_of, keep_apart, recordings, texts, virtual_places
from simulator.runs.sources import Cast
from simulator.truth import Truth

PROGRESS_S: Final = 2.0
NO_BROKER: Final = "mqtt://127.0.0.1:1883"
"""Stands in the `edge.toml` of a recording: a replay needs no broker, but the agent's settings want one."""
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOrder:
    """What is wanted: the recording, and beside it, or not, truth and configuration; a gateway has its own of two."""

    record: Path
    truth: Path | None
    config_out: Path | None
    begin_us: int


def record(cast: Cast, order: RecordOrder) -> None:
    """Play a scenario into its recordings; what was written is told on stderr, digests last.

    Raises:
        OptionError: it has no end, or two files are one.
        RunError: it can't be played, or a file can't be written.
        TruthError: that of the truth can't.
    """
    if cast.source.ends_us is None:
        raise OptionError(f"scenario {cast.scenario.name} has no end: say how long with --seconds")
    gateways = gateways_in_use(cast.scenario)
    places = virtual_places(cast.scenario)
    each = (("--record", order.record), ("--config-out", order.config_out))
    own = [(name, file_of(path, one, gateways)) for name, path in each if path is not None for one in gateways]
    keep_apart([*own, ("--truth", order.truth)])
    truth = Truth(cast.scenario.name, cast.seed, order.truth, place=cast.scenario)
    truth.check()
    progress = Progress()
    configs = {
        file_of(path, one, gateways): edge_config(cast.scenario, one, places, NO_BROKER)
        for path in [order.config_out]
        if path is not None
        for one in gateways
    }
    with texts(configs), recordings(order.record, gateways) as files:
        run = OfflineRun(
            cast,
            begin_us=order.begin_us,
            truth=truth,
            places=places,
            write={name: file.write for name, file in files.items()},
        )
        outcome = run.run(progress.tell)
    progress.done(outcome)
    if (left_out := cast.left_out()) is not None:
        _say(f"warning: {left_out}")
    for file in files.values():
        _say(f"{file.path}: {file.size / 1e6:,.1f} MB, sha256 {file.sha256}")


class Progress:
    """Tells how far a run is, and how fast."""

    def __init__(self) -> None:
        self._begun_s = self._told_s = time.monotonic()
        self._at_us = 0

    def tell(self, at_us: int, ends_us: int) -> None:
        """Hear how far it is."""
        self._at_us = at_us
        if time.monotonic() - self._told_s >= PROGRESS_S:
            self._told_s = time.monotonic()
            _say(f"{_clock(at_us)} of {_clock(ends_us)}, {self._speed():,.0f} times real time")

    def done(self, outcome: Outcome) -> None:
        """Say what was played."""
        _say(
            f"{self._at_us / _MICROSECONDS:,.1f} s of the scenario in {time.monotonic() - self._begun_s:,.1f} s: "
            f"{self._speed():,.1f} scenario seconds a second"
        )
        counts = outcome.counts
        _say(
            f"{counts['reads']:,} reads in {counts['reports']:,} reports over {outcome.connections} connections; "
            f"{counts['unheard_reads']:,} reads unheard, {counts['overflowed_reads']:,} lost in full buffers"
        )
        for reader, problems in outcome.problems.items():
            _say(f"reader {reader}: {len(problems)} sessions ended early: {problems[-1]}")

    def _speed(self) -> float:
        return self._at_us / _MICROSECONDS / max(time.monotonic() - self._begun_s, 1e-6)


def _clock(at_us: int) -> str:
    minutes, seconds = divmod(at_us // _MICROSECONDS, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
