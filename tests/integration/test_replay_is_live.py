"""What the agent stored while it recorded at a simulated door, and what `replay` makes of that: the same bytes.

The door has two readers and two light beams. One reader sends its reports in late bursts for a while, both lose their
connection and queue meanwhile. Both programs are the real ones; the broker is away, so the outbox keeps all rows.
"""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from edge.contracts import LossRow, MovementRow, SensorRow, decode_row
from edge.outbox import SqliteOutbox
from tests.helpers.brokers import free_port

BIN = Path(sys.executable).parent
WAIT_S = 120.0
LAST = "3034257bf7194e4000000006"
"""The tag of the last walk."""
SCENARIO = """
name = "live"
description = "Walks through a door of two readers and two beams, while the readers' links are bad."
seed = 7

[tags]
epc_prefix = "3034257bf7194e400000"
number_bytes = 2
count = 8
loss_db = 4.0
sensitivity_dbm = -22.0

[[portals]]
id = "door"
layout = "two-readers"
inside = "stockroom"
outside = "corridor"

[[readers]]
id = "r1"
antennas = [
  { port = 1, portal = "door", position = [-0.3, 0.9, 1.4], aim = [-1.0, 0.0, 1.0] },
  { port = 2, portal = "door", position = [-0.3, -0.9, 1.4], aim = [-1.0, 0.0, 1.0] },
]
[[readers]]
id = "r2"
antennas = [
  { port = 1, portal = "door", position = [0.3, 0.9, 1.4], aim = [1.0, 0.0, 1.0] },
  { port = 2, portal = "door", position = [0.3, -0.9, 1.4], aim = [1.0, 0.0, 1.0] },
]

[[sensors]]
id = "beam-inside"
kind = "beam"
portal = "door"
reader = "r1"
gpi = 1
x_m = -0.4
[[sensors]]
id = "beam-outside"
kind = "beam"
portal = "door"
reader = "r2"
gpi = 2
x_m = 0.4

[[routes]]
id = "out"
portal = "door"
points = [[-4.0, 0.0], [4.0, 0.0]]
[[routes]]
id = "turn"
portal = "door"
points = [[-4.0, 0.3], [-0.7, 0.3], [-4.0, 0.0]]

[[walks]]
id = "first"
at_s = 1.0
route = "out"
tags = [1]
speed_mps = 1.3
[[walks]]
id = "group"
at_s = 7.0
route = "out"
reverse = true
tags = [2, 3, 4]
speed_mps = 1.3
[[walks]]
id = "back"
at_s = 13.0
route = "turn"
tags = [5]
speed_mps = 1.3
[[walks]]
id = "last"
at_s = 19.0
route = "out"
tags = [6]
speed_mps = 1.3

[[faults]]
reader = "r1"
at_s = 0.0
switches = { queue_while_away = true }
[[faults]]
reader = "r2"
at_s = 6.0
for_s = 6.5
switches = { burst_s = 3.0 }
[[faults]]
reader = "r1"
at_s = 15.0
actions = { drop = {} }
[[faults]]
reader = "r2"
at_s = 21.5
actions = { close = {} }
"""
CONFIG = """site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {r1}
backoff_max_s = 0.5
gpis = [{{ port = 1, kind = "beam", portal = "door", side = "inside" }}]
[[readers]]
id = "r2"
host = "127.0.0.1"
port = {r2}
backoff_max_s = 0.5
gpis = [{{ port = 2, kind = "beam", portal = "door", side = "outside" }}]
[[portals]]
id = "door"
inside = "stockroom"
outside = "corridor"
layout = "two-readers"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "inside" }},
  {{ reader = "r2", port = 1, side = "outside" }}, {{ reader = "r2", port = 2, side = "outside" }},
]
[mqtt]
url = "mqtt://127.0.0.1:{broker}"
"""


def ended(truth):
    """Wait for the scenario's end."""
    limit = time.monotonic() + WAIT_S
    while not (truth.exists() and json.loads(truth.read_text())["done"]):
        assert time.monotonic() < limit, "the scenario doesn't end"
        time.sleep(0.2)


