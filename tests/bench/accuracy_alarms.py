"""Alarms over a month at many portals, groups of which only some may leave, doors side by side."""

from collections.abc import Iterator, Sequence

import numpy as np

from tests.accuracy import alarms, groups, two_doors
from tests.accuracy.alarms_page import keep
from tests.accuracy.bounds import poisson_upper, upper_of_sample
from tests.accuracy.spread import spread
from tests.bench.figures import ACCURACY, Figure

LEAST_READS = 5


@ACCURACY.register("alarms.")
def a_month() -> Iterator[Figure]:
    """False alarms a portal-month, thefts alarmed, and how late: one run over all portals."""
    portals = sorted(range(alarms.PORTALS), key=_longest_first)
    months, days = spread(alarms.month, portals), spread(alarms.quiet, portals)
    yield from _kept("alarms", [*_false(months, days), *_thefts(months)], whole=alarms.DAYS == alarms.MONTH)


def _kept(part: str, figures: list[Figure], *, whole: bool) -> list[Figure]:
    """Keep what a whole run came to for the page; one that was cut short is for whoever is at work."""
    if whole:
        keep(part, figures)
    return figures


def _longest_first(portal: int) -> int:
    """Order portals so that no process waits for one that was begun last."""
    return -alarms.PLACES[portal][2]


def _false(months: Sequence[alarms.Month], days: Sequence[alarms.Month]) -> Iterator[Figure]:
    portal_months = len(months) * alarms.DAYS / alarms.MONTH
    walking, quiet = sum(one.false for one in months), sum(one.false for one in days)
    recurs = alarms.recurrences(days)
    false = walking + quiet * recurs
    why = ", ".join(f"{count} {' '.join(cause)}" for cause, count in alarms.causes(months).most_common())
    per_portal = " ".join(str(one.false) for one in sorted(months, key=lambda one: one.portal))
    yield Figure(
        "alarms.false.portal_month",
        false / portal_months,
        "false exit alarms",
        detail=f"95 % upper bound {poisson_upper(round(false)) / portal_months:.2f} if all quiet time is like what was "
        f"played of it, {upper_of_sample(walking, quiet, recurs) / portal_months:.2f} if that is a sample; "
        f"{len(months)} portals, "
        f"{alarms.DAYS} days each, {sum(one.walks for one in months):,} walks; by portal: {per_portal}; "
        f"background of {sum(one.seconds for one in days) / 3600:.0f} h in all, every day anew: {quiet}; {why}",
    )
    raised = [alarm for one in months for alarm in one.alarms]
    yield Figure(
        "alarms.true",
        100 * sum(alarm.true for alarm in raised) / max(len(raised), 1),
        "%",
        detail=f"of {len(raised)} alarms; {sum(alarm.retracted for alarm in raised)} were taken back by their finals",
    )


def _thefts(months: Sequence[alarms.Month]) -> Iterator[Figure]:
    exits = [one for month in months for one in month.exits]
    read = [one for one in exits if one.reads >= LEAST_READS]
    missed = ", ".join(f"{one.reads} reads" for one in read if not one.alarmed) or "none"
    unread = sum(one.reads == 0 for one in exits)
    for name, some, words in (
        ("read", read, f", those with {LEAST_READS} reads or more; missed: {missed}"),
        ("all", exits, f"; {unread} of them were never read"),
    ):
        alarmed = sum(one.alarmed for one in some)
        yield Figure(
            f"alarms.exits.{name}",
            100 * alarmed / max(len(some), 1),
            "%",
            detail=f"{alarmed} of {len(some)} unauthorised exits alarmed{words}",
        )
    delays = [one.delay_ms for one in exits if one.delay_ms is not None]
    median, late = np.percentile(delays, [50, 99]) if delays else (float("nan"), float("nan"))
    yield Figure("alarms.delay_ms", float(median), "ms", detail=f"median from the plane, p99 {late:.0f} ms; arrival of "
                 f"the first alarm in the host, reports of 25 ms; {len(delays)} alarms")  # fmt: skip


@ACCURACY.register("groups.")
def mixed() -> Iterator[Figure]:
    """Groups of which only some may leave: trials in which exactly the right tags were named."""
    trials = [trial for some in spread(groups.door, range(groups.DOORS)) for trial in some]
    yield from _kept("groups", list(_named(trials)), whole=groups.DOORS == groups.ALL_DOORS)


def _named(trials: Sequence[groups.Trial]) -> Iterator[Figure]:
    for kind in groups.KINDS:
        mine = [trial for trial in trials if trial.kind == kind]
        read = [trial for trial in mine if trial.least_reads >= LEAST_READS]
        for name, some in (("read", read), ("all", mine)):
            yield Figure(
                f"groups.{kind}.{name}",
                100 * sum(trial.right for trial in some) / max(len(some), 1),
                "%",
                detail=f"{sum(trial.right for trial in some)} of {len(some)} trials"
                + (f", all wanted tags read {LEAST_READS} times or more" if name == "read" else "")
                + f"; somebody named falsely in {sum(trial.falsely > 0 for trial in some)}, somebody missed in "
                f"{sum(bool(trial.wanted - trial.named) for trial in some)}",
            )


@ACCURACY.register("doors.")
def side_by_side() -> Iterator[Figure]:
    """Two doors 1.5 m apart: crossings booked twice, and at the wrong door."""
    booked = [one for some in spread(two_doors.site, range(two_doors.SITES)) for one in some]
    yield from _kept("doors", list(_bookings(booked)), whole=two_doors.SITES == two_doors.ALL_SITES)


def _bookings(booked: Sequence[two_doors.Booked]) -> Iterator[Figure]:
    for readers, name in ((1, "one-reader"), (2, "two-readers")):
        mine = [one for one in booked if one.readers == readers]
        twice = sum(one.here + one.there > 1 for one in mine)
        wrong = sum(one.there > 0 and not one.here for one in mine)
        rest = (
            f"{sum(one.right for one in mine)} of {len(mine)} crossings right, "
            f"{sum(not one.here and not one.there for one in mine)} at neither door, "
            f"{sum(one.early_there > 0 for one in mine)} with a provisional at the other"
        )
        yield Figure(f"doors.{name}.twice", twice, "crossings", detail=rest)
        yield Figure(f"doors.{name}.wrong_per_1000", 1000 * wrong / len(mine), "", detail=f"{wrong} of {len(mine)}")
