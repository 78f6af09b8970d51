"""A session of the agent against the simulator, recorded, and what Wireshark's LLRP dissector finds wrong in it."""

import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import structlog

from edge.llrp.capture import RecordingNote
from edge.readers import OutputSettings, ReaderSettings, ReaderSupervisor, Recorder
from edge.readers.errors import ReaderError

PROGRAM = str(Path(sys.executable).with_name("stockgate-sim"))
WAIT_S = 60.0
KNOWN_GAPS = {
    (12, 218, "Incorrect length of parameter: 13 bytes decoded, but 15 bytes claimed."): (
        "Identification: the dissector leaves the two bytes of ReaderID's count out of its sum "
        "[LLRP 1.1, 16.2.6.2: u8v is a 16-bit count and its bytes]"
    ),
}
"""Message type, parameter type and words of what the dissector calls malformed though the standard has it so."""


async def record_session(path, *, scenario="single-walk", speed=1.0, seconds=6.0, reconnects=1):
    """Record sessions with a scenario's readers: orderly ends, a broken connection, outputs; return the reads."""
    ready = path.with_suffix(".ready")
    options = ["--base-port", "0", "--speed", speed, "--seconds", seconds, "--ready-file", ready]
    simulator = await asyncio.create_subprocess_exec(
        PROGRAM, "serve", scenario, *map(str, options), stderr=subprocess.DEVNULL
    )
    reads = 0
    try:
        async with asyncio.timeout(WAIT_S):
            while not ready.exists():  # noqa: ASYNC110 (files notify nobody)
                await asyncio.sleep(0.05)
        places = json.loads(ready.read_text())["readers"]
        with path.open("wb") as file:
            recorder = Recorder(file.write, now_us=_now_us, host_synced=lambda: True, note=RecordingNote(version="0"))
            for number in range(reconnects + 1):
                span_s = seconds / speed / (reconnects + 1)
                one = [
                    _session(recorder, name, place, speed=speed, seconds=span_s, number=number)
                    for name, place in places.items()
                ]
                reads += sum(await asyncio.gather(*one))
    finally:
        with contextlib.suppress(ProcessLookupError):
            simulator.terminate()
        await simulator.wait()
    return reads


def dissect(path):
    """Return the messages that tshark sees by direction and type, and what it calls malformed beyond the known gaps."""
    fields = ["-T", "fields", "-e", "tcp.srcport", "-e", "llrp.type"]
    whole = _tshark(path, *fields, "-Y", "llrp")
    seen = Counter()
    for line in whole:
        port, types = line.split("\t")
        seen.update((port == "5084", int(kind)) for kind in types.split(","))
    fields = ["-e", "frame.number", "-e", "llrp.type", "-e", "llrp.tlv_type", "-e", "_ws.expert.message"]
    malformed = _tshark(path, "-T", "fields", *fields, "-Y", "_ws.malformed")
    return seen, [line for line in malformed if not _is_known(line)], len(malformed)


def tshark_version():
    """Return the version of the dissector."""
    told = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"\d+\.\d+\.\d+", told)[0]


def _is_known(line):
    """Whether all that is wrong with a packet is a known gap: its message, parameter and words."""
    _, kinds, parameters, words = line.split("\t")
    known = {
        gap_words
        for kind, parameter, gap_words in KNOWN_GAPS
        if str(kind) in kinds.split(",") and str(parameter) in parameters.split(",")
    }
    return bool(words) and set(re.findall(r"[^,.][^.]*\.", words)) <= known


def _tshark(path, *words):
    done = subprocess.run(
        ["tshark", "-r", path, "-d", "tcp.port==5084,llrp", *words], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


async def _session(recorder, name, place, *, speed, seconds, number):
    """Run one supervisor: its first connection is broken off when a third of the time is over."""
    settings = ReaderSettings(
        id=name,
        host=place["host"],
        port=place["port"],
        antennas=(1, 2, 3, 4),
        outputs=(OutputSettings(output=1), OutputSettings(output=2)),
        backoff_base_s=0.05,
        keepalive_ms=max(int(1000 / speed), 200),
    )
    supervisor = ReaderSupervisor(
        settings,
        sink=_drop,
        now_us=_now_us,
        rng=random.Random(number),
        log=structlog.wrap_logger(None, processors=[_silence]),
        tap=recorder.tap(name),
    )
    task = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(WAIT_S):
        while supervisor.health().state != "connected":  # noqa: ASYNC110 (health notifies nobody)
            await asyncio.sleep(0.01)
    with contextlib.suppress(ReaderError):
        await supervisor.outputs.switch(1, on=True)
        await supervisor.outputs.pulse(2, 100)
    await asyncio.sleep(seconds / 3)
    supervisor._session._connection._link._transport.abort()
    await asyncio.sleep(2 * seconds / 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return supervisor.counters.reads


async def _drop(_chunk):
    """Let go of a chunk."""


def _silence(*_):
    raise structlog.DropEvent


def _now_us():
    return time.time_ns() // 1000
