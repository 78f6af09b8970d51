"""What the whole agent takes of a small board: memory, processor, card. A door whose agent is pushed out is open.

Four readers of 300 reads a second each with 5,000 tags on their shelves, somebody through each door twice a minute, and
a gate snapshot that the agent takes from a broker as retained messages. Broker, readers and what acknowledges rows are
processes beside it, or this one. Ten minutes; `MINUTES=60` for the hour over which memory has to be flat. What
was seen every few seconds is in build/agent.*.json.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import StreamMark, Watermark, decode_envelope, encode, instant, topic
from edge.outbox import STREAMS
from tests.bench.bench_gate_edge import client, packed
from tests.bench.bench_operations import PI_TIMES
from tests.bench.figures import BENCH, Figure
from tests.helpers.brokers import Nats, free_port
from tests.helpers.commands import KEY_LINE
from tests.helpers.eight_readers import metrics
from tests.helpers.gate_messages import DAY, delta, manifest

MINUTES = float(os.environ.get("MINUTES", "10"))
READERS, RATE, TAGS = 4, 300, 5_000
PROMISED_MB = {100_000: 200, 1_000_000: 300}
SETTLE_S = 60.0
"""Before memory and processor are looked at: readers in session, snapshot held, shelves known."""
EVERY_S = 5.0
PATIENCE_S = 300.0
LINE = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


@BENCH.register("agent.100k.", when_named=True)
def hundred_thousand():
    """Yield what the agent takes with 100,000 assets in its gate snapshot."""
    yield from whole("agent.100k", 100_000)


@BENCH.register("agent.1m.", when_named=True)
def million():
    """Yield what the agent takes with a million assets in its gate snapshot."""
    yield from whole("agent.1m", 1_000_000)


def whole(name, assets):
    """Run all of it for a time, and yield the figures."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:  # on a disk: what is written counts
        broker = Nats(Path(folder))
        broker.start()
        try:
            publish(broker.port, assets)
            with acknowledging(broker.port), doors() as readers:
                ports = json.loads(readers.stdout.readline())["ports"]
                with agent(Path(folder), ports, broker.url) as (process, url):
                    until_ready(url, assets)
                    time.sleep(SETTLE_S)
                    samples = watch(process.pid, url)
                    maps = mappings(process.pid)
                    readers.stdin.close()
                    sender = json.loads(readers.stdout.readline())
        finally:
            broker.stop()
    (build / f"{name}.json").write_text(json.dumps(samples))
    yield from figures(name, assets, samples, maps, sender)


def publish(port, assets):
    """Retain a snapshot at the broker, signed for four doors."""
    doors = [{"id": f"door-{n}", "out": ["stockroom"], "into": [], "mode": "alarm"} for n in range(READERS)]
    parts, now_us = packed(assets), time.time_ns() // 1000
    with client(port) as say:
        say([(f"gate/part/{index}", part) for index, part in parts.items()])
        say([("gate/manifest", manifest(1, parts, issued_us=now_us, life_us=7 * DAY, doors=doors))])
        say([("gate/delta", delta(1, 1))])


