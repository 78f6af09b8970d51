"""The console's board in a real browser, over an API whose figures we set."""

import http.client
import re
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.helpers.brokers import free_port
from tests.helpers.consoles import BEYOND_THE_EDGE, CONSOLE, PATIENCE_MS, PHONE, RunningConsole
from tests.helpers.fake_central import (
    FakeCentral,
    ago,
    alert,
    measure,
    movement,
)

pytestmark = [pytest.mark.system("chromium"), pytest.mark.xdist_group("console")]  # one browser, one console


def count_of(page, name):
    return page.locator(".place", has_text=name).locator(".count").inner_text()


def test_counts_stand_beside_their_places_with_their_time(page):
    page.get_by_text("Live, as of").wait_for()
    page.locator(".group", has_text="Headquarters building").get_by_text("23").wait_for()
    assert count_of(page, "Stockroom A") == "15"
    assert "as of" in page.locator(".section-head").inner_text()


def test_counts_follow_the_feed(page, central):
    page.locator(".place").first.wait_for()
    central.counts["corridor"] = 77
    central.tell("location", {"id": "corridor", "count": 77})
    page.locator(".count", has_text="77").wait_for()


def test_an_alert_says_what_where_which_way_how_sure_and_why(page, central):
    page.get_by_text("Nothing to act on").wait_for()
    central.alerts = [alert(1)]
    central.tell("alert", {})
    page.locator(".card").wait_for()
    card = page.locator(".card").inner_text()
    said = (
        "Left without permission",
        "T14 laptop",
        "LT-0001",
        "Stockroom A → Corridor",
        "Stockroom A, east door",
        "sure, 97%",
    )
    for part in (*said, "No authorisation to leave Stockroom A"):
        assert part in card


def test_taking_an_alert_names_who_has_it(page, central):
    central.alerts = [alert(7)]
    central.tell("alert", {})
    page.get_by_label("On duty").fill("Ana")
    page.get_by_label("On duty").press("Tab")
    page.get_by_role("button", name="I have it").click()
    page.get_by_text("Ana has it").wait_for()
    assert central.acknowledged[-1] == (7, "Ana")
    assert page.locator(".card").count() == 0


def test_a_cart_is_one_card(page, central):
    assets = [alert(number)["assets"][0] for number in range(1, 13)]
    central.alerts = [alert(1, assets=assets)]
    central.tell("alert", {})
    page.locator(".card-subject").get_by_text("12 assets").wait_for()
    assert page.locator(".card").count() == 1


@pytest.mark.parametrize("quiet", [{"late": True}, {"corrected": True}, {"severity": "low"}])
def test_what_nobody_must_act_on_is_no_card(page, central, quiet):
    central.alerts = [alert(1, **quiet)]
    central.tell("alert", {})
    page.locator(".quiet-line").wait_for()
    assert page.locator(".card").count() == 0


def test_names_from_the_registry_are_text_and_never_markup(page, central):
    evil = {"id": "LT-0001", "name": "<img src=x onerror=alert(1)>", "class": "laptop"}
    central.alerts = [alert(1, asset=evil, assets=[])]
    central.tell("alert", {})
    page.locator(".card").wait_for()
    assert page.locator(".card-subject").inner_text() == evil["name"]
    assert page.locator(".card img").count() == 0


def test_a_gateway_that_is_gone_is_told_in_words(page, central):
    central.gateways = [central.health() | {"online": False}]
    central.tell("gateway", {})
    page.get_by_text("is not connected").wait_for()


def test_movements_come_with_the_feed_newest_first(page, central):
    page.get_by_text("Live, as of").wait_for()
    central.movements = [movement(22, kind="out"), movement(21, kind="near", at=ago(20))]
    central.tell("passed", {"count": 2})
    page.get_by_text("LT-0022").wait_for()
    lines = page.locator(".movements .movement").all_inner_texts()
    assert "went out to Corridor" in lines[0]
    assert "passed by" in lines[1]


def test_movements_from_before_the_console_are_read_from_the_list(browser, tmp_path):
    with FakeCentral() as api:
        api.movements = [movement(31, kind="in", to="stockroom-a"), movement(32, portal="main-entrance", at=ago(30))]
        with RunningConsole(tmp_path, "--api", api.url, "--listen", "127.0.0.1:0") as (url, _):
            page = browser.new_page()
            page.goto(url)
            page.get_by_text("LT-0031").wait_for(timeout=PATIENCE_MS)
            lines = page.locator(".movements .movement").all_inner_texts()
            assert ["went in to Stockroom A" in lines[0], "Stockroom A, east door" in lines[0]] == [True, True]
            assert "Main entrance" in lines[1]
            api.feed_open = False
            page.get_by_text("what stands here may be old").wait_for(timeout=PATIENCE_MS)
            api.movements = [movement(33), *api.movements]
            api.feed_open = True
            page.get_by_text("LT-0033").wait_for(timeout=PATIENCE_MS)
            page.close()


