"""The console's lists, and the pages of one asset, alert, door or exception, in a real browser."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.helpers.consoles import DESK, OUT_OF_THEIR_BOX, PATIENCE_MS, PHONE
from tests.helpers.fake_central import (
    ago,
    alert,
    asked,
    exception,
    going,
    moment,
    movement,
    passed,
)

pytestmark = [pytest.mark.system("chromium"), pytest.mark.xdist_group("console")]  # one browser, one console


LIFE = [
    passed(1),
    moment("alert", 20, alert=4, kind="unauthorised_exit", severity="high", state="open", portal="main-entrance",
           reason="No authorisation.", verdict=None, by=None, assets=3),
    moment("hearing", 4000, location="corridor", until=ago(3000), rounds=9, swept=False, moved=True,
           **{"from": "street"}),
    moment("exception", 5000, exception=3, category="transit_overdue", severity="high", state="open", location=None,
           kind="opened", by="central", detail={"why": "two days late"}),
    moment("pass", 6000, id="A-9", kind="gate_pass", boundary="hq", valid_to=ago(-3600), reason="repair",
           person="p-2", single_use=True, approved_by="p-3", used_portal="main-entrance", used_at=ago(20),
           withdrawn_at=None),
    moment("transfer", 90000, kind="dispatched", transfer="T-7", to=None, sender="p-1", receiver="p-2",
           receipt_due=ago(-9), basis="inferred", assumed=["destination"], state="open", ended_in=None, ended_by=None,
           **{"from": "corridor"}),
    moment("count", 100000, location="corridor", how="sweep", grade="tag_seen", confidence=0.98, evidence="sweep 7",
           by="p-3", run=12),
    moment("act", 200000, kind="custody_given", by="p-8", location=None, subject=None, detail={"custodian": "p-017"},
           recorded_at=ago(200000), void=False),
]  # fmt: skip


def test_an_assets_page_says_where_why_what_is_open_and_tells_its_whole_life(page, console, central):
    central.life = LIFE
    central.exceptions = [exception(1, suggestion="received in Leeds", suggested_by="doors")]
    page.goto(f"{console}/assets/LT-0001")
    page.locator(".moment").first.wait_for()
    told = page.locator(".page").inner_text()
    for part in (
        "Missing in Stockroom A: readers that normally hear it don't; seen 3 days ago, under 1% likely there.",
        "its tag was seen (p-003); that no longer counts",
        "Must not leave: legal",
        "Open: 1 exception", "Close it? received in Leeds (doors)",
        "holds 1 asset:",
        "Went out to Corridor", "Heard in Corridor: held to be there from then on", "no door saw it leave Street",
        "Exception opened: transit overdue", "two days late",
        "May leave Headquarters building once", "used at Main entrance",
        "Left Corridor for nobody knows where", "inferred: no door saw it", "assumed: destination",
        "Verified in Corridor: its tag was seen", "count no. 12",
        "In custody of p-017", "by p-8",
    ):  # fmt: skip
        assert part in told, part
    assert page.locator(".moment").count() == len(LIFE)
    page.get_by_text("evidence:").click()
    expect(page.locator(".antenna")).to_have_count(4)
    page.get_by_role("link", name="Passes").click()
    expect(page.locator(".moment")).to_have_count(1)
    page.get_by_role("link", name="for print").click()
    page.locator(".paper").wait_for()


def test_a_long_life_has_pages_and_the_feed_brings_what_is_new(page, console, central):
    central.life = [passed(number) for number in range(1, 121)]
    page.goto(f"{console}/assets/LT-0001")
    expect(page.locator(".moment")).to_have_count(50)
    page.get_by_role("link", name="older").click()
    page.get_by_role("link", name="← newest").wait_for()
    page.get_by_role("link", name="older").click()
    page.get_by_text("Here its life begins.").wait_for()
    expect(page.locator(".moment")).to_have_count(20)
    page.goto(f"{console}/assets/LT-0001")
    expect(page.locator(".moment")).to_have_count(50)
    central.life = LIFE
    central.tell("asset", {"id": "LT-0001", "location": "corridor"})
    expect(page.locator(".moment")).to_have_count(len(LIFE))


def test_an_unknown_asset_gets_the_apis_words_and_a_way_back(page, console):
    page.goto(f"{console}/assets/LT-9999")
    page.get_by_text("There is no asset LT-9999").wait_for()
    page.get_by_text("the board").click()
    page.get_by_text("Where assets are").wait_for()


def test_an_id_that_no_asset_can_have_is_told_as_such(page, console):
    page.goto(f"{console}/assets/%00")
    page.get_by_text("There is no such asset").wait_for()


@pytest.mark.parametrize("number", ["abc", "0", "9" * 30, "%C2%B2"])
def test_an_address_that_no_alert_can_have_is_a_page_with_words(page, console, number):
    page.goto(f"{console}/alerts/{number}")
    page.get_by_text("There is no such alert").wait_for()
    page.get_by_text("the board").click()
    page.get_by_text("Where assets are").wait_for()


def test_all_alerts_are_pages_and_doors_show_how_far_they_can_be_trusted(page, console, central):
    central.alerts = [alert(number, state="resolved", verdict="theft", resolved_by="ann") for number in range(1, 61)]
    central.alerts[0] = alert(1)
    page.goto(f"{console}/alerts")
    expect(page.locator(".alert-line")).to_have_count(50)
    expect(page.locator(".alert-line.act")).to_have_count(1)
    page.get_by_role("link", name="older →").click()
    expect(page.locator(".alert-line")).to_have_count(10)
    page.goto(f"{console}/alerts?state=open")
    page.get_by_role("link", name="Left without permission: T14 laptop").click()
    page.get_by_role("button", name="I have it").wait_for()
    page.goto(f"{console}/portals")
    row = page.get_by_role("row", name="Main entrance").inner_text()
    assert "4 of 20 judged alerts were false" in row
    assert "2.0% (1.0% to 3.9%)" in row
    assert "not yet: shows 1 of 2 things that are wanted" in row
    page.get_by_role("link", name="Main entrance").click()
    page.get_by_text("Whether it may sound the siren").wait_for()
    told = page.locator(".page").inner_text()
    assert "walks of its commissioning: not known, wanted at least 20" in told
    assert "approved by p-2: opened; in spite of: days with passages" in told


def test_transfers_that_wait_for_an_owner_stand_before_what_is_under_way(page, console, central):
    central.transfers = [asked(1), asked(2, state="approved", awaits=[]), asked(3, **{"from": "leeds", "to": "york"})]
    page.goto(f"{console}/in-transit?place=corridor")
    page.get_by_text("Waiting for approval: 1").wait_for()
    told = page.locator(".waiting").inner_text()
    assert "✓ The owner of where it leaves agreed (p-2" in told
    assert "▲ the owner of where it goes has not agreed yet. Two people have to: the cost centre changes." in told


def test_a_doors_gateway_is_given_orders_and_its_answers_are_shown(page, console, central):
    """A nameless order asks for a name; the answer appears by itself; a refusal is told in the API's words."""
    page.goto(f"{console}/portals/main-entrance")
    page.get_by_text("Nothing was ordered of it yet.").wait_for()
    page.get_by_role("button", name="Blink its light").click()
    page.get_by_text("Your person id, please: then tap again").wait_for()
    assert central.commands == []
    page.get_by_label("Your person id").fill("p-1")
    page.get_by_role("button", name="Blink its light").click()
    page.get_by_text("waits for its answer").wait_for()
    assert central.commands[0]["args"] == {"device": "r1", "output": 1, "seconds": 5}
    central.commands[0] |= {"state": "done", "result": {"device": "r1", "seconds": 5}}
    page.get_by_text("device r1 · seconds 5").wait_for()
    page.get_by_role("button", name="What each antenna hears").click()
    expect(page.locator(".command")).to_have_count(2)
    central.commands[1] |= {"state": "refused", "problem": "reader r1 is not in session"}
    page.get_by_text("reader r1 is not in session").wait_for()
    page.get_by_label("Your person id").fill("p-9")
    page.get_by_role("button", name="Begin anew at the reader").click()
    page.get_by_text("takes one of the roles door-keeper").wait_for()
    assert [one["name"] for one in central.commands] == ["blink", "survey"]


