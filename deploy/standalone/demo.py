"""`stockgate demo`: simulated readers and sample assets through all programs, with the truth beside the result."""

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.standalone.central_client import CentralClient, Snapshot
from deploy.standalone.checks import check_broker
from deploy.standalone.errors import StandaloneError
from deploy.standalone.interrupts import Interrupted, Interrupts
from deploy.standalone.judge import Expected, World, expect
from deploy.standalone.programs import Program
from deploy.standalone.restarts import how_it_ended
from deploy.standalone.stack import Stack
from deploy.standalone.view import View, make_view
from deploy.standalone.watching import Watch

SCENARIO = "office"
SAMPLE = Path(__file__).with_name("sample")
SETTLE_S = 45.0
# The first walk takes 9 s, and nobody sets out in the last seconds.
SHORTEST_S = 20
# The simulator may start late on a busy machine; beyond this over the asked time it is stuck.
SCENARIO_PATIENCE_S = 120.0
_WATCH_EVERY_S = 0.25
EXIT_INTERRUPTED = 130

EDGE_CONFIG = """site = "hq"
gateway = "hq-east-1"

{readers}
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
layout = "two-sided"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "inside" }},
  {{ reader = "r1", port = 3, side = "outside" }}, {{ reader = "r1", port = 4, side = "outside" }},
]

[[portals]]
id = "main-entrance"
inside = "corridor"
outside = "street"
layout = "two-sided"
antennas = [
  {{ reader = "r2", port = 1, side = "inside" }}, {{ reader = "r2", port = 2, side = "inside" }},
  {{ reader = "r2", port = 3, side = "outside" }}, {{ reader = "r2", port = 4, side = "outside" }},
]

[mqtt]
url = "{mqtt}"

{trust}"""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the simulator says that it did."""

    reads: int
    done: bool
    crossings: list[dict[str, Any]]


class Demo:
    """One run of the demo; `run` returns the exit status."""

    def __init__(self, stack: Stack, view: View, interrupts: Interrupts, seconds: int) -> None:
        self._stack = stack
        self._view = view
        self._interrupts = interrupts
        self._seconds = seconds
        self._truth_file = stack.run_dir / "truth.json"
        self._started_at = time.monotonic()
        self._first_alert_s: float | None = None
        self._last = Snapshot()
        self._most_reads = 0  # an agent that was started again counts from 0
        self.problems: list[str] = []

    def run(self) -> dict[str, Any]:
        """Start everything, watch until the scenario ends, let it settle, and return the figures.

        What kept the figures from being complete stands in `problems` then.
        """
        simulator, edge, api_url = self._start()
        with contextlib.closing(CentralClient(api_url)) as client:
            watch = Watch(self._stack, client, self._view)
            self._watch(watch, simulator)
            if simulator.status() is None and not read_truth(self._truth_file).done:
                self._stack.programs.end(simulator)
            heard = self._settle(watch)
            self._stack.check()
            self._stack.programs.end(edge)
            summary = self._final(watch)
        truth = read_truth(self._truth_file)
        if (
            shortfall := why_short(
                self._last, truth, reads=self._most_reads, heard=heard, broker=self._stack.broker.url
            )
        ) is not None:
            self.problems.append(shortfall)
        return report(self._last, summary, truth)

    def _start(self) -> tuple[Program, Program, str]:
        """Start each part as early as what it needs allows: people walk once the agent is at its readers.

        Before that the registry is in the database, for an authorisation recorded later would be a late one, and the
        gate snapshot is published, for a door without one couldn't decide.
        """
        stack = self._stack
        self._view.say("Starting broker, database, simulated readers, edge agent, central service and console ...")
        stack.tell_space()
        stack.broker.start()
        self._interrupts.pulse()
        simulator, ready_file = stack.start_simulator(SCENARIO, seconds=self._seconds, truth_file=self._truth_file)
        keys = stack.start_keys()
        stack.postgres.start()
        stack.import_registry(SAMPLE)
        trust = stack.trust(keys)
        api = stack.start_central()
        readers = stack.readers(simulator, ready_file)
        with contextlib.closing(CentralClient(api.url)) as client:
            stack.wait_for_gate(client)
        config = stack.run_dir / "edge.toml"
        config.write_text(edge_config(readers, stack.broker.url, trust))
        edge = stack.start_edge(config)
        stack.start_jobs()
        simulator.dispensable = True
        self._view.say(f"Console  {stack.start_console(api)}")
        self._view.say(f"API      {api.url}/api/v1/summary (all of it: /api/v1/openapi.json)")
        return simulator, edge, api.url

    def _watch(self, watch: Watch, simulator: Program) -> None:
        """Show figures until the scenario has ended, somebody asks to stop, or the simulator is gone."""
        deadline = time.monotonic() + self._seconds + SCENARIO_PATIENCE_S
        try:
            while not read_truth(self._truth_file).done:
                self._interrupts.pulse()
                self._show(watch)
                if (status := simulator.status()) and not read_truth(self._truth_file).done:
                    self._lose_simulator(simulator, status)
                    return
                if self._seconds and time.monotonic() > deadline:
                    raise StandaloneError(f"the scenario did not end: see {self._stack.run_dir / 'simulator.log'}")
                time.sleep(_WATCH_EVERY_S)
        except Interrupted:
            self._view.say("Stopping: what is on its way is brought to the database first ...")

    def _lose_simulator(self, simulator: Program, status: int) -> None:
        """Note that the walks have ended early; what they led to so far is still counted."""
        what = "was killed" if status < 0 else f"ended by itself, saying: {simulator.last_words()}"
        self.problems.append(
            f"The simulator {what} ({how_it_ended(status)}): figures end there, its truth a second earlier."
        )
        self._view.say(f"{self.problems[-1]} What is on its way is brought to the database first ...")

    def _settle(self, watch: Watch) -> bool:
        """Wait, within bounds, until the database has all that the edge wrote; tell whether the edge was heard."""
        ended_at, deadline = time.time(), time.monotonic() + SETTLE_S
        while True:
            self._interrupts.pulse()
            snapshot = self._show(watch)
            # Only a report made well after the end counts what the last walk led to.
            health_at = self._last.health_at
            heard = health_at is not None and health_at.timestamp() > ended_at + 3.0
            if (heard and snapshot and snapshot.settled) or time.monotonic() > deadline:
                return heard
            time.sleep(_WATCH_EVERY_S)

    def _final(self, watch: Watch) -> Snapshot:
        """The figures after the edge has stopped; a central service that is starting again is waited for."""
        while (snapshot := watch.look()) is None:
            self._interrupts.pulse()
            time.sleep(_WATCH_EVERY_S)
        return snapshot

    def _show(self, watch: Watch) -> Snapshot | None:
        snapshot = watch.look()
        if snapshot is None:
            return None
        self._last = snapshot
        self._most_reads = max(self._most_reads, snapshot.reads)
        if snapshot.alerts and self._first_alert_s is None:
            self._first_alert_s = time.monotonic() - self._started_at
            self._view.say(f"First alert on screen {self._first_alert_s:.1f} s after the start.")
        return snapshot


def run_demo(*, seconds: int, keep: bool, mqtt: str | None = None, dsn: str | None = None) -> int:
    """Run the demo; the last line on stdout is one JSON object of figures."""
    if mqtt is not None:
        check_broker(mqtt)
    console = Console()
    with Interrupts() as interrupts, contextlib.closing(make_view(console)) as view:
        stack = Stack(pulse=interrupts.pulse, say=view.say, keep=keep, mqtt=mqtt, dsn=dsn)
        demo = Demo(stack, view, interrupts, seconds)
        try:
            figures = demo.run()
        except (Interrupted, StandaloneError) as error:
            if isinstance(error, StandaloneError) and not interrupts.pending:
                stack.keep_if_named(error)
                raise
            view.say("Stopped before there was anything to report.")
            return EXIT_INTERRUPTED
        finally:
            view.close()
            problems = stack.close()
    return _conclude(console, figures, demo.problems + problems, stack.run_dir if keep else None)


def edge_config(readers: dict[str, Any], mqtt: str, trust: str = "") -> str:
    """The agent's configuration for the sample world and these reader addresses."""
    tables = [
        f'[[readers]]\nid = "{name}"\nhost = "{place["host"]}"\nport = {place["port"]}\n'
        for name, place in readers.items()
    ]
    return EDGE_CONFIG.format(readers="\n".join(tables), mqtt=mqtt, trust=trust)


