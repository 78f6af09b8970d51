"""A console as a process, and what a browser is asked about its pages."""

import contextlib
import json
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

CONSOLE = "import sys, typer; from central.console.command import console; typer.run(console)"
PATIENCE_MS = 60_000
"""A page is there within a second or two; on a machine that does much else browser and console take their time."""
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
BEYOND_THE_EDGE = """() => [...document.querySelectorAll('.page *')]
    .filter(one => one.getBoundingClientRect().right > window.innerWidth)
    .map(one => one.className + ': ' + one.textContent)"""

OUT_OF_THEIR_BOX = """() => [...document.querySelectorAll('.page .link, .page .grow, .page .state')]
    .filter(one => {
        const [own, around] = [one, one.parentElement].map(each => each.getBoundingClientRect());
        return one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline'
            || own.right > around.right + 1 || own.width > 0 && own.width < 40 && one.textContent.length > 20;
    }).map(one => one.className + ': ' + one.textContent)"""
"""What is wider than its box or sticks out of the one around it, or stands in it a letter a line."""


class RunningConsole:
    """A console as a process; gives its address once it listens."""

    def __init__(self, directory, *options) -> None:
        self._ready = directory / "ready"
        command = [sys.executable, "-c", CONSOLE, *options, "--ready-file", str(self._ready)]
        self._process = subprocess.Popen(command, env=os.environ | {"NO_COLOR": "1"})

    def __enter__(self) -> tuple[str, subprocess.Popen[bytes]]:
        deadline = time.monotonic() + 60
        while not self._ready.exists():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return json.loads(self._ready.read_text())["console"], self._process

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def browsed(chromium, patience_ms):
    """Open a page in a browser of its own; at the end it has asked nobody but this machine, and no script failed."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only these tests want a browser)

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        one = browser.new_page(viewport=DESK)
        one.set_default_timeout(patience_ms)
        asked, failed = [], []
        one.on("request", lambda request: asked.append(request.url))
        one.on("pageerror", lambda error: failed.append(str(error)))
        yield one
        browser.close()
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    assert failed == []
