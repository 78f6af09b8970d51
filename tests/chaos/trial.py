"""One trial: start everything on loopback, kill -9 at seeded times, let it settle, compare."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.standalone.postgres import EmbeddedPostgres
from deploy.standalone.reaper import Reaper
from tests.chaos.compare import Verdict, compare, database_rows, outbox_pending, outbox_rows
from tests.helpers.brokers import BROKERS

GATEWAY = "chaos-gw"
READY_S = 120.0  # includes the first compilation of numba kernels on a busy machine
SETTLE_S = 120.0
VICTIMS = ("broker", "edge", "central")

SHEETS = {
    "locations.csv": "id,name,kind,parent,guarded\nhall,Hall,zone,,false\nyard,Yard,exterior,,false\n",
    "portals.csv": f"id,name,site,gateway,inside,outside,mode\ncrowd-gate,Gate,hq,{GATEWAY},hall,yard,notify\n",
}
EDGE = """site = "hq"
gateway = "{gateway}"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
[[portals]]
id = "crowd-gate"
inside = "hall"
outside = "yard"
layout = "single"
antennas = [{{ reader = "r1", port = 1 }}]
[mqtt]
url = "{url}"
"""
SCENARIO = """name = "crowd-{rate}"
description = "{rate} passes a second at one antenna; each EPC is new."
quiet_end_s = 2.0
[tags]
epc_prefix = "3034257bf7194e41"
number_bytes = 4
[[portals]]
id = "crowd-gate"
layout = "single"
[[readers]]
id = "r1"
antennas = [{{ port = 1, portal = "crowd-gate", position = [0.0, 0.0, 2.0], aim = [0.0, 0.0, 0.0] }}]
[crowd]
reader = "r1"
portal = "crowd-gate"
passes_per_s = {rate}.0
reads_per_pass = 10
pass_s = 0.5
"""


class TrialError(RuntimeError):
    """The trial could not be held; the message names the program and its last words."""


@dataclass(frozen=True)
class Outcome:
    """What one trial came to."""

    broker: str
    seconds: float
    kills: dict[str, int]
    settled: bool
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Everything written was committed once, and the outbox saw that."""
        return self.verdict.sound and self.settled and self.verdict.written > 0

    def figures(self) -> dict[str, Any]:
        """Return the figures for a table or JSON."""
        return {"broker": self.broker, "seconds": self.seconds, "settled": self.settled, "passed": self.passed} | {
            **asdict(self.verdict),
            "kills": self.kills,
        }


