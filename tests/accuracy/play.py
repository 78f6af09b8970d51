"""Plays a scenario in process into what the windows are fed with: batches, arrivals, inputs, and what truly happened.

Readers are asked by the agent's own plan of rounds (`agent.py`); no LLRP bytes are made. Reads of each 25 ms arrive at
their end, and a keepalive each second says of a silent reader that it is alive. The same scenario and seed give the
same, byte by byte.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np

from edge.llrp.batch import EPC_BYTES, NO_PHASE, NO_TIME_US, TagBatch
from edge.llrp.reports import empty_batch
from edge.windows import AntennaSettings, PortalSettings, SensorSettings, WindowsSettings
from simulator.runs.places import EDGE_KINDS, side_of
from simulator.scenarios.model import Scenario
from simulator.server.inventory import Radio
from simulator.world.values import Crossing, InputChange, Reads
from simulator.world.world import World
from tests.accuracy.agent import Asking

EPOCH_US: Final = 1_700_000_000_000_000
"""Reader time, and host time, of a scenario's begin."""
REPORT_US: Final = 25_000
KEEPALIVE_US: Final = 1_000_000
GATEWAY: Final = "gw"

Chunk = tuple[str, int, TagBatch]
"""Reader, arrival in host time, and its reads; an empty batch is a keepalive."""


@dataclass(frozen=True)
class Played:
    """What a scenario came to; all times are UTC microseconds, reader and host agree.

    Attributes:
        settings: portals as the agent is configured, commissioned or not.
        chunks: in the order of their arrivals.
        visits: true visits.
        residents: EPCs of tags that never moved.
        sensors: levels of readers' inputs at the begin and their changes, in order.
        seconds: how long it lasted.
    """

    settings: WindowsSettings
    chunks: list[Chunk]
    visits: list[Crossing]
    residents: list[bytes]
    sensors: list[InputChange]
    seconds: float
    reads: int = 0
    plan_changes: int = 0


@dataclass
class _Player:
    scenario: Scenario
    seed: int
    quiet_above: int
    heard: dict[str, list[TagBatch]] = field(default_factory=dict)
    sensors: list[InputChange] = field(default_factory=list)
    visits: list[Crossing] = field(default_factory=list)

    def __post_init__(self) -> None:
        slots = enumerate(self.scenario.readers)
        self.asking = {part.id: Asking(part, slot, self.quiet_above) for slot, part in slots}
        traits = {name: one.model.traits for name, one in self.asking.items()}
        self.world = World(self.scenario, self.seed, None, traits)
        self.heard = {name: [] for name in self.asking}
        starters = (sensor for sensor in self.scenario.sensors if sensor.reads_s is not None)
        self._starters = {sensor.reader: sensor for sensor in starters}
        self._awake_us = dict.fromkeys(self._starters, 0)

    def run(self) -> None:
        """Play it to its end."""
        ends_us = self.world.ends_us
        assert ends_us is not None, f"{self.scenario.name} has no end"
        now_us = 0
        while now_us < ends_us:
            radios = {name: self._radio(name, now_us) for name in self.asking}
            until_us = min(ends_us, *(one.until_us for one in self.asking.values()))
            self._inputs(until_us)
            for name, radio in radios.items():
                self._hear(name, until_us, radio)
            now_us = until_us
        self.visits += self.world.take_crossings(ends_us)
        told = {(change.reader, change.port) for change in self.sensors if change.at_us == 0}
        low = {(one.reader, one.gpi) for one in self.scenario.sensors} - told
        self.sensors[:0] = [InputChange(0, reader, port, high=False) for reader, port in sorted(low)]

    def _radio(self, name: str, now_us: int) -> Radio | None:
        radio = self.asking[name].step(now_us)
        return radio if now_us < self._awake_us.get(name, 1 << 62) else None

    def _inputs(self, until_us: int) -> None:
        """Take inputs; one that starts its reader does so from the next step on, some tenths of a second later."""
        for change in self.world.take_inputs(until_us):
            self.sensors.append(change)
            starter = self._starters.get(change.reader)
            if starter is not None and change.port == starter.gpi and change.high == starter.active_high:
                self._awake_us[change.reader] = change.at_us + round(1e6 * (starter.reads_s or 0))

    def _hear(self, name: str, until_us: int, radio: Radio | None) -> None:
        reads = self.world.advance(name, until_us, radio)
        if len(reads):
            batch = batch_of(reads, phase=self.asking[name].reports_phase)
            self.asking[name].hear(batch, EPOCH_US)
            self.heard[name].append(batch)


