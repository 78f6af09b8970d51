"""`make conformance`: play all cases and write what was seen to docs/reference/conformance.md."""

import asyncio
import sys

from edge.llrp import ReportDecoder
from tests.helpers.conformance.case import run_cases
from tests.helpers.conformance.cases import ALL
from tests.helpers.conformance.page import PAGE, page
from tests.helpers.fake_reader import report, tag


def main():
    """Run, write, and fail if a case does that should hold."""
    ReportDecoder().decode(bytearray(report(tag())))
    outcomes = asyncio.run(run_cases(ALL))
    failed = [o for o in outcomes.values() if o.error and not o.case.falls_short]
    for outcome in failed:
        print(f"{outcome.case.number}: {outcome.case.behaviour}\n{outcome.error}", file=sys.stderr)  # noqa: T201
    if failed:
        return 1
    PAGE.write_text(page(outcomes), "utf-8")
    print(f"{PAGE}: {len(outcomes)} cases")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
