"""Ten gateways in one process that publish the fixed mix to a broker.

Run as `python -m tests.bench.edges_child PORT RATE SECONDS ASSETS`. As an edge does, each keeps at most 2,000 rows
beyond its watermark. Prints one JSON line: rows sent and committed, the seconds that took, and the lag from publishing
an envelope to the watermark that covers it, in milliseconds.
"""

import json
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import decode_watermark, topic
from tests.bench.bench_ingest import row_of
from tests.helpers.central import envelope

GATEWAYS = [f"hq-{n}" for n in range(1, 11)]
BEYOND, DRAIN_S = 2000, 60.0


class Edge:
    """One gateway: what it sent and what is promised of it."""

    def __init__(self, gateway, epoch, assets, per_envelope) -> None:
        self.gateway, self._epoch, self._assets, self._size = gateway, epoch, assets, per_envelope
        self.sent = self.upto = 0
        self.lags_s = []
        self._flying = deque()

    def publish(self, client):
        """Publish the next envelope unless too much stands beyond the watermark; return how many rows went."""
        if self.sent + self._size - self.upto > BEYOND:
            return 0
        seqs = range(self.sent + 1, self.sent + self._size + 1)
        start = datetime.now(tz=UTC)
        rows = [
            row_of(seq, seq, self._assets, self.gateway, after_s=(seq - seqs.stop) / 100, start=start) for seq in seqs
        ]
        payload = envelope(rows, gateway=self.gateway, epoch=self._epoch)
        self._flying.append((seqs.stop - 1, time.monotonic()))
        self.sent += self._size
        client.publish(topic("hq", self.gateway, "movement"), payload, qos=1)
        return self._size

    def hear(self, payload):
        """Take a watermark."""
        mark = decode_watermark(payload).streams.get("movement")
        if mark is None or mark.epoch != self._epoch:
            return
        self.upto = max(self.upto, mark.upto)
        while self._flying and self._flying[0][0] <= self.upto:
            self.lags_s.append(time.monotonic() - self._flying.popleft()[1])


def main(port, rate, seconds, assets):
    """Send at a rate of rows a second, 0 for as fast as watermarks allow, and wait until all is promised."""
    per_envelope = 100 if not rate else max(1, min(100, rate // len(GATEWAYS) // 5))
    edges = {name: Edge(name, f"r{time.time_ns()}", assets, per_envelope) for name in GATEWAYS}
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"edges-{time.time_ns()}")
    client.on_message = lambda _c, _d, message: edges[message.topic.split("/")[3]].hear(message.payload)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.subscribe([(topic("hq", name, "watermark"), 1) for name in GATEWAYS])
    client.loop_start()
    subscribed.wait(10)
    began = time.monotonic()
    sent = send(client, list(edges.values()), rate, began, seconds)
    while sum(edge.upto for edge in edges.values()) < sent and time.monotonic() - began < seconds + DRAIN_S:
        time.sleep(0.005)
    took = time.monotonic() - began
    client.loop_stop()
    lags = sorted(lag for edge in edges.values() for lag in edge.lags_s)
    committed = sum(edge.upto for edge in edges.values())
    share = lambda part: 1000 * lags[min(len(lags) - 1, int(part * len(lags)))]  # noqa: E731 (of the sorted lags)
    told = {"sent": sent, "committed": committed, "took_s": took, "p50_ms": share(0.5), "p99_ms": share(0.99)}
    sys.stdout.write(json.dumps(told) + "\n")


def send(client, edges, rate, began, seconds):
    """Publish for so long; return the rows that went."""
    sent, turn = 0, 0
    while (since := time.monotonic() - began) < seconds:
        if rate and sent >= since * rate:
            time.sleep(0.001)
            continue
        went = edges[turn % len(edges)].publish(client)
        turn += 1
        sent += went
        if not went:
            time.sleep(0.001)
    return sent


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