def play(scenario: Scenario, seed: int, *, settings: WindowsSettings | None = None, quiet_above: int = 30) -> Played:
    """Play a scenario to its end.

    Args:
        scenario: what is played.
        seed: of everything random while it is played.
        settings: of the windows; without any, what its portals say, not commissioned.
        quiet_above: so many residents the agent bears before it quiets them.
    """
    player = _Player(scenario, seed, quiet_above)
    player.run()
    ends_us = player.world.ends_us or 0
    chunks = sorted(
        (chunk for name, parts in player.heard.items() for chunk in _chunks(name, parts, ends_us)),
        key=lambda chunk: (chunk[1], chunk[0]),
    )
    return Played(
        settings=settings or settings_of(scenario),
        chunks=chunks,
        visits=[_in_utc(visit) for visit in player.visits],
        residents=player.world.residents,
        sensors=[replace(change, at_us=change.at_us + EPOCH_US) for change in player.sensors],
        seconds=ends_us / 1e6,
        reads=sum(len(batch) for parts in player.heard.values() for batch in parts),
        plan_changes=sum(one.plan_changes for one in player.asking.values()),
    )


def settings_of(scenario: Scenario, levels: Mapping[tuple[str, int], int] | None = None) -> WindowsSettings:
    """Return the windows' settings of a scenario's portals; `levels` of a commissioning are by reader and port."""
    known = levels or {}
    portals = []
    for portal in scenario.portals:
        antennas = tuple(
            AntennaSettings(
                reader.id,
                antenna.port,
                None if portal.layout == "single" else _side(side_of(portal, antenna)),
                known.get((reader.id, antenna.port)),
            )
            for reader in scenario.readers
            for antenna in reader.antennas
            if antenna.portal == portal.id
        )
        neighbours = tuple(other.id for other in scenario.portals if other.id != portal.id)
        knobs = {"neighbours": neighbours, "inside": portal.inside, "outside": portal.outside}
        portals.append(PortalSettings(portal.id, portal.layout, antennas, **knobs))
    return WindowsSettings(gateway=GATEWAY, portals=tuple(portals), sensors=tuple(_sensors(scenario)))


def _sensors(scenario: Scenario) -> Iterator[SensorSettings]:
    """Yield the beams and contacts that the agent knows."""
    for sensor in scenario.sensors:
        kind = EDGE_KINDS.get(sensor.kind)
        side = ("inside" if sensor.x_m < 0 else "outside") if kind == "beam" else None
        if kind is not None:
            yield SensorSettings(sensor.reader, sensor.gpi, kind, sensor.portal, side, sensor.active_high)


def batch_of(reads: Reads, *, phase: bool = True) -> TagBatch:
    """Return reads as the decoder gives them; without `phase` the reader isn't asked for any."""
    count = len(reads)
    epc = np.zeros((count, EPC_BYTES), np.uint8)
    epc[:, : reads.epc.shape[1]] = reads.epc
    at_us = reads.last_us + EPOCH_US
    absent = np.full(count, NO_TIME_US, np.int64)
    return TagBatch(
        epc=epc,
        epc_bits=(8 * reads.epc_bytes).astype(np.uint16),
        antenna=reads.antenna.astype(np.uint16),
        rssi_cdbm=reads.rssi_cdbm.astype(np.int16),
        phase=reads.phase.astype(np.int16) if phase else np.full(count, NO_PHASE, np.int16),
        channel=reads.channel.astype(np.uint16),
        first_us=reads.at_us + EPOCH_US,
        last_us=at_us,
        first_uptime_us=absent,
        last_uptime_us=absent,
        seen_count=reads.seen.astype(np.uint16),
        rospec_id=np.ones(count, np.uint32),
        message=np.zeros(count, np.int32),
    )


def cut(whole: TagBatch, begin: int, end: int) -> TagBatch:
    """Return rows of a batch as a batch."""
    return TagBatch(*(getattr(whole, name)[begin:end] for name in TagBatch.__slots__))


def _chunks(reader: str, parts: list[TagBatch], ends_us: int) -> Iterator[Chunk]:
    """Cut one reader's reads where reports go out, with a keepalive in each second without any."""
    last_us = EPOCH_US
    for whole in parts:
        slots = (whole.last_us - EPOCH_US) // REPORT_US
        edges = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(whole)]
        for begin, end in pairwise(edges):
            arrival_us = EPOCH_US + (int(slots[begin]) + 1) * REPORT_US
            yield from _keepalives(reader, last_us, arrival_us)
            yield reader, arrival_us, cut(whole, begin, end)
            last_us = arrival_us
    yield from _keepalives(reader, last_us, EPOCH_US + ends_us)


def _keepalives(reader: str, after_us: int, before_us: int) -> Iterator[Chunk]:
    first_us = after_us - after_us % KEEPALIVE_US + KEEPALIVE_US
    for at_us in range(first_us, before_us, KEEPALIVE_US):
        yield reader, at_us, empty_batch(0)


def _in_utc(visit: Crossing) -> Crossing:
    return replace(
        visit,
        started_us=visit.started_us + EPOCH_US,
        crossed_us=None if visit.crossed_us is None else visit.crossed_us + EPOCH_US,
        ended_us=visit.ended_us + EPOCH_US,
    )


def _side(side: str) -> str:
    assert side in {"inside", "outside"}, side
    return side
