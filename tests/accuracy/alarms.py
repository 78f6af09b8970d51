"""A month of alarms at many portals (Show 2): who walks there, what was alarmed, and what truly happened.

An alarm is the first `out` of a passage, provisional or final, of a tag that isn't on the scenario's list of those that
may leave. On the list are the day's outbound tags, and those of whoever stops in the doorway and then goes out. Not on
it: inbound tags, residents, the tags of all others who stop, and the one a day that is carried out without leave. An
alarm is true if its tag truly went out at that portal then, no alarm said so before, and its final says so too: one
that is taken back counts as false.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge.contracts import MovementRow, instant_us
from simulator.world.values import Crossing
from tests.accuracy.play import EPOCH_US
from tests.accuracy.script import Script
from tests.accuracy.site import Site, one_door
from tests.accuracy.stream import Stream

MONTH: Final = 30
DAYS: Final = int(os.environ.get("ALARM_DAYS", MONTH))
"""Fewer while one is at work on it; the published run has a month."""
SEED: Final = 52_000
PLACES: Final = (
    ("two-sided", "impinj/speedway fcc", 0),
    ("overhead", "impinj/speedway etsi", 5),
    ("corners", "zebra/fx9600 etsi", 10),
    ("two-sided", "impinj/speedway fcc", 20),
    ("one-sided", "impinj/speedway etsi", 40),
    ("two-readers", "impinj/speedway fcc", 5),
    ("two-sided", "impinj/r700 etsi", 20),
    ("overhead", "zebra/fx7500 fcc", 10),
    ("corners", "impinj/speedway fcc", 100),
    ("beam", "zebra/fx9600 fcc", 20),
    ("one-sided", "zebra/fx7500 etsi", 5),
    ("two-readers", "impinj/speedway etsi", 10),
)
"""Layout, readers and residents of each portal, in about the shares of the random doors; all else is drawn."""
PORTALS: Final = len(PLACES)
OUTBOUND, INBOUND = 100, 100
LINGERERS: Final = 20
STOPS_S: Final = (5.0, 60.0)
"""Shortest and longest stop in the doorway; evenly by the logarithm."""
CART_SHARE: Final = 0.5
"""Of the authorised tags, on carts of 4 to 20; the others in hands, one to three at a time."""
BACKGROUND_S: Final = 2 * 86_400 / PORTALS
"""Two days of doorways with nobody's tags in them, in equal parts at each portal."""
BETWEEN_S: Final = 600.0
"""Between two people of the background, on average."""
SAME_US: Final = 2_000_000
FINE_S: Final = 12.0


@dataclass(frozen=True, slots=True)
class Exit:
    """A tag that went out without leave."""

    reads: int
    delay_ms: float | None = None

    @property
    def alarmed(self) -> bool:
        """Whether an alarm said so."""
        return self.delay_ms is not None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm, and why it was raised.

    Attributes:
        role: what its tag was there for.
        truth: what its tag truly did meanwhile.
        reads: of that, 0 where it did nothing.
    """

    true: bool
    role: str
    truth: str
    reads: int
    early: bool
    retracted: bool


@dataclass
class Month:
    """What came of one portal."""

    portal: int
    site: Site
    seconds: float = 0.0
    reads: int = 0
    walks: int = 0
    exits: list[Exit] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def false(self) -> int:
        """False alarms."""
        return sum(not alarm.true for alarm in self.alarms)


@dataclass
class Guard:
    """Listens to rows and keeps the alarms: passages that say `out` of a tag that may not leave."""

    may_leave: frozenset[str]
    raised: dict[str, tuple[int, MovementRow]] = field(default_factory=dict)
    finals: dict[str, str] = field(default_factory=dict)

    def tell(self, at_us: int, row: MovementRow) -> None:
        """Take a row."""
        if row.kind == "out" and row.epc not in self.may_leave:
            self.raised.setdefault(row.passage, (at_us, row))
        if row.final and row.passage in self.raised:
            self.finals[row.passage] = row.kind

    def judged(self, visits: Sequence[Crossing], role: dict[str, str]) -> tuple[list[Exit], list[Alarm]]:
        """Hold the alarms against the truth."""
        exits = {
            (visit.epc.hex(), visit.crossed_us): visit
            for visit in visits
            if visit.kind == "out" and visit.epc.hex() not in self.may_leave
        }
        mine: dict[str, list[Crossing]] = {}
        for visit in visits:
            mine.setdefault(visit.epc.hex(), []).append(visit)
        delays: dict[tuple[str, int | None], float] = {}
        alarms = []
        for passage, (at_us, row) in self.raised.items():
            crossed_us = instant_us(row.crossed_at or row.at) - EPOCH_US
            visit = _nearest(mine.get(row.epc, []), crossed_us)
            key = None if visit is None else (row.epc, visit.crossed_us)
            kept = self.finals.get(passage) == "out"
            true = key in exits and key not in delays
            if true and key is not None and visit is not None:
                delays[key] = (at_us - (visit.crossed_us or 0)) / 1000
            alarms.append(
                Alarm(
                    true and kept,
                    role[row.epc],
                    "none" if visit is None else visit.kind,
                    0 if visit is None else visit.reads,
                    not row.final,
                    not kept,
                )
            )
        return [Exit(visit.reads, delays.get(key)) for key, visit in exits.items()], alarms


def _nearest(visits: list[Crossing], crossed_us: int) -> Crossing | None:
    """Return the visit that an alarm speaks of: the crossing nearest to it, else what went on meanwhile."""
    near = [v for v in visits if v.started_us - SAME_US <= crossed_us <= v.ended_us + SAME_US]
    return min(near, key=lambda v: abs((v.crossed_us or (v.started_us + v.ended_us) // 2) - crossed_us), default=None)


def month(portal: int, days: int = DAYS) -> Month:
    """Play a portal's month, and its part of the background."""
    site = _site(portal)
    rng = np.random.default_rng([SEED, portal, 1])
    busy, thefts = Script(site, rng), []
    for _ in range(days):
        thefts += list(_day(busy))
    return _played(busy, portal, thefts)


