"""The figures that need the radio alone, measured in every run of the suite; `make calibration` measures all."""

import pytest

from tests.helpers.calibration.__main__ import main
from tests.helpers.calibration.figure import Compared
from tests.helpers.calibration.moving import nulls
from tests.helpers.calibration.page import PAGE, RADIO, page
from tests.helpers.calibration.still import reach

PARTS = {"what": "x", "unit": "dB", "measured": "1", "low": 0.5, "high": 1.5, "source": "s", "how": "h"}


@pytest.mark.parametrize("group", RADIO, ids=lambda group: group.__name__)
def test_simulated_figures_keep_their_tolerance(group):
    """Each beside the measured one; what is said to be outside, and why, must still be so."""
    wrong = [f"{one.what}: {one.value:.4g}, {one.low} to {one.high}" for one in group() if one.holds == bool(one.why)]
    assert not wrong


@pytest.mark.parametrize("sensitivity_dbm", [-16.0, -22.0, -24.0])
def test_the_range_of_another_chip_is_outside(sensitivity_dbm):
    """The places go far enough, and so does the world."""
    assert not next(iter(reach(sensitivity_dbm))).holds


def test_there_is_no_null_without_a_floor():
    """The figure is the floor's, not that of fading."""
    assert not next(iter(nulls(ground_reflection=0.0))).holds


def test_the_page_names_what_is_outside():
    """A figure that doesn't keep its tolerance is shown as such, and counted."""
    text = page([Compared(name="a", value=1.0, **PARTS), Compared(name="b", value=2.0, why="too thin", **PARTS)])
    assert "**1 of 2 are within their tolerance.**" in text
    assert "| x | 2 dB | 1 | 0.5 to 1.5 | **outside**: too thin |" in text


def test_a_run_without_the_recordings_leaves_the_page_alone(tmp_path, capsys):
    """It would have fewer rows; with them it is written, and a figure outside fails neither."""
    written, figures = tmp_path / "page.md", [Compared(name="b", value=2.0, why="too thin", **PARTS)]
    written.write_text("committed", "utf-8")
    assert main(written, tmp_path / "absent", lambda: figures) == 0
    assert written.read_text("utf-8") == "committed"
    assert "page.md is left as it is" in capsys.readouterr().out
    assert main(written, tmp_path, lambda: figures) == 0
    assert "too thin" in written.read_text("utf-8")


def test_the_page_in_the_docs_has_at_least_twelve_figures_within():
    """What `make calibration` wrote last."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.count("|") > 6]
    assert sum("| within |" in row for row in rows) >= 12


def test_the_page_in_the_docs_is_frank():
    """What is outside says why, what was fitted says so, and a bound that was measured is the tolerance."""
    rows = [line.split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.count(" | ") > 5]
    assert all(len(row[4]) > len("**outside**: ") for row in rows if "outside" in row[4])
    rates = [row[-1] for row in rows if "R420 in its automatic mode" in row[0]]
    assert [("fitted" in how) for how in rates] == [True] * 3
    assert [row[3] for row in rows if "walker's tag, longest" in row[0]] == ["373 to 1,280"]
