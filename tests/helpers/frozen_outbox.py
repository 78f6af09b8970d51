"""`python -m tests.helpers.frozen_outbox`: freeze a filled outbox of today's layout, as later versions will find one.

Once a layout has its file it is never made anew: what it holds was written by the code of its time. It has rows of
every kind in both streams, some acknowledged, in order and beyond, a gap row, an open passage and a tag that is held in
a doorway.
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from edge.contracts import Clock, StreamMark, decode_row
from edge.outbox import OpenRecord, SqliteOutbox
from edge.outbox.queries import SCHEMA_VERSION
from edge.windows import HeldTag, OpenPassage, encode_open
from tests.helpers.uplink import NOW_US, movement

TESTS = Path(__file__).resolve().parents[1]
FROZEN = TESTS / "unit" / "edge" / "frozen"


def golden(*names):
    """Rows of every kind, as the contracts' golden files have them."""
    texts = (
        path.read_bytes() for name in names for path in sorted((TESTS / "contract" / "golden").glob(f"{name}.json"))
    )
    return [decode_row(text) for text in texts]


def fill(path):
    """Write what a gateway in the middle of its work has."""
    epochs = iter(["f0f0f0f0-movement", "f0f0f0f0-presence"])
    outbox = SqliteOutbox(path, now_us=lambda: NOW_US, new_epoch=lambda: next(epochs))
    passage = OpenPassage(
        passage="a" * 32, portal="door", epc="3034257bf7194e4000000001", rev=1, started_us=NOW_US - 3_000_000,
        last_us=NOW_US, reads=31, clock=Clock(source="reader"),
    )  # fmt: skip
    held = HeldTag(portal="door", epc="3034257bf7194e4000000002", since_us=NOW_US - 60_000_000, heard_us=NOW_US)
    outbox.append("movement", [movement(n) for n in range(1, 11)])
    outbox.append("movement", golden("row-movement-*", "row-gap", "row-loss*", "row-sensor*"))
    outbox.append("movement", [movement(n, kind="out", final=False) for n in range(11, 21)],
                  opened=[OpenRecord(one.passage, encode_open(one)) for one in (passage, held)])  # fmt: skip
    outbox.append("presence", golden("row-presence") * 3)
    outbox.commit("movement", StreamMark(epoch=outbox.epoch("movement"), upto=6, above=[[8, 8], [14, 15]]))
    outbox.commit("presence", StreamMark(epoch=outbox.epoch("presence"), upto=1))
    outbox.close()


def dump(path):
    """The file as SQL that makes it again, its layout's number included."""
    with closing(sqlite3.connect(path)) as db:
        layout = db.execute("PRAGMA user_version").fetchone()[0]
        return "\n".join([*db.iterdump(), f"PRAGMA user_version = {layout};\n"])


def thaw(text, path):
    """Make the file that was frozen."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(text)


def main():
    """Freeze today's layout, if that wasn't done."""
    out = FROZEN / f"outbox-layout-{SCHEMA_VERSION}.sql"
    if out.exists():
        sys.exit(f"{out} was written by the code of its time: it stays as it is")
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder) / "outbox.db")
        out.write_text(dump(Path(folder) / "outbox.db"))


if __name__ == "__main__":
    main()
