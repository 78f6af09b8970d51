"""`make calibration`: measure all figures and write docs/reference/calibration.md."""

import sys

from tests.helpers.calibration.page import PAGE, measured, page


def main():
    """Measure, write, and name what is outside its tolerance."""
    figures = measured()
    PAGE.write_text(page(figures), "utf-8")
    for one in figures:
        if not one.holds:
            print(f"outside: {one.what}: {one.value:.4g} {one.unit}, not {one.low:g} to {one.high:g}", file=sys.stderr)  # noqa: T201
    print(f"{PAGE}: {sum(one.holds for one in figures)} of {len(figures)} within their tolerance")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
