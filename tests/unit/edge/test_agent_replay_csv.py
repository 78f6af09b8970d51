"""Recorded reads as CSV through `replay`: two forms, what is wrong in them, and where the rows go."""

import json
import re

import numpy as np
import pytest
import structlog
from typer.testing import CliRunner

from edge.agent import replay_files
from edge.agent.replay_csv import CsvReads
from edge.cli import app
from edge.llrp.batch import NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM
from tests.helpers.captures import config
from tests.helpers.doorway import CONFIGURATION, EPOCH_US, Scene

EPC = "3034257bf7194e4000000001"
HEAD = "time_us,epc,antenna,rssi_cdbm,phase,channel,count,reader\n"


@pytest.fixture(autouse=True)
def logging_as_before():
    """The command configures structlog for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def replay(tmp_path):
    """Run the command on texts; return exit code, rows of stdout and what it told."""

    def run(texts, path, *words):
        files = []
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
            files.append(str(tmp_path / name))
        result = CliRunner().invoke(app, ["replay", *files, "--config", str(path), *words])
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    return run


def passing(reader="", *, antenna=1):
    """Rows of a tag that passes one antenna."""
    return "".join(
        f"{EPOCH_US + step * 50_000},{EPC},{antenna},{-7000 + 100 * min(step, 60 - step)},,1,1,{reader}\n"
        for step in range(60)
    )


def walk():
    """A door's configuration and the reads of one walk out of it, as our form of CSV."""
    scene = Scene(np.random.default_rng(7), seconds=10.0, rate_hz=45.0)
    scene.walk("out", 0.2, epc=bytes.fromhex(EPC))
    lines = [
        f"{at},{epc.hex()},{port},{level},{phase},{channel},1,\n"
        for at, epc, port, level, phase, channel in scene.rows()
    ]
    return HEAD + "".join(lines)


@pytest.fixture
def door(tmp_path):
    """A two-sided door's configuration."""
    (tmp_path / "door.toml").write_text(CONFIGURATION)
    return tmp_path / "door.toml"


def test_reads_of_our_form_are_decided_and_how_fast_is_told(replay, door):
    """One walk out: one final; how long the recording is, and how many times as fast it went."""
    code, rows, told = replay({"walk.csv": walk()}, door)
    assert code == 0
    assert [(row["kind"], row["final"], row["epc"]) for row in rows] == [("out", True, EPC)]
    recorded_s, took_s = re.search(r"([\d.]+) s were recorded and took ([\d.]+) s: [\d,]+ times as fast", told).groups()
    assert 2 < float(recorded_s) < 10
    assert float(took_s) < float(recorded_s)


def test_provisionals_come_where_they_are_wanted(replay, door):
    """`--provisional` adds the row that came first; the finals stay as they were, numbers included."""
    _, finals, _ = replay({"walk.csv": walk()}, door)
    code, rows, _ = replay({"walk.csv": walk()}, door, "--provisional")
    assert code == 0
    assert [(row["kind"], row["rev"], row["final"]) for row in rows] == [("out", 1, False), ("out", 2, True)]
    assert rows[1:] == finals
    assert [row["seq"] for row in rows] == [1, 2]


def test_zebra_form_gives_what_our_form_gives(replay, tmp_path):
    """Tabs, stray commas and a byte order mark are passed over; MHz, degrees and seconds are turned into ours."""
    rows = [
        f"1,\t{EPOCH_US / 1e6 + step * 0.05:.3f},\t{EPC},\t1,\t{-70 + min(step, 60 - step)},\t-90.0,\t866.3,\t1,\n"
        for step in range(60)
    ]
    text = "\ufeffn_group,time_reader,idHex,antenna,peakRssi,phase,channel,reads\n" + "".join(rows)
    (batch,) = (batch for _, batch in CsvReads().batches(text.splitlines(), 100))
    assert set(batch.phase.tolist()) == {3072}
    assert set(batch.channel.tolist()) == {1}
    path = config(tmp_path, r1="192.0.2.10")
    code, theirs, _ = replay({"theirs.csv": text}, path)
    _, ours, _ = replay({"ours.csv": HEAD + passing()}, path)
    assert code == 0
    assert [(row["passage"], row["kind"], row["reads"]) for row in theirs] == [
        (row["passage"], row["kind"], row["reads"]) for row in ours
    ]