def test_a_configuration_is_pasted_or_taken_from_a_file_and_sent(page, console, central):
    """A file's text stands in the field before it goes; what the gateway says to it stands below."""
    page.goto(f"{console}/portals/main-entrance")
    page.get_by_label("Your person id").fill("p-1")
    page.get_by_text("Another configuration for").click()
    page.get_by_role("button", name="Send it to the gateway").click()
    page.get_by_text("Put the configuration in first").wait_for()
    assert central.commands == []
    toml = 'site = "hq"\ngateway = "hq-east-1"\n'
    page.locator("input[type=file]").set_input_files(
        {"name": "edge.toml", "mimeType": "text/plain", "buffer": b"\xef\xbb\xbf" + toml.encode()}
    )
    expect(page.get_by_label("edge.toml, all of it")).to_have_value(toml)
    page.get_by_role("button", name="Send it to the gateway").click()
    page.get_by_text("waits for its answer").wait_for()
    assert [(one["name"], one["args"]) for one in central.commands] == [("configure", {"toml": toml})]
    central.commands[0] |= {"state": "refused", "problem": "rolled back: after 60 s: reader r1 is not in session"}
    page.get_by_text("rolled back: after 60 s: reader r1 is not in session").wait_for()
    page.get_by_role("button", name="Read its file again").click()
    expect(page.locator(".command")).to_have_count(2)
    assert (central.commands[1]["name"], central.commands[1]["args"]) == ("reload", {})


