"""The figures that need the radio alone, measured in every run of the suite; `make calibration` measures all."""

import pytest

from tests.helpers.calibration.figure import Compared
from tests.helpers.calibration.page import PAGE, RADIO, page


@pytest.mark.parametrize("group", RADIO, ids=lambda group: group.__name__)
def test_simulated_figures_keep_their_tolerance(group):
    """Each beside the measured one."""
    outside = [f"{one.what}: {one.value:.4g}, not {one.low} to {one.high}" for one in group() if not one.holds]
    assert not outside


def test_the_page_names_what_is_outside():
    """A figure that doesn't keep its tolerance is shown as such, and counted."""
    parts = {"what": "x", "unit": "dB", "measured": "1", "low": 0.5, "high": 1.5, "source": "s", "how": "h"}
    text = page([Compared(name="a", value=1.0, **parts), Compared(name="b", value=2.0, **parts)])
    assert "**1 of 2 are within their tolerance.**" in text
    assert "| x | 2 dB | 1 | 0.5 to 1.5 | **outside** |" in text


def test_the_page_in_the_docs_has_at_least_twelve_figures_within():
    """What `make calibration` wrote last."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.count("|") > 6]
    assert sum("| within |" in row for row in rows) >= 12
