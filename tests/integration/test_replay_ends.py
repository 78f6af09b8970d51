"""The command `replay` as a process: signals, and standard streams that are full or closed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.captures import config

EPC = "3034257bf7194e4000000001"
BEGIN_US = 1_700_000_000_000_000
WAIT_S = 300


@pytest.fixture
def given(tmp_path):
    """A walk as CSV, and what configures its door."""
    rows = [f"{BEGIN_US + n * 50_000},{EPC},1,{-7000 + 100 * min(n, 60 - n)}\n" for n in range(60)]
    (tmp_path / "x.csv").write_text("time_us,epc,antenna,rssi_cdbm\n" + "".join(rows))
    return [str(tmp_path / "x.csv"), "--config", str(config(tmp_path, r1="192.0.2.10"))]


def command(*words):
    """The command line's own program, in the tests' Python."""
    return [sys.executable, "-c", "from edge.cli import main; main()", *words]


def shell(line, *words):
    """Run a line of the shell in which "$@" is the command."""
    whole = ["sh", "-c", line, "sh", *command(*words)]
    return subprocess.run(whole, capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_takes_the_part_back_and_says_so(given, tmp_path, number):
    """One line, the shell's code, and nothing but the recording and its configuration."""
    fifo = tmp_path / "pipe.csv"
    subprocess.run(["mkfifo", str(fifo)], check=True)
    out = tmp_path / "rows.jsonl"
    words = command("replay", str(fifo), *given[1:], "--out", str(out))
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as child, fifo.open("w") as feed:
        feed.write(Path(given[0]).read_text())
        feed.flush()
        part, by_s = tmp_path / ".rows.jsonl.part", time.monotonic() + WAIT_S
        while not part.exists() and time.monotonic() < by_s:
            time.sleep(0.02)
        child.send_signal(number)
        _, told = child.communicate(timeout=WAIT_S)
    assert child.returncode == 128 + number
    assert told.splitlines()[-1] == f"ended before the end: {number.name}: {out} is as it was"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["edge.toml", "pipe.csv", "x.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full of Linux")
def test_full_standard_output_is_named(given):
    """It is not the recording that has no space left."""
    ended = shell('"$@" > /dev/full', "replay", *given)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "standard output: cannot be written: No space left on device"


def test_closed_standard_output_is_named(given):
    """No traceback, and what to do."""
    ended = shell('"$@" >&-', "replay", *given)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == ["standard output is closed: name a file with --out"]


def test_closed_standard_error_costs_no_row(given):
    """Whoever wants no words gets the rows."""
    ended = shell('"$@" 2>&-', "replay", *given)
    assert ended.returncode == 0
    assert ended.stdout == shell('"$@"', "replay", *given).stdout != ""