def test_a_guard_tests_a_door_with_a_tag(page, console, central):
    """In a name, with what was written of the tag as it is meant; the browser remembers the tag for the next shift."""
    page.goto(f"{console}/portals/main-entrance")
    page.get_by_label("Test tag's EPC").fill("E280-1160 600002")
    page.get_by_role("button", name="Begin the test").click()
    page.get_by_text("the test is logged in your name").wait_for()
    page.get_by_label("Your person id").fill("p-1")
    page.get_by_text("sound the alarm").click()
    page.get_by_role("button", name="Begin the test").click()
    page.get_by_text("Walk through the door with the tag now").wait_for()
    [given] = central.commands
    assert (given["name"], given["by"]) == ("test-tag", "p-1")
    assert given["args"] == {"portal": "main-entrance", "epc": "e2801160600002", "seconds": 20, "sound": True}
    given |= {"state": "done", "result": {"decided": "out", "decision ms": 250}}
    page.get_by_text("decided out · decision ms 250").wait_for()
    page.reload()
    expect(page.get_by_label("Test tag's EPC")).to_have_value("e2801160600002")


def test_a_doors_readers_are_recorded_and_the_file_is_fetched(page, console, central, tmp_path):
    """Who has told no id is asked for it; the file comes by the console; a refusal comes in the API's words."""
    page.goto(f"{console}/portals/main-entrance")
    page.get_by_text("Nothing was recorded by an order yet.").wait_for()
    record = page.get_by_role("button", name="Record this door's readers")
    record.click()
    page.get_by_text("Write your person id beside the orders above").wait_for()
    assert central.commands == []
    page.get_by_label("Your person id").fill("p-1")
    page.get_by_label("Seconds to record").fill("12")
    record.click()
    page.get_by_text("waits for its answer").wait_for()
    assert central.commands[0]["args"] == {"portal": "main-entrance", "seconds": 12}
    made = {"id": 4, "gateway": "hq-east-1", "args": {"portal": "main-entrance"}, "by": "p-1", "given_at": ago(5)}
    came = {"bytes": 1_500_000, "sha256": "ab" * 32, "problem": None}
    central.captures = [
        made | came | {"state": "kept", "result": {"packets": 1234, "seconds": 12}},
        made | {"id": 3, "state": "failed", "problem": "the disk is nearly full", "bytes": None, "result": None},
    ]
    page.get_by_text("1.50 MB · 1,234 packets in 12 s · sha256 abababababab…").wait_for()
    page.get_by_text("the disk is nearly full").wait_for()
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Fetch").click()
    fetched.value.save_as(tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"\x0a\x0d\x0d\x0a"
    assert fetched.value.suggested_filename == "gw-4.pcapng"
    refused = httpx.get(f"{console}/captures/4/file", params={"by": "p-9"}, timeout=PATIENCE_MS / 1000)
    assert (refused.status_code, refused.text) == (404, "'p-9' may not have captures.\n")


def test_a_door_that_is_not_there_gets_words_and_a_way_back(page, console):
    page.goto(f"{console}/portals/nowhere")
    page.get_by_text("There is no such door").wait_for()
    page.goto(f"{console}/alerts/99")
    page.get_by_text("There is no such alert").wait_for()


def test_exceptions_stand_with_totals_that_no_choice_reaches_and_close_with_evidence(page, console, central):
    central.exceptions = [exception(1), exception(2, severity="high", suggestion="seen again", suggested_by="doors")]
    page.goto(f"{console}/exceptions")
    page.get_by_text("Close it? seen again (doors)").wait_for()
    assert page.locator(".figure", has_text="overdue").locator(".figure-value").inner_text() == "2"
    page.get_by_label("Your person id").fill("ann")
    first = page.locator(".exception", has_text="LT-0001")
    first.get_by_placeholder("where it can be looked up").fill("shelf 4")
    first.get_by_role("button", name="Close").click()
    expect(page.locator(".exception")).to_have_count(1)
    evidence = {"kind": "inspection", "reference": "shelf 4"}
    assert central.written == [(1, {"step": "close", "evidence": evidence, "by": "ann"})]
    assert page.locator(".figure").first.locator(".figure-value").inner_text() == "12"


def test_a_long_queue_has_pages_and_what_is_picked_stands_in_the_address(page, console, central):
    central.exceptions = [exception(number) for number in range(1, 121)]
    page.goto(f"{console}/exceptions")
    expect(page.locator(".exception")).to_have_count(50)
    page.get_by_role("link", name="more →").click()
    page.get_by_role("link", name="← before").wait_for()
    page.get_by_role("link", name="more →").click()
    expect(page.locator(".exception")).to_have_count(20)
    page.goto(f"{console}/exceptions?asset=LT-0003")
    expect(page.locator(".exception")).to_have_count(1)
    page.goto(f"{console}/exceptions?asset=LT-0999")
    page.get_by_role("link", name="show all that are open").wait_for()


def test_an_exception_is_given_to_somebody_else_and_others_changes_move_nothing_under_the_hand(page, console, central):
    central.exceptions = [exception(1), exception(2)]
    page.goto(f"{console}/exceptions")
    page.get_by_label("Your person id").fill("ann")
    other = page.locator(".exception", has_text="LT-0002").get_by_label("Give it to")
    other.fill("p-9")
    other.press("Enter")
    expect(page.locator(".exception")).to_have_count(1)
    assert central.written == [(2, {"step": "assign", "owner": "p-9", "by": "ann"})]


def test_a_step_that_separation_of_duties_refuses_is_told_in_words(page, console, central):
    waiting = {"state": "awaiting_approval", "proposed_by": "ann", "outcome": "closed"}
    central.exceptions = [exception(1, evidence={"kind": "scan", "reference": "7"}, **waiting)]
    page.goto(f"{console}/exceptions")
    page.get_by_label("Your person id").fill("bob")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("bob has LT-0001 in custody").wait_for()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_ids_and_names_of_eighty_characters_stay_in_their_boxes(page, console, central, size):
    """None is broken into a column of letters either."""
    long = {"id": "A" * 80, "name": "N" * 80, "class": "laptop"}
    held = {"state": "acknowledged", "acknowledged_at": ago(3), "acknowledged_by": "b" * 80}
    central.alerts = [alert(1, asset=long, assets=[long]), alert(2, asset=long, assets=[long], **held)]
    central.movements = [movement(1, asset="A" * 80), movement(2, asset=None)]
    central.exceptions = [exception(1, asset="A" * 80, asset_name="N" * 80)]
    central.legs = [going(1, asset="A" * 80, asset_name="N" * 80), going(2), going(3, asset_name="N" * 80)]
    page.set_viewport_size(size)
    for path, line in (("/", ".quiet-line"), ("/in-transit", ".leg"), ("/exceptions", ".exception")):
        page.goto(console + path)
        page.locator(f"{line} .link").first.wait_for()
        assert page.evaluate(OUT_OF_THEIR_BOX) == [], path
    central.legs = []
