"""The examples of `probe`, `record` and `replay` in the docs run as they stand, against a simulated reader."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PATIENCE_S = 90.0


def examples(page, heading):
    """Return the command lines of the first block under a heading."""
    section = (ROOT / "docs" / page).read_text().split(f"## {heading}\n")[1]
    return re.search(r"```\n(.*?)```", section, re.DOTALL)[1].splitlines()


@pytest.fixture
def reader(tmp_path):
    """Serve the simulator's crowd; return the reader's address."""
    ready = tmp_path / "ready.json"
    words = [BIN / "stockgate-sim", "serve", "crowd", "--base-port", "0", "--ready-file", ready]
    with (tmp_path / "sim.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as simulator:
        until(ready.exists)
        yield json.loads(ready.read_text())["readers"]["r1"]
        simulator.terminate()


def until(condition):
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def command(line, reader):
    """Return an example's words with the reader's real address."""
    program, *words = shlex.split(line.replace("192.0.2.10", f"{reader['host']}:{reader['port']}"))
    return [BIN / program, *words]


def test_examples_of_probe_run(reader, tmp_path):
    """Every line answers: the crowd's one antenna hears tags, so something is wrong with the other three."""
    lines = examples("facilities.md", "Look at a reader")
    assert len(lines) == 3
    for line in lines:
        line = line.replace("--listen-seconds 5", "--listen-seconds 1")  # noqa: PLW2901 (the test's time)
        done = subprocess.run(
            command(line, reader), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode in {0, 1}, done.stderr
        if "--json" in line:
            found = json.loads(done.stdout)
            assert (found["vendor"], found["problems"]) == ("Impinj", [])
        else:
            assert "Reader at 127.0.0.1" in done.stdout
            assert re.search(r"│ 1 +│ yes .* [1-9]\d* reads of [1-9]\d* tags", done.stdout)


def test_examples_of_record_and_replay_run(reader, tmp_path):
    """The agent records, the recorder records, and what the agent recorded is replayed."""
    config = (ROOT / "docs" / "facilities.md").read_text().split("`edge.toml`:\n```toml\n")[1].split("```")[0]
    config = config.replace("192.0.2.10", reader["host"]).replace(
        "[[portals]]", f"port = {reader['port']}\n[[portals]]"
    )
    (tmp_path / "edge.toml").write_text(config.replace("mqtts://broker.example:8883", "mqtt://127.0.0.1:1"))
    run, record, replay = (command(line, reader) for line in examples("developers.md", "Record and replay"))
    recording = tmp_path / "door.pcapng"
    with (tmp_path / "agent.log").open("wb") as log, subprocess.Popen(run, cwd=tmp_path, stderr=log) as agent:
        until(lambda: recording.exists() and recording.stat().st_size > 200_000)
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(PATIENCE_S) == 0
    done = subprocess.run(record, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"[1-9][\d,]* reads in", done.stderr)
    assert (tmp_path / "reader.pcapng").stat().st_size > 100_000
    done = subprocess.run(replay, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"1 connection, [1-9][\d,]* reads", done.stderr)
