"""`stockgate-central run` as a process of its own."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx

PATIENCE_S = 120.0
"""A process starts within a second or two; on a machine that does much else it may take its time."""


def wait(true, every=lambda: None):
    """Ask until the answer is yes, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := true()):
        assert time.monotonic() < deadline
        every()
        time.sleep(0.005)
    return value


@contextlib.contextmanager
def service(tmp_path, dsn, mqtt, name="central"):
    """Run the service until the block ends; yields (process, API address, token) once it is well."""
    ready = tmp_path / f"{name}.json"
    ready.unlink(missing_ok=True)
    with (tmp_path / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "central.cli", "run", "--dsn", dsn, "--mqtt", mqtt, "--listen", "127.0.0.1:0",
             "--data-dir", tmp_path / "data", "--ready-file", ready],
            stderr=log,
        )  # fmt: skip
    try:
        wait(ready.exists)
        told = json.loads(ready.read_text())
        # A gateway sends again; those of tests don't, so what they say must not come before the subscription.
        wait(lambda: httpx.get(f"{told['api']}/healthz", timeout=PATIENCE_S).json()["well"])
        yield process, told["api"], Path(told["token_file"]).read_text().strip()
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
