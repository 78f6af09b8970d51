"""A console as a process, and what a browser is asked about its pages."""

import json
import os
import subprocess
import sys
import time

CONSOLE = "import sys, typer; from central.console.command import console; typer.run(console)"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
BEYOND_THE_EDGE = """() => [...document.querySelectorAll('.page *')]
    .filter(one => one.getBoundingClientRect().right > window.innerWidth)
    .map(one => one.className + ': ' + one.textContent)"""


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
