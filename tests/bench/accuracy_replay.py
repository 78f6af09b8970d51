"""Recorded reads over the whole way, simulator to central: every read and every pass counted."""

import csv
import json
import time
from pathlib import Path

import httpx
import psycopg

from deploy.standalone.stack import Stack
from tests.bench.figures import ACCURACY, Figure

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "reads" / "ecd"
SPEED = 20
SETTLE_S = 60.0
LOCATIONS = "id,name,kind,parent,guarded\nshelf,Shelf,zone,,false\nhall,Hall,zone,,false\n"
PORTALS = "id,name,site,gateway,inside,outside,mode\nbelt,Belt,lab,lab-1,shelf,hall,notify\n"
EDGE = """site = "lab"
gateway = "lab-1"
[[readers]]
id = "r1"
host = "{host}"
port = {port}
[[portals]]
id = "belt"
inside = "shelf"
outside = "hall"
layout = "single"
antennas = [{{ reader = "r1", port = 1 }}]
[mqtt]
url = "{mqtt}"
"""


@ACCURACY.register("replay.ecd.", needs=RECORDINGS)
def recorded_passes():
    """Yield reads arrived and passes called for the recording of 55 passes and the one where nothing passes."""
    passes = json.loads((RECORDINGS / "file_arc_num.json").read_text())
    for name in ("dynamic", "static"):
        recorded = count_reads(RECORDINGS / f"{name}.csv")
        true = sum(passes.get(f"{name}.csv", {}).values())
        arrived, near, others = replay(RECORDINGS / f"{name}.csv")
        yield Figure(f"replay.ecd.{name}.reads", arrived, "reads", "recorded", recorded, arrived / recorded,
                     "counted by the agent after LLRP; 1.00 is every read once")  # fmt: skip
        yield Figure(f"replay.ecd.{name}.near", near, "passes", "truth", true, None,
                     f"in the database, kind near; {others} of another kind")  # fmt: skip


def count_reads(recording: Path) -> int:
    """Count the reads that a recording states."""
    with recording.open(newline="") as file:
        return sum(int(row["reads"].strip(" ,") or 1) for row in csv.DictReader(file))


def replay(recording: Path) -> tuple[int, int, int]:
    """Return reads that the agent counted, final passages of kind near and of other kinds in the database."""
    with Stack(pulse=lambda: None) as stack:
        sheets = stack.run_dir / "sheets"
        sheets.mkdir()
        (sheets / "locations.csv").write_text(LOCATIONS)
        (sheets / "portals.csv").write_text(PORTALS)
        stack.broker.start()
        stack.postgres.start()
        stack.import_registry(sheets)
        api = stack.start_central()
        truth, ready = stack.run_dir / "truth.json", stack.run_dir / "replay.ready"
        command = ["stockgate-sim", "replay", str(recording), "--speed", str(SPEED), "--port", "0"]
        simulator = stack.programs.start("replay", [*command, "--ready-file", str(ready), "--truth", str(truth)])
        place = stack.readers(simulator, ready)["r1"]
        config = stack.run_dir / "edge.toml"
        config.write_text(EDGE.format(mqtt=stack.broker.url, **place))
        stack.start_edge(config)
        reads = settle(stack, api.url, truth)
        return reads, *kinds(stack.postgres.dsn)


def settle(stack: Stack, api: str, truth: Path) -> int:
    """Wait until the replay has ended and the database has all that the agent wrote; return the reads it counted."""
    ended_at = None
    while True:
        stack.check()
        if ended_at is None and truth.exists() and json.loads(truth.read_text())["done"]:
            ended_at = time.monotonic()
        gateways = httpx.get(f"{api}/api/v1/gateways").raise_for_status().json()["gateways"]
        health = next((one["health"] for one in gateways if one["health"]), None)
        waited_s = 0.0 if ended_at is None else time.monotonic() - ended_at
        if health and waited_s > 6.0 and all(stream["pending"] == 0 for stream in health["streams"]):
            return sum(reader["reads"] for reader in health["readers"])
        if waited_s > SETTLE_S:
            raise TimeoutError(f"not settled {SETTLE_S:.0f} s after the replay: {health}")
        time.sleep(0.5)


def kinds(dsn: str) -> tuple[int, int]:
    """Count final passages of kind near and of other kinds."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT count(*) FILTER (WHERE kind = 'near'), count(*) FILTER (WHERE kind <> 'near') "
            "FROM passage WHERE final"
        ).fetchone()
    return found[0], found[1]