def test_other_alerts_are_picked_by_door_and_state_and_cards_stay(page, central):
    central.alerts = [
        alert(1),
        alert(2, late=True),
        alert(3, portal="main-entrance", state="acknowledged", acknowledged_by="Ana"),
        alert(4, portal=None, kind="identity_mismatch", severity="low"),
    ]
    central.tell("alert", {})
    page.locator(".quiet-line").nth(2).wait_for()
    pick(page, "Door", "Main entrance")
    page.wait_for_function("document.querySelectorAll('.quiet-line').length == 1")
    assert "Ana has it" in page.locator(".quiet-line").inner_text()
    pick(page, "State", "Open")
    page.get_by_text("No other alert among the newest").wait_for()
    assert page.locator(".card").count() == 1
    pick(page, "Door", "Any door")
    page.wait_for_function("document.querySelectorAll('.quiet-line').length == 2")


def pick(page, label, option):
    page.locator(".choice").get_by_label(label).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_what_is_wrong_with_a_gateway_is_a_calm_card_with_its_own_words(page, central):
    about = {"asset": None, "assets": [], "epc": None, "portal": None, "from": None, "to": None, "confidence": None}
    wrong = alert(2, kind="identity_mismatch", reason="portal 'x' is not assigned to it", **about)
    central.alerts = [wrong, alert(1)]
    central.tell("alert", {})
    page.locator(".gateway-card").wait_for()
    card = page.locator(".gateway-card").inner_text()
    for part in ("A message under a wrong name", "Gateway hq-east-1", "portal 'x' is not assigned", "portals.csv"):
        assert part in card
    for absent in ("No asset named", "direction not known", "no door"):
        assert absent not in card
    assert "gateway-card" not in page.locator(".card").first.get_attribute("class")


def test_a_gateways_long_state_stands_below_its_name(page, central):
    readers = [{"id": f"reader-{number}", "state": "lost"} for number in range(1, 6)]
    central.gateways = [central.health(readers=readers)]
    central.tell("gateway", {})
    page.get_by_text("reader reader-5 does not answer").wait_for()
    name, state = (page.locator(f".gateway {part}").first.bounding_box() for part in (".grow", ".state"))
    assert name["width"] > 200
    assert state["y"] >= name["y"] + name["height"]


@pytest.mark.parametrize("path", ["", "/assets/LT-0001"])
def test_a_page_whose_server_died_says_so_by_itself_and_comes_back(browser, tmp_path, path):
    with FakeCentral() as api:
        listen = f"127.0.0.1:{free_port()}"  # it comes back on it, so nobody may have taken it meanwhile
        with RunningConsole(tmp_path, "--api", api.url, "--listen", listen) as (url, process):
            page = browser.new_page()
            page.goto(url + path)
            page.wait_for_function("document.querySelector('[data-tick]')?.dataset.tick > 1", timeout=PATIENCE_MS)
            expect(page.locator(".lost-banner")).to_have_count(0, timeout=PATIENCE_MS)
            process.kill()
            page.locator(".lost-banner").wait_for(timeout=PATIENCE_MS)
        words = page.locator(".lost-banner").inner_text()
        assert re.match(
            r"▲ Not live: this page lost its server at \d\d:\d\d:\d\d, what stands here is from \d\d:", words
        )
        (tmp_path / "ready").unlink()
        with RunningConsole(tmp_path, "--api", api.url, "--listen", listen):
            page.locator(".lost-banner").wait_for(state="detached", timeout=PATIENCE_MS)
            page.wait_for_function("document.querySelector('[data-tick]')?.dataset.tick > 1", timeout=PATIENCE_MS)
        page.close()


def test_a_frozen_server_is_told_too(browser, tmp_path):
    """Its socket still stands, and yet nothing comes."""
    with FakeCentral() as api, RunningConsole(tmp_path, "--api", api.url, "--listen", "127.0.0.1:0") as (url, process):
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("Live, as of").wait_for(timeout=PATIENCE_MS)
        process.send_signal(signal.SIGSTOP)
        page.locator(".lost-banner").wait_for(timeout=PATIENCE_MS)
        process.send_signal(signal.SIGCONT)
        page.locator(".lost-banner").wait_for(state="detached", timeout=PATIENCE_MS)
        page.close()