def read_truth(path: Path) -> Truth:
    """Read the simulator's truth file; before it is first written nothing has happened."""
    if not path.exists():
        return Truth(0, done=False, crossings=[])
    found = json.loads(path.read_text())
    return Truth(found["reads"], found["done"], found["crossings"])


def report(last: Snapshot, final: Snapshot, truth: Truth) -> dict[str, Any]:
    """Figures beside the truth's own.

    `last` is the edge's last word while it ran (reads, exits judged, rows written), `final` the database after the edge
    had stopped.
    """
    expected: Expected = expect(World.read(SAMPLE), truth.crossings)
    return {
        "reads": last.reads,
        "movements": final.movements,
        "alerts": final.alerts,
        "unauthorised_exits": final.unauthorised_exits,
        "judged_at_the_door": {"allow": 0, "refuse": 0} | last.judged,
        "events_lost": max(0, last.written - final.committed) + final.gaps,
        "events_duplicated": final.duplicated,
        "counts": final.counts,
        "truth": {
            "reads": truth.reads,
            "movements": expected.movements,
            "alerts": expected.unauthorised_exits,
            "unauthorised_exits": expected.unauthorised_exits,
            "judged_at_the_door": {"allow": expected.authorised_exits, "refuse": expected.unauthorised_exits},
            "events_lost": 0,
            "events_duplicated": 0,
            "counts": expected.counts,
        },
    }


def why_short(last: Snapshot, truth: Truth, *, reads: int, heard: bool, broker: str) -> str | None:
    """Say why the figures are not complete; None when they are."""
    if last.health_at is None:
        return f"The edge agent never reported: nothing came from it through the broker at {broker}."
    if not heard:
        return f"The edge agent has not reported through the broker at {broker} since {last.health_at}."
    if truth.reads and not reads:
        return f"The simulated readers sent {truth.reads} reads; the edge agent reported none (broker {broker})."
    if not last.settled:
        return (
            f"Not everything arrived within {SETTLE_S:.0f} s through the broker at {broker}: the edge wrote "
            f"{last.written} events and waits for {last.pending}, the database has {last.committed}."
        )
    return None


def _conclude(console: Console, figures: dict[str, Any], problems: list[str], kept: Path | None) -> int:
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    if kept:
        console.print(f"Logs and configuration are kept in {kept}", markup=False, highlight=False, soft_wrap=True)
    console.file.flush()
    console.file.write(json.dumps(figures) + "\n")
    console.file.flush()
    return int(bool(problems or figures["events_lost"] or figures["events_duplicated"]))
