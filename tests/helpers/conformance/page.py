"""docs/reference/conformance.md: made by a run, held equal to each further run in all but its times."""

import re
from pathlib import Path

from tests.helpers.conformance.cases import ALL

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "conformance.md"
HEAD = """<!-- Made by `make conformance` from a run; changes here are overwritten. -->

# What the agent does when readers misbehave

Each row is a behaviour of LLRP readers in the field, played by a simulated reader (`simulator/faults`) or by a proxy
between the two (`tests/helpers/fault_proxy.py`), and what our reader supervisor was seen to do: every sentence in the
column "the agent" is an assertion that held in the run which wrote this page. Times are that run's, on a shared
machine, with keepalives of 800 ms instead of 1 s or 2 s so that a run is short; they are never compared.
`tests/integration/test_conformance.py` plays all of it at every test run and holds this page equal in all but the
times.
"""
COLUMNS = "| no. | behaviour | played as | the agent | observed |\n|---|---|---|---|---|\n"
TITLES = {
    1: "One client only",
    2: "Keepalives and silence",
    3: "Ports and streams that are no LLRP",
    4: "Set-up",
    5: "What reports leave out",
    6: "Clocks",
    7: "Queues",
    8: "Events",
    9: "Held reports",
    10: "Capabilities",
    11: "Vendors' extensions",
    12: "Who is asked to answer, and when reports come",
    13: "Unusual messages",
    14: "TLS, and readers that dial",
    15: "Inputs and outputs",
}


def page(outcomes):
    """Return the page that a run of all cases makes."""
    parts = [HEAD]
    for item in sorted({case.order[0] for case in ALL}):
        parts += [f"\n## {item}. {TITLES[item]}\n\n", COLUMNS]
        parts += [row(outcomes[case.number]) for case in ALL if case.order[0] == item]
    return "".join(parts)


def row(outcome):
    """Return one row: what the agent did or, where it falls short, why."""
    case = outcome.case
    did = f"**not yet:** {case.falls_short}" if case.falls_short else outcome.did
    times = ", ".join(f"{what} {shown(seconds)}" for what, seconds in outcome.seen.times_s.items())
    return f"| {case.number} | {case.behaviour} | {case.simulated} | {did} | {times} |\n"


def shown(seconds):
    """Return a time in the unit that suits it."""
    return f"{seconds:.2f} s" if abs(seconds) >= 0.1 else f"{1000 * seconds:.1f} ms"


def without_times(text):
    """Return the page's rows without their last column, for comparing."""
    return [re.sub(r"\|[^|]*\|$", "|", line) for line in text.splitlines()]
