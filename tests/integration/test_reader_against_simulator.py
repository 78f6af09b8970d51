"""Our session against the simulated reader: two halves that share no report code."""

import asyncio
import contextlib
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import structlog
from structlog.testing import capture_logs

from edge.readers import ReaderSettings, ReaderSupervisor

PROGRAM = str(Path(sys.executable).with_name("stockgate-sim"))
WAIT_S = 60.0


async def _until(condition):
    """Wait for what notifies nobody: files, and counters of the session."""
    async with asyncio.timeout(WAIT_S):
        while not (found := condition()):  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.05)
    return found


def _json(path, condition):
    """What a JSON file that the simulator writes says, once that is what is wanted."""
    said = json.loads(path.read_text()) if path.exists() else None
    return said if said and condition(said) else None


async def test_every_read_that_the_simulator_sends_arrives(tmp_path):
    """Counts agree: what the simulator put on the socket is what came out of the session, with phase and times."""
    ready, truth = tmp_path / "ready.json", tmp_path / "truth.json"
    options = ["--base-port", "0", "--speed", "4", "--seconds", "16", "--ready-file", ready, "--truth", truth]
    simulator = await asyncio.create_subprocess_exec(PROGRAM, "serve", "single-walk", *map(str, options))
    batches = []

    async def sink(chunk):
        if len(chunk.batch):
            batches.append(chunk)

    try:
        with capture_logs() as logs:
            (name, place), *_ = (await _until(lambda: _json(ready, bool)))["readers"].items()
            settings = ReaderSettings(id=name, host=place["host"], port=place["port"], antennas=(1, 2, 3, 4))
            supervisor = ReaderSupervisor(
                settings,
                sink=sink,
                now_us=lambda: time.time_ns() // 1000,
                rng=random.Random(1),
                log=structlog.get_logger(),
            )
            task = asyncio.create_task(supervisor.run())
            told = await _until(lambda: _json(truth, lambda told: told["done"]))
            # The truth says what was sent: the last of it may be on its way still.
            await _until(lambda: supervisor.health().reads >= told["reads"])
            health = supervisor.health()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    finally:
        with contextlib.suppress(ProcessLookupError):
            simulator.terminate()
        await simulator.wait()
    assert health.problem == "", logs
    assert health.lost_reports == 0
    assert supervisor.counters.stray_messages == supervisor.counters.bad_messages == 0
    assert health.reads == told["reads"] > 0
    assert all((chunk.batch.phase >= 0).all() and (chunk.batch.first_us > 0).all() for chunk in batches)
    assert np.concatenate([chunk.batch.antenna for chunk in batches]).max() <= 4
    assert {chunk.clock.source for chunk in batches} == {"reader"}
