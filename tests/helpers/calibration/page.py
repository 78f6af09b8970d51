"""The calibration page: every figure with its tolerance and verdict."""

from pathlib import Path

from tests.helpers.calibration.figure import RECORDINGS, Compared
from tests.helpers.calibration.moving import fading, nulls, walkers, wraps
from tests.helpers.calibration.rates import field, newcomers, one_on_fx7500, populations
from tests.helpers.calibration.recorded import static
from tests.helpers.calibration.still import across_channels, bodies, noise, reach, turns

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "calibration.md"
RADIO = (noise, across_channels, reach, nulls, bodies, fading, wraps)
AIR = (turns, populations, one_on_fx7500, newcomers, field, walkers)
ALL = (*RADIO, *AIR, static)
_HEAD = """<!-- Made by `make calibration` from runs of the simulator; changes here are overwritten. -->

# The simulator beside measurements

Each figure is measured by running a scenario through the simulated world and one of its readers, as a user would; none
is a constant read back. `make calibration` writes this page, `make accuracy ONLY=simulator.calibration` prints the same
figures. The tolerance is what the simulated figure must keep to count as right.

"""
_MISSING = """
The rows of the recorded reads are missing: the data set wasn't there when this page was made
(`../shared/data/reads/ecd` beside the checkout).
"""


def measured() -> list[Compared]:
    """Measure all figures."""
    return [one for group in ALL for one in group()]


def page(figures: list[Compared]) -> str:
    """The page as Markdown."""
    right = sum(one.holds for one in figures)
    lines = [_HEAD + f"**{right} of {len(figures)} are within their tolerance.**", ""]
    lines += ["| figure | simulated | measured | tolerance | verdict | source | simulated how |"]
    lines += ["|---|---|---|---|---|---|---|", *map(_row, figures)]
    return "\n".join(lines) + "\n" + ("" if RECORDINGS.is_dir() else _MISSING)


def _row(one: Compared) -> str:
    verdict = "within" if one.holds else "**outside**"
    bounds = f"{_short(one.low)} to {_short(one.high)}"
    cells = (one.what, f"{_short(one.value)} {one.unit}", one.measured, bounds, verdict, one.source, one.how)
    return "| " + " | ".join(cells) + " |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
