"""A commissioning made up of rows, for pages and tests that must not depend on how passages are decided."""

from edge.commissioning.advice import Lowering, Verdict
from edge.commissioning.course import Course
from edge.commissioning.recipe import recipe
from edge.commissioning.report import AntennaFact, ReaderFact, Report
from edge.contracts import AntennaEvidence, Clock, Evidence, MovementRow, instant

AT = instant(1_700_000_000_000_000)
TAG = "3034257bf7194e4000000001"
LEVELS = (-4350, -4480, -5810, -4410)
PORTS = (1, 2, 3, 4)


def row(kind, *, epc=TAG, confidence=0.99, reads=(9, 11, 8, 13), final=True, portal="stockroom-a-door", peaks=LEVELS):
    """A movement row."""
    antennas = [
        AntennaEvidence(reader="r1", port=port, reads=count, peak_rssi_cdbm=peak)
        for port, count, peak in zip(PORTS, reads, peaks, strict=True)
        if count
    ]
    return MovementRow(
        seq=1, id=f"{'0' * 32}-1", passage="0" * 32, rev=1, final=final, at=AT, portal=portal, epc=epc, kind=kind,
        confidence=confidence, started_at=AT, reads=sum(reads), evidence=Evidence(antennas=antennas),
        clock=Clock(source="reader"),
    )  # fmt: skip


def walked(outcome_of, walks=None):
    """Outcomes of a course; `outcome_of` gives for each walk its rows, `missed` or `skipped`."""
    course = Course("stockroom-a-door", recipe() if walks is None else walks)
    now_s = 0.0
    course.begin(now_s)
    while course.walk is not None:
        given = outcome_of(len(course.outcomes), course.walk)
        if isinstance(given, str):
            (course.missed if given == "missed" else course.skip)(now_s)
            continue
        course.take(given, now_s + 5.0)
        now_s += 12.0
        assert course.settle(now_s) is not None
    return tuple(course.outcomes)


def usual(number, walk):
    """The walks of the sample: a backpack called near on its way in, everything else right, the running left out."""
    if walk.how == "running":
        return "skipped"
    doubt = 0.0004 * (7 * number % 11)
    if walk.how == "backpack":
        if walk.expect == "in":
            return [row("near", confidence=0.81, reads=(2, 0, 3, 1))]
        return [row("out", confidence=0.93, reads=(3, 2, 5, 4))]
    if walk.expect == "none":
        return [row("near", confidence=0.97, reads=(4, 5, 0, 0))]
    if walk.how == "full cart":
        return [row(walk.expect, epc=f"{TAG[:-1]}{n:x}", confidence=0.98 - doubt) for n in range(4, 10)]
    return [row(walk.expect, confidence=0.998 - doubt, reads=(9 + number % 3, 11, 8, 13 - number % 4))]


def sample(**knobs):
    """The report that docs/facilities.md shows."""
    outcomes = walked(usual)
    antennas = tuple(
        AntennaFact(
            reader="r1",
            port=port,
            side="inside" if port < 3 else "outside",
            power_cdbm=2700 if port == 2 else 2850,
            residents=(11, 17, 0, 2)[port - 1],
            doorway_cdbm=level,
            before_cdbm=None,
        )
        for port, level in zip(PORTS, LEVELS, strict=True)
    )
    return Report(
        **{
            "site": "hq", "gateway": "hq-east-1", "portal": "stockroom-a-door", "inside": "stockroom-a",
            "outside": "corridor", "layout": "two-sided", "made_at": "2026-03-02 09:40 UTC", "version": "0.1.0",
            "readers": (
                ReaderFact(
                    id="r1", address="192.0.2.10:5084", model="Speedway R420", firmware="5.14.0.240",
                    serial="001625ffff10a2b3", profile="impinj/speedway", region="us",
                ),
            ),
            "antennas": antennas,
            "airtime": Verdict(
                27, 18, 18, (), 18, 27, "27 resident tags leave 18 reads for a walker at 1.5 m/s, 15 are needed: fit"
            ),
            "outcomes": outcomes,
        }
        | knobs
    )  # fmt: skip


def crowded():
    """An airtime that doesn't suffice."""
    words = (
        "46 resident tags leave 9 reads for a walker at 1.5 m/s, 15 are needed: lower antenna 2 by 3 dB; that leaves "
        "27 residents and 16 reads"
    )
    return Verdict(46, 9, 9, (Lowering("r1", 2, 3),), 16, 27, words)
