"""What the edge makes of crossings and visits: passages with early and last words, seen, missed or mistaken."""

from dataclasses import dataclass
from typing import Any, Final

from edge.contracts import AntennaEvidence, Clock, Evidence, GateVerdict, event_id, instant, passage_id
from simulator.estate.dice import Dice
from simulator.estate.exits import Permits, allows
from simulator.estate.model import EstateScenario
from simulator.estate.people import Asset
from simulator.estate.truth import TrueCrossing, TrueVisit, Truth, within
from simulator.estate.values import SECOND
from simulator.estate.world import Opening

SNAPSHOT_AGE_US: Final = 2 * SECOND
"""An approval reaches the doors within this."""
SHIELDED: Final = 0.2
"""Share of its read probability that is left of a tag in foil."""
OTHER: Final = {"in": "out", "out": "in"}


@dataclass(slots=True)
class Emitted:
    """A row that an outbox takes at `at_us`; `source` is what it tells of, if it is the last word."""

    at_us: int
    gateway: str
    values: dict[str, Any]
    source: TrueCrossing | TrueVisit | None = None


class Doors:
    """All portals of the estate."""

    def __init__(self, scenario: EstateScenario, truth: Truth, assets: dict[str, Asset], permits: Permits) -> None:
        self._scenario, self._truth, self._assets, self._permits = scenario, truth, assets, permits
        self._dice = Dice(scenario.seed, "doors")

    def watch(self) -> list[Emitted]:
        """Return the rows of all doors, in the order of emission, and mark in the truth what was told."""
        rows: list[Emitted] = []
        events: list[TrueCrossing | TrueVisit] = [*self._truth.crossings, *self._truth.visits]
        for one in sorted(events, key=lambda event: (event.at_us, event.asset)):
            rows += self._crossing(one) if isinstance(one, TrueCrossing) else self._visit(one)
        rows.sort(key=lambda row: row.at_us)
        return rows

    def _crossing(self, one: TrueCrossing) -> list[Emitted]:
        opening, settings = self._truth.world.openings[one.opening], self._scenario.doors
        luck, called = self._dice.random(), self._dice.random()
        one.watched = opening.kind == "portal" and not self._truth.is_down(opening.id, one.at_us)
        share = opening.read * (SHIELDED if one.shielded else 1.0) * (not self._dead(one.asset, one.at_us))
        if not one.watched or luck >= share:
            return []
        kind = right = opening.way(one.origin)
        if called < settings.wrong_way:
            kind = OTHER[right]
        elif called < settings.wrong_way + settings.misjudged:
            kind = self._dice.choice(["near", "turned_back"])
        elif called < settings.wrong_way + settings.misjudged + settings.unresolved:
            kind = "unresolved"
        one.published = kind
        return self._rows(one, opening, kind, right)

    def _visit(self, one: TrueVisit) -> list[Emitted]:
        opening, settings = self._truth.world.openings[one.portal], self._scenario.doors
        luck, called = self._dice.random(), self._dice.random()
        if self._truth.is_down(opening.id, one.at_us) or luck >= opening.read or self._dead(one.asset, one.at_us):
            return []
        one.published = self._dice.choice(["in", "out"]) if called < settings.phantom else one.kind
        return self._rows(one, opening, one.published, one.kind)

    def _dead(self, asset: str, at_us: int) -> bool:
        return at_us >= self._truth.dead.get(asset, at_us + 1)

    def _rows(self, one: TrueCrossing | TrueVisit, opening: Opening, kind: str, right: str) -> list[Emitted]:
        """Return the early and the last word on a passage."""
        dice, settings = self._dice, self._scenario.doors
        crossed_us = one.at_us + round(dice.gauss(0.0, 0.15) * SECOND)
        started_us = crossed_us - round(dice.uniform(0.5, 2.5) * SECOND)
        ended_us = crossed_us + round(dice.uniform(0.5, 3.0) * SECOND)
        epc = self._assets[one.asset].epc
        one.passage = passage_id(opening.gateway, opening.id, epc, started_us)
        early = self._early(kind, right) if dice.chance(settings.provisional) else None
        group = one.group if isinstance(one, TrueCrossing) else ""
        common = {
            "passage": one.passage, "portal": opening.id, "epc": epc, "started_at": instant(started_us),
            "batch": group if group.startswith("transfer") else None,
            "clock": Clock(source="reader", spread_us=900),
        }  # fmt: skip
        rows = []
        if early is not None:
            values = common | self._word(one, opening, early, (crossed_us, ended_us), sure=early == right)
            values |= {"rev": 1, "final": False, "id": event_id(one.passage, 1)}
            rows.append(Emitted(crossed_us + 300_000, opening.gateway, values))
        rev = len(rows) + 1
        values = common | self._word(one, opening, kind, (crossed_us, ended_us), sure=kind == right)
        values |= {"rev": rev, "final": True, "id": event_id(one.passage, rev)}
        rows.append(Emitted(ended_us + round(dice.uniform(1.0, 4.0) * SECOND), opening.gateway, values, one))
        return rows

    def _early(self, kind: str, right: str) -> str | None:
        """Return what is told early, if anything: unresolved and parked are last words only."""
        contradicted = self._dice.chance(self._scenario.doors.contradicted)
        if contradicted:
            return self._dice.choice(["in", "out"])
        told = right if kind == "unresolved" else kind
        return told if told in OTHER else None

    def _word(
        self, one: TrueCrossing | TrueVisit, opening: Opening, kind: str, times: tuple[int, int], *, sure: bool
    ) -> dict[str, Any]:
        dice, (crossed_us, ended_us) = self._dice, times
        crossed = kind in OTHER
        reads = 4 + round(dice.around(14, 0.5, 200))
        confidence = dice.uniform(0.88, 0.999) if sure else dice.uniform(0.55, 0.97)
        return {
            "kind": kind, "reads": reads, "confidence": round(confidence, 3),
            "at": instant(crossed_us if crossed else ended_us), "crossed_at": instant(crossed_us) if crossed else None,
            "ended_at": instant(ended_us) if not crossed else None,
            "gate": self._gate(one, opening, crossed_us) if kind == "out" else None,
            "evidence": Evidence(antennas=[AntennaEvidence(reader="r1", port=1, reads=reads)], read_rate=float(reads)),
        }  # fmt: skip

    def _gate(self, one: TrueCrossing | TrueVisit, opening: Opening, at_us: int) -> GateVerdict | None:
        """Return what the door's snapshot says: without network it is as old as the last contact."""
        world = self._truth.world
        boundaries = world.left(opening.inside, opening.outside)
        if not boundaries:
            return None
        outage = within(self._truth.offline.get(opening.gateway, ()), at_us)
        known_us = (outage[0] if outage else at_us) - SNAPSHOT_AGE_US
        permits = [
            permit
            for permit in self._permits.get(one.asset, ())
            if permit.holds(at_us) and permit.recorded_us <= known_us
        ]
        return GateVerdict(verdict="allow" if allows(world, boundaries, permits) else "refuse")
