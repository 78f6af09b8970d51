"""Speed of the windows. The path is hot: every tag read of every reader goes through it, on a door-side computer."""

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from edge.llrp.batch import TagBatch
from edge.windows import WindowClock, Windows
from tests.bench.figures import BENCH, Figure
from tests.helpers import doorway

BATCH = 10_000
REST_US = 500_000
"""Each tag is read twice a second, however many there are."""


def traffic(tags: int, batches: int, seed: int = 1) -> list[TagBatch]:
    """Reads of tags at rest, one in fifty of which is walked through: RSSI flat with noise, or rising and falling."""
    rng = np.random.default_rng(seed)
    n = BATCH * batches
    who = rng.integers(0, tags, n)
    t = doorway.EPOCH_US + np.arange(n, dtype=np.int64) * (REST_US // tags)
    walks = who % 50 == 0
    level = -6500 + 100 * rng.integers(-1, 2, n) + np.where(walks, 1500 * np.sin(t / 1e6), 0).astype(int)
    phase = np.where(walks, rng.integers(0, 4096, n), (who * 37 + rng.integers(0, 60, n)) % 4096)
    epc = np.zeros((n, 62), np.uint8)
    epc[:, :12] = np.frombuffer(rng.bytes(12 * tags), np.uint8).reshape(tags, 12)[who]
    zeros = np.zeros(n, np.int64)
    whole = TagBatch(
        epc=epc,
        epc_bits=np.full(n, 96, np.uint16),
        antenna=rng.integers(1, 5, n).astype(np.uint16),
        rssi_cdbm=level.astype(np.int16),
        phase=phase.astype(np.int16),
        channel=(t // 200_000 % 50 + 1).astype(np.uint16),
        first_us=t,
        last_us=t,
        first_uptime_us=zeros - 1,
        last_uptime_us=zeros - 1,
        seen_count=np.ones(n, np.uint16),
        rospec_id=np.ones(n, np.uint32),
        message=np.zeros(n, np.int32),
    )
    return [doorway.cut(whole, k * BATCH, (k + 1) * BATCH) for k in range(batches)]


def reads_per_s(engine: str, batches: list[TagBatch], *, skip: int) -> float:
    """Feed batches and return the rate over those after `skip`, which fill the table (and compile)."""
    windows = Windows(doorway.settings(engine=engine), boot="bench")
    begin = 0.0
    for index, batch in enumerate(batches):
        if index == skip:
            begin = perf_counter()
        windows.feed("r1", batch, arrival_us=None, clock=WindowClock())
    return BATCH * (len(batches) - skip) / (perf_counter() - begin)


@BENCH.register("windows.feed.")
def feed() -> Iterator[Figure]:
    """Feed batches of 10,000 reads, kernels against the plain twin."""
    plain = reads_per_s("plain", traffic(1_000, 4), skip=1)
    for tags in (100, 1_000, 10_000):
        rate = reads_per_s("numba", traffic(tags, 30), skip=5)
        name = "windows.feed.reads_per_s" if tags == 1_000 else f"windows.feed.{tags}tags"
        detail = f"{1e9 / rate:.0f} ns a read, {tags} tags, decisions and rows of one in fifty included"
        yield Figure(name, rate, "reads/s", "plain twin, 1,000 tags", plain, rate / plain, detail)
    yield Figure("windows.feed.plain", plain, "reads/s", detail="the definition in plain Python, 1,000 tags")
