"""The console in a real browser over an API whose figures a test sets: one browser, one console."""

import signal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.helpers.consoles import DESK, PATIENCE_MS, RunningConsole
from tests.helpers.fake_central import (
    LOCATIONS,
    TOKEN,
    FakeCentral,
)

expect.set_options(timeout=PATIENCE_MS)  # else five seconds, whatever the page's own patience is


@pytest.fixture(scope="module")
def browser(program):
    with sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="module")
def central():
    with FakeCentral() as api:
        yield api


@pytest.fixture(scope="module")
def console(central, tmp_path_factory):
    """A console with a token; its address."""
    directory = tmp_path_factory.mktemp("console")
    (directory / "token").write_text(TOKEN)
    options = ["--listen", "127.0.0.1:0", "--token-file", str(directory / "token")]
    with RunningConsole(directory, "--api", central.url, *options) as (url, process):
        yield url
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_MS / 1000) == 0


@pytest.fixture
def page(browser, console, central):
    """A page of the board over an API without alerts; every request that it made is checked at the end."""
    central.alerts, central.movements, central.gateways = [], [], [central.health()]
    central.ill, central.measures, central.exceptions, central.written = {}, [], [], []
    central.commands, central.captures = [], []
    central.acknowledged, central.life, central.transfers = [], [], []
    central.counts = {row[0]: row[5] for row in LOCATIONS}
    central.tell("location", {})
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(PATIENCE_MS)
    one = context.new_page()
    asked, failed = [], []
    one.on("request", lambda request: asked.append(request.url))
    one.on("pageerror", lambda error: failed.append(str(error)))
    one.goto(console)
    # The console outlives a test: what the one before set is gone from the board before this one looks.
    expect(one.locator(".card, .quiet-line")).to_have_count(0, timeout=PATIENCE_MS)
    yield one
    context.close()
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    assert failed == []
