"""Crowd, recordings, scenarios as files, the clock and the truth file."""

import json
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulator import recording
from simulator.clock import SimulatedClock
from simulator.runs.scenarios_command import scenarios
from simulator.runs.sources import cast
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import builtin_names, load, parse
from simulator.scenarios.model import Part, Scenario
from simulator.server.model import FCC_KHZ
from simulator.truth import Truth
from simulator.world.crowd import Crowd
from simulator.world.values import Crossing

ON = SimpleNamespace(antennas=(1,), power_dbm={})


def crowd(seconds=None):
    scenario = load("crowd")
    return Crowd(scenario, scenario.crowd, seconds, FCC_KHZ)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 400_000), min_size=1, max_size=20))
def test_a_crowd_is_the_same_however_time_is_cut(steps):
    cut, whole, at_us = crowd(), crowd(), 0
    reads, passes = [], []
    for step in steps:
        at_us += step
        reads += cut.advance("r1", at_us, ON).rows()
        passes += cut.take_crossings(at_us)
    assert reads == whole.advance("r1", at_us, ON).rows()
    assert passes == whole.take_crossings(at_us)


def test_every_tag_of_a_crowd_passes_once_and_is_new():
    source = crowd(seconds=7)
    reads = source.advance("r1", 7_000_000, ON).rows()
    passes = source.take_crossings(7_000_000)
    assert len(passes) == len({crossing.epc for crossing in passes}) == 901
    assert set(Counter(read.epc for read in reads).values()) == {10}
    assert len(reads) == 9010
    assert {crossing.kind for crossing in passes} == {"near"}
    assert [int.from_bytes(crossing.epc[-4:]) for crossing in passes] == list(range(1, 902))
    assert max(crossing.ended_us for crossing in passes) <= 5_000_000
    assert source.ends_us == 7_000_000


def test_a_pass_of_a_crowd_rises_and_falls():
    reads = [read for read in crowd().advance("r1", 600_000, ON).rows() if read.epc.endswith(b"\x01")]
    levels = [read.rssi_cdbm for read in reads]
    assert levels.index(max(levels)) in {4, 5}
    assert max(levels) - min(levels[0], levels[-1]) > 600


def test_a_crowd_that_nobody_inventories_is_gone():
    source = crowd()
    assert source.advance("r1", 1_000_000, None).rows() == []
    assert source.advance("other", 1_000_000, ON).rows() == []
    assert min(read.at_us for read in source.advance("r1", 2_000_000, ON).rows()) > 1_000_000


HEADER = "peakRssi,phase,channel,antenna,reads,idHex,time_reader\n"
ROW = "-63,\t98.4,\t865.7,\t1,\t2,\t000333b2ddd9014000000000,\t1751370311.474,\n"


@pytest.fixture
def csv(tmp_path):
    def write(text):
        path = tmp_path / "reads.csv"
        path.write_text(text)
        return path

    return write


def test_a_recorded_row_is_one_read(csv):
    found = recording.load([csv(HEADER + ROW + "\n")])
    (read,) = found.reads
    assert (read.epc.hex(), read.antenna, read.rssi_cdbm, read.seen_count) == ("000333b2ddd9014000000000", 1, -6300, 2)
    assert (read.phase, read.channel, found.frequencies_khz) == (int(98.4 / 360 * 4096), 1, (865_700,))
    assert found.begins_utc_us + read.at_us == 1_751_370_311_474_000


