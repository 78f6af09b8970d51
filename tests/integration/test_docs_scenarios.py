"""docs/scenarios.md: its first scenario does what the page promises, its commands run, its other parts are taken."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from simulator.runs.sources import cast
from simulator.scenarios.load import load, parse
from tests.helpers.docs import ROOT

PAGE = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
BIN = Path(sys.executable).parent
PATIENCE_S = 240.0
SHELL = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}


def commands(heading):
    """Command lines of each block under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [block.splitlines() for block in re.findall(r"```\n(.*?)```", section, re.DOTALL)]


@pytest.fixture
def folder(tmp_path):
    """A folder with the page's first scenario."""
    (tmp_path / "first.toml").write_text(BLOCKS[0], "utf-8")
    return tmp_path


def test_first_scenario_does_what_the_page_promises(folder):
    """The table under it is the truth of a run: nothing more, nothing less."""
    told = re.findall(r"^\| (\d+) \| ([\w-]+) \| (\w+) \| (?:([\d.]+) s )?\|$", PAGE, re.MULTILINE)
    scenario = load(str(folder / "first.toml"))
    source = cast(scenario).source
    crossings = source.take_crossings(source.ends_us)
    happened = [
        (
            str(one.epc[-1]),
            one.portal,
            one.kind,
            "" if one.crossed_us is None else f"{one.crossed_us / 1e6:.1f}",
        )
        for one in crossings
    ]
    assert len(told) == 3
    assert sorted(happened) == sorted(told)


def test_commands_run_as_they_stand(folder):
    """Checked, drawn, recorded, replayed and scored, one after the other."""
    lines, _ = commands("Use it")
    assert len(lines) == 5
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, env=SHELL, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    assert (folder / "first.png").stat().st_size > 10_000
    assert len(json.loads((folder / "truth.json").read_text())["crossings"]) == 3
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert {"out", "in"} <= {event["kind"] for event in events}
    assert "first" in done.stdout


def test_it_is_served_as_the_page_says(folder):
    _, (line,) = commands("Use it")
    program, *words = shlex.split(line)
    ready = folder / "ready.json"
    extra = ["--base-port", "0", "--ready-file", str(ready)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([BIN / program, *words, *extra], cwd=folder, stderr=log) as served,
    ):
        deadline = time.monotonic() + PATIENCE_S
        while not ready.exists():
            assert served.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        served.send_signal(signal.SIGTERM)
    assert list(json.loads(ready.read_text())["readers"]) == ["r1"]


def test_all_other_parts_fit_to_the_first_scenario():
    """Each block of the page is added to the first scenario, and the whole is one that runs."""
    first = BLOCKS[0].replace("count = 3", "count = 200")
    assert len(BLOCKS) == 9
    for block in BLOCKS[1:]:
        tomllib.loads(block)
    scenario = parse("\n".join([first, *BLOCKS[1:]]), "docs/scenarios.md")
    source = cast(scenario, seconds=120.0).source
    assert {one.portal for one in source.take_crossings(100_000_000)} >= {"storeroom-door"}
