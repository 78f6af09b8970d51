"""The counts page in a real browser, over an API whose figures we set."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.application.count_views import PlaceRow
from central.domain.presence.buckets import Tally
from tests.helpers.consoles import BEYOND_THE_EDGE, CONSOLE, PHONE, browsed
from tests.helpers.fake_central import FakeCentral, ago

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.system("chromium"), pytest.mark.xdist_group("console")]


def row(place, name, parent, tally=None, minutes=7):
    seen = datetime.now(UTC) - timedelta(minutes=minutes)
    known = tally is not None and tally.counted
    return PlaceRow(place, name, parent, tally or Tally("none"), 0.97 if known else None, seen if known else None, seen)


ROWS = [
    row("hq-site", "Pune", None),
    row("hq", "Pune, main building", "hq-site"),
    row(
        "stockroom-a", "Pune stockroom", "hq", Tally("sighted", book=214, found=211, missing=1, unexpected=1, unknown=2)
    ),
    row("corridor", "Corridor", "hq", Tally("balanced", book=8, found=8), 190),
    row("street", "Repair corner", "hq", Tally("none", book=6, unknown=6)),
]
DOUBTS = [
    {"asset": "LT-0117", "name": "T14 laptop", "class": "laptop", "model": "T14", "location": "stockroom-a",
     "bucket": "missing", "probability": 0.004, "seen_at": ago(3 * 86400), "elsewhere": None, "since": ago(7200)},
    {"asset": "LT-0203", "name": "T14 laptop", "class": "laptop", "model": "T14", "location": "stockroom-a",
     "bucket": "unexpected", "probability": None, "seen_at": ago(900), "elsewhere": None, "since": ago(900)},
    {"asset": "LT-0042", "name": "T14 laptop", "class": "laptop", "model": "T14", "location": "stockroom-a",
     "bucket": "unknown", "probability": 0.61, "seen_at": ago(26 * 3600), "elsewhere": None, "since": ago(900)},
]  # fmt: skip
RUNS = [
    {"id": 3, "kind": "quarterly_cycle", "location": "stockroom-a", "ranks": ["A"], "blind": True, "state": "counting",
     "due_on": "2026-04-14", "signed_by": None},
    {"id": 2, "kind": "annual_audit", "location": "hq", "ranks": [], "blind": False, "state": "signed",
     "due_on": "2026-01-31", "signed_by": "p-017"},
]  # fmt: skip


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """(API, console's address) of a console over figures of ours."""
    directory = tmp_path_factory.mktemp("counts")
    ready = directory / "ready"
    with FakeCentral() as api:
        api.place_rows, api.doubts, api.runs = ROWS, DOUBTS, RUNS
        command = [
            sys.executable,
            "-c",
            CONSOLE,
            "--api",
            api.url,
            "--listen",
            "127.0.0.1:0",
            "--ready-file",
            str(ready),
        ]
        process = subprocess.Popen(command, env=os.environ | {"NO_COLOR": "1"})
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield api, ready.read_text().split('"')[3]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.fixture
def page(console, program):
    with browsed(program("chromium"), 60_000) as one:
        yield one


def test_how_many_are_where_how_well_known_and_which_are_doubtful(console, page):
    """From the board to the counts, an answer, all places, and the address of what was asked."""
    _, url = console
    page.goto(url)
    page.get_by_role("link", name="Counts", exact=True).click()
    page.locator(".answer").wait_for()
    page.goto(f"{url}/counts?place=stockroom-a&q=T14")
    answer = page.locator(".answer")
    answer.wait_for()
    told = answer.inner_text()
    for part in (
        "214 T14 in Pune stockroom",
        "211 found, 1 missing, 1 not in the book here, 2 not known.",
        "● seen, 97% of tags heard",
        "as of",
        "LT-0117",
        "last seen 3 days ago",
    ):
        assert part in told
    building = page.locator(".count-row", has_text="Pune, main building").inner_text()
    assert "not counted, 97% is" in building
    assert "n/a" in building
    assert "waits" not in page.locator(".page").inner_text()
    assert "signed by p-017" in page.locator(".page").inner_text()
    (ROOT / "build").mkdir(exist_ok=True)
    page.screenshot(path=ROOT / "build" / "counts.png", full_page=True)
    page.set_viewport_size(PHONE)
    assert page.evaluate(BEYOND_THE_EDGE) == []
    page.screenshot(path=ROOT / "build" / "counts-phone.png", full_page=True)
