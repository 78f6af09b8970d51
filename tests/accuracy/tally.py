"""What became of one door's visits, in values small enough to be handed between processes and added up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge.windows import Windows
from simulator.scenarios.model import Scenario
from simulator.scoring.calls import Call, Published, calls_of
from simulator.scoring.match import Pair, match
from simulator.scoring.units import NEVER, Unit, group_units, said_at, tag_units
from simulator.scoring.visits import CROSSINGS, Visit
from simulator.server.profiles import model_of
from simulator.world.values import Crossing
from tests.accuracy import doors, frozen
from tests.accuracy.commission import walked
from tests.accuracy.heard import NO_READS, reads_by_tag
from tests.accuracy.peers import PEERS
from tests.accuracy.play import Played, play, settings_of
from tests.accuracy.watch import watch

LATE_US: Final = 1_000_000
"""A read up to this long after a visit's end still is one of that visit (simulator.world.tracks)."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How long after a true crossing its provisional arrived; None where there was none in or out."""

    reads: int
    us: int | None


@dataclass(frozen=True, slots=True)
class DoorResult:
    """One door.

    Attributes:
        traits: what it is, by the names that tables are split by.
        seconds: how long people walked.
        tags: one unit a tag's visit, and one a call of nothing.
        groups: one unit a group's visit, and one a batch of calls of nothing.
        peers: what other rules say of each tag's visit.
        delays: one a crossing that was read.
        thin: visits with 1 to 15 reads; `grouped`: with others of their group.
        provisionals, contradicted, retracted: passages that had a provisional, those whose final says otherwise, and
            those of these that were taken back.
        resident_finals, resident_crossings: finals, and passages ever called in or out, of tags that never moved.
        resident_hours: tag-hours of those.
    """

    seed: int
    traits: Mapping[str, str]
    seconds: float
    reads: int
    tags: tuple[Unit, ...]
    groups: tuple[Unit, ...]
    peers: Mapping[str, tuple[Unit, ...]]
    delays: tuple[Delay, ...]
    thin: int = 0
    grouped: int = 0
    provisionals: int = 0
    contradicted: int = 0
    retracted: int = 0
    resident_finals: int = 0
    resident_crossings: int = 0
    resident_hours: float = 0.0


def frozen_door(seed: int) -> DoorResult:
    """Play, watch and score one door of the frozen set."""
    return door_result(frozen.door(seed), seed, frozen.play_seed(seed))


def training_door(seed: int) -> DoorResult:
    """Play, watch and score one training door."""
    return door_result(doors.training(seed), seed, seed)


def door_result(scenario: Scenario, seed: int, play_seed: int) -> DoorResult:
    """Play a door, commissioned or not as its seed says, and score what the windows make of it."""
    levels, fit = walked(scenario, seed)
    told = frozen.is_commissioned(seed)
    settings = settings_of(scenario, levels if told else None)
    played = play(scenario, play_seed, settings=settings)
    windows = Windows(settings, boot="accuracy")
    return scored(seed, traits_of(scenario, is_commissioned=told, is_fit=fit), played, watch(played, windows))


def traits_of(scenario: Scenario, *, is_commissioned: bool, is_fit: bool) -> dict[str, str]:
    """Return what tables are split by."""
    reader = scenario.readers[0]
    hops = model_of(reader.model, reader.region, ports=max(one.port for one in reader.antennas)).hopping
    lying = sum(len(shelf.tags) for shelf in scenario.shelves)
    return {
        "layout": scenario.portals[0].layout,
        "channels": "hopping" if hops else "4 fixed",
        "commissioned": "yes" if is_commissioned else "no",
        "fit": "yes" if is_fit else "no",
        "residents": next(
            name for top, name in ((0, "0"), (20, "5-20"), (100, "50-100"), (500, "200-500")) if lying <= top
        ),
        "model": reader.model,
    }


def scored(seed: int, traits: Mapping[str, str], played: Played, rows: Sequence[Published]) -> DoorResult:
    """Hold what was published against what happened."""
    visits, calls = [visit_of(one) for one in played.visits], calls_of(rows)
    pairs = match(visits, calls)
    residents = {epc.hex() for epc in played.residents}
    of_residents = [call for call in calls if call.epc in residents]
    early = [call for call in calls if call.provisional is not None]
    otherwise = [call for call in early if call.final is not None and call.final.kind != _early_kind(call)]
    read = [visit for visit in visits if visit.reads]
    sizes = Counter((visit.portal, visit.group, visit.kind) for visit in visits)
    return DoorResult(
        seed=seed,
        traits=traits,
        seconds=played.seconds,
        reads=played.reads,
        tags=tuple(tag_units(pairs, "final")),
        groups=tuple(group_units(pairs, "final")),
        peers=peers_of(played, visits),
        delays=tuple(delays_of(pairs)),
        thin=sum(visit.reads <= 15 for visit in read),
        grouped=sum(sizes[visit.portal, visit.group, visit.kind] > 1 for visit in read),
        provisionals=len(early),
        contradicted=len(otherwise),
        retracted=sum(call.final is not None and call.final.kind == "retracted" for call in otherwise),
        resident_finals=sum(call.final is not None for call in of_residents),
        resident_crossings=sum(_ever_crossed(call) for call in of_residents),
        resident_hours=len(residents) * played.seconds / 3600,
    )


def visit_of(one: Crossing) -> Visit:
    """Return a true visit as the score wants it."""
    return Visit(
        epc=one.epc.hex(),
        portal=one.portal,
        kind=one.kind,
        started_us=one.started_us,
        ended_us=one.ended_us,
        crossed_us=one.crossed_us,
        group=one.group,
        reads=one.reads,
        monitored=one.monitored,
    )


def delays_of(pairs: Iterable[Pair]) -> Iterable[Delay]:
    """Yield the delay of each true crossing that was read, or that it had no provisional in or out."""
    for visit, call in pairs:
        if visit is None or visit.crossed_us is None or not visit.reads or not visit.monitored:
            continue
        said = said_at(call, "provisional")
        known = said is not None and said.kind in CROSSINGS
        yield Delay(visit.reads, said.known_us - visit.crossed_us if said is not None and known else None)


def peers_of(played: Played, visits: Sequence[Visit]) -> dict[str, tuple[Unit, ...]]:
    """Return what other rules say of each visit, whose bounds they are told."""
    reads = reads_by_tag(played)
    spans = [(visit.started_us, visit.ended_us + LATE_US) for visit in visits]
    found: dict[str, tuple[Unit, ...]] = {}
    for name, rule in PEERS.items():
        called = [
            rule(reads.get((visit.portal, visit.epc), NO_READS), span)
            for visit, span in zip(visits, spans, strict=True)
        ]
        found[name] = tuple(
            Unit(visit.kind, NEVER if said == "none" else said, visit.reads, visit.monitored)
            for visit, said in zip(visits, called, strict=True)
        )
    return found


def _early_kind(call: Call) -> str | None:
    return None if call.provisional is None else call.provisional.kind


def _ever_crossed(call: Call) -> bool:
    return any(said is not None and said.kind in CROSSINGS for said in (call.provisional, call.final))