def quiet(portal: int, seconds: float = BACKGROUND_S) -> Month:
    """Play a portal's part of the background: residents, people without tags, and tags that pass by."""
    site = _site(portal)
    rng = np.random.default_rng([SEED, portal, 2])
    script = Script(site, rng)
    while script.at_s < seconds:
        _passes_by(script)
        script.at_s += rng.exponential(BETWEEN_S)
    return _played(script, portal, [])


def _site(portal: int) -> Site:
    layout, radio, residents = PLACES[portal]
    return one_door(f"alarms-{portal}", layout=layout, radio=radio, residents=residents)


def _played(script: Script, portal: int, thefts: list[float]) -> Month:
    scenario = script.scenario(f"portal-{portal + 1}")
    guard = Guard(frozenset(scenario.epc(tag).hex() for tag in script.authorised))
    fine_us = [(round(1e6 * at_s), round(1e6 * (at_s + FINE_S))) for at_s in thefts]
    stream = Stream(scenario, SEED + portal, script.site.settings(scenario), guard.tell, fine_us).run()
    role = {scenario.epc(tag).hex(): part for tag, part in script.role.items()}
    exits, alarms = guard.judged(stream.visits, role)
    return Month(portal, script.site, script.at_s, stream.reads, len(scenario.walks), exits, alarms)


def _day(script: Script) -> Iterator[float]:
    """Write a day, one walk after the other in any order; yield when the theft begins."""
    acts = [*_loads(script.rng, OUTBOUND, "outbound"), *_loads(script.rng, INBOUND, "inbound")]
    acts += [("lingerer", 0)] * LINGERERS + [("thief", 0)]
    for place in script.rng.permutation(len(acts)):
        act, count = acts[place]
        if act == "lingerer":
            linger(script)
        elif act == "thief":
            yield script.at_s
            steal(script)
        else:
            script.at_s += carry(script, act, count)


def _loads(rng: np.random.Generator, count: int, act: str) -> list[tuple[str, int]]:
    """Share a day's tags out on carts and hands."""
    loads, on_carts = [], CART_SHARE * count
    while on_carts >= 4:
        size = int(min(rng.integers(4, 21), on_carts))
        loads.append((act, size))
        on_carts, count = on_carts - size, count - size
    while count:
        size = int(min(rng.integers(1, 4), count))
        loads.append((act, size))
        count -= size
    return loads


