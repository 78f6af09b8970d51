"""`stockgate-sim run`: offline through replay to a score, and live through an agent to a broker."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.helpers.brokers import Nats, free_port

BIN = Path(sys.executable).parent
PATIENCE_S = 150.0
SECONDS = 20


def run(*words, **more):
    """Run a program to its end."""
    return subprocess.run(
        [BIN / words[0], *map(str, words[1:])],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False, **more,
    )  # fmt: skip


@pytest.fixture
def broker(tmp_path):
    """Run a private broker."""
    one = Nats(tmp_path)
    one.start()
    yield one
    one.stop()


def until(condition):
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_recorded_walk_is_replayed_and_scores(tmp_path):
    """Recording, configuration and truth fit together: the one crossing is called right."""
    words = ["--seconds", 20, "--record", "walk.pcapng", "--config-out", "edge.toml", "--truth", "truth.json"]
    done = run("stockgate-sim", "run", "single-walk", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    replayed = run("stockgate-edge", "replay", "walk.pcapng", "--config", "edge.toml", cwd=tmp_path)
    assert replayed.returncode == 0, replayed.stderr
    (tmp_path / "events.jsonl").write_text(replayed.stdout)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert f"{truth['reads']:,} reads, 0 of them at ports" in replayed.stderr
    scored = run("stockgate-sim", "score", "--json", "truth.json", "events.jsonl", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    final = json.loads(scored.stdout)["overall"]["by_tag"]["final"]
    assert (final["visits"], final["right"]) == (1, 1)


def test_a_walk_played_to_a_broker_brings_its_rows_and_leaves_nothing(tmp_path, broker):
    """A provisional and a final, each with its arrival; no process and no folder stays."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = ["--seconds", SECONDS, "--mqtt", broker.url, "--confirm", "--truth", "truth.json", "--events", "e.jsonl"]
    done = run("stockgate-sim", "run", "single-walk", *words, cwd=tmp_path, env=os.environ | {"TMPDIR": str(temporary)})
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert [(row["final"], row["kind"], row["gateway"]) for row in rows] == [
        (False, "out", "sim-1"),
        (True, "out", "sim-1"),
    ]
    scored = run("stockgate-sim", "score", "--json", "truth.json", "e.jsonl", cwd=tmp_path)
    found = json.loads(scored.stdout)["overall"]
    assert found["by_tag"]["final"]["right"] == found["by_tag"]["provisional"]["right"] == 1
    assert 0 < found["delay"]["provisional"]["p50_s"] < found["delay"]["final"]["p50_s"] < 15
    assert list(temporary.iterdir()) == []


def test_a_run_that_is_told_to_stop_ends_its_agents(tmp_path, broker):
    """SIGTERM in the middle: exit 1, the truth so far, no agent, no folder."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = [BIN / "stockgate-sim", "run", "office", "--seconds", "600", "--mqtt", broker.url, "--confirm"]
    words += ["--truth", tmp_path / "truth.json"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=os.environ | {"TMPDIR": str(temporary)})
    try:
        until(lambda: "scenario begins" in (tmp_path / "log").read_text())
        agents = psutil.Process(process.pid).children(recursive=True)
        assert [child.name() for child in agents] == ["stockgate-edge"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 1, (tmp_path / "log").read_text()
    finally:
        process.kill()
    assert "it was stopped before its end" in (tmp_path / "log").read_text()
    assert not any(agent.is_running() for agent in agents)
    assert list(temporary.iterdir()) == []
    assert json.loads((tmp_path / "truth.json").read_text())["done"] is False


@pytest.mark.parametrize("back", [False, True])
def test_a_broker_lost_on_the_way_is_told_and_its_rows_are_counted(tmp_path, broker, back):
    """Not back by the end: exit 1, the unsent rows counted. Back: every row arrives, and the run is whole."""
    log = tmp_path / "log"
    words = [BIN / "stockgate-sim", "run", "single-walk", "--seconds", str(SECONDS), "--mqtt", broker.url, "--confirm"]
    words += ["--events", tmp_path / "e.jsonl"]
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file)
    try:
        until(lambda: "scenario begins" in log.read_text())
        broker.kill()
        until(lambda: "broker lost" in log.read_text())
        if back:
            time.sleep(5)
            broker.start()
        assert process.wait(PATIENCE_S) == (0 if back else 1), log.read_text()
    finally:
        process.kill()
    said = log.read_text()
    rows = [json.loads(line)["seq"] for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert rows == ([1, 2] if back else [])
    assert ("was not back by the end; 2 rows of the agents never arrived" in said) is not back, said
    assert ("broker is back" in said) is back, said


def test_a_run_that_is_killed_takes_its_agents_along(tmp_path, broker):
    """Kill -9: the agents' leash ends them."""
    words = [BIN / "stockgate-sim", "run", "single-walk", "--seconds", "600", "--mqtt", broker.url]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=os.environ | {"TMPDIR": str(tmp_path)})
    until(lambda: "scenario begins" in (tmp_path / "log").read_text())
    agents = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert agents
    until(lambda: not any(agent.is_running() and agent.status() != psutil.STATUS_ZOMBIE for agent in agents))


@pytest.mark.parametrize(
    ("url", "words", "code"),
    [
        ("mqtt://127.0.0.1:{free}", "can't be reached", 1),
        ("http://127.0.0.1", "write mqtt://host:1883", 2),
        ("mqtt://127.0.0.1:99999", "--mqtt", 2),
    ],
)
def test_without_a_broker_the_words_are_clear(tmp_path, url, words, code):
    """The exit code is 1 where none answers and 2 for a wrong address, and no agent was started."""
    url = url.format(free=free_port())
    done = run("stockgate-sim", "run", "single-walk", "--seconds", SECONDS, "--mqtt", url, cwd=tmp_path)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "agent starts" not in done.stderr
