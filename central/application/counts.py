"""The steps of scheduled counts, and the port to the store of these and of live ones."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from central.application.commit import EARLIEST
from central.application.count_views import (
    DoubtView,
    Observation,
    PlaceRow,
    Plan,
    RunDetail,
    RunView,
    ScheduleView,
    VerifiedView,
    ZoneView,
)
from central.application.errors import NotFound, StepUnfit
from central.application.openings import Opening
from central.application.sighting import Apart, SightingWork, doubt, elsewhere, open_apart, take
from central.domain import counting
from central.domain.counting import Booked, Place
from central.domain.presence.buckets import Bucket, Tally

AHEAD: Final = timedelta(minutes=5)
"""How far the clock of a handheld may be off."""
RADIO: Final = "radio"
"""Who saw what no person did."""


@dataclass(frozen=True, slots=True)
class Running:
    """A count under way, locked."""

    run: int
    state: str
    location: str
    frozen_at: datetime | None


class RunWork(SightingWork, Protocol):
    """One count, locked, inside a transaction."""

    async def running(self) -> Running:
        """Return it as it stands."""

    async def knows(self, person: str) -> bool:
        """Tell whether a person is registered and active."""

    async def start(self, by: str, now: datetime) -> None:
        """Freeze the book of its location and all below it."""

    async def searched(self, location: str, by: str, now: datetime) -> None:
        """Note that somebody has searched all of a place; one that isn't in the count raises `NotFound`."""

    async def keep_apart(self, found: Sequence[Apart]) -> None:
        """Keep what the book had elsewhere than it was seen: who counts isn't told of it before all is handed in."""

    async def apart_so_far(self) -> list[Apart]:
        """Return what was kept, each as it was seen last, by asset."""

    async def add_radio(self) -> None:
        """Write into lines that nobody observed what antennas heard since the start, or may still answer for."""

    async def lines(self) -> list[tuple[Booked, bool]]:
        """Return the lines, each with whether its tag was silent."""

    async def places(self) -> dict[str, Place]:
        """Return how each place was covered since the start."""

    async def submit(
        self,
        buckets: Mapping[str, Bucket],
        results: Mapping[str, tuple[Place, Tally]],
        openings: Sequence[Opening],
        by: str,
        now: datetime,
    ) -> None:
        """Store the results and open the exceptions that follow."""

    async def sign(self, by: str, note: str, now: datetime) -> list[str]:
        """Sign it; the database refuses who may not. What antennas saw becomes verifications.

        Returns the assets that it calls missing, locked; each one's log says so.
        """

    async def cancel(self, by: str, note: str, now: datetime) -> None:
        """Give it up."""


class Counts(Protocol):
    """The store of counts as the API sees it."""

    async def places(self, words: str | None = None, within: str | None = None) -> list[PlaceRow]:
        """Return counters by location, all or one with all below; of all assets or those with words in them."""

    async def version(self) -> str:
        """Return what changes whenever an answer of `places` may."""

    async def doubtful(self, location: str, words: str | None, limit: int) -> list[DoubtView]:
        """Return the assets that are doubted in a location and below."""

    async def plan(self, plan: Plan, now: datetime) -> int:
        """Plan a count; return its id. `StepUnfit` if the same is planned and not as blind as this."""

    async def open_due(self, now: datetime) -> list[int]:
        """Open the counts that schedules have due, each on the first day that its place works; return the ids."""

    async def schedule(self, plan: Plan) -> None:
        """Plan a kind of count again and again, from a day on; an abc_cycle for each of its ranks."""

    async def schedules(self) -> list[ScheduleView]:
        """Return schedules by the day of their next count."""

    async def end_schedule(self, schedule: int, by: str, now: datetime) -> None:
        """End a schedule or raise `NotFound`; what it planned stays."""

    async def intervals(self) -> dict[str, int]:
        """Return how many months lie between counts of each ABC rank."""

    async def set_interval(self, rank: str, months: int, by: str, now: datetime) -> None:
        """Change how often a rank is counted."""

    async def runs(self, state: str | None, limit: int) -> list[RunView]:
        """Return counts, the newest first."""

    async def run(self, run: int) -> RunDetail:
        """Return a count with its lines or raise `NotFound`."""

    def work(self, run: int) -> AbstractAsyncContextManager[RunWork]:
        """Open a transaction on a count, locked."""

    async def verified(self, asset: str, now: datetime) -> VerifiedView:
        """Return an asset's verifications or raise `NotFound`."""

    def sighting(self, how: str) -> AbstractAsyncContextManager[SightingWork]:
        """Open a transaction for what is seen outside a count."""

    async def zones(self) -> list[ZoneView]:
        """Return zones that have a place, and those that wait for one."""

    async def place_zone(self, gateway: str, zone: str, location: str, by: str, now: datetime) -> None:
        """Say where a zone lies; what it told is folded there."""


async def start(counts: Counts, run: int, by: str, now: datetime) -> None:
    """Start a count: the book is frozen as it is now."""
    async with counts.work(run) as work:
        _expect(await work.running(), "planned", "start")
        await _known(work, by)
        await work.start(by, now)


