"""An estate played through the central, in order of arrival; what it believes is noted on the way."""

import heapq
import sys
import time
from dataclasses import dataclass, field

import numpy as np

from simulator.estate import Act, Envelope, Word
from simulator.estate.digest import Digest
from simulator.estate.values import DAY, HOUR, MINUTE, SECOND
from tests.accuracy.central.belief import Beliefs
from tests.accuracy.central.plant import instant

WINDOW_US = 40 * SECOND
"""What arrives within this is committed at its end: no event waits longer, and places are asked for after 60 s."""
COUNT_US = 5 * MINUTE
"""So long after a span has ended, its rows being there, its shelves are counted; swept floors are, after midnight."""
PLACES = "SELECT asset, location, certain FROM beliefs(%s) WHERE asset = ANY(%s)"
ALL_PLACES = "SELECT asset, location, certain FROM beliefs(%s)"
DOUBTED = """SELECT asset FROM place_asset JOIN asset_location USING (asset, location) WHERE bucket = 'missing'
UNION SELECT asset FROM exception
WHERE category IN ('missing', 'wrong_location') AND asset IS NOT NULL AND state NOT IN ('closed', 'accepted_risk')
    AND suggestion IS NULL"""
LEGS = """SELECT DISTINCT ON (transfer, asset) transfer, asset, state FROM transit_leg WHERE transfer IS NOT NULL
ORDER BY transfer, asset, number DESC"""
PRESENT = "SELECT asset, location, probability, bucket FROM place_asset WHERE probability IS NOT NULL"


@dataclass
class Hour:
    """One hour's end: who is wrong by asset, for the central and its peers, and who is doubted."""

    at_us: int
    ours: np.ndarray
    last: np.ndarray
    never: np.ndarray
    doubted: np.ndarray


@dataclass
class Record:
    """All that was noted."""

    estate: object
    beliefs: Beliefs
    hours: list[Hour] = field(default_factory=list)
    legs: list[tuple[int, dict]] = field(default_factory=list)
    present: list[tuple[int, list]] = field(default_factory=list)
    rows: int = 0
    commits: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    tables: dict[str, list] = field(default_factory=dict)
    digest: str = ""
    scanned_first: int = 0
    refused: list[str] = field(default_factory=list)
    transfers: dict[str, str] = field(default_factory=dict)
    end_us: int = 0


