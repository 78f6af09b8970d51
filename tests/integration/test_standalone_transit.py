"""The in-transit board in a real browser, over an API whose figures we set."""

import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.helpers.consoles import BEYOND_THE_EDGE, PHONE, RunningConsole, browsed
from tests.helpers.fake_central import FakeCentral, ago, going, manifest

BUILD = Path(__file__).resolve().parents[2] / "build"
PATIENCE_MS = 60_000
UNDECLARED = {
    "transfer": None, "destination": None, "destination_name": None, "sender": "itam_manager",
    "sender_name": "IT asset manager", "receiver": "itam_manager", "receiver_name": "IT asset manager",
    "basis": "inferred", "assumed": ["sender", "receiver", "receipt_due"], "dispatched_at": ago(3 * 3600),
    "receipt_due": ago(-5 * 86400), "due_on": ago(-5 * 86400)[:10],
}  # fmt: skip
LATE = {
    "transfer": "T-3", "destination": "pune", "destination_name": "Pune stockroom", "sender_name": "Cara Voss",
    "receiver_name": "Dev Rao", "receipt_due": ago(2 * 86400 + 600), "due_on": ago(2 * 86400 + 600)[:10],
    "overdue": True, "dispatched_at": ago(9 * 86400), "basis": "scanned", "told": "branch_admin",
    "told_at": ago(86400 + 60), "calendar": "IN-MH:0a1b2c3d",
}  # fmt: skip
LEGS = [
    going(1), going(2),
    going(11, **LATE), going(12, **LATE),
    going(13, **LATE, state="wrong_destination", astray_in="corridor", astray_in_name="Corridor", astray_at=ago(7200)),
    going(40, **UNDECLARED, asset_name="Sealed dock"),
    *(going(50 + number, transfer="T-9", basis="inferred", assumed=["dispatched_at"]) for number in range(9)),
]  # fmt: skip
MANIFESTS = [
    manifest(unread=[{"id": "LT-0003", "name": "T14 laptop"}], came_back=[{"id": "LT-0004", "name": "Dock"}]),
    manifest(transfer="T-3", reason="Moves", ticket=None, destination="pune", destination_name="Pune stockroom"),
    manifest(transfer="T-9", total=9, reason="Refresh of the Leeds office", ticket=None),
]

pytestmark = [pytest.mark.system("chromium"), pytest.mark.xdist_group("console")]


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """(API, console's address) of a console over figures of ours."""
    with FakeCentral() as api:
        api.legs, api.manifests = LEGS, MANIFESTS
        directory = tmp_path_factory.mktemp("transit")
        with RunningConsole(directory, "--api", api.url, "--listen", "127.0.0.1:0") as (url, process):
            yield api, url
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


@pytest.fixture
def page(console, program):
    with browsed(program("chromium"), PATIENCE_MS) as one:
        yield one


def test_what_is_under_way_who_answers_and_how_late_it_is(console, page):
    """From the board to what is in transit: undeclared first, then overdue, then what is read in part."""
    _, url = console
    page.goto(url)
    page.get_by_role("link", name="In transit", exact=True).click()
    page.locator(".trip").first.wait_for()
    told = [one.inner_text() for one in page.locator(".trip").all()]
    assert ["Left undeclared" in one for one in told] == [True, False, False, False]
    for part in (
        "Stockroom A → nobody knows where",
        "gone for 3 h",
        "IT asset manager answers for it",
        "assumed: sender, receiver",
    ):
        assert part in told[0]
    for part in (
        "Stockroom A → Pune stockroom", "overdue by 2 days", "IN-MH calendar", "Cara Voss sent it, Dev Rao is to",
        "Branch admin was told 1 day ago", "at a wrong place: Corridor, 2 h ago", "scanned",
    ):  # fmt: skip
        assert part in told[1]
    part = next(one for one in told if "T-7" in one)
    assert "2 of 3 assets under way" in part
    assert "Not read at dispatch: T14 laptop (LT-0003)" in part
    assert "Came back: Dock (LT-0004)" in part
    BUILD.mkdir(exist_ok=True)
    page.screenshot(path=BUILD / "in-transit.png", full_page=True)
    page.set_viewport_size(PHONE)
    assert page.evaluate(BEYOND_THE_EDGE) == []
    page.screenshot(path=BUILD / "in-transit-phone.png", full_page=True)


def test_choices_stand_in_the_address_and_leave_what_belongs_together(console, page):
    _, url = console
    page.goto(f"{url}/in-transit?what=in_part")
    expect(page.locator(".trip")).to_have_count(1)
    assert "T-7" in page.locator(".trip").inner_text()
    page.goto(f"{url}/in-transit?place=corridor")
    expect(page.locator(".trip")).to_have_count(1)
    assert "wrong place: Corridor" in page.locator(".trip").inner_text()
    page.goto(f"{url}/in-transit?what=nonsense&place=street")
    page.get_by_text("Nothing is under way").wait_for()


def test_the_page_follows_the_feed(console, page):
    api, url = console
    page.goto(f"{url}/in-transit")
    expect(page.locator(".trip")).to_have_count(4)
    try:
        api.legs = LEGS[:2]
        api.tell("location", {})
        expect(page.locator(".trip")).to_have_count(1)
    finally:
        api.legs = LEGS
