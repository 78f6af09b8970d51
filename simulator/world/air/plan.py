"""What a client asked for as the arrays of a `Plan`, made anew only when it asks for something else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulator.world.air import layout as L  # noqa: N812 (one letter, as in the kernels)
from simulator.world.air.hops import REST_US, Hops
from simulator.world.air.layout import Bytes, Ints, Plan
from simulator.world.air.rivals import Rivals
from simulator.world.air.timing import durations
from simulator.world.command import SINGLE_TARGET, TAG_FOCUS, AirCommand, ModeTiming, Select
from simulator.world.scene import Antennas
from simulator.world.values import RadioState, ReaderTraits

REFERENCE_BPS: Final = 68_500.0
"""Rate of the answers for which a reader's sensitivity holds (Miller 4 at 274 kHz); slower ones are heard farther."""
DENSE_MILLER: Final = 4
"""From so many cycles a symbol on, answers stand beside what other readers put on their channels."""
PERSISTENCE_US: Final = ((0, 0), (500_000, 5_000_000), (2_000_000, 10_000_000), (2_000_000, 10_000_000))
"""Least and most of S0 to S3: S1 with power or without, S2 and S3 "more than 2 s" without it (Gen2, table 6-20)."""
NO_COMMAND: Final = AirCommand()


@dataclass(slots=True)
class Planner:
    """Makes one reader's plans."""

    antennas: Antennas
    traits: ReaderTraits
    power_dbm: float
    seed: int
    hops: Hops
    rivals: Rivals
    epc: Bytes
    epc_bytes: Ints
    lasts_us: Ints = field(init=False)
    _asked: tuple[object, ...] | None = None
    _plan: Plan | None = None
    _selected: dict[tuple[Select, ...], Bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lasts_us = persistence_us(len(self.epc), self.seed)

    def plan(self, radio: RadioState) -> Plan:
        """The plan for what the client asks now; ports without an antenna in the world are left out."""
        asked = (radio.antennas, radio.power_dbm, radio.commands, radio.extra_loss_db, radio.noise_db)
        if self._plan is None or asked != self._asked:
            self._asked = (asked[0], dict(asked[1]), dict(asked[2]), dict(asked[3]), asked[4])
            self._plan = self._made(radio)
        return self._plan

    def forget(self) -> None:
        """Make the next plan anew: something else than the client's wishes has changed."""
        self._plan = None

    def _made(self, radio: RadioState) -> Plan:
        habits = self.traits.habits
        index = {int(port): a for a, port in enumerate(self.antennas.port)}
        ports = [port for port in radio.antennas if port in index]
        commands = [radio.commands.get(port, NO_COMMAND) for port in ports]
        timings = [command.timing or habits.timing for command in commands]
        extra_db = [radio.extra_loss_db.get(port, 0.0) for port in ports]
        power_dbm = [radio.power_dbm.get(port, self.power_dbm) for port in ports]
        return Plan(
            seed=self.seed,
            hops=self.hops.order,
            dwell_us=self.hops.dwell_us,
            offset_us=self.hops.offset_us,
            turn_us=habits.turn_us,
            settle_us=habits.settle_us if self.traits.hopping else REST_US,
            switch_us=habits.switch_us,
            first_q=np.array([self._first_q(command) for command in commands], dtype=np.float64),
            port=np.array(ports, dtype=np.int64),
            uses=self._uses([index[port] for port in ports], commands),
            timings=_table(
                [durations(timing, command.filters) for timing, command in zip(timings, commands, strict=True)],
                L.TIMINGS,
            ),
            power_dbm=np.array(power_dbm, dtype=np.float64) - np.array(extra_db, dtype=np.float64),
            loss_db=np.array(extra_db, dtype=np.float64),
            floor_dbm=np.array([self._floor_dbm(timing, radio.noise_db) for timing in timings], dtype=np.float64),
            dense=np.array([timing.miller >= DENSE_MILLER for timing in timings], dtype=np.uint8),
            lasts_us=self.lasts_us,
            selected=self._selection(commands),
            epc_bytes=self.epc_bytes,
            khz=np.array(self.traits.frequencies_khz, dtype=np.float64),
            rival=self.rivals.number,
            rival_khz=self.rivals.khz,
            rival_times=self.rivals.times,
            rival_dbm=self.rivals.dbm,
            running=self.rivals.running,
        )

    def _uses(self, antennas: Sequence[int], commands: Sequence[AirCommand]) -> Ints:
        return _table([self._use(a, command) for a, command in zip(antennas, commands, strict=True)], L.USES)

    def _use(self, antenna: int, command: AirCommand) -> list[int]:
        """One row of `Plan.uses`."""
        habits = self.traits.habits
        session = habits.session if command.session is None else command.session
        search = habits.search_mode if command.search_mode is None else command.search_mode
        pauses = command.mode is None or command.mode >= habits.auto_from
        row = [0] * L.USES
        row[L.ANTENNA] = antenna
        row[L.SESSION] = session
        row[L.SINGLE] = search in {SINGLE_TARGET, TAG_FOCUS}
        row[L.FOCUS] = search == TAG_FOCUS and session == 1
        row[L.IDLE_US] = habits.idle_us * pauses
        row[L.IDLE_BUSY_US] = habits.idle_busy_us * pauses
        return row

    def _first_q(self, command: AirCommand) -> float:
        population = self.traits.habits.population if command.population is None else command.population
        return min(math.log2(max(population, 1)), L.LARGEST_Q)

    def _floor_dbm(self, timing: ModeTiming, noise_db: float) -> float:
        """Where half of all answers of a mode are lost: twice the bits a second need twice the power."""
        faster = timing.link_hz / timing.miller / REFERENCE_BPS
        return self.traits.sensitivity_dbm + 10 * math.log10(faster) + noise_db

    def _selection(self, commands: Sequence[AirCommand]) -> Bytes:
        """(p, n) whether a tag answers under each port's filters."""
        rows = [self._answering(command) for command in commands]
        return np.array(rows, dtype=np.uint8).reshape(len(rows), len(self.epc))

    def _answering(self, command: AirCommand) -> Bytes:
        if not command.filters:
            return np.ones(len(self.epc), dtype=np.uint8)
        if command.filters not in self._selected:
            epcs = (row[:size].tobytes() for row, size in zip(self.epc, self.epc_bytes, strict=True))
            self._selected[command.filters] = np.array([command.selects(epc) for epc in epcs], dtype=np.uint8)
        return self._selected[command.filters]


def persistence_us(tags: int, seed: int) -> Ints:
    """(4, n) how long each tag's flag of each session lasts: no two chips are alike."""
    rng = np.random.default_rng([seed, 0x1A57])
    return np.array([rng.integers(least, most + 1, tags) for least, most in PERSISTENCE_US], dtype=np.int64)


def _table(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)