class Player:
    """Plays one estate."""

    def __init__(self, estate, plant, *, days=None, say=None) -> None:
        self._estate, self._plant, self._say = estate, plant, say or (lambda _: None)
        self._tags = {one.epc: one.id for one in estate.assets.values()}
        self._openings = estate.truth.world.openings
        self.record = Record(estate, Beliefs(estate))
        end = estate.truth.end_us
        self.record.end_us = end if days is None else min(end, estate.truth.start_us + days * DAY)
        self._counts = False
        places = estate.truth.world.places.values()
        self._shelves = {one.id for one in places if one.zone_reader}
        self._listened = self._shelves | {one.id for one in places if one.swept}

    async def play(self):
        """Play all; return the record."""
        truth, record = self._estate.truth, self.record
        digest = Digest(self._estate)
        await self._timed("import", self._plant.register(self._estate.sheets, instant(truth.start_us - HOUR)))
        self._counts = await self._plant.has("place_asset", "exception")
        window, waiting = truth.start_us, []
        hours = ((at, self._hour) for at in range(truth.start_us + HOUR, record.end_us + 1, HOUR))
        step = self._estate.scenario.zones.span_h * HOUR
        counts = ((at + COUNT_US, self._count) for at in range(truth.start_us + step, record.end_us, step))
        items = ((item.at_us, item) for item in self._estate.items())
        for at_us, item in heapq.merge(items, hours, counts, key=lambda pair: pair[0]):
            tick = callable(item)
            if at_us > record.end_us:
                if not tick:
                    digest.feed(item)
                continue
            if at_us >= window + WINDOW_US:
                await self._settle(waiting, window + WINDOW_US)
                waiting, window = [], at_us // WINDOW_US * WINDOW_US
            if tick:
                await self._settle(waiting, at_us)
                waiting = []
                await item(at_us)
            else:
                digest.feed(item)
                waiting.append(item)
        await self._settle(waiting, record.end_us)
        await self._count(record.end_us)
        await self._end()
        record.digest = digest.hex() if record.end_us == truth.end_us else ""
        return record

    async def _settle(self, items, now_us):
        """Give the central what arrived, at the end of a window."""
        if not items:
            return
        now = instant(now_us)
        acts = [one for one in items if isinstance(one, Act)]
        touched = set()
        if acts:
            touched |= await self._timed("acts", self._act(acts, now))
        if words := [one for one in items if isinstance(one, Word)]:
            await self._timed("words", self._plant.hear(words, now))
        if envelopes := [one for one in items if isinstance(one, Envelope)]:
            records = await self._timed("commits", self._plant.take(envelopes, now))
            self.record.commits += 1
            self.record.rows += len(records)
            touched |= {self._tags[one.epc] for one in records if hasattr(one, "epc")}
            self._tell_peer(records)
        if touched:
            rows = await self._timed("looking", self._plant.rows(PLACES, now, sorted(touched)))
            self.record.beliefs.tell(rows, now_us)

    async def _act(self, acts, now):
        permits = [one.detail for one in acts if one.kind == "authorised"]
        if permits:
            await self._plant.register({"authorisations": permits}, now)
        for one in acts:
            if one.kind == "transfer_approved":
                await self._plant.transfer(one, now)
            elif one.kind == "received":
                await self._plant.receive(one, now)
                for asset in one.assets:
                    self.record.beliefs.last_portal(asset, one.at_us, one.location)
        return {asset for one in acts if one.kind != "authorised" for asset in one.assets}

    def _tell_peer(self, records):
        for one in records:
            if getattr(one, "final", False) and one.kind in {"in", "out"}:
                opening = self._openings[one.portal]
                place = opening.inside if one.kind == "in" else opening.outside
                self.record.beliefs.last_portal(self._tags[one.epc], int(one.at.timestamp() * 1e6), place)

    async def _count(self, at_us):
        """Let places be counted, some minutes after a span's end; keep what is told once a day."""
        since_us = at_us - self._estate.truth.start_us
        midnight = since_us % DAY <= COUNT_US
        if self._counts:
            places = self._listened if midnight else self._shelves
            await self._timed("counts", self._plant.count(places, instant(at_us)))
        if midnight:
            await self._timed("looking", self._day(at_us))

    async def _hour(self, at_us):
        record, beliefs = self.record, self.record.beliefs
        whole_day = (at_us - self._estate.truth.start_us) % DAY == 0
        await self._timed("stays", self._plant.measure_stays(instant(at_us), places=whole_day))
        now = instant(at_us + COUNT_US)
        beliefs.tell(await self._timed("looking", self._plant.rows(ALL_PLACES, now)), at_us)
        beliefs.let_pass(at_us)
        doubted = beliefs.unsure.copy()
        if self._counts:
            for (asset,) in await self._timed("looking", self._plant.rows(DOUBTED)):
                doubted[beliefs.index[asset]] = True
        wrong = [theirs != beliefs.true for theirs in (beliefs.ours, beliefs.last, beliefs.never)]
        record.hours.append(Hour(at_us, *wrong, doubted))

    async def _day(self, at_us):
        if await self._plant.has("transit_leg"):
            found = {(transfer, asset): state for transfer, asset, state in await self._plant.rows(LEGS)}
            self.record.legs.append((at_us, found))
        if self._counts:
            self.record.present.append((at_us, await self._plant.rows(PRESENT)))
        spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in sorted(self.record.seconds.items()))
        day = (at_us - self._estate.truth.start_us) // DAY
        self._say(f"day {day}: {self.record.rows} rows in {self.record.commits} commits; {spent}")

    async def _end(self):
        """Keep what the database says at the end."""
        record = self.record
        await self._timed("doors", self._plant.measure_doors(instant(record.end_us)))
        for name, (tables, text) in TABLES.items():
            if await self._plant.has(*tables):
                record.tables[name] = await self._plant.rows(text)
        record.refused, record.scanned_first = self._plant.refused, self._plant.scanned_first
        record.transfers = self._plant.transfer_ids()

    async def _timed(self, name, work):
        begun = time.perf_counter()
        try:
            return await work
        finally:
            self.record.seconds[name] = self.record.seconds.get(name, 0.0) + time.perf_counter() - begun


TABLES = {
    "alerts": (("alert", "alert_asset"), """SELECT replace(m.passage::text, '-', ''), m.asset, a.id, a.kind,
        a.raised_at, m.kind, m.corrected FROM alert_asset AS m JOIN alert AS a ON a.id = m.alert ORDER BY a.id"""),
    "calls": (("exception", "exception_occurrence"), """SELECT e.category, o.asset, o.location, o.recorded_at
        FROM exception_occurrence AS o JOIN exception AS e ON e.id = o.exception
        WHERE o.source = 'counts' ORDER BY o.recorded_at, o.id"""),
    "coverage": (("coverage",), "SELECT location, from_at, to_at, kind FROM coverage"),
    "doors": (("portal_accuracy",), "SELECT portal, miss_rate, miss_rate_low, miss_rate_high FROM portal_accuracy"),
}  # fmt: skip
"""Name to the tables that must be there, and what is asked of them."""


def to_stderr(text):
    """Say how far it is."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
