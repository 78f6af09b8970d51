"""`commission` leads through walks at a simulated door, writes what it found, and confirms the door after a swap."""

import json
import subprocess
import tomllib
from contextlib import contextmanager
from importlib import resources

from tests.integration.test_survey import BIN

HEAD = resources.files("simulator.scenarios").joinpath("commissioning.toml").read_text("utf-8").split("[[walks]]")[0]
CONFIG = """
site = "hq"                       # our first site
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
region = "us"
[[portals]]
id = "stockroom-door"
inside = "stockroom"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }},   # left
  {{ reader = "r1", port = 2, side = "inside" }}, {{ reader = "r1", port = 3, side = "outside" }},
  {{ reader = "r1", port = 4, side = "outside" }},
]
[mqtt]
url = "mqtt://127.0.0.1:1"
"""
SIDES = ((1, "inside"), (2, "inside"), (3, "outside"), (4, "outside"))
PLAN = """
[[walks]]
how = "plain"
expect = "out"
[[walks]]
how = "plain"
expect = "in"
[[walks]]
how = "passing by outside"
expect = "none"
[[walks]]
how = "full cart"
expect = "out"
"""
WALK = """
[[walks]]
at_s = {at_s}
route = "{route}"
reverse = {reverse}
tags = [1]
speed_mps = 1.5
"""
PATIENCE_S = 150


@contextmanager
def door(folder, walks):
    """Serve the commissioning's door with other walks; yield the reader's port."""
    folder.mkdir(exist_ok=True)
    scenario, ready = folder / "door.toml", folder / "ready.json"
    scenario.write_text(HEAD + "".join(WALK.format(at_s=at, route=route, reverse=way) for at, route, way in walks))
    words = [BIN / "stockgate-sim", "serve", scenario, "--base-port", "0", "--ready-file", ready]
    with (folder / "sim.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as simulator:
        while not ready.exists():
            assert simulator.poll() is None, (folder / "sim.log").read_text()
            try:
                simulator.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        try:
            yield json.loads(ready.read_text())["readers"]["r1"]["port"]
        finally:
            simulator.terminate()


def commission(*words):
    """Run the command; its exit code, output and errors."""
    done = subprocess.run(
        [BIN / "stockgate-edge", "commission", *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_walks_are_led_through_and_written_down_and_a_swap_is_confirmed(tmp_path):
    """Out, in and past are called, the cart never comes: no certificate. Then one walk confirms what was written."""
    config, plan, page = tmp_path / "edge.toml", tmp_path / "plan.toml", tmp_path / "door.html"
    plan.write_text(PLAN)
    walks = [(14.0, "through", "false"), (31.0, "through", "true"), (48.0, "past-outside", "false")]
    with door(tmp_path / "first", walks) as port:
        config.write_text(CONFIG.format(port=port))
        code, said, told = commission(
            "stockroom-door", "--config", config, "--plan", plan, "--certificate", page, "--yes",
            "--survey-seconds", "10", "--wait-seconds", "18",
        )  # fmt: skip
    assert code == 1, said + told
    assert " reads for a walker at 1.5 m/s, 15 are needed: fit" in said
    assert "walk 1 of 4, plain: " in said
    assert "   right: out; confidence " in said
    assert "   MISSED: nothing was called, expected out" in said
    assert "*** stockroom-door is not certified ***" in said
    assert (
        "\n- 2 of 3 walks through the door got 15 reads and 4 on each side: at least 10 walks prove a doorway" in said
    )
    assert "\n- walk 4, full cart (out): 0 reads, 15 are needed; inside 0, 4 are needed; outside 0, 4 are" in said
    assert "plain walks: in 1 of 1, out 1 of 1: proves nothing;" in said
    assert "full cart</td><td>out</td><td>-</td>" in page.read_text("utf-8")
    written = (tmp_path / "edge.commissioned.toml").read_text("utf-8")
    assert written.startswith(config.read_text().split("antennas")[0])
    assert "},   # left" in written
    (portal,) = tomllib.loads(written)["portals"]
    levels = [one.get("doorway_cdbm") for one in portal["antennas"]]
    assert sum(level is not None for level in levels) >= 3
    assert all(-7500 < level < -2500 for level in levels if level is not None)
    assert config.read_text() == CONFIG.format(port=port)
    confirm(tmp_path, written)


def confirm(folder, written):
    """A walk at the door as it was confirms it, and nothing is written."""
    with door(folder / "second", [(4.0, "through", "false")]) as port:
        spare = folder / "spare.toml"
        text = written.replace(f"port = {tomllib.loads(written)['readers'][0]['port']}", f"port = {port}")
        spare.write_text(text)
        code, said, told = commission("stockroom-door", "--config", spare, "--confirm", "--wait-seconds", "20")
    assert "One walk after a reader was swapped" in said, told
    assert "walk 1 of 1, plain: " in said
    assert (code == 0) == ("stockroom-door is confirmed" in said)
    assert spare.read_text() == text
    assert not (folder / "spare.commissioned.toml").exists()


def refused(folder, *words, config=None):
    """The command's complaint about its arguments."""
    path = folder / "edge.toml"
    path.write_text(config or CONFIG.format(port=1))
    code, said, told = commission("stockroom-door", "--config", path, *words)
    assert (code, said) == (2, "")
    return told


def test_what_could_not_be_written_is_refused_before_anybody_walks(tmp_path):
    there = tmp_path / "there.toml"
    there.write_text("kept")
    assert "there.toml: exists already: name another file with --out" in refused(tmp_path, "--out", there)
    assert there.read_text() == "kept"
    assert "door.doc: a certificate ends in .html, .pdf, .txt" in refused(tmp_path, "--certificate", "door.doc")
    assert "nothing can be written in its folder" in refused(tmp_path, "--out", tmp_path / "no" / "where.toml")
    assert "nowhere.toml: is no plan of walks" in refused(tmp_path, "--plan", tmp_path / "nowhere.toml")


def test_configuration_that_could_not_be_written_is_refused_before_anybody_walks(tmp_path):
    whole = CONFIG.format(port=1)
    inner = whole.split("[[portals]]")[1].split("[mqtt]")[0].replace("\n", "", 1)
    antennas = ", ".join(f'{{ reader = "r1", port = {port}, side = "{side}" }}' for port, side in SIDES)
    keys = 'id = "stockroom-door", inside = "stockroom", outside = "corridor"'
    one_line = f"portals = [{{ {keys}, antennas = [{antennas}] }}]\n"
    told = refused(tmp_path, config=one_line + whole.replace(f"[[portals]]\n{inner}", ""))
    assert "can't be edited without touching the rest" in told
    path = tmp_path / "edge.toml"
    path.write_bytes(whole.replace("our first", "übersee").encode("latin-1"))
    code, _, told = commission("stockroom-door", "--config", path)
    assert (code, "is not UTF-8" in told) == (2, True)


def test_portal_that_can_tell_no_way_is_not_commissioned(tmp_path):
    single = CONFIG.format(port=1).split("antennas")[0] + (
        'layout = "single"\nantennas = [{ reader = "r1", port = 1 }]\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n'
    )
    assert "`single` and can't tell a way: `survey` it instead" in refused(tmp_path, config=single)


def test_reader_that_is_not_there_is_told(tmp_path):
    path = tmp_path / "edge.toml"
    path.write_text(CONFIG.format(port=1))
    code, _, told = commission("stockroom-door", "--config", path, "--survey-seconds", "0")
    assert code == 1
    assert "reader r1 is not in session: " in told
