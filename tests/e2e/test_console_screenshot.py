"""The whole way in a browser: simulated walk, reader, edge, broker, database, console."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOT = ROOT / "build" / "console.png"
DEMO = [str(Path(sys.executable).parent / "stockgate"), "demo", "--seconds", "20"]
PATIENCE_MS = 90_000


@pytest.fixture
def demo():
    """A running demo in its own process group; its first lines up to the console's address."""
    process = subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=90)
    process.stdout.close()


def console_address(process):
    for line in process.stdout:
        if line.startswith("Console"):
            return line.split()[1]
    raise AssertionError("the demo ended before it had a console")


@pytest.mark.system("chromium")
def test_console_shows_counts_and_the_alert_and_every_request_stays_here(demo, program):
    """Wait for the first unauthorised exit, take the screenshot, and hold the demo's own figures to the truth."""
    url = console_address(demo)
    asked = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.goto(url)
        page.locator(".card", has_text="LT-0001").first.wait_for(timeout=PATIENCE_MS)
        page.locator(".place", has_text="Stockroom A").locator(".count").wait_for(timeout=PATIENCE_MS)
        page.locator(".movement").first.wait_for(timeout=PATIENCE_MS)
        card = page.locator(".card", has_text="LT-0001").first.inner_text()
        stockroom = page.locator(".place", has_text="Stockroom A").locator(".count").inner_text()
        SCREENSHOT.parent.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOT)
        browser.close()
    assert "Left without permission" in card
    assert "Stockroom A → Corridor" in card
    assert 0 < int(stockroom) <= 16
    assert {urlsplit(one).hostname for one in asked} == {"127.0.0.1"}
    assert SCREENSHOT.stat().st_size > 10_000

    output, _ = demo.communicate(timeout=180)
    figures = json.loads(output.splitlines()[-1])
    assert demo.returncode == 0, output
    assert (figures["events_lost"], figures["events_duplicated"]) == (0, 0)
    assert figures["reads"] == figures["truth"]["reads"] > 0
    assert figures["unauthorised_exits"] >= 1
    assert figures["judged_at_the_door"] == figures["truth"]["judged_at_the_door"], "by the central's own snapshot"
    assert figures["alerts"] == figures["truth"]["alerts"]
    assert sum(figures["counts"].values()) == 24


def test_killing_the_demo_leaves_nothing_behind(demo, tmp_path):
    console_address(demo)
    family = psutil.Process(demo.pid).children(recursive=True)
    servers = [one for one in family if one.name() != "python" or "reaper.py" not in " ".join(one.cmdline())]
    run_dirs = {word for one in servers for word in one.cmdline() if "/stockgate-" in word and Path(word).is_dir()}
    assert len(servers) >= 6
    assert run_dirs
    os.kill(demo.pid, signal.SIGKILL)
    demo.wait()
    deadline = time.monotonic() + 30
    while alive := [one for one in servers if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)
    while left := [path for path in run_dirs if Path(path).exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_a_signal_ends_the_demo_in_order_with_its_figures(demo):
    console_address(demo)
    demo.send_signal(signal.SIGTERM)
    output, _ = demo.communicate(timeout=120)
    figures = json.loads(output.splitlines()[-1])
    assert demo.returncode == 0, output
    assert figures["events_lost"] == 0
