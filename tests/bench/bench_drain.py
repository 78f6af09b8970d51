"""A gateway comes back after a day offline: its backlog drains beside live alarms, and those mustn't wait for it.

The day is that of four doors, each with a passage every five seconds round the clock, of which a twentieth crosses. The
agent writes no presence rows by itself, so there are none. Outbox, journal and uplink are a process of their own, the
central's ingest is this one, the subscriber that hears what the central hears another; PostgreSQL, without fsync, and
the broker are the programs themselves.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np

from central.application.commit import commit
from central.ingest import worker
from central.ingest.link import LinkSettings, PahoLink
from tests.bench.bench_ingest import fill
from tests.bench.drain_child import ASSETS, DAY_S, LIVE
from tests.bench.figures import BENCH, Figure
from tests.helpers.brokers import BROKERS, mosquitto_path
from tests.helpers.central import Central, ingesting, until
from tests.helpers.postgres import fresh_database

DOORS, EVERY_S = 4, 5
ROWS = DOORS * DAY_S // EVERY_S
ALARMS = 150
"""At least: a hundredth of them is the 99 %."""
PROMISED_TIMES, PROMISED_S = 20, 1.0
MODULE = "tests.bench.drain_child"


@BENCH.register("drain.", when_named=True)
def drain():
    """Yield how fast a day's backlog drains and how late alarms are meanwhile, over both brokers."""
    for kind in BROKERS:
        if kind == "mosquitto" and mosquitto_path() is None:
            yield Figure("drain.mosquitto.left_out", 1, "", detail="no mosquitto here: sudo make system-deps")
            continue
        yield from over(kind)


def over(kind):
    """One broker."""
    with fresh_database() as dsn, tempfile.TemporaryDirectory(dir=build()) as folder:
        fill(dsn, ASSETS)
        subprocess.run([sys.executable, "-m", MODULE, folder, "fill", str(ROWS)], check=True)
        broker = BROKERS[kind](Path(folder))
        try:
            told, heard, committed = asyncio.run(run(dsn, broker, folder))
        finally:
            broker.stop()
    yield from figures(f"drain.{kind}", told, heard, committed)


def build():
    """A folder on the disk: the outbox's fsync costs what it costs there."""
    folder = Path("build")
    folder.mkdir(exist_ok=True)
    return folder


async def run(dsn, broker, folder):
    """Let the edge find the broker; return what it told, what was heard and what was committed, in microseconds."""
    one, committed = Central(dsn), {}
    await one.database.open()
    try:
        edge = await child("-m", MODULE, folder, "run", broker.url, str(ROWS), str(ALARMS))
        await edge.stdout.readline()
        ear = await child("-m", MODULE, folder, "hear", str(broker.port))
        await ear.stdout.readline()
        broker.start()
        link = PahoLink(LinkSettings(broker.url, client_id="bench-central"))
        with mock.patch.object(worker, "commit", noting(committed)):
            async with ingesting(one, link=link, now=lambda: datetime.now(tz=UTC), watermark_s=2.0):
                await until(lambda: link.connected)
                told = json.loads(await edge.stdout.readline())
                await edge.wait()
        heard, _ = await ear.communicate(b"\n")
        return told, dict(line.split() for line in heard.decode().splitlines() if not line.startswith("{")), committed
    finally:
        await one.database.close()


async def child(*words):
    """A Python process that is spoken with over its standard streams."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe, limit=1 << 24)


def noting(committed):
    """The central's commit, after which it is noted when the live alarms among its rows were in the database."""

    async def noted(store, rows, *more, **named):
        done = await commit(store, rows, *more, **named)
        now_us = time.time_ns() // 1000
        committed.update((row_id(one.raw), now_us) for one in rows if LIVE.encode() in one.raw)
        return done

    return noted


def row_id(raw):
    """The id of a movement row."""
    return json.loads(raw)["id"]


def figures(name, told, heard, committed):
    """Yield the drain's pace, and of alarms while it lasted how late they were, by stage."""
    rate, times = ROWS / told["drained_s"], DAY_S / told["drained_s"]
    again, ahead = told["resends"], told["ahead"]
    detail = f"{ROWS} rows of {DAY_S // 3600} h: {rate:.0f} rows/s, {again} resends, {ahead} alarms sent ahead"
    yield Figure(f"{name}.seconds", told["drained_s"], "s", detail=detail)
    detail = f"load of this machine {os.getloadavg()[0]:.1f}"
    yield Figure(f"{name}.times_real_time", times, "x", "promised", PROMISED_TIMES, times / PROMISED_TIMES, detail)
    for when, alarms in (("drain", told["alarms"][: told["during"]]), ("after", told["alarms"][told["during"] :])):
        lost = sum(one not in committed for one, _, _ in alarms)
        early = sum(one not in heard for one, _, _ in alarms)
        words = f"{len(alarms)} alarms, {lost} not committed, {early} left out that came before the listener"
        known = [(one, *at) for one, *at in alarms if one in heard and one in committed]
        if not known:
            continue
        stages = np.array([(at[0], at[1], int(heard[one]), committed[one]) for one, *at in known]) / 1e6
        whole = np.percentile(stages[:, 2] - stages[:, 0], 99)
        yield Figure(f"{name}.{when}.heard_p99", whole, "s", "promised", PROMISED_S, PROMISED_S / whole, words)
        whole = np.percentile(stages[:, 3] - stages[:, 0], 99)
        yield Figure(f"{name}.{when}.committed_p99", whole, "s", "promised", PROMISED_S, PROMISED_S / whole, words)
        for stage, took in zip(STAGES, np.diff(stages, axis=1).T, strict=True):
            middle, late, most = np.percentile(took, [50, 99, 100])
            detail = f"median; 99 %: {late:.3f} s, most {most:.3f} s"
            yield Figure(f"{name}.{when}.stage.{stage}", float(middle), "s", detail=detail)


STAGES = ("outbox", "uplink_and_broker", "ingest")
"""Handed over to on disk; to heard by who is subscribed as the central is; to committed, from then."""
