"""The fuzzer itself: a short run is clean, and a planted difference is found, saved and told."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from edge.llrp.reports import PlainReports
from tests.helpers import fuzz


def test_short_run_is_clean():
    result = subprocess.run(
        [sys.executable, "-m", "tests.helpers.fuzz", "--seconds", "1"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "no difference and no crash" in result.stdout


@pytest.mark.parametrize("flaw", ["wrong column", "crash"])
def test_planted_flaw_is_found_saved_and_told(flaw, monkeypatch, tmp_path):
    class Flawed(PlainReports):
        def read(self, data):
            if flaw == "crash":
                raise IndexError("planted")
            batch, faults, count = super().read(data)
            batch.antenna[:1] += 1
            return batch, faults, count

    monkeypatch.setattr(fuzz, "CompiledReports", Flawed)
    monkeypatch.chdir(tmp_path)
    app = fuzz.typer.Typer()
    app.command()(fuzz.main)
    result = CliRunner().invoke(app, ["--seconds", "5", "--seed", "4"])
    assert result.exit_code == 1
    assert ("planted" if flaw == "crash" else "antenna differs") in result.output
    (saved,) = (tmp_path / "build").iterdir()
    assert saved.name in result.output
