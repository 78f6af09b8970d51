"""A whole scenario as a source of reads: the same scenario, seed and radio commands give the same reads."""

from collections.abc import Sequence

import numpy as np

from simulator.scenarios.model import ReaderPart, Scenario
from simulator.world.radio import Antenna, Tags, antenna
from simulator.world.reader import Air, RadioReader
from simulator.world.schedule import Placed, Walk, schedule
from simulator.world.values import Crossing, InputChange, RadioState, Reads, columns

LOOK_AHEAD_S = 1.0
"""Walks are made this long before they start: more than one inventory round lasts."""


class World:
    """Tags, walkers and antennas of one scenario."""

    def __init__(
        self, scenario: Scenario, seed: int, seconds: float | None, frequencies: dict[str, Sequence[int]]
    ) -> None:
        seeds = np.random.SeedSequence(seed).spawn(3 + len(scenario.readers))
        self._scenario = scenario
        self._portals = {portal.id: Placed(portal) for portal in scenario.portals}
        self._loss_db = self._losses(np.random.default_rng(seeds[0]))
        self._still = self._resident_tags()
        self._walks = schedule(scenario, np.random.default_rng(seeds[1]), seconds)
        self._next: Walk | None = next(self._walks, None)
        self._going: list[Walk] = []
        self._crossings: list[Crossing] = []
        self._seconds = seconds
        self._last_end_us = 0
        surroundings = np.random.default_rng(seeds[2])
        self._readers = {
            reader.id: RadioReader(self._air(reader, surroundings, frequencies[reader.id]), seed_of)
            for reader, seed_of in zip(scenario.readers, seeds[3:], strict=True)
        }

    @property
    def residents(self) -> list[bytes]:
        """EPCs of tags in range that never move."""
        return self._still.epcs

    @property
    def ends_us(self) -> int | None:
        """The limit that was given, or the quiet end after the last walk of a scenario that doesn't repeat."""
        if self._seconds is not None:
            return round(1e6 * self._seconds)
        if self._next is not None or self._scenario.cycle_s:
            return None
        return self._last_end_us + round(1e6 * self._scenario.quiet_end_s)

    def advance(self, reader: str, until_us: int, radio: RadioState | None) -> Reads:
        """Reads of one reader up to a time; none after the end."""
        end_us = self.ends_us
        return columns(self._readers[reader].advance(until_us if end_us is None else min(until_us, end_us), radio))

    def take_crossings(self, until_us: int) -> list[Crossing]:
        """True visits that ended since the last call."""
        self._begin_walks(until_us / 1e6)
        over = sorted((c for c in self._crossings if c.ended_us <= until_us), key=lambda c: c.ended_us)
        self._crossings = [crossing for crossing in self._crossings if crossing.ended_us > until_us]
        return over

    def take_inputs(self, until_us: int) -> list[InputChange]:  # noqa: ARG002 - sensors follow with the new world
        """Changes of readers' inputs."""
        return []

    def tags(self, at_s: float) -> Tags:
        """All tags around at a scenario time."""
        self._begin_walks(at_s)
        parts = [self._still]
        parts += [self._carried(walk, at_s) for walk in self._going if walk.start_us <= 1e6 * at_s < walk.end_us]
        return _joined(parts) if len(parts) > 1 else self._still

    def _begin_walks(self, at_s: float) -> None:
        """Make walks that start soon; a walk is dropped well after its end, since readers' clocks differ by a round."""
        while self._next is not None and self._next.start_us <= 1e6 * (at_s + LOOK_AHEAD_S):
            self._going.append(self._next)
            self._crossings += self._next.crossings()
            self._last_end_us = max(self._last_end_us, self._next.end_us)
            self._next = next(self._walks, None)
        self._going = [walk for walk in self._going if walk.end_us > 1e6 * (at_s - 60)]

    def _carried(self, walk: Walk, at_s: float) -> Tags:
        position, velocity, body = walk.positions(at_s)
        count = len(walk.epcs)
        return Tags(
            list(walk.epcs),
            position,
            np.tile(velocity, (count, 1)),
            np.tile(body if walk.shadows else np.full(2, np.nan), (count, 1)),
            np.array([self._loss_db[epc] for epc in walk.epcs]),
            np.full(count, self._scenario.tags.sensitivity_dbm),
        )

    def _losses(self, rng: np.random.Generator) -> dict[bytes, float]:
        tags = self._scenario.tags
        spread = rng.normal(tags.loss_db, tags.loss_spread_db, tags.count)
        return {self._scenario.epc(number): float(spread[number - 1]) for number in range(1, tags.count + 1)}

    def _resident_tags(self) -> Tags:
        residents = self._scenario.residents
        epcs = [self._scenario.epc(resident.tag) for resident in residents]
        extra = [self._loss_db[epc] + r.extra_loss_db for epc, r in zip(epcs, residents, strict=True)]
        position = np.array([self._portals[r.portal].lift(r.position) for r in residents]).reshape(-1, 3)
        count = len(residents)
        return Tags(
            epcs,
            position,
            np.zeros((count, 3)),
            np.full((count, 2), np.nan),
            np.array(extra, dtype=np.float64),
            np.full(count, self._scenario.tags.sensitivity_dbm),
        )

    def _air(self, reader: ReaderPart, rng: np.random.Generator, frequencies_khz: Sequence[int]) -> Air:
        made: dict[int, Antenna] = {}
        for part in reader.antennas:
            frame = self._portals[part.portal]
            place, aim = frame.lift(part.position), frame.lift(part.aim)
            made[part.port] = antenna(
                part.port, place, aim, rng, gain_dbi=part.gain_dbi, cable_loss_db=part.cable_loss_db
            )
        return Air(antennas=made, frequencies_khz=frequencies_khz, power_dbm=reader.power_dbm, tags=self.tags)


def _joined(parts: list[Tags]) -> Tags:
    return Tags(
        [epc for part in parts for epc in part.epcs],
        np.concatenate([part.position for part in parts]),
        np.concatenate([part.velocity for part in parts]),
        np.concatenate([part.bodies for part in parts]),
        np.concatenate([part.loss_db for part in parts]),
        np.concatenate([part.sensitivity_dbm for part in parts]),
    )