@contextmanager
def acknowledging(port):
    """Be the central that has every row in its database as soon as it comes."""
    made = paho.Client(CallbackAPIVersion.VERSION2, client_id="central")
    upto = {}

    def took(client, _data, message):
        envelope = decode_envelope(message.payload)
        upto[envelope.stream] = StreamMark(epoch=envelope.epoch, upto=envelope.last)
        told = Watermark(session="bench", now=instant(time.time_ns() // 1000), streams=dict(upto))
        client.publish(topic("hq", "gw-1", "watermark"), encode(told), qos=1, retain=True)

    made.on_message = took
    made.on_connect = lambda client, *_: client.subscribe([(topic("hq", "gw-1", one), 1) for one in STREAMS])
    made.connect("127.0.0.1", port)
    made.loop_start()
    try:
        yield
    finally:
        made.disconnect()
        made.loop_stop()


@contextmanager
def doors():
    """Start the readers; they end with us."""
    command = [sys.executable, "-m", "tests.bench.door_readers_child", *map(str, (READERS, RATE, TAGS))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def agent(folder, ports, broker):
    """Start the agent itself; its log is told where it failed."""
    (folder / "edge.toml").write_text(configuration(ports, broker))
    address = f"127.0.0.1:{free_port()}"
    command = [Path(sys.executable).with_name("stockgate-edge"), "run", "--config", folder / "edge.toml"]
    command += ["--data-dir", folder / "data", "--metrics", address]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield process, f"http://{address}/metrics"
        except BaseException:
            sys.stderr.write((folder / "log").read_text()[-4000:])
            raise
        finally:
            process.terminate()


def configuration(ports, broker):
    """A door for each reader, and whom to believe."""
    text = f'site = "hq"\ngateway = "gw-1"\n[trust]\ncentral_keys = ["{KEY_LINE}"]\n[mqtt]\nurl = "{broker}"\n'
    for n, port in enumerate(ports):
        text += f'[[readers]]\nid = "r{n}"\nhost = "127.0.0.1"\nport = {port}\n'
        sides = enumerate(("inside", "inside", "outside", "outside"), 1)
        listed = ", ".join(f'{{ reader = "r{n}", port = {place}, side = "{side}" }}' for place, side in sides)
        text += f'[[portals]]\nid = "door-{n}"\ninside = "stockroom"\noutside = "hall"\nantennas = [{listed}]\n'
    return text


def until_ready(url, assets):
    """Wait until every reader is in session and the snapshot is held."""
    end_s, found = time.monotonic() + PATIENCE_S, {}
    while found.get("reader_connected") != READERS or found.get("gate_entries") != assets:
        if time.monotonic() > end_s:
            held = f"{found.get('reader_connected')} readers in session, {found.get('gate_entries')} assets held"
            raise RuntimeError(f"the agent is not ready: {held}")
        time.sleep(0.5)
        try:
            found = metrics(url)
        except OSError:
            found = {}


def watch(pid, url):
    """Look at the agent every few seconds; return what was seen, with its own figures at both ends."""
    process, end_s = psutil.Process(pid), time.monotonic() + 60 * MINUTES
    samples = [look(process) | metrics(url)]
    while time.monotonic() < end_s:
        time.sleep(EVERY_S)
        samples.append(look(process))
    samples[-1] |= metrics(url)
    return samples


def look(process):
    """What the kernel tells of it now; the share of memory that is its own, files included, and all that it touches."""
    times, told = process.cpu_times(), Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    pss_mb, rss_mb = (int(re.search(rf"^{one}: +(\d+)", told, re.MULTILINE)[1]) / 1024 for one in ("Pss", "Rss"))
    seen = {"at_s": time.monotonic(), "pss_mb": pss_mb, "rss_mb": rss_mb, "cpu_s": times.user + times.system}
    return seen | {"written": written(process.pid), "load": os.getloadavg()[0]}


def written(pid):
    """Bytes that it has caused to be sent to a disk."""
    return int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{pid}/io").read_text(), re.MULTILINE)[1])


def mappings(pid):
    """What its memory is of: MB by file or kind, the largest first."""
    found, name = {}, ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if head := LINE.match(line):
            name = kind_of(head[1])
        elif line.startswith("Pss:"):
            found[name] = found.get(name, 0) + int(line.split()[1]) / 1024
    return sorted(found.items(), key=lambda one: -one[1])


def kind_of(path):
    """A word for a mapping: the gate's file, libraries, the heap, or memory without a file."""
    if not path:
        return "anonymous"
    if path.startswith("["):
        return path.strip("[]")
    return "gate" if "/gate/" in path else "libraries"


def figures(name, assets, samples, maps, sender):
    """Yield memory, its slope, processor, card and reads."""
    first, last = samples[0], samples[-1]
    hours = (last["at_s"] - first["at_s"]) / 3600
    grown = {key: last[key] - first.get(key, 0) for key in ("cpu_s", "written", "windows_reads", "windows_finals")}
    pss = [one["pss_mb"] for one in samples]
    words = ", ".join(f"{kind} {size:.0f}" for kind, size in maps[:5])
    promised = PROMISED_MB[assets]
    yield Figure(
        f"{name}.pss_mb", max(pss), "MB", "promised", promised, promised / max(pss),
        f"the most of {len(pss)} looks in {60 * hours:.0f} min (Rss {last['rss_mb']:.0f}); at the end: {words}",
    )  # fmt: skip
    hour = [one["at_s"] / 3600 for one in samples]
    for part, begin in (("", 0), (".last_third", 2 * len(pss) // 3)):
        slope, error = trend(hour[begin:], pss[begin:])
        detail = f"± {error:.2f} (standard error); from {pss[begin]:.1f} to {pss[-1]:.1f} MB"
        yield Figure(f"{name}.pss_slope{part}", slope, "MB/h", detail=detail)
    cpu = grown["cpu_s"] / hours / 3600
    load = np.median([one["load"] for one in samples])
    detail = f"with the Pi's factor {PI_TIMES * cpu:.2f}; load of this machine {load:.1f}"
    yield Figure(f"{name}.cpu", cpu, "cores", detail=detail)
    rows = last["outbox_rows"] - first["outbox_rows"]
    detail = f"{rows / hours:.0f} rows an hour; {grown['windows_finals'] / hours:.0f} passages"
    yield Figure(f"{name}.written", grown["written"] / 1e6 / hours, "MB/h", detail=detail)
    unused = sum(last[f"windows_{one}"] for one in ("late_reads", "unusable_reads", "unlisted_reads"))
    detail = f"offered {READERS * RATE}, {sender['late_s']:.1f} s late at most; {unused:.0f} late or useless"
    yield Figure(f"{name}.reads", grown["windows_reads"] / hours / 3600, "reads/s", detail=detail)
    detail = f"{last['gate_entries']:.0f} assets held"
    yield Figure(f"{name}.judged", last.get("gate_judged", 0), "exits", detail=detail)


def trend(hours, values):
    """Least squares: slope, and its standard error as if the values were independent."""
    x = np.array(hours) - np.mean(hours)
    if len(x) <= 2:  # nothing is left to say how sure it is
        return 0.0, float("nan")
    slope = float((x * values).sum() / (x**2).sum())
    rest = np.array(values) - np.mean(values) - slope * x
    return slope, float(np.sqrt((rest**2).sum() / (len(x) - 2) / (x**2).sum()))
