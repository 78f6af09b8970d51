"""How right the windows are: real reads of others, and a door of our own generator that no weight was fitted to."""

import bisect
import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge.contracts import instant_us
from edge.windows import AntennaSettings, PortalSettings, WindowClock, Windows, WindowsSettings
from tests.bench.figures import ACCURACY, Figure
from tests.helpers import doorway

ECD = Path(__file__).resolve().parents[3] / "shared" / "data" / "reads" / "ecd"
NAIVE_GAP_US = 300_000
SEEDS = range(200_000, 200_800)
"""Weights were fitted on seeds under 1,000 (ADR 4)."""
KINDS = ("in", "out", "turned_back", "near", "none")
CROSSINGS = ("in", "out")
SLICE_US = 50_000
"""The agent asks for every read at once; this is slower."""
SCENE_US = 20_000_000


@ACCURACY.register("windows.ecd.")
def ecd() -> Iterator[Figure]:
    """Passes called against true passes on real reads of one antenna; a naive gap of 0.3 s beside it."""
    if not ECD.is_dir():
        print(f"windows.ecd.*: left out, {ECD} is not there")  # noqa: T201 (the program prints its tables)
        return
    truth = json.loads((ECD / "file_arc_num.json").read_text())
    for path in sorted(ECD.glob("*.csv")):
        rows = ecd_rows(path)
        called, naive = passes(rows), naive_passes(rows)
        for epc in sorted(naive):
            true = truth.get(path.name, {}).get(epc, 0)
            ours, theirs = abs(called[epc] - true), abs(naive[epc] - true)
            yield Figure(
                f"windows.ecd.{path.stem.replace('.', '_')}.{epc[:4]}",
                called[epc],
                "passes",
                "gap of 0.3 s",
                naive[epc],
                None if ours == theirs == 0 else theirs / max(ours, 0.5),
                f"true {true}; the ratio compares distances from it",
            )


def ecd_rows(path: Path) -> list[tuple]:
    """Read a recording; its fields carry stray tabs and commas."""
    with path.open(newline="") as file:
        clean = [{key: value.strip(" \t,") for key, value in line.items()} for line in csv.DictReader(file)]
    return [
        (
            round(float(line["time_reader"]) * 1e6),
            bytes.fromhex(line["idHex"]),
            int(line["antenna"]),
            round(float(line["peakRssi"]) * 100),
            round(float(line["phase"]) / 360 * 4096) % 4096,
            round(float(line["channel"]) * 10) % 1000,
        )
        for line in clean
    ]


def passes(rows: list[tuple]) -> Counter:
    """Passes that the layout `single` calls, with the knobs' defaults."""
    portal = PortalSettings("belt", "single", (AntennaSettings("r1", 1),))
    windows = Windows(WindowsSettings(gateway="gw", portals=(portal,)), boot="accuracy")
    out = windows.feed("r1", doorway.batch(rows), arrival_us=None, clock=WindowClock()) + windows.flush()
    return Counter(row.epc for row in out if row.final)


def naive_passes(rows: list[tuple]) -> Counter:
    """Count a pass after each silence."""
    last, count = {}, Counter()
    for at_us, epc, *_ in rows:
        count[epc.hex()] += at_us - last.get(epc, -NAIVE_GAP_US) >= NAIVE_GAP_US
        last[epc] = at_us
    return count


@dataclass
class Tally:
    """What became of the walkers and residents of many scenes."""

    ours: Counter = field(default_factory=Counter)
    naive: Counter = field(default_factory=Counter)
    by_reads: Counter = field(default_factory=Counter)
    delays_ms: list = field(default_factory=list)
    crossings: int = 0
    provisionals: int = 0
    contradicted: int = 0
    residents: int = 0
    resident_finals: int = 0
    resident_alarms: int = 0
    resident_hours: float = 0.0