def test_the_board_fits_a_phone(browser, console, central):
    ill = [{"id": "r1", "state": "lost"}, {"id": "r2", "state": "connecting"}]
    long = {"id": "LT-0001", "name": "A_name_without_a_single_space_that_goes_on_and_on", "class": "laptop"}
    central.alerts = [
        alert(1, asset=long, assets=[]),
        alert(2, late=True, reason="x"),
        alert(3, state="acknowledged", acknowledged_by="Ana"),
    ]
    central.gateways = [central.health(readers=ill)]
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(console)
    central.tell("alert", {})
    page.locator(".card-subject", has_text=long["name"]).wait_for(timeout=PATIENCE_MS)
    beyond = page.evaluate(BEYOND_THE_EDGE)
    context.close()
    assert beyond == []


def test_answers_carry_a_policy_and_strange_host_names_are_refused(console):
    place = urlsplit(console)
    for host, status in ((place.netloc, 200), ("evil.example", 400)):
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE_MS / 1000)
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        assert answer.status == status
        if status == 200:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        connection.close()


def test_a_feed_that_falls_silent_is_told_in_words_and_comes_back(browser, tmp_path):
    with FakeCentral() as api, RunningConsole(tmp_path, "--api", api.url, "--listen", "127.0.0.1:0") as (url, _):
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("Live, as of").wait_for(timeout=PATIENCE_MS)
        assert page.get_by_label("On duty").count() == 0
        api.feed_open = False
        page.get_by_text("what stands here may be old").wait_for(timeout=PATIENCE_MS)
        api.feed_open = True
        page.get_by_text("Live, as of").wait_for(timeout=PATIENCE_MS)
        page.close()