def carry(script: Script, act: str, count: int) -> float:
    """Let somebody carry tags with leave; return when the next may begin."""
    tags = script.new_tags(count, act, may_leave=act == "outbound")
    how = "cart" if count > 3 else str(script.rng.choice(["hand", "backpack", "face-to-face"], p=[0.7, 0.2, 0.1]))
    speed_mps = float(script.rng.uniform(0.6, 1.4) if how == "cart" else script.rng.uniform(0.7, 2.0))
    lasts_s = script.walk(script.through(outwards=act == "outbound"), tags=tags, carry=how, speed_mps=speed_mps)
    return lasts_s + _pause_s(script.rng)


def steal(script: Script) -> None:
    """One tag goes out without leave: alone, or behind somebody who has leave."""
    rng = script.rng
    later_s = 0.0
    if rng.random() < 0.4:
        speed_mps = float(rng.uniform(0.8, 1.4))
        points = script.through(outwards=True)
        tags = script.new_tags(int(rng.integers(1, 13)), "outbound", may_leave=True)
        script.walk(points, tags=tags, carry="cart" if len(tags) > 3 else "hand", speed_mps=speed_mps)
        later_s = float(rng.uniform(0.7, 2.0)) / speed_mps
    else:
        speed_mps, points = float(rng.uniform(0.8, 2.5)), script.through(outwards=True)
    how = str(rng.choice(["hand", "backpack", "dragged"], p=[0.55, 0.35, 0.1]))
    mine = script.new_tags(1, "thief")
    script.at_s += script.walk(points, tags=mine, carry=how, speed_mps=speed_mps, later_s=later_s)
    script.at_s += later_s + _pause_s(rng)


def linger(script: Script) -> None:
    """Somebody stops in the doorway with tags; one in three has others walk past meanwhile."""
    rng = script.rng
    low, high = np.log(STOPS_S)
    stops_s = float(np.exp(rng.uniform(low, high)))
    what = str(rng.choice(["back-in", "back-out", "on-out", "on-in"], p=[0.4, 0.2, 0.2, 0.2]))
    inside = what in {"back-in", "on-out"}
    x_m = min(abs(float(rng.normal(0, 0.4))) + 0.03, 0.9) * (-1 if inside else 1)
    come, leave = script.through(outwards=inside), script.through(outwards=what.endswith("out"))
    before = come[:1] if inside else come[:-3]
    after = leave[3:] if what.endswith("out") else leave[-1:]
    points = [*before, *script.stand(x_m, stops_s), *after]
    tags = script.new_tags(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])), what, may_leave=what == "on-out")
    lasts_s = script.walk(points, tags=tags, speed_mps=float(rng.uniform(0.8, 1.5)))
    ends_s = script.at_s + lasts_s + _pause_s(rng)
    if rng.random() < 1 / 3:
        script.at_s += 4.0
        while script.at_s + 6.0 < ends_s:
            act = str(rng.choice(["outbound", "inbound"]))
            script.at_s += carry(script, act, int(rng.integers(1, 4)))
    script.at_s = max(script.at_s, ends_s)


def _passes_by(script: Script) -> None:
    """Somebody goes through without tags, or past with some, on either side."""
    rng = script.rng
    what, speed_mps = rng.random(), float(rng.uniform(0.7, 1.6))
    if what < 0.5:
        script.walk(script.through(outwards=bool(rng.random() < 0.5)), speed_mps=speed_mps)
        return
    inside = what < 0.75
    x_m = float(rng.uniform(1.2, 3.0)) * (-1 if inside else 1)
    points = [(x_m, -3.5), (x_m, 3.5)]
    tags = script.new_tags(1, "passing-inside" if inside else "passing-outside")
    script.walk(points if rng.random() < 0.5 else points[::-1], tags=tags, speed_mps=speed_mps)


def _pause_s(rng: np.random.Generator) -> float:
    """Return how long after a walk the next one begins: the empty minutes between them aren't played."""
    return float(rng.uniform(-0.5, 2.0))


def recurrences(days: Sequence[Month]) -> float:
    """Return how often the background that was played recurs in the portals' month: it is said to be like it always."""
    played_s = sum(one.seconds for one in days)
    return len(days) * DAYS * 86_400 / played_s if played_s else 0.0


def causes(months: Sequence[Month]) -> Counter[tuple[str, str, str]]:
    """Count the false alarms by role, truth and whether they were taken back."""
    return Counter(
        (alarm.role, alarm.truth, "retracted" if alarm.retracted else "kept")
        for one in months
        for alarm in one.alarms
        if not alarm.true
    )
