"""The examples of scenarios, recordings, runs and scores in docs/developers.md run as they stand."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.brokers import Nats

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PATIENCE_S = 150.0


def examples(heading):
    """Return the command lines of the first block under a heading."""
    section = (ROOT / "docs" / "developers.md").read_text().split(f"## {heading}\n")[1]
    return re.search(r"```\n(.*?)```", section, re.DOTALL)[1].splitlines()


def shell(lines, folder):
    """Run lines as somebody types them; returns the last one's output."""
    done = None
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def test_examples_of_scenarios_run(tmp_path):
    """The list, a copy, and what is in it."""
    assert shell(examples("Scenarios"), tmp_path).startswith("single-walk: ")


def test_examples_of_a_recording_run(tmp_path):
    """The walk is recorded, replayed and scored."""
    scored = shell(examples("A scenario as a recording"), tmp_path)
    assert re.search(r"single-walk +│ +1 │ +1 │ +100\.0", scored)


@pytest.fixture
def broker(tmp_path):
    """Run a private broker."""
    one = Nats(tmp_path)
    one.start()
    yield one
    one.stop()


def test_examples_of_a_run_to_a_broker_run(tmp_path, broker):
    """The walk reaches the broker, its rows are written, and their score knows the keys of the table."""
    lines = [line.replace("mqtt://127.0.0.1:1883", broker.url) for line in examples("A scenario to your own service")]
    overall = json.loads(shell(lines, tmp_path))["overall"]
    section = (ROOT / "docs" / "developers.md").read_text().split("## Scores\n")[1].split("\n## ")[0]
    told = {
        name
        for row in re.findall(r"^\| (…? ?`.*?) \|", section, re.MULTILINE)
        for name in re.findall(r"`([\w.]+)`", row)
    }
    known = {f"{unit}.{stage}" for unit in ("by_tag", "by_group") for stage in overall[unit]}
    known |= overall["by_tag"]["final"].keys() | {"provisionals", "delay"}
    assert told == known - {"never_read", "unmonitored"}
    assert overall["by_tag"]["final"]["right"] == 1
