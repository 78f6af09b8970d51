"""One trial: start everything on loopback, do harm at seeded times, let it settle, compare."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.standalone.postgres import EmbeddedPostgres
from deploy.standalone.reaper import Reaper
from tests.chaos.agent_child import Switches
from tests.chaos.child import READY_S, Child, TrialError
from tests.chaos.compare import Verdict, compare, database_rows, outbox_pending, outbox_rows
from tests.chaos.disk import Disk
from tests.chaos.links import LINKS, TROUBLES, Links
from tests.chaos.site import GATEWAY, TrialSite
from tests.helpers.brokers import BROKERS, free_port
from tests.helpers.signal_masks import catches

SETTLE_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """What one trial came to."""

    broker: str
    seconds: float
    faults: dict[str, int]
    disk: str  # what a full disk was: a tmpfs, or a limit on the size of files
    refused: int  # times that the agent told that its outbox can't be written: disk faults that it felt
    renewed: int  # configurations that the agent took while it ran
    judged: dict[str, int]  # verdicts at the door, by word, of movements that the database holds
    settled: bool
    least: int  # events without which it was no trial: something kept the tags from being told
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Everything written was committed once, and the outbox saw that; and it was as much as it had to be."""
        return self.verdict.sound and self.settled and self.verdict.written >= self.least

    def figures(self) -> dict[str, Any]:
        """Return the figures for a table or JSON."""
        return {"broker": self.broker, "seconds": self.seconds, "settled": self.settled, "passed": self.passed} | {
            **asdict(self.verdict),
            "least": self.least,
            "faults": self.faults,
            "disk": self.disk,
            "refused": self.refused,
            "renewed": self.renewed,
            "judged": self.judged,
        }

    def last_line(self) -> str:
        """Say in one line what was done and what came of it."""
        one = self.verdict
        kept = "order per tag kept" if not one.disordered else f"{one.disordered} tags out of order"
        faults, judged = _listed(self.faults), _listed(self.judged)
        return (
            f"soak {self.broker}: {one.lost} lost, {one.duplicated} duplicated, {kept}, {one.differing} differing, "
            f"{one.unknown} unknown, {one.quarantined} quarantined; {sum(self.faults.values())} faults ({faults}); "
            f"{one.written} events, {one.committed} committed in {self.seconds:.0f} s of faults; "
            f"judged at the door: {judged}; configurations taken {self.renewed}; "
            f"the agent's disk refused it {self.refused} times"
        )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


KILLS = tuple(f"kill {victim}" for victim in ("broker", "edge", "central", "sim"))
CUTS = tuple(f"{trouble} {link}" for link in LINKS for trouble in TROUBLES)
MACHINE = ("disk full", "disk read-only", "clock step")
CHANGES = ("configuration reload", "configuration passes")
EVERYTHING = (*KILLS, *CUTS, *MACHINE, *CHANGES)
# A step may not make events so new that the central refuses to believe them (an hour).
STEP_S = 1_800.0
# Share of the crowd's passes that is told however often its reader, or the agent, is away.
LEAST = 0.2
# For how long people go out of the door: longer than any trial.
LONGEST_S = 4 * 3600.0
# A connection that says nothing is given up after 1.5 keepalives (15 s): some troubles last longer than that.
LONG_S = (24.0, 40.0)