async def observe(counts: Counts, run: int, seen: Sequence[Observation], now: datetime) -> list[str]:
    """Write observations into a count; return the assets. All are written, or none."""
    async with counts.work(run) as work:
        standing = await work.running()
        _expect(standing, "counting", "add observations to")
        for one in seen:
            _check_since(one, standing, now)
        taken = await take(work, seen, now)
        if taken.apart:
            await work.keep_apart(taken.apart)
        return taken.assets


async def search(counts: Counts, run: int, location: str, by: str, now: datetime) -> None:
    """Note that a place was searched: what wasn't seen there is missing."""
    async with counts.work(run) as work:
        _expect(await work.running(), "counting", "search a place of")
        await _known(work, by)
        await work.searched(location, by, now)


async def submit(counts: Counts, run: int, by: str, now: datetime) -> None:
    """Judge a count's lines and places, and open what follows: missing assets, silent tags, variances."""
    async with counts.work(run) as work:
        _expect(await work.running(), "counting", "submit")
        await _known(work, by)
        await work.add_radio()
        lines, places = await work.lines(), await work.places()
        judged = [(line, counting.judge(line, places)) for line, _ in lines]
        results = {at: (one, counting.tally_of(at, one.coverage, judged)) for at, one in places.items()}
        silent = {line.asset for line, is_silent in lines if is_silent}
        openings = [*_line_openings(run, judged, silent, now), *_place_openings(run, results, now)]
        openings += elsewhere(await work.apart_so_far(), (await work.telling.registry()).places)
        await work.submit({line.asset: bucket for line, bucket in judged}, results, openings, by, now)


async def sign(counts: Counts, run: int, by: str, note: str, now: datetime) -> None:
    """Sign a count off as the branch owner; from then on nothing of it changes, and what it misses is in doubt."""
    async with counts.work(run) as work:
        _expect(await work.running(), "submitted", "sign")
        await _known(work, by)
        if missing := await work.sign(by, note, now):
            await doubt(work, missing, now)


async def cancel(counts: Counts, run: int, by: str, note: str, now: datetime) -> None:
    """Give a count up that isn't signed."""
    async with counts.work(run) as work:
        standing = await work.running()
        if standing.state in {"signed", "cancelled"}:
            raise StepUnfit(f"count {run} is {standing.state}: it can't be cancelled, plan another one")
        await _known(work, by)
        if standing.state == "counting" and (apart := await work.apart_so_far()):
            await work.telling.stories.lock([one.asset for one in apart])
            await open_apart(work, apart, now)
        await work.cancel(by, note, now)


async def verify(counts: Counts, seen: Observation, how: str, now: datetime) -> str:
    """Record that somebody saw an asset, outside a count; return which.

    Raises:
        NotFound: the asset isn't known, or where it was seen, or by whom.
        StepUnfit: it is still to be seen, which would hold as verified until then and longer; or before 2020.
    """
    _check_past(seen, now)
    async with counts.sighting(how) as work:
        (asset,), apart = await take(work, [seen], now)
        await open_apart(work, apart, now)
    return asset


def _check_past(seen: Observation, now: datetime) -> None:
    if seen.at > now + AHEAD:
        raise StepUnfit(f"at: {seen.at.isoformat()} is still to come: tell it when somebody has seen it")
    if seen.at < EARLIEST:
        raise StepUnfit(f"at: {seen.at.isoformat()} is before 2020: say when it was seen, or set the handheld's clock")


def _check_since(seen: Observation, count: Running, now: datetime) -> None:
    """See that an observation was made while the count ran, give or take a clock."""
    _check_past(seen, now)
    if count.frozen_at is not None and seen.at < count.frozen_at - AHEAD:
        raise StepUnfit(
            f"at: {seen.at.isoformat()} is before count {count.run} froze its book at {count.frozen_at.isoformat()}: "
            "see it again, or record it as a verification"
        )


async def _known(work: RunWork, person: str) -> None:
    if not await work.knows(person):
        raise NotFound(f"there is no active person {person!r}: import people.csv")


def _expect(running: Running, state: str, what: str) -> None:
    if running.state != state:
        raise StepUnfit(f"count {running.run} is {running.state}: you can only {what} one that is {state}")


def _line_openings(
    run: int, judged: Sequence[tuple[Booked, Bucket]], silent: Collection[str], now: datetime
) -> list[Opening]:
    found = [
        Opening("missing", None, line.asset, line.booked, now, {"count": str(run)})
        for line, bucket in judged
        if bucket == "missing"
    ]
    found += [
        Opening(
            "wrong_location", None, line.asset, line.booked, now, {"count": str(run), "seen_at": line.seen.location}
        )
        for line, bucket in judged
        if bucket == "unexpected" and line.booked is not None and line.seen is not None
    ]
    return found + [
        Opening(
            "tag_damaged", None, line.asset, line.booked, now, {"count": str(run), "tag": "silent where it was seen"}
        )
        for line, _ in judged
        if line.asset in silent
    ]


def _place_openings(run: int, results: Mapping[str, tuple[Place, Tally]], now: datetime) -> list[Opening]:
    return [
        Opening(
            "count_variance",
            None,
            None,
            place,
            now,
            {"count": str(run), "gross": f"{tally.gross:.4f}", "net": f"{tally.net:.4f}"},
        )
        for place, (_, tally) in results.items()
        if tally.gross and tally.net is not None
    ]
