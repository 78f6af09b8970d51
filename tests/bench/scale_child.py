"""Ingest of the fixed mix at a steady rate into a database, until its input ends.

Run as `python -m tests.bench.scale_child DSN ASSETS RATE`. Prints the rows that it committed in all, as JSON.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime

from edge.contracts import topic
from tests.bench.bench_ingest import GATEWAYS, PER_ENVELOPE, row_of
from tests.helpers.central import Central, envelope, ingesting, until


async def main(dsn, assets, rate):
    """Deliver at the rate; commit all of it before the end."""
    one = Central(dsn)
    await one.database.open()
    try:
        async with ingesting(one, now=lambda: datetime.now(tz=UTC), watermark_s=2.0) as (link, _ingest, _feed, metrics):
            link.connect()
            await until(lambda: link.published)
            ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
            sent = await deliver(link, assets, rate, ended)
            await until(lambda: metrics.registry.get_sample_value("stockgate_rows_total") == sent, timeout_s=120)
            sys.stdout.write(json.dumps({"rows": sent}) + "\n")
    finally:
        await one.database.close()


async def deliver(link, assets, rate, ended):
    """Deliver envelopes in turns of the gateways until the input ends; return the rows."""
    sent, began, epoch = 0, time.monotonic(), f"s{time.time_ns()}"
    seqs = dict.fromkeys(GATEWAYS, 0)
    while not ended.done():
        if sent >= (time.monotonic() - began) * rate:
            await asyncio.sleep(0.005)
            continue
        gateway = GATEWAYS[sent // PER_ENVELOPE % len(GATEWAYS)]
        first, start = seqs[gateway] + 1, datetime.now(tz=UTC)
        rows = [
            row_of(seq, seq, assets, gateway, after_s=(seq - first - PER_ENVELOPE) / 100, start=start)
            for seq in range(first, first + PER_ENVELOPE)
        ]
        seqs[gateway] += PER_ENVELOPE
        sent += PER_ENVELOPE
        link.deliver(topic("hq", gateway, "movement"), envelope(rows, gateway=gateway, epoch=epoch))
        await asyncio.sleep(0)
    return sent


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
