"""The calibration page: every figure with its tolerance and verdict."""

from pathlib import Path

from tests.helpers.calibration.figure import Compared
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

Each figure is measured by running a scenario through the simulated world and its radio and air, which are driven
directly: no LLRP and no gateway lie between. Most use a reader as the field has it; levels behind bodies and fading are
heard with an instrument of -110 dBm, which no reader is. None is a constant read back, but some constants of the model
were fitted to a measured figure: such a row says "fitted", and shows no more than that the fit holds.

`make calibration` writes this page (without the recordings beside the checkout it prints it only),
`make accuracy ONLY=simulator.calibration` prints the same figures. The tolerance is what the simulated figure must keep
to count as right. A row that is outside says why.

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
    return "\n".join(lines) + "\n"


def _row(one: Compared) -> str:
    verdict = "within" if one.holds else "**outside**" + (f": {one.why}" if one.why else "")
    bounds = f"{_short(one.low)} to {_short(one.high)}"
    cells = (one.what, f"{_short(one.value)} {one.unit}", one.measured, bounds, verdict, one.source, one.how)
    return "| " + " | ".join(cells) + " |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