def test_what_is_left_out_is_absent_and_not_zero():
    """Empty cells and missing columns."""
    (batch,) = (batch for _, batch in CsvReads().batches(["time_us,epc,antenna,rssi_cdbm", f"5,{EPC},1,"], 10))
    assert batch.rssi_cdbm.tolist() == [NO_RSSI_CDBM]
    assert batch.phase.tolist() == [NO_PHASE]
    assert batch.channel.tolist() == [NO_CHANNEL]
    assert batch.seen_count.tolist() == [1]
    assert batch.epc_bits.tolist() == [96]


def test_reads_of_two_readers_go_to_their_doors(replay, tmp_path):
    """The column `reader` says whose a read is; another name is refused."""
    path = config(tmp_path, r1="192.0.2.10", r2="192.0.2.11")
    code, rows, _ = replay({"x.csv": HEAD + passing("r1") + passing("r2")}, path)
    assert code == 0
    assert sorted(row["portal"] for row in rows) == ["door-r1", "door-r2"]
    code, _, told = replay({"x.csv": HEAD + passing("r9")}, path)
    assert code == 2
    assert "x.csv: has reads of reader 'r9'; " in told
    code, _, told = replay({"x.csv": HEAD + passing()}, path)
    assert code == 2
    assert "say whose it is with --reader ID" in told
    code, rows, _ = replay({"x.csv": HEAD + passing()}, path, "--reader", "r2")
    assert (code, [row["portal"] for row in rows]) == (0, ["door-r2"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("when,who\n1,2\n", "x.csv: line 1: no column time_us, epc, antenna; recorded reads have"),
        ("time_reader,idHex,antenna,peakRssi,channel,reads\n", "no column phase; recorded reads have"),
        ("", "x.csv: line 1: no column"),
        (HEAD + f"x,{EPC},1,,,,,\n", "x.csv: line 2: time_us is 'x': write a whole number from 0 to"),
        (HEAD + "1,303,1,,,,,\n", "x.csv: line 2: epc is '303': write an EPC as 2 to 124 hexadecimal digits"),
        (HEAD + f"1,{EPC},0,,,,,\n", "antenna is '0': write a whole number from 1 to 65535"),
        (HEAD + f"1,{EPC},1,,4096,,,\n", "phase is '4096': write a whole number from 0 to 4095"),
        (HEAD + f"1,{EPC},1,nan,,,,\n", "rssi_cdbm is 'nan'"),
        (HEAD + f"1,{EPC}\n", "antenna is ''"),
        (HEAD + f"1,{EPC},1,,,,,,5,6\n", "x.csv: line 2: has 10 columns, and line 1 names 8"),
        (HEAD + f"1,{EPC},1,,\n" + passing(), "x.csv: line 2: ends after 5 of 8 columns"),
        (HEAD + f"1_000,{EPC},1,,,,,\n", "time_us is '1_000': write a whole number"),
        (HEAD + f"1,{EPC},\uff11,,,,,\n", "antenna is '\uff11': write a whole number"),
        ("time_us,epc,antenna,epc\n" + f"1,{EPC},1,{EPC}\n", "x.csv: line 1: names epc twice"),
        (HEAD, "x.csv: it has no rows, only the names of their columns"),
        ("time_reader,idHex,antenna,peakRssi,phase,channel,reads\n1," + EPC + ",1,-60,1,2,1\n", "channel is '2'"),
    ],
)
def test_rows_that_are_no_reads_are_told_where_and_what(replay, tmp_path, text, words):
    """File, line, column, and what would be right; nothing is decided of them."""
    code, rows, told = replay({"x.csv": text}, config(tmp_path, r1="192.0.2.10"))
    assert (code, rows) == (2, [])
    assert words in told


