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
from typing import NamedTuple

import structlog

from edge.llrp.capture import RecordingNote
from edge.readers import OutputSettings, ReaderSettings, ReaderSupervisor, Recorder
from edge.readers.errors import ReaderError

PROGRAM = str(Path(sys.executable).with_name("stockgate-sim"))
WAIT_S = 60.0
CONNECT_S = 180.0
"""A simulator that runs behind on a busy machine greets late and turns away who comes before the broken one is gone."""
KNOWN_GAPS = {
    (12, 218, "Incorrect length of parameter: 13 bytes decoded, but 15 bytes claimed."): (
        "Identification: the dissector leaves the two bytes of ReaderID's count out of its sum "
        "[LLRP 1.1, 16.2.6.2: u8v is a 16-bit count and its bytes]"
    ),
}
"""Message type, parameter type and words of what the dissector calls malformed though the standard has it so."""
MALFORMED = "117440512"
"""Wireshark's number of what is malformed; TCP's notes and a packet's comments stand in the same list."""
BETWEEN = "\x1f"
"""Between the values of one field: comments have commas."""


class Malformed(NamedTuple):
    """A packet that the dissector calls malformed, and what it says of it."""

    frame: int
    messages: list[str]
    parameters: list[str]
    complaints: list[str]

    @property
    def known(self):
        """Whether all that is wrong with it is a known gap: its message, parameter and words."""
        known = {
            words
            for message, parameter, words in KNOWN_GAPS
            if str(message) in self.messages and str(parameter) in self.parameters
        }
        return bool(self.complaints) and set(self.complaints) <= known

    def __str__(self) -> str:
        messages, parameters = (",".join(one) or "none" for one in (self.messages, self.parameters))
        return f"frame {self.frame}: messages {messages}, parameters {parameters}: {' '.join(self.complaints)}"


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
            try:
                for number in range(reconnects + 1):
                    span_s = seconds / speed / (reconnects + 1)
                    async with asyncio.TaskGroup() as group:
                        tasks = [
                            group.create_task(
                                _session(recorder, name, place, speed=speed, seconds=span_s, number=number)
                            )
                            for name, place in places.items()
                        ]
                    reads += sum(task.result() for task in tasks)
            finally:
                recorder.close()
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
    names = ("frame.number", "llrp.type", "llrp.tlv_type", "_ws.expert.group", "_ws.expert.message")
    fields = ["-E", f"aggregator={BETWEEN}", *(word for name in names for word in ("-e", name))]
    malformed = [_malformed(line) for line in _tshark(path, "-T", "fields", *fields, "-Y", "_ws.malformed")]
    return seen, [one for one in malformed if not one.known], len(malformed)


def tshark_version():
    """Return the version of the dissector."""
    told = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"\d+\.\d+\.\d+", told)[0]


def _malformed(line):
    """Return a line of tshark's as the packet that it tells of; of its list only what is malformed counts."""
    frame, *lists = line.split("\t")
    messages, parameters, groups, words = (one.split(BETWEEN) if one else [] for one in lists)
    complaints = [text for group, text in zip(groups, words, strict=True) if group == MALFORMED]
    return Malformed(int(frame), messages, parameters, complaints)


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
        backoff_max_s=1.0,
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
    try:
        await _connected(supervisor, name)
        with contextlib.suppress(ReaderError):
            await supervisor.outputs.switch(1, on=True)
            await supervisor.outputs.pulse(2, 100)
        await asyncio.sleep(seconds / 3)
        await _connected(supervisor, name)
        supervisor.session._connection._link._transport.abort()
        await asyncio.sleep(2 * seconds / 3)
        await _connected(supervisor, name)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return supervisor.counters.reads


async def _connected(supervisor, name):
    """Wait for a session; who waits in vain learns what the supervisor says of the reader."""
    try:
        async with asyncio.timeout(CONNECT_S):
            while supervisor.health().state != "connected":  # noqa: ASYNC110 (health notifies nobody)
                await asyncio.sleep(0.01)
    except TimeoutError:
        seen = supervisor.health()
        raise AssertionError(f"reader {name}: {seen.state} after {CONNECT_S:g} s: {seen.problem}") from None


async def _drop(_chunk):
    """Let go of a chunk."""


def _silence(*_):
    raise structlog.DropEvent


def _now_us():
    return time.time_ns() // 1000
