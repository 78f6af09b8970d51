"""Runs: what the virtual client says, what a recording holds, what an agent is told, and the commands' words."""

import hashlib
import json
import resource
import signal
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from edge.config import parse
from edge.llrp.capture import CaptureReader, ReaderStreams, Reassembler, dissect, notes_in
from simulator.cli import app
from simulator.runs.link import REPORT_US, parts
from simulator.runs.offline import OfflineRun
from simulator.runs.places import Place, edge_config, gateways_in_use, side_of
from simulator.scenarios.load import builtin_names, load
from simulator.scenarios.load import parse as parse_scenario

PLACES = {f"r{n}": Place("127.0.0.1", 5083 + n) for n in range(1, 65)}
SMALL = """
name = "small"
seconds = 20.0
[tags]
epc_prefix = "3034257bf7194e4000000a"
count = 2
[[readers]]
id = "r1"
antennas = [
  { port = 1, portal = "door", position = [-0.15, 0.9, 1.5], aim = [-1.3, 0.0, 1.0] },
  { port = 2, portal = "door", position = [-0.15, -0.9, 1.5], aim = [-1.3, 0.0, 1.0] },
  { port = 3, portal = "door", position = [0.15, 0.9, 1.5], aim = [1.3, 0.0, 1.0] },
  { port = 4, portal = "door", position = [0.15, -0.9, 1.5], aim = [1.3, 0.0, 1.0] },
]
[[portals]]
id = "door"
inside = "room"
outside = "hall"
[[routes]]
id = "out"
portal = "door"
points = [[-4.0, 0.0], [4.0, 0.0]]
[[walks]]
at_s = 1.0
route = "out"
tags = [1, 2]
"""


@pytest.fixture
def scenario(tmp_path):
    """Write a small scenario; return how to write another, with more TOML."""

    def write(more=""):
        path = tmp_path / "small.toml"
        path.write_text(SMALL + more)
        return str(path)

    return write


def play(name, path, *words):
    """Record a scenario; return how it went."""
    return invoke("run", name, "--seconds", 20, "--record", path, *words)


def invoke(*words):
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("command", ["serve", "run"])
def test_the_help_says_which_walks_a_shortened_run_leaves_out(command):
    """Else who compares a short run with a long one takes the difference for chance."""
    options = {option.name: option for option in get_command(app).commands[command].params}
    assert "walks that wouldn't end before" in options["seconds"].help
    assert "beginning of a longer one only up to where the first such walk would start" in options["seconds"].help


def connections(capture):
    """Return a capture's connections: the reader's bytes, the notes, arrivals."""
    reader, joined, streams = CaptureReader(), Reassembler(), ReaderStreams()
    found = {}
    times = []
    for packet in reader.feed(capture.read_bytes()):
        times.append(packet.at_us)
        for piece in joined.take(packet.at_us, dissect(packet.link, packet.data), packet.comments):
            for one in streams.take(piece):
                data, notes = found.setdefault(one.connection, (bytearray(), []))
                data += one.data
                notes += notes_in(one.comments)
    reader.finish()
    assert times == sorted(times)
    assert streams.lost == 0
    return list(found.values()), times


def kinds(data):
    """Count message types in whole LLRP messages."""
    counts, at = Counter(), 0
    while at < len(data):
        counts[int.from_bytes(data[at : at + 2]) & 0x3FF] += 1
        at += int.from_bytes(data[at + 2 : at + 6])
    assert at == len(data)
    return counts


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(scenario, tmp_path):
    """The printed digest is the file's."""
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        path = tmp_path / f"{name}.pcapng"
        done = play(scenario(), path, "--seed", seed)
        assert done.exit_code == 0, done.stderr
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
        assert f"sha256 {digests[-1]}" in done.stderr
    assert digests[0] == digests[1] != digests[2]


def test_a_recording_holds_one_whole_conversation_and_every_read(scenario, tmp_path):
    """Greeting, each response, keepalives, and as many tag reports as the truth counts."""
    path, truth = tmp_path / "a.pcapng", tmp_path / "truth.json"
    done = play(scenario(), path, "--truth", truth, "--begin", "2026-03-02T10:00:00.000000Z")
    assert done.exit_code == 0, done.stderr
    ((data, notes),), times = connections(path)
    counts = kinds(data)
    assert all(counts[kind] == 1 for kind in (13, 30, 31, 32, 34, 51, 1023))
    assert 9 <= counts[62] <= 11
    recorded, connected = notes
    assert (recorded.gateway, recorded.boot) == ("sim-1", None)
    assert (connected.reader, connected.host, connected.port) == ("r1", "127.0.0.1", 5084)
    content = json.loads(truth.read_text())
    assert content["done"]
    assert content["reads"] > 10
    assert counts[61] == content["reports"]
    assert [one["kind"] for one in content["crossings"]] == ["out", "out"]
    assert content["portals"] == [
        {"id": "door", "gateway": "sim-1", "site": "sim", "layout": "two-sided", "inside": "room", "outside": "hall",
         "monitored": True},
    ]  # fmt: skip
    begin_us = 1_772_445_600_000_000
    assert times[0] == begin_us - 1_000_000
    assert begin_us + 19_000_000 < times[-1] <= begin_us + 20_000_000


