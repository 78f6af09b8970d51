"""Programs killed during the demo are started again and nothing is lost; a start that is broken off is quiet."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STOCKGATE = str(Path(sys.executable).with_name("stockgate"))


def demo(seconds=25):
    """Start the demo."""
    command = [STOCKGATE, "demo", "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def child(process, *words):
    """The demo's own child whose command line holds these words, once there is one."""
    for _ in range(1200):
        for one in psutil.Process(process.pid).children():
            line = " ".join(one.cmdline())
            if all(word in line for word in words):
                return one
        time.sleep(0.05)
    pytest.fail(f"no child {words}")


KILLED = {
    "central ended (signal 9), started again": ("stockgate-central", " run "),
    "broker ended (signal 9), started again": ("nats-server",),
    "PostgreSQL ended (signal 9), started again": ("postgres", " -D "),
}


def test_killed_programs_are_started_again_and_nothing_is_lost():
    """Central, broker and database are killed one after the other, each once the one before is back."""
    with demo(seconds=40) as process:
        lines, awaited = [], "ALERT"
        killed = iter(KILLED.items())
        for line in process.stdout:
            lines.append(line)
            if line.startswith(awaited):
                awaited, words = next(killed, (None, ()))
                if awaited is None:
                    break
                child(process, *words).kill()
        lines += process.communicate(timeout=240)[0].splitlines(keepends=True)
    output = "".join(lines)
    assert process.returncode == 0, output
    assert awaited is None, output
    figures = json.loads(lines[-1])
    assert (figures["events_lost"], figures["events_duplicated"]) == (0, 0)
    assert figures["reads"] == figures["truth"]["reads"] > 0
    assert figures["movements"] == figures["truth"]["movements"]
    assert figures["counts"] == figures["truth"]["counts"]


def test_a_killed_simulator_ends_the_walks_and_the_figures_are_still_the_last_line():
    with demo() as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("ALERT"):
                break
        child(process, "stockgate-sim").kill()
        lines += process.communicate(timeout=240)[0].splitlines(keepends=True)
    output = "".join(lines)
    assert process.returncode == 1, output
    assert "The simulator was killed (signal 9)" in output
    figures = json.loads(lines[-1])
    assert (figures["events_lost"], figures["events_duplicated"]) == (0, 0)
    assert figures["reads"] > 0
    assert figures["alerts"] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_broken_off_ends_quietly_and_leaves_nothing(number):
    with demo() as process:
        assert process.stdout.readline().startswith("Starting")
        run_dir = Path(child(process, "stockgate-sim").cwd())
        process.send_signal(number)
        output = process.communicate(timeout=120)[0]
    assert process.returncode == 130, output
    assert output == "Stopped before there was anything to report.\n"
    assert not run_dir.exists()