@dataclass
class Child:
    """One of Stockgate's programs, which can be killed and started again."""

    name: str
    command: list[str]
    log: Path
    reaper: Reaper
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it; its log goes on."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name(self.command[0]), *self.command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.reaper.watch_process(self.process.pid)

    def run(self) -> None:
        """Start it and wait for its end."""
        self.start()
        if self.process is not None and self.process.wait(READY_S) != 0:
            raise TrialError(f"{self.name} failed: {self.last_words()}")

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """End it in order, or by force."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def check(self) -> None:
        """Raise where it ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise TrialError(f"{self.name} ended by itself ({self.process.returncode}): {self.last_words()}")

    def last_words(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


class Trial:
    """One broker's trial in a directory of its own.

    Args:
        broker: "nats" or "mosquitto".
        run_dir: where everything goes.
        seed: of the times and victims.
        rate: movement events a second.
    """

    def __init__(self, broker: str, run_dir: Path, *, seed: int, rate: int) -> None:
        self._dir = run_dir
        self._rng = random.Random(seed)
        self._rate = rate
        self._seed = seed
        self._reaper = Reaper()
        self._broker = BROKERS[broker](run_dir)
        self._postgres = EmbeddedPostgres(run_dir / "pg", reaper=self._reaper)
        self._children: dict[str, Child] = {}
        self._kills: Counter[str] = Counter()

    def hold(self, seconds: float) -> Outcome:
        """Hold the trial and return its outcome; everything is stopped at the end."""
        try:
            self._start()
            self._kill_at_random(seconds)
            settled = self._settle()
            rows, quarantined = database_rows(self._dsn)
            verdict = compare(outbox_rows(self._outbox), rows, quarantined)
            kills = {victim: self._kills[victim] for victim in VICTIMS}
            return Outcome(self._broker.name, seconds, kills, settled, verdict)
        finally:
            self._stop()

    @property
    def _outbox(self) -> Path:
        return self._dir / "edge" / "outbox.db"

    @property
    def _dsn(self) -> str:
        return make_conninfo(self._postgres.dsn)

    def _start(self) -> None:
        self._broker.start()
        self._postgres.start()
        self._child("migrate", "stockgate-central", "migrate", "--dsn", self._dsn).run()
        sheets = self._write_all({f"registry/{name}": text for name, text in SHEETS.items()})
        self._child("import", "stockgate-central", "import", "--dsn", self._dsn, *sheets).run()
        self._child(
            "central", "stockgate-central", "run", "--dsn", self._dsn, "--mqtt", self._broker.url,
            "--listen", "127.0.0.1:0", "--data-dir", str(self._dir / "central"),
        ).start()  # fmt: skip
        port = self._start_readers()
        [config] = self._write_all({"edge.toml": EDGE.format(gateway=GATEWAY, port=port, url=self._broker.url)})
        self._child("edge", "stockgate-edge", "run", "--config", config, "--data-dir", str(self._outbox.parent)).start()
        self._wait(lambda: self._committed() > 0, READY_S, "the first event in the database")

    def _start_readers(self) -> int:
        [scenario] = self._write_all({"crowd.toml": SCENARIO.format(rate=self._rate)})
        ready = self._dir / "sim.json"
        self._child(
            "sim", "stockgate-sim", "serve", scenario, "--seed", str(self._seed), "--base-port", "0",
            "--ready-file", str(ready),
        ).start()  # fmt: skip
        self._wait(ready.exists, READY_S, "the simulated reader")
        return int(json.loads(ready.read_text())["readers"]["r1"]["port"])

    def _kill_at_random(self, seconds: float) -> None:
        """Kill each in turn, in a random order and after random times; each at least once."""
        end = time.monotonic() + seconds
        order: list[str] = []
        pause_s = min(4.0, seconds / 4)
        while time.monotonic() < end or len(self._kills) < len(VICTIMS):
            time.sleep(self._rng.uniform(0.3, 1.0) * pause_s)
            self._check()
            order = order or self._rng.sample(VICTIMS, k=len(VICTIMS))
            self._kill(order.pop())

    def _kill(self, victim: str) -> None:
        """Kill -9; what was killed comes back after a moment."""
        one = self._broker if victim == "broker" else self._children[victim]
        one.kill()
        self._kills[victim] += 1
        time.sleep(self._rng.uniform(0.0, 1.0))
        one.start()

    def _settle(self) -> bool:
        """Let the readers end and the outbox empty; tell whether it stayed so to the edge's orderly end."""
        self._children["sim"].stop()
        self._wait(self._quiet, SETTLE_S, "an empty outbox")
        self._children["edge"].stop()
        return outbox_pending(self._outbox) == 0

    def _quiet(self) -> bool:
        """Tell whether nothing was written and nothing is pending for two seconds."""
        before = len(outbox_rows(self._outbox))
        if outbox_pending(self._outbox):
            return False
        time.sleep(2.0)
        return outbox_pending(self._outbox) == 0 and len(outbox_rows(self._outbox)) == before

    def _committed(self) -> int:
        with psycopg.connect(self._dsn) as db:
            row = db.execute("SELECT count(*) FROM movement").fetchone()
        return int(row[0]) if row else 0

    def _child(self, name: str, *command: str) -> Child:
        child = Child(name, list(command), self._dir / f"{name}.log", self._reaper)
        self._children[name] = child
        return child

    def _write_all(self, texts: dict[str, str]) -> list[str]:
        for name, text in texts.items():
            (self._dir / name).parent.mkdir(parents=True, exist_ok=True)
            (self._dir / name).write_text(text)
        return [str(self._dir / name) for name in texts]

    def _check(self) -> None:
        for name in ("sim", "edge", "central"):
            if name in self._children:
                self._children[name].check()

    def _wait(self, true: Callable[[], bool], limit_s: float, what: str) -> None:
        deadline = time.monotonic() + limit_s
        while not true():
            self._check_while_waiting()
            if time.monotonic() > deadline:
                words = {name: child.last_words() for name, child in self._children.items() if child.log.exists()}
                raise TrialError(f"waited {limit_s:.0f} s for {what} in vain: {words}")
            time.sleep(0.1)

    def _check_while_waiting(self) -> None:
        for name in ("edge", "central"):
            if name in self._children:
                self._children[name].check()

    def _stop(self) -> None:
        for child in reversed(self._children.values()):
            child.stop()
        self._broker.stop()
        self._postgres.stop()
        self._reaper.close()