def test_rows_are_played_in_the_order_of_their_times_and_a_negative_phase_wraps(csv):
    later = ROW.replace("98.4", "-90").replace("311.474", "312.5").replace("865.7", "866.3")
    found = recording.load([csv(HEADER + later + ROW)])
    assert [read.at_us for read in found.reads] == [1_000_000, 2_026_000]
    assert [(read.channel, read.phase) for read in found.reads] == [(1, 1119), (2, 3072)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: no column 'peakRssi'"),
        (HEADER, "no reads"),
        (HEADER + ROW + ROW.replace("-63", "loud"), "line 3: peakRssi is 'loud'"),
        (HEADER + ROW.replace("-63", "40"), "line 2: peakRssi is '40', not a number from -128 to 0"),
        (HEADER + ROW.replace("000333b2", "xyz"), "line 2: idHex is 'xyz"),
        (HEADER + ROW.replace("1751370311.474", ""), "line 2: time_reader is ''"),
        (HEADER + ROW.replace("865.7", "nan"), "line 2: channel is 'nan'"),
        (HEADER + "-63,1\n", "line 2: time_reader is ''|line 2: .* is ''"),
        (HEADER + "\x00\xff", "line 2|can't be read"),
    ],
)
def test_a_bad_row_is_named_with_its_line(csv, text, words):
    with pytest.raises(recording.RecordingError, match=words):
        recording.load([csv(text)])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(recording.RecordingError, match=r"absent\.csv: can't be read"):
        recording.load([tmp_path / "absent.csv"])


def test_a_playback_waits_while_nothing_inventories_and_gives_every_read_once(csv):
    source = recording.Playback(recording.load([csv(HEADER + ROW * 3)]))
    assert source.advance("r1", 5_000_000, None).rows() == []
    assert source.ends_us is None
    assert len(source.advance("r1", 5_000_000, ON)) == 3
    assert source.advance("r1", 9_000_000, ON).rows() == []
    assert source.ends_us == 1_000_000


@pytest.mark.shared
@pytest.mark.parametrize(("name", "count"), [("dynamic", 4269), ("static", None), ("2.5cmhoriz-1", None)])
def test_recordings_of_others_load(shared, name, count):
    path = shared / "reads" / "ecd" / f"{name}.csv"
    lines = sum(1 for line in path.read_text().splitlines() if line.strip()) - 1
    assert len(recording.load([path]).reads) == (count or lines) == lines


MINIMAL = """
name = "small"
[tags]
epc_prefix = "30"
count = 2
[[portals]]
id = "door"
[[readers]]
id = "r1"
antennas = [{ port = 1, portal = "door", position = [0, 0, 2], aim = [0, 0, 0] }]
"""


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_scenario_loads(name):
    assert load(name).name == name


def test_a_scenario_is_loaded_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    assert load(str(path)).epc(2) == b"\x30\x02"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "no valid TOML"),
        (MINIMAL + "[[walk]]\n", "walk: unknown key, did you mean 'walks'"),
        (MINIMAL.replace("aim =", "aims ="), r"readers\.0\.antennas\.0\.aims: unknown key, did you mean 'aim'"),
        (MINIMAL + "[crowd]\nreader='r1'\nportal='door'\npass_per_s=3\n", r"crowd\.pass_per_s: .*'passes_per_s'"),
        (MINIMAL.replace('portal = "door"', 'portal = "dor"'), "portal 'dor' doesn't exist: there are door"),
        (MINIMAL + "[[walks]]\nat_s=0\nroute='x'\ntags=[1]\n", "route 'x' doesn't exist: there are none"),
        (MINIMAL + "[[residents]]\ntag=3\nportal='door'\nposition=[0,0,0]\n", "tag 3 doesn't exist"),
        (MINIMAL + "[[portals]]\nid='door'\n", "doorway door is given twice"),
        (MINIMAL.replace("port = 1", "port = 17"), r"port: Input should be less than or equal to 16"),
        (MINIMAL + "[crowd]\nreader='r9'\nportal='door'\n", "reader 'r9' doesn't exist"),
        (
            MINIMAL
            + "[[routes]]\nid='a'\nportal='door'\npoints=[[0,0],[1,1]]\n[[walks]]\nat_s=0\nroute='a'\ntags=[1]\n"
            "[[residents]]\ntag=1\nportal='door'\nposition=[0,0,0]\n",
            "tag 1 is a resident and walks",
        ),
    ],
)
def test_a_wrong_scenario_is_refused_in_words(text, words):
    with pytest.raises(ScenarioError, match=words):
        parse(text, "test.toml")


def test_an_unknown_scenario_names_the_nearest_one(tmp_path):
    with pytest.raises(ScenarioError, match="did you mean 'office'"):
        load("ofice")
    with pytest.raises(ScenarioError, match="can't be read"):
        load(str(tmp_path))


