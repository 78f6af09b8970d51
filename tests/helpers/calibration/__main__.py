"""`make calibration`: measure all figures and write docs/reference/calibration.md."""

import sys
from pathlib import Path

from tests.helpers.calibration.figure import RECORDINGS
from tests.helpers.calibration.page import PAGE, measured, page


def main(written: Path = PAGE, recordings: Path = RECORDINGS, measure=measured):
    """Measure, name what is outside its tolerance, and write the page if every row could be measured."""
    figures = measure()
    for one in figures:
        if not one.holds:
            bounds = f"{one.low:g} to {one.high:g}"
            print(f"outside: {one.what}: {one.value:.4g} {one.unit}, not {bounds}; {one.why}", file=sys.stderr)  # noqa: T201
    within = f"{sum(one.holds for one in figures)} of {len(figures)} within their tolerance"
    if recordings.is_dir():
        written.write_text(page(figures), "utf-8")
        print(f"{written}: {within}")  # noqa: T201
    else:
        print(page(figures))  # noqa: T201
        print(f"{within}; {written.name} is left as it is: rows are missing, as the data set isn't at {recordings}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