class Trial:
    """One broker's trial in a directory of its own.

    Args:
        broker: "nats" or "mosquitto".
        run_dir: where everything goes.
        seed: of the times, of what happens and of the simulated tags.
        rate: movement events a second.
        kinds: the faults; all of them once before any comes again.
        say: told of each fault.
    """

    def __init__(
        self,
        broker: str,
        run_dir: Path,
        *,
        seed: int,
        rate: int,
        kinds: tuple[str, ...] = EVERYTHING,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._dir, self._seed, self._rate, self._kinds, self._say = run_dir, seed, rate, kinds, say
        self._rng = random.Random(seed)
        self._reaper = Reaper()
        self._broker = BROKERS[broker](run_dir)
        self._postgres = EmbeddedPostgres(run_dir / "pg", reaper=self._reaper)
        self._reader_port, self._door_port = free_port(), free_port()
        targets = (self._broker.port, self._broker.port, self._reader_port)
        self._links = Links(dict(zip(LINKS, targets, strict=True)), self._rng)
        self._disk = Disk(run_dir / "edge")
        self._switches, self._switch_file = Switches(), run_dir / "switches.json"
        self._children: dict[str, Child] = {}
        self._faults: Counter[str] = Counter()
        self._site, self._trust = TrialSite(rate, LONGEST_S), ""

    def hold(self, seconds: float) -> Outcome:
        """Hold the trial and return its outcome; everything is stopped at the end."""
        try:
            self._start()
            begun = time.monotonic()
            self._harm(seconds)
            lasted_s = time.monotonic() - begun
            settled = self._settle()
            rows, quarantined = database_rows(self._dsn)
            verdict = compare(outbox_rows(self._outbox), rows, quarantined)
            said = self._children["edge"].log.read_text(errors="replace")
            return Outcome(
                broker=self._broker.name, seconds=lasted_s, faults=dict(self._faults), disk=self._disk.kind,
                refused=said.count("outbox can't be written"), renewed=said.count("configuration is taken"),
                judged=self._judged(), settled=settled, least=round(LEAST * self._rate * lasted_s), verdict=verdict,
            )  # fmt: skip
        finally:
            self._stop()

    @property
    def _outbox(self) -> Path:
        return self._disk.path / "outbox.db"

    @property
    def _dsn(self) -> str:
        return make_conninfo(self._postgres.dsn)

    def _start(self) -> None:
        self._disk.open()
        self._links.start()
        self._broker.start()
        self._postgres.start()
        self._child("migrate", "stockgate-central", "migrate", "--dsn", self._dsn).run()
        registry = self._dir / "registry"
        registry.mkdir()
        self._site.sheets(registry)
        self._import(*sorted(registry.iterdir()))
        data = ("--data-dir", str(self._dir / "central"))
        keys = self._child("keys", "stockgate-central", "keys", "show", *data)
        keys.run()
        self._trust = keys.last_words()
        self._child(
            "central", "stockgate-central", "run", "--dsn", self._dsn, "--mqtt", self._mqtt("central-broker"),
            "--listen", "127.0.0.1:0", "--config", self._write("central.toml", self._site.central()), *data,
        ).start()  # fmt: skip
        self._start_readers()
        self._switches.write(self._switch_file)
        self._configure(0)
        self._child(
            "edge", "python", "-m", "tests.chaos.agent_child", str(self._switch_file),
            "run", "--config", str(self._config), "--data-dir", str(self._disk.path),
        ).start()  # fmt: skip
        self._wait(lambda: self._committed() > 0, READY_S, "the first event in the database")
        self._wait(self._current, READY_S, "the gate snapshot at the door")

    @property
    def _config(self) -> Path:
        return self._dir / "edge.toml"

    def _configure(self, turn: int) -> None:
        """Write the agent's configuration, whole or not at all."""
        text = self._site.config(
            crowd_port=self._links.port("agent-reader"), door_port=self._door_port, url=self._mqtt("agent-broker"),
            trust=self._trust, turn=turn,
        )  # fmt: skip
        beside = self._config.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self._config)

    def _import(self, *sheets: Path) -> None:
        self._child("import", "stockgate-central", "import", "--dsn", self._dsn, *map(str, sheets)).run()

    def _mqtt(self, link: str) -> str:
        return f"mqtt://127.0.0.1:{self._links.port(link)}"

    def _start_readers(self) -> None:
        """Start both simulated readers; the door's is never killed nor cut off, so that somebody always goes out."""
        played = (("sim", self._site.crowd(), self._reader_port), ("door", self._site.door.scenario(), self._door_port))
        for name, text, port in played:
            scenario, ready = self._write(f"{name}.toml", text), self._dir / f"{name}.json"
            self._child(
                name, "stockgate-sim", "serve", scenario, "--seed", str(self._seed),
                "--base-port", str(port), "--ready-file", str(ready),
            ).start()  # fmt: skip
            self._wait(ready.exists, READY_S, f"the simulated reader of {name}")

    def _harm(self, seconds: float) -> None:
        """Do one harm after another, each at least once, in a random order and for random times."""
        end, begun = time.monotonic() + seconds, time.monotonic()
        order: list[str] = []
        pause_s = min(4.0, seconds / 4)
        while time.monotonic() < end or len(self._faults) < len(self._kinds):
            time.sleep(self._rng.uniform(0.2, 1.0) * pause_s)
            self._check()
            order = order or self._rng.sample(self._kinds, k=len(self._kinds))
            kind = order.pop()
            self._say(f"{time.monotonic() - begun:6.1f} s: {kind}")
            self._faults[kind] += 1
            self._one(kind, self._lasts_s(seconds))

    def _lasts_s(self, seconds: float) -> float:
        """Return how long a trouble lasts: mostly seconds, in a long trial sometimes longer than a keepalive."""
        long = seconds > 10 * LONG_S[1] and self._rng.random() < 0.15
        return self._rng.uniform(*LONG_S) if long else self._rng.uniform(1.0, 6.0)

    def _one(self, kind: str, lasts_s: float) -> None:
        what, _, where = kind.partition(" ")
        if what == "kill":
            self._kill(where)
        elif what == "clock":
            # To and fro, so that steps don't add up to a time that nobody believes.
            forward = self._switches.clock_offset_us <= 0
            self._switches.clock_offset_us = round(self._rng.uniform(1.0, STEP_S) * 1e6) * (1 if forward else -1)
            self._switches.write(self._switch_file)
        elif what == "disk":
            self._spoil_disk(where, lasts_s)
        elif what == "configuration":
            self._change(where, self._faults[kind])
        else:
            self._links.begin(where, what)
            time.sleep(lasts_s)
            self._links.end(where, what)

    def _spoil_disk(self, how: str, lasts_s: float) -> None:
        """Let the agent's disk be full or read-only; it isn't killed meanwhile: what it holds is in memory alone."""
        agent = self._children["edge"].process
        if how == "full" and agent is not None:
            self._disk.fill(agent.pid)
            time.sleep(lasts_s)
            self._disk.free(agent.pid)
            return
        self._switches.read_only = True
        self._switches.write(self._switch_file)
        time.sleep(lasts_s)
        self._switches.read_only = False
        self._switches.write(self._switch_file)

    def _change(self, what: str, turn: int) -> None:
        """Let the agent read another configuration while it runs, or change what its door decides by."""
        if what == "reload":
            self._configure(turn)
            if (agent := self._children["edge"].process) is not None:
                self._wait(lambda: catches(agent.pid, signal.SIGHUP), READY_S, "an agent that minds SIGHUP")
                agent.send_signal(signal.SIGHUP)
            return
        sheet = self._dir / "authorisations.csv"
        self._site.passes(sheet, turn)
        self._import(sheet)

    def _kill(self, victim: str) -> None:
        """Kill -9; what was killed comes back after a moment."""
        one = self._broker if victim == "broker" else self._children[victim]
        one.kill()
        time.sleep(self._rng.uniform(0.0, 1.0))
        one.start()

    def _settle(self) -> bool:
        """Let all be well, the readers end and the outbox empty; tell whether it stayed so to the edge's orderly end.

        By then a door has judged somebody, and decides by what the centre sent last.
        """
        self._switches.clock_offset_us = 0
        self._switches.write(self._switch_file)
        self._wait(lambda: sum(self._judged().values()) > 0, SETTLE_S, "somebody judged at the door")
        self._wait(self._current, SETTLE_S, "the newest gate snapshot at the door")
        self._children["sim"].stop()
        self._children["door"].stop()
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

    def _current(self) -> bool:
        """Tell whether the agent holds, by its heartbeat, the snapshot that the centre sent last."""
        with psycopg.connect(self._dsn) as db:
            sent = db.execute("SELECT generation, n FROM gate_generation WHERE gateway = %s", [GATEWAY]).fetchone()
            held = db.execute(
                "SELECT (health -> 'gate' ->> 'generation')::int8, (health -> 'gate' ->> 'n')::int8"
                " FROM gateway_state WHERE gateway = %s",
                [GATEWAY],
            ).fetchone()
        return sent is not None and sent == held

    def _judged(self) -> dict[str, int]:
        with psycopg.connect(self._dsn) as db:
            return dict(
                db.execute("SELECT gate ->> 'verdict', count(*) FROM movement WHERE gate IS NOT NULL GROUP BY 1")
            )

    def _committed(self) -> int:
        with psycopg.connect(self._dsn) as db:
            row = db.execute("SELECT count(*) FROM movement").fetchone()
        return int(row[0]) if row else 0

    def _child(self, name: str, *command: str) -> Child:
        child = Child(name, list(command), self._dir / f"{name}.log", self._reaper)
        self._children[name] = child
        return child

    def _write(self, name: str, text: str) -> str:
        path = self._dir / name
        path.write_text(text)
        return str(path)

    def _check(self) -> None:
        for name in ("sim", "door", "edge", "central"):
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
        self._links.stop()
        self._disk.close()
        self._reaper.close()