def first_last(reads: list[tuple]) -> str:
    """Call by the side of the first and of the last read: the rule that is everywhere."""
    if not reads:
        return "none"
    first, last = ((row[2] - 1) // 2 for row in (reads[0], reads[-1]))
    return "turned_back" if first == last else "out" if first == 0 else "in"


def slices(rows: list[tuple]) -> Iterator[tuple[int, list[tuple]]]:
    """Yield (end of a slice, its reads): a reader reports what it has 20 times a second, silence excepted."""
    ends = range(doorway.EPOCH_US + SLICE_US, doorway.EPOCH_US + SCENE_US + 1, SLICE_US)
    begin = 0
    for end in ends:
        stop = bisect.bisect_left(rows, end, lo=begin, key=lambda row: row[0])
        if stop > begin:
            yield end, rows[begin:stop]
        begin = stop


def watch(seed: int, tally: Tally) -> None:
    """Run one scene and enter what was called."""
    scene = doorway.trial(np.random.default_rng(seed))
    walker, rows = scene.movers[0], scene.rows()
    windows, out = Windows(doorway.settings(), boot="accuracy"), []
    for now, chunk in slices(rows):
        out += [(now, row) for row in windows.feed("r1", doorway.batch(chunk), arrival_us=now, clock=WindowClock())]
    out += [(0, row) for row in windows.flush()]
    mine = [(now, row) for now, row in out if bytes.fromhex(row.epc) == walker.epc]
    reads = [row for row in rows if row[1] == walker.epc]
    enter_walker(tally, walker, mine, reads)
    others = [row for _, row in out if bytes.fromhex(row.epc) != walker.epc]
    tally.residents += len(scene.movers) - 1
    tally.resident_hours += (len(scene.movers) - 1) * scene.seconds / 3600
    tally.resident_finals += sum(row.final for row in others)
    tally.resident_alarms += len({row.passage for row in others if row.kind in CROSSINGS})


def enter_walker(tally: Tally, walker: doorway.Mover, mine: list, reads: list[tuple]) -> None:
    """Enter the walker's one visit; the first crossing called counts, else the first final."""
    finals = [row.kind for _, row in mine if row.final]
    called = next((kind for kind in finals if kind in CROSSINGS), finals[0] if finals else "none")
    tally.ours[walker.kind, called] += 1
    tally.naive[walker.kind, first_last(reads)] += 1
    early = [(now, row) for now, row in mine if not row.final]
    tally.provisionals += len(early)
    tally.contradicted += sum(row.kind not in finals for _, row in early)
    if walker.kind not in CROSSINGS:
        return
    tally.crossings += 1
    size = next(name for top, name in ((5, "1-4"), (15, "5-14"), (40, "15-39"), (1 << 30, "40+")) if len(reads) < top)
    tally.by_reads[size if reads else "never read", called == walker.kind] += 1
    crossed_us = doorway.EPOCH_US + walker.crossed_s * 1e6
    tally.delays_ms += [(now - crossed_us) / 1000 for now, row in early if row.kind == walker.kind]
    for _, row in early:
        assert instant_us(row.at) <= doorway.EPOCH_US + 20_000_000


def macro_f1(table: Counter) -> float:
    """Mean F1 over the kinds that walkers had; what was called otherwise counts against each."""
    scores = []
    for kind in KINDS[:4]:
        hit = table[kind, kind]
        called = sum(n for (_, call), n in table.items() if call == kind)
        true = sum(n for (truth, _), n in table.items() if truth == kind)
        scores.append(2 * hit / (called + true) if called + true else 0.0)
    return sum(scores) / len(scores)


def right(table: Counter) -> float:
    """Share of all tags carried through that were called in their direction, the unread ones included."""
    through = sum(n for (truth, _), n in table.items() if truth in CROSSINGS)
    return 100 * sum(table[kind, kind] for kind in CROSSINGS) / through


@ACCURACY.register("windows.")
def door() -> Iterator[Figure]:
    """Walks, turns, passers-by and residents at a door of our own generator; first/last antenna beside it."""
    tally = Tally()
    for seed in SEEDS:
        watch(seed, tally)
    wrong = tally.ours["in", "out"] + tally.ours["out", "in"]
    none = sum(n for (truth, call), n in tally.ours.items() if truth in CROSSINGS and call not in CROSSINGS)
    sizes = ", ".join(
        f"{size} reads {tally.by_reads[size, True]}/{tally.by_reads[size, True] + tally.by_reads[size, False]}"
        for size in ("never read", "1-4", "5-14", "15-39", "40+")
    )
    ours, naive = right(tally.ours), right(tally.naive)
    yield Figure(
        "windows.direction.right",
        ours,
        "%",
        "first/last antenna",
        naive,
        (100 - naive) / max(100 - ours, 0.1),
        f"of {tally.crossings} carried through: {wrong} wrong way, {none} not called; right by reads: {sizes}",
    )
    ours, naive = macro_f1(tally.ours), macro_f1(tally.naive)
    detail = "; ".join(f"{kind}: " + " ".join(f"{call} {n}" for (truth, call), n in sorted(tally.ours.items())
                                              if truth == kind) for kind in KINDS[:4])  # fmt: skip
    yield Figure("windows.kinds.macro_f1", ours, "F1", "first/last antenna", naive, (1 - naive) / (1 - ours), detail)
    false = sum(n for (truth, call), n in tally.ours.items() if truth not in CROSSINGS and call in CROSSINGS)
    peers = sum(n for (truth, call), n in tally.naive.items() if truth not in CROSSINGS and call in CROSSINGS)
    yield Figure("windows.crossing.false", false, "tags", "first/last antenna", peers, peers / max(false, 0.5),
                 "turned back or passed by, and called in or out")  # fmt: skip
    yield Figure("windows.resident.false_events", tally.resident_finals, "finals",
                 detail=f"{tally.residents} tags at rest, {tally.resident_hours:.1f} tag-hours beside walkers; "
                        f"{tally.resident_alarms} of them in or out")  # fmt: skip
    late, latest = np.percentile(tally.delays_ms, [50, 99])
    yield Figure("windows.provisional.delay_ms", late, "ms", detail=f"median in reader time from the plane, grace "
                 f"included; 99th percentile {latest:.0f} ms; {len(tally.delays_ms)} of {tally.crossings} crossings "
                 "have one")  # fmt: skip
    yield Figure("windows.provisional.contradicted", tally.contradicted, "passages",
                 detail=f"of {tally.provisionals} provisionals")  # fmt: skip