def test_file_of_rows_appears_whole_or_not_at_all(replay, door, tmp_path):
    """A replay that is given up leaves what was there before, and no part of a file beside it."""
    out = tmp_path / "rows.jsonl"
    out.write_text("before\n")
    broken = walk() + "x,y,z\n"
    assert replay({"walk.csv": broken}, door, "--out", str(out))[0] == 2
    assert out.read_text() == "before\n"
    code, printed, _ = replay({"walk.csv": walk()}, door, "--out", str(out))
    assert (code, printed) == (0, [])
    assert [json.loads(line)["kind"] for line in out.read_text().splitlines()] == ["out"]
    assert [file.name for file in tmp_path.glob(".*")] == []


def test_place_that_cannot_be_written_is_told(replay, door, tmp_path):
    """No such folder."""
    code, _, told = replay({"walk.csv": walk()}, door, "--out", str(tmp_path / "no" / "rows.jsonl"))
    assert code == 2
    assert "rows.jsonl: cannot be written: No such file or directory" in told


def test_file_that_was_cut_is_told(replay, door):
    """Inside a row, which is left out, and exit is 1; in its last number nobody knows, so it is only a note."""
    text = walk()
    _, whole, _ = replay({"walk.csv": text}, door)
    cut = text.rstrip("\n").rsplit(",", 5)[0]
    code, _, told = replay({"walk.csv": cut}, door)
    assert code == 1
    assert f"ends inside line {text.count(chr(10))}, which is left out; all before it was read" in told
    code, rows, told = replay({"walk.csv": text.rstrip("\n")}, door)
    assert (code, rows) == (0, whole)
    assert "its last line has no end" in told


def test_rows_that_stand_in_another_order_are_told(replay, door):
    """Whoever sorted it the other way learns why so many reads are late."""
    head, *lines = walk().splitlines(keepends=True)
    code, _, told = replay({"walk.csv": head + "".join(reversed(lines))}, door)
    assert code == 0
    assert "reads are too late to count: rows and files have to be in the order of their time" in told


@pytest.mark.parametrize("later_us", [400 * 86_400_000_000, -86_400_000_000])
def test_rest_between_two_walks_is_not_recorded_time(replay, door, later_us):
    """Two walks of some seconds, far apart in either direction, are some seconds and not none."""
    head, *lines = walk().splitlines(keepends=True)
    others = [f"{int(line.split(',', 1)[0]) + later_us},{line.split(',', 1)[1]}" for line in lines]
    told = [replay({"walk.csv": head + "".join(rows)}, door)[2] for rows in (lines, lines + others)]
    one_s, both_s = (float(re.search(r"([\d.]+) s were recorded", text).group(1)) for text in told)
    assert both_s == pytest.approx(2 * one_s, abs=0.15)


@pytest.mark.parametrize("name", [".", "", "/"])
def test_folder_is_no_file_for_the_rows(replay, door, name):
    """Names that have no last part, too."""
    code, rows, told = replay({"walk.csv": walk()}, door, "--out", name)
    assert (code, rows) == (2, [])
    assert "is a folder: name a file in it" in told


@pytest.mark.parametrize(("name", "words"), [("x.txt", "ends in .png"), ("no/x.png", "there is no folder")])
def test_picture_that_cannot_be_is_refused_before_anything_is_read(replay, door, tmp_path, name, words):
    """Not after minutes of a replay."""
    code, rows, told = replay({"walk.csv": walk()}, door, "--explain", EPC, "--picture", str(tmp_path / name))
    assert (code, rows) == (2, [])
    assert words in told
    assert not (tmp_path / name).exists()


def test_long_replay_of_rows_tells_how_far_it_is(replay, door, monkeypatch):
    """Every so many seconds, on standard error; a short one says nothing in between."""
    assert "walk.csv: " not in replay({"walk.csv": walk()}, door)[2]
    monkeypatch.setattr(replay_files, "PROGRESS_S", 0.0)
    _, _, told = replay({"walk.csv": walk()}, door)
    assert re.search(r"walk.csv: [\d,]+ rows", told)
