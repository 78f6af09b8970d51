"""The simulator beside what was measured in the field: the figures of docs/reference/calibration.md."""

from tests.bench.figures import ACCURACY, Figure
from tests.helpers.calibration.page import measured


@ACCURACY.register("simulator.calibration.")
def calibration():
    """Yield each simulated figure with what was measured, and last how many keep their tolerance."""
    figures = measured()
    for one in figures:
        verdict = "within" if one.holds else "outside"
        yield Figure(
            f"simulator.calibration.{one.name}", one.value, one.unit, one.source, None, None,
            f"measured {one.measured}; {verdict} {one.low:.4g} to {one.high:.4g}",
        )  # fmt: skip
    right = sum(one.holds for one in figures)
    yield Figure("simulator.calibration.within", right, "figures", "all", len(figures), right / len(figures), "")