@pytest.mark.parametrize("listen", ["0.0.0.0:8090", "192.0.2.1:1", "nonsense", "127.0.0.1:99999"])
def test_any_other_address_than_loopback_is_refused(listen):
    done = subprocess.run(
        [sys.executable, "-c", CONSOLE, "--api", "http://127.0.0.1:9", "--listen", listen],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"--listen {listen}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--api", "nonsense"], "--api nonsense"),
        (["--api", "http://127.0.0.1:9", "--token-file", "nope"], "nope: No su"),
    ],
)
def test_options_are_looked_at_before_anything_starts(options, said):
    done = subprocess.run(
        [sys.executable, "-c", CONSOLE, *options, "--listen", "127.0.0.1:0"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr


def test_a_central_that_hears_no_broker_is_not_live_in_words(page, central):
    page.get_by_text("Live, as of").wait_for()
    central.ill = {"ingest": "the broker is not connected"}
    page.get_by_text("the broker is not connected. No alert can come. Start the broker").wait_for(timeout=PATIENCE_MS)
    assert "Not live" in page.locator(".pulse").inner_text()
    central.ill = {}
    page.get_by_text("Live, as of").wait_for()


def test_every_open_alert_is_within_reach_and_repeats_are_one_card(page, central):
    laptop = alert(1)["asset"]
    repeats = [alert(number, asset=laptop, assets=[laptop]) for number in (21, 22, 23)]
    central.alerts = [*repeats, *(alert(number, at=ago(60 + number)) for number in range(1, 8))]
    central.tell("alert", {})
    page.locator(".act-head").get_by_text("Act now: 7 (10 alerts)").wait_for()
    assert (page.locator(".card").count(), page.locator(".below-line").count()) == (4, 3)
    page.get_by_label("On duty").fill("Ana")
    page.get_by_role("button", name="I have all 4").click()
    page.locator(".act-head").get_by_text("Act now: 6").wait_for()
    assert {number for number, _ in central.acknowledged[-4:]} == {1, 21, 22, 23}


def test_a_board_that_can_not_list_all_that_is_open_says_so_and_where_it_is(page, central):
    laptop = alert(1)["asset"]
    central.alerts = [alert(number, asset=laptop, assets=[laptop]) for number in range(1, 1102)]
    central.tell("alert", {})
    page.locator(".cut").get_by_text("More than these 1,000 alerts are open. All critical ones are here").wait_for()
    assert page.locator(".cut").get_by_role("link").get_attribute("href") == "/alerts?state=open"
    central.alerts = central.alerts[:3]
    central.tell("alert", {})
    page.locator(".cut").wait_for(state="detached")


def test_without_a_name_nothing_is_taken_and_the_name_is_asked_for_and_kept(page, central):
    central.alerts = [alert(31)]
    central.tell("alert", {})
    page.get_by_role("button", name="I have it").click()
    page.get_by_text("Your person id, please").wait_for()
    expect(page.get_by_label("On duty")).to_be_focused()
    assert 31 not in dict(central.acknowledged)
    page.get_by_label("On duty").fill("Ben")
    page.wait_for_function("localStorage.getItem('stockgate-on-duty') == 'Ben'")
    page.reload()
    expect(page.get_by_label("On duty")).to_have_value("Ben", timeout=PATIENCE_MS)


def test_an_alert_that_somebody_has_ends_with_a_verdict_and_what_shows_it(page, console, central):
    central.alerts = [alert(7, state="acknowledged", acknowledged_by="Ana")]
    central.tell("alert", {})
    page.get_by_role("link", name="end it").click()
    page.get_by_label("Your person id").fill("Ana")
    page.get_by_role("button", name="False read").click()
    page.get_by_text("What shows it? Then tap again").wait_for()
    assert central.written == []
    page.get_by_label("What shows it").fill("camera 4, 21:40")
    page.get_by_role("button", name="False read").click()
    page.get_by_text("unconfirmed false read, Ana").wait_for()
    evidence = {"kind": "inspection", "reference": "camera 4, 21:40"}
    assert central.written == [(7, {"verdict": "false_read", "evidence": evidence, "by": "Ana"})]


def test_a_verdict_that_was_tapped_by_mistake_is_taken_back_with_a_reason(page, console, central):
    central.alerts = [alert(7, state="resolved", verdict="theft", verdict_standing="confirmed", resolved_by="Ana")]
    page.goto(f"{console}/alerts/7")
    page.get_by_text("Theft, Ana").wait_for()
    page.get_by_label("Your person id").fill("Ana")
    page.get_by_role("button", name="Open it again").click()
    page.get_by_text("What is wrong with it? Then tap again").wait_for()
    assert central.written == []
    page.get_by_label("What is wrong with it").fill("the wrong button")
    page.get_by_role("button", name="Open it again").click()
    page.get_by_text("Opened again, the verdict on it fell").wait_for()
    assert central.written == [(7, {"reason": "the wrong button", "by": "Ana"})]


def test_an_alert_is_taken_by_keyboard_alone_and_its_page_says_all_on_one_card(page, console, central):
    """Tab reaches the name and the button, whose focus can be seen; without a name the name is asked for."""
    central.alerts = [alert(7)]
    central.tell("alert", {})
    page.goto(f"{console}/alerts/7")
    card = page.locator(".card")
    card.wait_for()
    for part in (
        "Left without permission",
        "T14 laptop",
        "Stockroom A → Corridor",
        "Stockroom A, east door",
        "sure, 97%",
    ):
        assert part in card.inner_text()
    page.get_by_role("button", name="I have it").wait_for()
    for _ in range(20):
        if page.evaluate("document.activeElement.textContent.trim()") == "I have it":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).boxShadow") != "none"
    page.keyboard.press("Enter")
    page.get_by_text("Your person id, please").wait_for()
    assert central.acknowledged == []
    page.keyboard.type("Ann")
    page.keyboard.press("Enter")
    page.get_by_text("Ann has it").wait_for()
    assert central.acknowledged == [(7, "Ann")]
    page.get_by_role("group", name="Verdict").wait_for()


def test_the_newest_alert_is_told_to_who_cannot_see_the_screen_and_buttons_name_what_they_take(page, central):
    central.alerts = [alert(1)]
    central.tell("alert", {})
    loud = page.locator("[aria-live=assertive]")
    expect(loud).to_have_text("Act now: 1. Left without permission. T14 laptop. Stockroom A → Corridor")
    page.get_by_role("button", name="I have it: T14 laptop, LT-0001").wait_for()
    black_on_orange = page.locator(".take").evaluate("one => getComputedStyle(one).color")
    assert black_on_orange == "rgb(0, 0, 0)"


def test_a_reopened_alert_is_a_card_again_however_old_it_is(page, central):
    central.alerts = [alert(3, late=True, corrected=True, reopened=1, severity="critical")]
    central.tell("alert", {})
    page.locator(".card", has_text="Opened again, the verdict on it fell.").wait_for()


def test_a_muted_door_says_on_the_board_by_whom_and_until_when(page, central):
    central.measures = [measure()]
    central.tell("gateway", {})
    page.locator(".measure", has_text="Main entrance muted by Ana until").wait_for()
    page.get_by_role("link", name="Main entrance", exact=True).click()
    page.get_by_text("Now it only writes down").wait_for()
    page.get_by_text("4 of 20 judged alerts were false: 20% (8% to 42%)").wait_for()
    page.get_by_text("With 95 % certainty it misses 1.0% to 3.9%, that is 1 to 5 crossings a month.").wait_for()
    assert page.locator(".figure", has_text="not confirmed").locator(".figure-value").inner_text() == "3"