def test_every_knob_of_a_scenario_is_described():
    parts = [Scenario, *Part.__subclasses__()]
    bare = [
        f"{part.__name__}.{name}" for part in parts for name, knob in part.model_fields.items() if not knob.description
    ]
    assert bare == []


def test_the_clock_runs_at_its_speed_and_scenario_time_begins_at_0():
    steady = [1_000]
    clock = SimulatedClock(5.0, utc_us=lambda: 10_000_000, steady_us=lambda: steady[0])
    steady[0] += 100
    assert (clock.now().utc_us, clock.scenario_us()) == (10_000_500, None)
    clock.begin()
    steady[0] += 100
    assert (clock.now().utc_us, clock.scenario_us(), clock.begun_utc_us) == (10_001_000, 500, 10_000_500)


def test_the_clock_of_a_recording_stands_until_it_begins():
    steady = [0]
    clock = SimulatedClock(2.0, standing_us=777, steady_us=lambda: steady[0])
    steady[0] = 5_000
    assert clock.now().utc_us == 777
    clock.begin()
    steady[0] = 5_010
    assert clock.now().utc_us == 797


def test_the_truth_file_holds_what_the_brief_of_its_readers_says(tmp_path):
    path = tmp_path / "truth.json"
    truth = Truth("small", 3, path)
    truth.add(
        [Crossing(b"\xab", "door", "out", 0, 1_500_000, 2_000_000), Crossing(b"\xcd", "door", "near", 0, None, 9)], 0
    )
    truth.done = True
    truth.write(reads=5, reports=2, residents=["ef"])
    assert json.loads(path.read_bytes()) == {
        "scenario": "small",
        "seed": 3,
        "done": True,
        "reads": 5,
        "reports": 2,
        "residents": ["ef"],
        "crossings": [
            {
                "epc": "ab",
                "portal": "door",
                "kind": "out",
                "started_at": "1970-01-01T00:00:00.000000Z",
                "crossed_at": "1970-01-01T00:00:01.500000Z",
                "ended_at": "1970-01-01T00:00:02.000000Z",
                "group": "",
                "reads": 0,
                "tag": "ok",
                "monitored": True,
            },
            {
                "epc": "cd",
                "portal": "door",
                "kind": "near",
                "started_at": "1970-01-01T00:00:00.000000Z",
                "crossed_at": None,
                "ended_at": "1970-01-01T00:00:00.000009Z",
                "group": "",
                "reads": 0,
                "tag": "ok",
                "monitored": True,
            },
        ],
    }
    assert [entry.name for entry in tmp_path.iterdir()] == ["truth.json"]


