"""Figures that can't be measured here are named with what they need."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.bench_simulator_record import Cut, reckoned
from tests.bench.figures import Figure, Registry

ROOT = Path(__file__).resolve().parents[2]


def test_a_figure_without_its_data_is_left_out_and_named(tmp_path):
    registry = Registry("Some")
    registry.register("here.", needs=tmp_path)(lambda: [Figure("here.one", 1, "1")])
    registry.register("absent.", needs=tmp_path / "absent")(lambda: [Figure("absent.one", 1, "1")])
    assert [figure.name for figure in registry.run("")] == ["here.one"]
    assert registry.lacking("") == [f"absent.* needs the folder {tmp_path / 'absent'}"]
    assert registry.lacking("here") == []


def test_asking_for_recordings_that_are_not_there_says_which_folder_is_needed(tmp_path):
    code = (
        "from pathlib import Path; import typer; from tests.bench import __main__ as bench; "
        "from tests.bench.figures import ACCURACY; import tests.bench.accuracy_replay; "
        f"ACCURACY.needs['replay.ecd.'] = Path({str(tmp_path / 'shared')!r}); typer.run(bench.run)"
    )
    command = [sys.executable, "-c", code, "accuracy", "--only", "replay"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)
    assert done.returncode == 2
    assert f"replay.ecd.* needs the folder {tmp_path / 'shared'}" in done.stderr
    assert "no figure begins with" not in done.stderr


def test_what_takes_very_long_is_run_only_where_it_is_named():
    registry = Registry("Some")
    registry.register("sim.day", when_named=True)(lambda: [Figure("sim.day", 1, "1")])
    registry.register("sim.cut")(lambda: [Figure("sim.cut", 1, "1")])
    assert [figure.name for figure in registry.run("")] == ["sim.cut"]
    assert [figure.name for figure in registry.run("sim")] == ["sim.cut"]
    assert [figure.name for figure in registry.run("sim.day")] == ["sim.day"]


def test_a_day_pays_its_start_once():
    short, long = Cut(300, 9 + 300 / 60, 20, 1, 1), Cut(1500, 9 + 1500 / 60, 50, 1, 1)
    start, rate, day = reckoned(short, long)
    assert [one.name for one in (start, rate, day)] == [f"simulator.record.{end}" for end in ("start", "rate", "day")]
    assert (start.value, rate.value) == (pytest.approx(9), pytest.approx(60))
    assert (day.value, day.ratio) == (pytest.approx(489), pytest.approx(600 / 489))
