"""From a real broker to the committed row and its watermark: hot, as every door's rows take this way all day.

The central's ingest runs in this process, ten gateways in another. `central.broker.` takes a minute and a half,
`central.broker_5min.` six minutes; the rate that is asked for is 3,000 rows a second.
"""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from central.ingest.link import LinkSettings, PahoLink
from tests.bench.bench_ingest import fill, processor_s, timed
from tests.bench.figures import BENCH, Figure
from tests.helpers.brokers import Mosquitto
from tests.helpers.central import Central, ingesting, until
from tests.helpers.postgres import fresh_database

RATE, ASSETS = 3000, 10_000
SHORT_S, LONG_S, FAST_S = 30, 300, 20


@BENCH.register("central.broker.")
def broker():
    """Yield half a minute at the rate that is asked for, and what goes at most."""
    yield from sustained("central.broker.", SHORT_S)


@BENCH.register("central.broker_5min.", when_named=True)
def broker_for_five_minutes():
    """Yield five minutes at the rate that is asked for, and what goes at most."""
    yield from sustained("central.broker_5min.", LONG_S)


def sustained(name, seconds):
    """Rows/s and lags; the rate that is offered is the peer."""
    with fresh_database() as dsn, tempfile.TemporaryDirectory() as directory:
        fill(dsn, ASSETS)
        broker = Mosquitto(Path(directory))
        broker.start()
        try:
            steady, fast, spent, used = asyncio.run(run(dsn, broker, seconds))
        finally:
            broker.stop()
    detail = (
        f"{seconds} s at {RATE} rows/s offered by 10 gateways over Mosquitto, {ASSETS} assets, 5 % crossings, 0.5 % "
        "alerting; fsync off"
    )
    rate = steady["committed"] / steady["took_s"]
    yield Figure(f"{name}rows_per_s", rate, "rows/s", "offered", RATE, rate / RATE, detail)
    yield Figure(f"{name}lost_rows", steady["sent"] - steady["committed"], "rows", detail="sent and not promised")
    for part in ("p50", "p99"):
        detail = "from publishing an envelope to hearing the watermark that covers it"
        yield Figure(f"{name}lag_{part}_ms", steady[f"{part}_ms"], "ms", detail=detail)
    detail = f"{FAST_S} s as fast as watermarks allow, at most 2,000 rows a gateway beyond its own"
    yield Figure(f"{name}most_rows_per_s", fast["committed"] / fast["took_s"], "rows/s", detail=detail)
    yield Figure(f"{name}cpu_us_per_row", used * 1e6 / steady["committed"], "us", detail="this process and the server")
    total = sum(spent.values())
    for phase, took in spent.most_common():
        yield Figure(f"{name}share.{phase}", 100 * took / total, "%", detail="of the time in transactions")


async def run(dsn, broker, seconds):
    """What the gateways told of a steady and a fast run, and of the steady one seconds by phase and of processors."""
    one, spent = Central(dsn), Counter()
    await one.database.open()
    try:
        link = PahoLink(LinkSettings(broker.url, client_id="bench-central"))
        with timed(spent):
            async with ingesting(one, link=link, now=lambda: datetime.now(tz=UTC), watermark_s=2.0):
                await until(lambda: link.connected)
                await one.sql("SELECT 1")
                before = processor_s(dsn)
                steady = await edges(broker, RATE, seconds)
                used = processor_s(dsn) - before
                phases = Counter(spent)
                return steady, await edges(broker, 0, FAST_S), phases, used
    finally:
        await one.database.close()


async def edges(broker, rate, seconds):
    """Let the gateways run; return what they told."""
    command = [sys.executable, "-m", "tests.bench.edges_child", *map(str, (broker.port, rate, seconds, ASSETS))]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await child.communicate()
    assert child.returncode == 0
    return json.loads(told)