BASE = """name = "base"
[tags]
epc_prefix = "30"
count = 9
[[readers]]
id = "r1"
antennas = [{ port = 1, portal = "p", position = [0.0, 0.0, 2.0], aim = [0.0, 0.0, 0.0] }]
[[portals]]
id = "p"
[[routes]]
id = "out"
points = [[-4.0, 0.0], [0.5, 0.0, 2.0], [4.0, 0.0]]
[[walks]]
at_s = 1.0
route = "out"
tags = [1]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("at_s = 1.0", "at_s = inf", r"walks\.0\.at_s: Input should be"),
        ("at_s = 1.0", "at_s = 2678401.0", r"walks\.0\.at_s: Input should be less than or equal to 2678400"),
        ("at_s = 1.0", "at_s = 1.0\nspeed_mps = 0.01", r"speed_mps: Input should be greater than or equal to 0\.05"),
        ("0.0, 2.0]", "0.0, -2.0]", r"points\.1.*greater than or equal to 0"),
        ("0.0, 2.0]", "0.0, 1e9]", r"points\.1.*less than or equal to 2678400"),
        ("-4.0, 0.0]", "nan, 0.0]", r"points\.0.*finite number"),
        ("-4.0, 0.0]", "inf, 0.0]", r"points\.0.*finite number"),
        ("-4.0, 0.0]", "-10001.0, 0.0]", r"points\.0.*greater than or equal to -10000"),
        ("[0.5, 0.0, 2.0]", "[4.0, 0.0]", "points 2 and 3 of route out are the same, with nothing between"),
        ("[0.5, 0.0, 2.0]", "{ x = 4.0, y = 0.0 }", "points 2 and 3 of route out are the same"),
        ("0.0, 0.0, 2.0]", "0.0, 0.0, nan]", "position.*finite number"),
        ("count = 9", "count = 100000", "number_bytes = 1: say number_bytes = 3"),
        ("count = 9", "count = 256", "say number_bytes = 2"),
        ("tags = [1]", 'tags = "1..99999999999"', r"'1\.\.99999999999' is too long a span of tags: 100,000 at most"),
        ("tags = [1]", 'tags = ["1..100000", "1..100000"]', "a list names 100,000 at most"),
        ("tags = [1]", f'tags = "1..{"9" * 5000}"', "is no span of tags"),
        ("tags = [1]", f"tags = {'[' * 20_000}{']' * 20_000}", "base.toml: can't be read as TOML"),
        ("tags = [1]", f"tags = {'9' * 5000}", "base.toml: "),
        ("tags = [1]", "tags = [1, 2, 1]", "tag 1 is given twice: a walk carries each tag once"),
        ('name = "base"', 'name = "base"\nseconds = 1e300', "seconds: Input should be less than or equal to 2678400"),
        ('name = "base"', 'name = "base"\ncycle_s = 1e-9', r"cycle_s: Input should be greater than or equal to 0\.1"),
        ('name = "base"', f'name = "base"\nseed = {1 << 70}', "seed: "),
    ],
)
def test_a_scenario_that_could_not_be_played_is_refused_with_its_place(right, wrong, words):
    parse(BASE, "base.toml")
    assert right in BASE
    with pytest.raises(ScenarioError, match=words):
        parse(BASE.replace(right, wrong), "base.toml")


def test_a_fault_of_a_scenario_has_the_bounds_of_the_table():
    fault = '[[faults]]\nreader = "r1"\nat_s = 1.0\nswitches = { clock_offset_us = 4102444800000001 }\n'
    with pytest.raises(
        ScenarioError, match=r"clock_offset_us = 4102444800000001: it must be from -4102444800000000 to"
    ):
        parse(BASE + fault, "base.toml")


def test_a_crowd_needs_as_many_epcs_as_tags_pass():
    load_of_tags = BASE.partition("[[routes]]")[0] + '[crowd]\nreader = "r1"\nportal = "p"\n'
    with pytest.raises(ScenarioError, match=r"say tags\.number_bytes = 4"):
        parse(load_of_tags, "base.toml")
    assert parse(load_of_tags.replace("count = 9", "number_bytes = 4"), "base.toml").crowd


def test_only_a_regular_file_of_reasonable_size_is_read(tmp_path):
    large = tmp_path / "large.toml"
    with large.open("wb") as file:
        file.truncate((64 << 20) + 1)
    for path in ("/dev/zero", str(tmp_path), str(large)):
        with pytest.raises(ScenarioError, match="it is no regular file of up to 64 MB"):
            load(path)
    with pytest.raises(ScenarioError, match="can't be read as a scenario"):
        load("a\0b")


@pytest.mark.parametrize("stay", ["[0.5, 0.0], [0.5, 0.0, 2.0]", "[0.5, 0.0, 2.0], [0.5, 0.0]"])
def test_a_point_may_come_again_after_standing_there(stay):
    assert parse(BASE.replace("[0.5, 0.0, 2.0]", stay), "base.toml")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[[walks]]\nat_s = 3.0\nroute = "out"\ntags = [2, 1]\n', "takes tag 1 at 3 s, but walk-1 has it until"),
        ('[[walks]]\nat_s = 30.0\nroute = "out"\ntags = [2]\ncarry = "none"\n', "carry is none, but it has tags"),
    ],
)
def test_check_says_what_run_says(tmp_path, more, words):
    path = tmp_path / "base.toml"
    path.write_text(BASE)
    runner = CliRunner()
    assert runner.invoke(scenarios, ["check", str(path)]).exit_code == 0
    path.write_text(BASE + more)
    told = runner.invoke(scenarios, ["check", str(path)])
    assert told.exit_code == 2
    assert words in told.output
    with pytest.raises(ScenarioError, match=words):
        cast(load(str(path)))
