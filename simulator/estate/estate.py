"""A scenario played: its registry, what arrives at the central in order, and the truth."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simulator.estate.doors import Doors, Emitted
from simulator.estate.exits import judge, permits_of
from simulator.estate.habits import settle_in
from simulator.estate.life import Life
from simulator.estate.model import EstateScenario
from simulator.estate.outages import plan_outages
from simulator.estate.people import Asset, Sheets, make_assets, make_sheets
from simulator.estate.shelves import Shelves, stays_by_place
from simulator.estate.truth import Truth
from simulator.estate.uplink import Uplink
from simulator.estate.values import Act, Item
from simulator.estate.words import Speech
from simulator.estate.world import build_world


@dataclass(slots=True)
class Estate:
    """What a scenario comes to; `items` may be played through more than once."""

    scenario: EstateScenario
    sheets: Sheets
    assets: dict[str, Asset]
    truth: Truth
    acts: list[Act]
    _sent: list[Item]

    def items(self) -> Iterator[Item]:
        """Yield all that arrives, in order of arrival; presence is made while it is asked for, as it is long."""
        stays = stays_by_place(self.truth)
        shelves = [Shelves(self.scenario, self.truth, one, self.assets, stays) for one in self.truth.world.buildings]
        streams: list[Iterable[Item]] = [self._sent, *(one.send() for one in shelves)]
        yield from heapq.merge(*streams, key=lambda item: item.at_us)


def build(scenario: EstateScenario) -> Estate:
    """Play a scenario: the same scenario gives the same estate, on every machine."""
    world = build_world(scenario)
    assets = make_assets(scenario, world)
    life = Life(scenario, world, assets)
    settle_in(life)
    life.run()
    truth, acts = life.truth, sorted(life.acts, key=lambda act: (act.at_us, act.subject))
    truth.crossings.sort(key=lambda one: (one.at_us, one.asset))
    plan_outages(scenario, truth)
    sheets = make_sheets(scenario, world, assets)
    permits = permits_of(sheets, acts, scenario.start_us)
    judge(world, permits, truth.crossings)
    rows = Doors(scenario, truth, life.assets, permits).watch()
    sent = [*_movements(scenario, truth, rows), *_words(truth), *acts]
    return Estate(scenario, sheets, life.assets, truth, acts, sorted(sent, key=lambda item: item.at_us))


def _movements(scenario: EstateScenario, truth: Truth, rows: Iterable[Emitted]) -> Iterator[Item]:
    by_gateway: dict[str, list[Emitted]] = {}
    for row in rows:
        by_gateway.setdefault(row.gateway, []).append(row)
    for gateway, site in _gateways(truth):
        yield from Uplink(scenario, truth, gateway, site).send(by_gateway.get(gateway, []))


def _words(truth: Truth) -> Iterator[Item]:
    for gateway, site in _gateways(truth):
        yield from Speech(truth, gateway, site).words()


def _gateways(truth: Truth) -> list[tuple[str, str]]:
    return [(gateway, one.site) for one in truth.world.buildings for gateway in one.gateways]
