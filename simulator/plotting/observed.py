"""What a picture shows, taken from a run of the world: tracks, true visits, and the reads of one tag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.world.command import AirCommand
from simulator.world.values import Crossing, Reads, Source
from simulator.world.world import Way

STEP_US = 1_000_000
READER_SECONDS = 7300.0
"""A picture without a limit stops after so many seconds of readers: two hours of one, ten minutes of twelve."""


class PlotError(Exception):
    """A picture that can't be drawn; says of what, and what to change."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One run, as far as a picture shows it.

    Attributes:
        end_us: how long it was looked at.
        tracks: who went where.
        tag: number of the tag that is followed, or None where no tag moves.
        visits: its true visits to portals, in order.
        reads: its reads by reader.
    """

    scenario: Scenario
    seed: int
    end_us: int
    tracks: Sequence[Way]
    tag: int | None
    visits: Sequence[Crossing]
    reads: Mapping[str, Reads]


@dataclass(frozen=True, slots=True)
class AllOn:
    """A reader that inventories with all of its antennas, as it would by itself."""

    antennas: tuple[int, ...]
    power_dbm: Mapping[int, float] = field(default_factory=dict)
    commands: Mapping[int, AirCommand] = field(default_factory=dict)
    extra_loss_db: Mapping[int, float] = field(default_factory=dict)
    noise_db: float = 0.0


def numbers(way: Way) -> tuple[int, ...]:
    """Numbers of the tags that somebody carries."""
    return tuple(index + 1 for index in way.tags)


def span_us(scenario: Scenario, ends_us: int | None, seconds: float | None) -> int:
    """How long a picture looks: as it was told, else to the scenario's end, within `READER_SECONDS`."""
    if seconds is not None:
        return round(1e6 * seconds)
    limit_us = round(1e6 * READER_SECONDS / len(scenario.readers))
    wanted_us = round(1e6 * scenario.cycle_s) if ends_us is None and scenario.cycle_s else ends_us
    return limit_us if wanted_us is None else min(limit_us, wanted_us)


def all_reads(source: Source, scenario: Scenario, end_us: int) -> dict[str, Reads]:
    """Run every reader over the whole span; reads by reader."""
    radios = {one.id: AllOn(tuple(sorted(antenna.port for antenna in one.antennas))) for one in scenario.readers}
    parts: dict[str, list[Reads]] = {name: [] for name in radios}
    for until_us in [*range(STEP_US, end_us, STEP_US), end_us]:
        for name, radio in radios.items():
            parts[name].append(source.advance(name, until_us, radio))
    return {name: _joined(found) for name, found in parts.items()}


def followed(crossings: Sequence[Crossing], number_of: Mapping[bytes, int]) -> int | None:
    """The tag that a picture follows where none was named: most reads, of those that crossed if any did."""
    crossed = [one for one in crossings if one.monitored and one.kind in {"in", "out"}]
    candidates = crossed or [one for one in crossings if one.monitored] or crossings
    best = max(candidates, key=lambda one: (one.reads, -number_of[one.epc]), default=None)
    return None if best is None else number_of[best.epc]


def of_tag(reads: Mapping[str, Reads], tag: int) -> dict[str, Reads]:
    """The reads of one tag, by its number."""
    return {name: found.at(np.flatnonzero(found.tag == tag - 1)) for name, found in reads.items()}


def _joined(parts: Sequence[Reads]) -> Reads:
    """Parts of one reader's reads after one another; EPCs are padded to the longest."""
    width = max(part.epc.shape[1] for part in parts)
    epc = [np.pad(part.epc, ((0, 0), (0, width - part.epc.shape[1]))) for part in parts]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Reads.__slots__ if name != "epc"
    }
    return Reads(epc=np.concatenate(epc), **columns)