def over(outbox):
    """Wait for the last walk's visit to end, and for all that is open to be on the disk as ended."""
    limit = time.monotonic() + WAIT_S
    while time.monotonic() < limit:
        with contextlib.closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True, timeout=WAIT_S)) as db:
            rows = [decode_row(payload) for (payload,) in db.execute("SELECT payload FROM outbox_row ORDER BY seq")]
            (still_open,) = db.execute("SELECT count(*) FROM open_passage").fetchone()
        if not still_open and any(isinstance(row, MovementRow) and row.final and row.epc == LAST for row in rows):
            return
        time.sleep(0.2)
    raise AssertionError(f"the last visit doesn't end: {still_open} passages are open")


@contextlib.contextmanager
def running(*command, log):
    """Run a program until the block ends, then end it in order."""
    with log.open("w") as file:
        program = subprocess.Popen([str(one) for one in command], stdout=file, stderr=file)
        try:
            yield program
            program.send_signal(signal.SIGTERM)
            assert program.wait(WAIT_S) == 0, log.read_text()
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()


def lived(tmp_path):
    """Let the agent record at the simulated door; return what its outbox holds."""
    (tmp_path / "live.toml").write_text(SCENARIO)
    ready, truth, config = tmp_path / "ready.json", tmp_path / "truth.json", tmp_path / "edge.toml"
    serve = [BIN / "stockgate-sim", "serve", tmp_path / "live.toml", "--base-port", "0"]
    with running(*serve, "--ready-file", ready, "--truth", truth, log=tmp_path / "sim.log"):
        limit = time.monotonic() + WAIT_S
        while not ready.exists():
            assert time.monotonic() < limit, (tmp_path / "sim.log").read_text()
            time.sleep(0.1)
        ports = {name: place["port"] for name, place in json.loads(ready.read_text())["readers"].items()}
        config.write_text(CONFIG.format(**ports, broker=free_port()))
        run = [BIN / "stockgate-edge", "run", "--config", config, "--data-dir", tmp_path / "data"]
        with running(*run, "--record", tmp_path / "live.pcapng", log=tmp_path / "edge.log"):
            ended(truth)
            over(tmp_path / "data" / "outbox.db")
    outbox = SqliteOutbox(tmp_path / "data" / "outbox.db")
    try:
        return [row.payload for row in outbox.pending("movement", after=0, max_rows=10_000, max_bytes=1 << 30)]
    finally:
        outbox.close()


def replayed(tmp_path, *words):
    """Replay the recording; return its lines."""
    out = tmp_path / "rows.jsonl"
    command = [BIN / "stockgate-edge", "replay", tmp_path / "live.pcapng", "--config", tmp_path / "edge.toml"]
    told = subprocess.run([*command, "--out", out, *words], check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return out.read_bytes().splitlines()


def test_replay_of_a_live_session_gives_the_rows_that_were_stored(tmp_path):
    """Ids, numbers, kinds, times, evidence of provisionals and finals, byte for byte, over bursts, beams and resets."""
    stored = lived(tmp_path)
    rows = [decode_row(payload) for payload in stored]
    assert sum(isinstance(row, LossRow) for row in rows) >= 2
    assert {row.gpi for row in rows if isinstance(row, SensorRow)} == {1, 2}
    moved = [payload for payload, row in zip(stored, rows, strict=True) if isinstance(row, MovementRow)]
    called = [row for row in rows if isinstance(row, MovementRow)]
    assert len({row.epc for row in called if row.final}) >= 5
    assert any(not row.final for row in called)
    assert replayed(tmp_path, "--provisional") == moved
    finals = [payload for payload, row in zip(moved, called, strict=True) if row.final]
    assert replayed(tmp_path) == finals


def test_beams_of_a_recording_that_nobody_took_part_in_are_heard(tmp_path):
    """The simulator's own recording has no notes on clock and inputs: the readers' events tell of the beams."""
    files = ["--record", tmp_path / "live.pcapng", "--config-out", tmp_path / "edge.toml"]
    run = [BIN / "stockgate-sim", "run", "beam-triggered", *files]
    told = subprocess.run(run, check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    rows = [decode_row(line) for line in replayed(tmp_path)]
    assert [row.evidence.beams for row in rows] == ["broken from inside to outside", "broken from outside to inside"]
    assert [row.seq for row in rows] == sorted({row.seq for row in rows})
    assert rows[0].seq > 2
