"""The airtime that `survey` reckons, against the reads that simulated walkers get; the command at a simulated door."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.planned import airtime

BIN = Path(sys.executable).parent
FACTOR = 2.0
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
region = "us"
quiet_above = 0
[[readers.references]]
port = 3
epc = "{reference}"
[[portals]]
id = "stockroom-door"
inside = "stockroom"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "inside" }},
  {{ reader = "r1", port = 3, side = "outside" }}, {{ reader = "r1", port = 4, side = "outside" }},
]
[mqtt]
url = "mqtt://127.0.0.1:1"
"""


@pytest.mark.parametrize("name", ["shelf-0", "shelf-50", "shelf-200", "shelf-500"])
def test_estimate_keeps_within_a_factor_of_two_of_what_walkers_get(name):
    """Mean of eight walkers at 1.5 m/s, while all tags answer and by the agent's plan."""
    air, openly, planned = airtime(name, 3)
    for estimate, truth in ((air.open_reads(), openly), (air.reads(), planned)):
        mean = sum(truth) / len(truth)
        assert mean / FACTOR < estimate < mean * FACTOR, f"{estimate:.1f} for {truth}"


@pytest.fixture
def door(tmp_path):
    """Serve shelf-50 for an hour, as by itself it ends a few seconds after its walks; return its configuration."""
    ready = tmp_path / "ready.json"
    words = [BIN / "stockgate-sim", "serve", "shelf-50", "--seconds", "3600", "--base-port", "0", "--ready-file", ready]
    with (tmp_path / "sim.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as simulator:
        while not ready.exists():
            assert simulator.poll() is None
            try:
                simulator.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        port = json.loads(ready.read_text())["readers"]["r1"]["port"]
        config = tmp_path / "edge.toml"
        config.write_text(CONFIG.format(port=port, reference="3034257bf7194e40000000ff"))
        try:
            yield config
        finally:
            simulator.terminate()


def survey(config, *words):
    """Run the command; its exit code and output."""
    done = subprocess.run(
        [BIN / "stockgate-edge", "survey", "--config", config, *words],
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_crowded_portal_is_not_called_fit_and_is_told_what_to_change(door):
    """Fifty tags that all answer; one reference tag isn't there. Without a terminal there are lines, not a picture."""
    code, said, told = survey(door, "--seconds", "16", "stockroom-door")
    assert code == 1, told
    assert " s: inside r1/1 " in said
    assert "airtime: " in said
    assert " reads for a walker at 1.5 m/s, 15 are needed: lower antenna " in said
    assert "wrong: antenna 3 of r1 never heard its reference tag 3034257bf7194e40000000ff" in said
    assert said.endswith("stockroom-door is not fit.\n")
    code, said, _ = survey(door, "--seconds", "12", "--json")
    found = json.loads(said)
    assert (code, found["fit"], found["portal"]) == (1, False, "stockroom-door")
    assert 20 < found["airtime"]["residents"] <= 50
    assert [one["power_cdbm"] for one in found["antennas"]] == [2700] * 4


def test_portal_that_is_not_there_is_named_with_those_that_are(door):
    code, _, told = survey(door, "backdoor")
    assert (code, told) == (2, "portal 'backdoor' is not in the configuration: there are stockroom-door\n")


def test_reader_that_is_not_there_is_told(tmp_path):
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG.format(port=1, reference="00"))
    code, _, told = survey(config)
    assert code == 1
    assert "reader r1 is not in session: " in told
