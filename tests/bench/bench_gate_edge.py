"""A gateway's first snapshot and its return after 100 deltas: a door without it refuses what may leave.

The parts go through a real broker as retained messages, so that its limits show too. The gateway is a process of its
own.
"""

import json
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import join_part, topic
from edge.gate.parts import bucket
from tests.bench.figures import BENCH, Figure
from tests.bench.gate_child import million_epc
from tests.helpers.brokers import BROKERS
from tests.helpers.gate_messages import DAY, delta, entry, manifest

TAIL = struct.pack(">BHqq", 0, 0, -(2**63), 2**63 - 1)
DELTAS = 100
PATIENCE_S = 900


@BENCH.register("edge.gate_100k.", when_named=True)
def hundred_thousand():
    """Yield what a snapshot of 100,000 assets takes."""
    yield from snapshots("edge.gate_100k", 100_000)


@BENCH.register("edge.gate_1m.", when_named=True)
def million():
    """Yield what a snapshot of a million assets takes."""
    yield from snapshots("edge.gate_1m", 1_000_000)


def snapshots(name, assets):
    """Over both brokers."""
    parts = packed(assets)
    size = sum(map(len, parts.values()))
    fullest = max(map(len, parts.values()))
    yield Figure(f"{name}.bytes_mb", size / 1e6, "MB", detail=f"{assets} entries; the fullest part has {fullest} bytes")
    for kind in BROKERS:
        with tempfile.TemporaryDirectory() as folder:
            yield from over(f"{name}.{kind}", kind, Path(folder), parts, assets)


def over(name, kind, folder, parts, assets):
    """A first snapshot, a start from disk, and a return after 100 deltas that equals a gateway's that is new."""
    broker = BROKERS[kind](folder)
    broker.start()
    try:
        now_us = time.time_ns() // 1000
        with client(broker.port) as say:
            began = time.perf_counter()
            first = [*((f"gate/part/{index}", part) for index, part in parts.items())]
            first += [
                ("gate/manifest", manifest(1, parts, issued_us=now_us, life_us=7 * DAY)),
                ("gate/delta", delta(1, 1)),
            ]
            say(first)
            published_s = time.perf_counter() - began
            new = child(broker, folder / "edge", 1, 1, assets)
            yield Figure(f"{name}.published_s", published_s, "s", detail="retained, until the broker acknowledged all")
            yield Figure(f"{name}.held_s", new["held_s"], "s", detail="a new gateway: connected to held on disk")
            yield from figures(name, new)
            for n in range(2, DELTAS + 2):
                changes = [entry(million_epc(number).hex(), "hold", None) for number in range(0, n * 50, 50)]
                say([("gate/delta", delta(1, n, changes, issued_us=now_us + n))])
            again = child(broker, folder / "edge", 1, DELTAS + 1, assets)
            other = child(broker, folder / "other", 1, DELTAS + 1, assets)
            same = float(again["sha256"] == other["sha256"] != new["sha256"])
            yield Figure(f"{name}.loaded_s", again["loaded_s"], "s", detail="from disk, digests verified")
            yield Figure(
                f"{name}.returned_s", again["held_s"], "s", detail="absent during 100 deltas: loaded, connected, held"
            )
            yield Figure(f"{name}.equal", same, "", detail="1: it equals by hash a gateway that is new")
    finally:
        broker.stop()


def figures(name, told):
    """Memory and speed of one."""
    more = f"{told['pss_before_mb']:.0f} MB before; highest Rss {told['rss_max_mb']:.0f} MB; refused {told['refused']}"
    yield Figure(f"{name}.pss_mb", told["pss_mb"], "MB", detail=f"{told['entries']} entries held; {more}")
    yield Figure(f"{name}.judged_us", told["judged_us"], "us", detail="one tag, cold")


def packed(assets):
    """Parts with one entry an asset."""
    buckets = {}
    for number in range(assets):
        epc = million_epc(number)
        buckets.setdefault(bucket(epc), []).append(epc)
    return {
        index: join_part(1, index, ["stockroom"], len(some), b"".join(b"\x0c" + epc + TAIL for epc in sorted(some)))
        for index, some in sorted(buckets.items())
    }


def child(broker, folder, generation, n, assets):
    """What a gateway's process tells."""
    words = [sys.executable, "-m", "tests.bench.gate_child", broker.url, folder, generation, n, assets]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode:
        raise RuntimeError(f"the gateway ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def client(port):
    """Yield what publishes retained messages and waits for the broker."""
    made = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-central")
    made.max_inflight_messages_set(20)
    made.connect("127.0.0.1", port)
    made.loop_start()

    def say(messages):
        sent = [
            made.publish(topic("hq", "gw-1", channel), payload, qos=1, retain=True) for channel, payload in messages
        ]
        for one in sent:
            one.wait_for_publish(PATIENCE_S)

    try:
        yield say
    finally:
        made.disconnect()
        made.loop_stop()