def test_a_file_that_is_there_is_kept_and_what_failed_leaves_none(scenario, tmp_path):
    """The exit code is 1, and the words say what to do."""
    there = tmp_path / "there.pcapng"
    there.write_text("mine")
    done = play(scenario(), there)
    assert (done.exit_code, "exists already" in done.stderr) == (1, True)
    assert there.read_text() == "mine"
    endless = tmp_path / "endless.toml"
    endless.write_text(SMALL.replace("seconds = 20.0", "cycle_s = 20.0"))
    words = [
        "--record",
        tmp_path / "new.pcapng",
        "--config-out",
        tmp_path / "new.toml",
        "--truth",
        tmp_path / "new.json",
    ]
    done = invoke("run", endless, *words)
    assert (done.exit_code, "say how long with --seconds" in done.stderr) == (2, True)
    assert not list(tmp_path.glob("*new*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_file_and_says_so(scenario, tmp_path, monkeypatch, number):
    """What was there before stays, and the exit code is the shell's."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "e.toml").write_text("mine")
    monkeypatch.setattr(OfflineRun, "run", lambda *_: signal.raise_signal(number))
    words = ["--truth", folder / "t.json", "--config-out", folder / "e.toml"]
    before = signal.getsignal(number)
    done = play(scenario(), folder / "a.pcapng", *words)
    assert done.exit_code == 128 + number
    assert done.stderr == f"stockgate-sim: ended before the end: {number.name}: no file is kept\n"
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("e.toml", "mine")]
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("small", "--record", "x"), "no such file"),
        (("single-walk",), "--record"),
        (("single-walk", "--record", "x", "--begin", "monday"), "--begin"),
    ],
)
def test_wrong_words_are_named(tmp_path, monkeypatch, words, problem):
    """The exit code is 2."""
    monkeypatch.chdir(tmp_path)
    done = invoke("run", *words)
    assert (done.exit_code, problem in done.stderr) == (2, True), done.stderr


def test_a_reader_that_falls_silent_is_dialled_again(scenario, tmp_path):
    """No keepalives and no antenna: the client gives up, and comes back when they do."""
    fault = """
[[faults]]
reader = "r1"
at_s = 2.0
for_s = 8.0
switches = { no_keepalives = true, silent_antennas = [1, 2, 3, 4] }
"""
    path = tmp_path / "a.pcapng"
    done = play(scenario(fault), path)
    assert done.exit_code == 0, done.stderr
    assert "the reader keeps silent" in done.stderr
    found, _ = connections(path)
    assert len(found) == 2


@pytest.mark.parametrize(
    "fault",
    [
        "at_s = 5.0\nactions = { drop = {} }",
        "at_s = 5.0\nactions = { reboot = { down_s = 2.0 } }",
        "at_s = 5.0\nfor_s = 2.0\nswitches = { powered_off = true }",
        "at_s = 3.5\nfor_s = 6.4\nswitches = { half_open = true }",
    ],
)
def test_a_recording_goes_on_after_what_cuts_a_connection(scenario, tmp_path, fault):
    """Each ends the first connection and lets a second one hear the tags again."""
    path = tmp_path / "a.pcapng"
    back = '[[walks]]\nat_s = 9.5\nspeed_mps = 2.0\nroute = "out"\nreverse = true\ntags = [1, 2]\n'
    done = play(scenario(f'{back}[[faults]]\nreader = "r1"\n{fault}\n'), path)
    assert done.exit_code == 0, done.stderr
    found, _ = connections(path)
    assert len(found) == 2
    assert all(kinds(bytes(data))[61] for data, _ in found)


def test_a_clock_that_is_wrong_is_wrong_on_the_wire_only(scenario, tmp_path):
    """Arrivals stay true."""
    fault = '[[faults]]\nreader = "r1"\nat_s = 1.0\nswitches = { clock_offset_us = 3600000000 }\n'
    straight, skewed = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    assert play(scenario(), straight).exit_code == 0
    assert play(scenario(fault), skewed).exit_code == 0
    (((one, _),), times), (((other, _),), again) = connections(straight), connections(skewed)
    assert times == again
    assert kinds(one) == kinds(other)
    assert one != other


@given(st.lists(st.integers(0, 5_000_000), max_size=60).map(sorted))
def test_parts_are_all_times_in_order_and_go_with_the_end_of_their_time(times):
    """Cutting loses nothing, and a part's end lies within one part's length of each of its reads."""
    cut = list(parts(np.array(times, dtype=np.int64), REPORT_US))
    assert [at_us for _, begin, end in cut for at_us in times[begin:end]] == times
    assert [end_us for end_us, _, _ in cut] == sorted({end_us for end_us, _, _ in cut})
    for end_us, begin, end in cut:
        assert all(0 <= end_us - at_us < REPORT_US for at_us in times[begin:end])


@pytest.mark.parametrize("name", builtin_names())
def test_every_scenarios_edge_toml_is_one_that_the_agent_takes(name):
    """Readers, sides and inputs fit; every gateway has its own."""
    scenario = load(name)
    places = {reader.id: Place("127.0.0.1", 5084 + index) for index, reader in enumerate(scenario.readers)}
    readers = []
    for gateway in gateways_in_use(scenario):
        text = edge_config(scenario, gateway, places, "mqtt://127.0.0.1:1883")
        found = parse(tomllib.loads(text), source=name)
        assert (found.site, found.gateway) == (gateway.site, gateway.id)
        readers += [(one.id, one.port) for one in found.readers]
    assert sorted(readers) == sorted((name, place.port) for name, place in places.items())


WIRED = """
[[doors]]
id = "leaf"
doorway = "door"
[[sensors]]
id = "inner"
kind = "beam"
portal = "door"
reader = "r1"
gpi = 1
[[sensors]]
id = "contact"
kind = "contact"
portal = "door"
reader = "r1"
gpi = 2
door = "leaf"
[[sensors]]
id = "eye"
kind = "motion"
portal = "door"
reader = "r1"
gpi = 3
active_high = false
reads_s = 4.0
"""


def test_sensors_become_inputs_and_the_one_that_starts_reading_its_trigger():
    """What the agent knows as inputs, and what the reader alone must know."""
    scenario = parse_scenario(SMALL + WIRED, "wired")
    text = edge_config(scenario, scenario.gateways[0], PLACES, "mqtt://127.0.0.1")
    reader = parse(tomllib.loads(text), source="wired").readers[0]
    assert [(gpi.port, gpi.kind) for gpi in reader.gpis] == [(1, "beam"), (2, "door")]
    assert (reader.trigger.gpi, reader.trigger.state, reader.trigger.read_ms) == (3, False, 4000)


@pytest.mark.parametrize(
    ("layout", "given", "position", "aim", "side"),
    [
        ("two-sided", None, -0.2, 0.5, "inside"),
        ("two-sided", None, 0.2, -0.5, "outside"),
        ("overhead", None, 0.2, -0.5, "inside"),
        ("one-sided", None, -0.2, 0.5, "outside"),
        ("overhead", "outside", -1.0, -1.0, "outside"),
    ],
)
def test_an_antennas_side_is_where_it_stands_or_looks(layout, given, position, aim, side):
    """As its layout wants, unless it says."""
    portal = load("single-walk").portals[0].model_copy(update={"layout": layout})
    antenna = load("single-walk").readers[0].antennas[0]
    antenna = antenna.model_copy(update={"side": given, "position": (position, 0, 1), "aim": (aim, 0, 1)})
    assert side_of(portal, antenna) == side


def test_the_list_names_every_scenario_and_show_gives_what_check_takes(tmp_path):
    """The table, one JSON object a line, the TOML as it stands."""
    names = builtin_names()
    lines = invoke("scenarios", "--json").stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == names
    shown = invoke("scenarios").stdout
    assert all(name in shown for name in names)
    copy = tmp_path / "mine.toml"
    copy.write_text(invoke("scenarios", "show", "office").stdout)
    done = invoke("scenarios", "check", copy)
    assert (done.exit_code, done.stdout.startswith("office: ")) == (0, True)
    assert "2 portals and 0 openings" in done.stdout


def test_check_names_what_is_wrong(scenario, tmp_path):
    """Key and nearest right key; and a scenario that isn't there."""
    path = tmp_path / "wrong.toml"
    path.write_text(SMALL.replace("route =", "rout ="))
    done = invoke("scenarios", "check", path)
    assert (done.exit_code, "did you mean 'route'" in done.stderr) == (2, True)
    done = invoke("scenarios", "show", "singel-walk")
    assert (done.exit_code, "single-walk" in done.stderr) == (2, True)


THROUGH_THE_WALL = """
[[walls]]
points = [[0.0, -4.0], [0.0, 4.0]]
[[routes]]
id = "astray"
points = [[-4.0, 2.0], [4.0, 3.0]]
[[walks]]
id = "ghost"
at_s = 2.0
route = "astray"
"""


def test_check_warns_of_a_walk_through_a_wall_and_lets_it_pass(tmp_path):
    """Walk, route and place; who goes through the doorway isn't named."""
    path = tmp_path / "astray.toml"
    path.write_text(SMALL + THROUGH_THE_WALL)
    done = invoke("scenarios", "check", path)
    assert (done.exit_code, done.stdout.startswith("small: ")) == (0, True)
    (warning,) = done.stderr.splitlines()
    assert warning.startswith(
        "stockgate-sim: warning: walk ghost, route astray: at x = 0.00 m, y = 2.50 m of the site it goes through a wall"
    )


def test_check_warns_of_a_walk_through_a_door_that_never_opens(tmp_path):
    path = tmp_path / "shut.toml"
    path.write_text(SMALL + '[[doors]]\nid = "leaf"\ndoorway = "door"\nopens = "never"\n')
    done = invoke("scenarios", "check", path)
    assert done.exit_code == 0
    (warning,) = done.stderr.splitlines()
    assert "walk walk-1, route out: at x = 0.00 m, y = 0.00 m" in warning
    assert "door leaf, which never opens" in warning


def test_a_recording_and_a_broker_at_once_are_one_too_many(tmp_path):
    """The words say which is wrong; a URL that isn't MQTT's is an option's error too."""
    done = invoke("run", "single-walk", "--record", tmp_path / "a.pcapng", "--mqtt", "mqtt://127.0.0.1")
    assert (done.exit_code, "only one of --record and --mqtt" in done.stderr) == (2, True)
    done = invoke("run", "single-walk", "--seconds", 20, "--mqtt", "http://x")
    assert (done.exit_code, "write mqtt://host:1883" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["--record", "a.pcapng", "--truth", "./a.pcapng"],
        ["--record", "a.pcapng", "--config-out", "a.pcapng"],
        ["--record", "a.pcapng", "--config-out", "b", "--truth", "b"],
        ["--mqtt", "mqtt://127.0.0.1", "--events", "b", "--truth", "link"],
    ],
)
def test_two_things_into_one_file_are_refused_before_anything_is_written(tmp_path, monkeypatch, words):
    """Whichever way the file is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("b")
    done = invoke("run", "single-walk", "--seconds", 20, *words)
    assert done.exit_code == 2
    assert f"{words[-4]} and {words[-2]} would both be written to {Path(words[-1])}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_walks_that_do_not_end_in_time_are_told(tmp_path):
    """A run that is too short for its one walk records none of it, and says so; a longer one says nothing."""
    done = invoke("run", "single-walk", "--record", tmp_path / "a.pcapng", "--seconds", 8)
    assert (done.exit_code, "\n0 reads" in done.stderr) == (0, True)
    assert "warning: 1 walk doesn't end before the last" in done.stderr
    done = invoke("run", "single-walk", "--record", tmp_path / "b.pcapng", "--seconds", 20)
    assert "warning" not in done.stderr


@pytest.fixture
def small_disk():
    """Return how to let no file grow beyond some bytes, as a full disk would; undone at the end."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_part_of_a_recording(scenario, tmp_path, small_disk):
    """Neither where a write fails nor where the last of it does; the other files are whole or not there."""
    name, folder = scenario(), tmp_path / "out"
    folder.mkdir()
    words = ["--truth", folder / "t.json", "--config-out", folder / "e.toml"]
    assert play(name, folder / "a.pcapng", *words).exit_code == 0
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    for limit in (10, sizes["e.toml"] - 1, 5_000, sizes["a.pcapng"] - 1):
        for path in folder.iterdir():
            path.unlink()
        small_disk(limit)
        done = play(name, folder / "a.pcapng", *words)
        assert (done.exit_code, "can't be written" in done.stderr) == (1, True), done.stderr
        left = {path.name: path.stat().st_size for path in folder.iterdir()}
        assert left.items() <= sizes.items()
        assert "a.pcapng" not in left


def test_a_full_disk_leaves_no_part_of_a_picture(tmp_path, small_disk):
    """The picture that was there stays."""
    out = tmp_path / "p.png"
    out.write_bytes(b"old")
    assert invoke("plot", "single-walk", "--out", tmp_path / "other.png").exit_code == 0
    small_disk(1000)
    done = invoke("plot", "single-walk", "--out", out)
    assert (done.exit_code, "can't be written" in done.stderr) == (2, True), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.png", "p.png"]
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize(
    "words", [["serve", "single-walk", "--base-port", 0], ["run", "single-walk", "--record", "a.pcapng"]]
)
def test_a_truth_that_cannot_be_written_is_told_at_the_start(tmp_path, monkeypatch, words):
    """With its option, and before a reader listens or a recording is made."""
    monkeypatch.chdir(tmp_path)
    done = invoke(*words, "--truth", tmp_path / "none" / "t.json")
    assert (done.exit_code, done.stderr.startswith("stockgate-sim: --truth ")) == (1, True), done.stderr
    assert "can't be written" in done.stderr
    assert list(tmp_path.iterdir()) == []
