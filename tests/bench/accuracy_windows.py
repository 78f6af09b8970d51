"""How right the windows are on real reads of others; on the frozen set of doors: accuracy_passages.py."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from edge.windows import AntennaSettings, PortalSettings, WindowClock, Windows, WindowsSettings
from tests.accuracy.other_rules_page import ECD as RESULTS
from tests.bench.figures import ACCURACY, Figure
from tests.helpers import doorway

ECD = Path(__file__).resolve().parents[3] / "shared" / "data" / "reads" / "ecd"
NAIVE_GAP_US = 300_000


@ACCURACY.register("windows.ecd.", needs=ECD)
def ecd() -> Iterator[Figure]:
    """Passes called against true passes on real reads of one antenna, by file and tag; a gap of 0.3 s beside it."""
    rows = [row for path in sorted(ECD.glob("*.csv")) for row in counted(path)]
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    for row in rows:
        ours, theirs = abs(row["ours"] - row["true"]), abs(row["gap"] - row["true"])
        yield Figure(
            f"windows.ecd.{row['file'].replace('.', '_')}.{row['epc'][:4]}",
            row["ours"],
            "passes",
            "gap of 0.3 s",
            row["gap"],
            None if ours == theirs == 0 else theirs / max(ours, 0.5),
            f"true {row['true']}, in {row['reads']:,} reads; the ratio compares distances from it",
        )


def counted(path: Path) -> Iterator[dict]:
    """Yield what was called of each tag of a file, beside the truth."""
    true = json.loads((ECD / "file_arc_num.json").read_text()).get(path.name, {})
    rows = ecd_rows(path)
    called, naive = passes(rows), naive_passes(rows)
    reads = Counter(epc.hex() for _, epc, *_ in rows)
    for epc in sorted(naive):
        yield {
            "file": path.stem,
            "epc": epc,
            "reads": reads[epc],
            "true": true.get(epc, 0),
            "ours": called[epc],
            "gap": naive[epc],
        }


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
