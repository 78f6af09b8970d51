"""The page of other books, in a real browser: how each agrees, and what differs."""

import pytest

from tests.helpers.fake_central import ago

pytestmark = [pytest.mark.system("chromium"), pytest.mark.xdist_group("console")]  # one browser, one console


def book(name, matched, *findings, **counted):
    """A book's newest snapshot, as the API tells it."""
    return {
        "id": 1, "book": name, "location": "hq", "location_name": "Headquarters building", "taken_at": ago(7200),
        "complete": ["*"], "by": "p-9", "recorded_at": ago(7000), "findings": list(findings),
        "compared": {"matched": matched, "only_here": 0, "only_there": 0, "conflicts": 0} | counted,
    }  # fmt: skip


def finding(severity, asset, why, **told):
    """One mismatch."""
    return {"verdict": "conflict", "category": "x", "severity": severity, "asset": asset, "why": why, "told": told}


def test_books_show_how_they_agree_and_what_differs_the_gravest_first(page, console, central):
    gone = finding("critical", "LT-0001", "written off by finance, and not disposed of here", id="FA-1", serial="S1")
    odd = finding("high", None, "only in the network", id="10.0.0.7", name="printer-7", line="4")
    central.books = [book("far", 1204, gone, conflicts=3), book("discovery", 88, odd, only_there=1)]
    page.goto(f"{console}/books")
    page.locator(".mismatch").first.wait_for()
    told = page.locator(".page").inner_text()
    for part in (
        "Finance, open beyond the date: 2 high (yellow)", "Unknown devices: 9 of 10 closed in time (green)", "1,204",
        "Finance's register, Headquarters building: 3 to put right", "written off by finance",
        "The 1 gravest are listed.", "not in our register", "id 10.0.0.7, name printer-7, line 4",
    ):  # fmt: skip
        assert part in told, part
    page.get_by_role("link", name="LT-0001").click()
    page.get_by_text("T14 laptop").first.wait_for()


def test_no_book_yet_is_said_in_words(page, console, central):
    central.books = []
    page.goto(f"{console}/books")
    page.get_by_text("once a snapshot of theirs was taken").wait_for()
