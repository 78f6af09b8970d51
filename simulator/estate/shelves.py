"""What zone readers and sweeps hear: presence rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from edge.contracts import PresenceAntenna, PresenceRow, PresenceTag, encode, encode_envelope, instant
from simulator.estate.dice import Dice
from simulator.estate.model import EstateScenario
from simulator.estate.outages import overlap_us
from simulator.estate.people import Asset
from simulator.estate.truth import Truth, within
from simulator.estate.values import DAY, HOUR, MINUTE, SECOND, Envelope
from simulator.estate.world import Building

MOST_TAGS: Final = 400
SWEEP_AT_H: Final = 20.0
"""Local hour of a sweep, which takes one."""
SHORTEST_US: Final = MINUTE


@dataclass(frozen=True, slots=True)
class Watch:
    """One stretch of listening to a zone."""

    zone: str
    mode: Literal["zone", "sweep"]
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Stay:
    """An asset at a place for a while."""

    asset: str
    from_us: int
    to_us: int


class Shelves:
    """The zone readers and sweeps of a gateway's building."""

    def __init__(
        self, scenario: EstateScenario, truth: Truth, building: Building, assets: dict[str, Asset],
        stays: dict[str, list[Stay]],
    ) -> None:  # fmt: skip
        self._scenario, self._truth, self._building = scenario, truth, building
        self._assets, self._stays = assets, stays
        self._gateway = building.gateways[0]
        self._dice = Dice(scenario.seed, "shelves", building.id)
        self._lies: dict[tuple[str, str], float] = {}

    def send(self) -> Iterator[Envelope]:
        """Yield presence envelopes in order of arrival, each with one row."""
        seq = 0
        for watch in sorted(self._watches(), key=lambda one: (one.to_us, one.zone)):
            rows = self._rows(watch, seq)
            for row in rows:
                seq = row.seq
                at_us = watch.to_us + 5 * SECOND
                outage = within(self._truth.offline.get(self._gateway, ()), at_us)
                payload = encode_envelope(
                    gateway=self._gateway, stream="presence", epoch="e1", first=seq, last=seq, rows=[encode(row)]
                )
                arrives = at_us if outage is None else outage[1] + 10 * SECOND
                yield Envelope(arrives, self._building.site, self._gateway, "presence", payload)

    def _watches(self) -> Iterator[Watch]:
        zones, truth = self._scenario.zones, self._truth
        for zone in (*self._building.stockrooms, self._building.lab, self._building.floor):
            place = truth.world.places[zone]
            if place.zone_reader:
                step = zones.span_h * HOUR
                for from_us in range(truth.start_us, truth.end_us - step + 1, step):
                    yield Watch(zone, "zone", from_us, from_us + step)
            if place.swept:
                offset = round((SWEEP_AT_H - self._building.hours_ahead) % 24 * HOUR)
                day = self._dice.randrange(zones.sweep_days)
                for from_us in range(truth.start_us + day * DAY + offset, truth.end_us - HOUR, zones.sweep_days * DAY):
                    yield Watch(zone, "sweep", from_us, from_us + HOUR)

    def _rows(self, watch: Watch, seq: int) -> list[PresenceRow]:
        """Return the parts of one stretch; none while the reader was down all the time."""
        length = watch.to_us - watch.from_us
        down = overlap_us(self._truth.down.get(watch.zone, ()), watch.from_us, watch.to_us)
        if watch.mode == "zone" and down >= length:
            return []
        up_us = length if watch.mode == "sweep" else length - down
        tags = self._heard(watch, up_us / length)
        parts = [tags[low : low + MOST_TAGS] for low in range(0, len(tags), MOST_TAGS)] or [[]]
        reads = sum(tag.reads for tag in tags)
        antenna = PresenceAntenna(reader="r9", port=1, up_s=up_us / SECOND, rounds=up_us // (10 * SECOND), reads=reads)
        return [
            PresenceRow(
                seq=seq + part, span=[instant(watch.from_us), instant(watch.to_us)], zone=watch.zone, mode=watch.mode,
                antennas=[antenna], tags=some, part=[part, len(parts)], complete=up_us == length,
            )
            for part, some in enumerate(parts, 1)
        ]  # fmt: skip

    def _heard(self, watch: Watch, up: float) -> list[PresenceTag]:
        tags = []
        for stay in self._stays.get(watch.zone, ()):
            low, high = max(stay.from_us, watch.from_us), min(stay.to_us, watch.to_us)
            if high - low < SHORTEST_US or self._truth.dead.get(stay.asset, high) < high:
                continue
            share = (high - low) / (watch.to_us - watch.from_us) * up
            if self._dice.random() < 1.0 - (1.0 - self._read(stay.asset, watch.zone)) ** share:
                reads = 1 + round(self._dice.around(12, 0.8, 500))
                last_us = high - self._dice.randrange(1 + (high - low) // 10)
                tags.append(PresenceTag(
                    epc=self._assets[stay.asset].epc, reads=reads, best_rssi_cdbm=-5500 - self._dice.randrange(2000),
                    last_at=instant(last_us),
                ))  # fmt: skip
        return tags

    def _read(self, asset: str, zone: str) -> float:
        """Return how probable it is that a whole stretch reads a tag there: it depends on how it lies."""
        known = self._lies.get((asset, zone))
        if known is None:
            known = self._lies[asset, zone] = read_probability(self._scenario, asset, zone)
        return known


def read_probability(scenario: EstateScenario, asset: str, zone: str) -> float:
    """Return how probable it is that a whole stretch reads a tag where it lies in a zone."""
    zones, dice = scenario.zones, Dice(scenario.seed, "lies", asset, zone)
    luck = dice.random()
    if luck < zones.shadowed:
        return dice.uniform(0.3, 0.8)
    if luck < zones.shadowed + zones.middling:
        return dice.uniform(0.8, 0.97)
    return dice.uniform(0.97, 0.9995)


def stays_by_place(truth: Truth) -> dict[str, list[Stay]]:
    """Return who stayed where and when, by place."""
    found: dict[str, list[Stay]] = {}
    for asset, stays in truth.stays.items():
        ends = [at_us for at_us, _ in stays[1:]] + [truth.end_us]
        for (since, place), until in zip(stays, ends, strict=True):
            found.setdefault(place, []).append(Stay(asset, since, until))
    return found
