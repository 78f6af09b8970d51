"""`python -m tests.helpers.eight_readers --minutes 10`: eight readers in one agent, sent against got.

The agent is `stockgate-edge run` itself, with an outbox on disk and a broker that isn't there; the readers are
`paced_readers`, a process of its own. What the windows got is the agent's own metric; a read that they couldn't use, or
that came too late for them, counts as lost.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psutil
import typer

from tests.bench.figures import Figure

READERS = 8
SETTLE_S = 3.0
"""After the last read was sent: longer than any read waits on its way into the windows."""
PATIENCE_S = 90.0
METRIC = re.compile(r"^stockgate_edge_(\w+?)(?:_total)?(?:\{.*\})? ([0-9.e+]+)$", re.MULTILINE)


def main(
    minutes: Annotated[float, typer.Option(help="How long.", min=0.05)] = 10.0,
    rate: Annotated[int, typer.Option(help="Reads a second of each reader, a report each.", min=1)] = 1000,
) -> None:
    """Hold eight readers and print what was lost and what it cost; exit 1 where a read was lost."""
    figures = hold(60 * minutes, rate)
    for figure in figures:
        typer.echo(f"{figure.name:28} {figure.value:14,.3f} {figure.unit:8} {figure.detail}")
    lost = next(figure.value for figure in figures if figure.name == "readers.eight.lost")
    raise typer.Exit(0 if lost == 0 else 1)


def hold(seconds, rate=1000):
    """Run agent and readers for a time and return the figures."""
    with tempfile.TemporaryDirectory(prefix="sg-readers-") as folder, sender(rate) as readers:
        ports = json.loads(readers.stdout.readline())["ports"]
        with agent(Path(folder), ports) as (process, url):
            watched = psutil.Process(process.pid)
            wait_for_reads(url)
            time.sleep(SETTLE_S)
            begin = snapshot(watched, url)
            time.sleep(seconds)
            end = snapshot(watched, url)
            sent = tell(readers, "stop")
            time.sleep(SETTLE_S)
            got = metrics(url)
            tell(readers, None)
    return figures_of(begin, end, sent, got)


def figures_of(begin, end, sent, got):
    """Return figures from two snapshots, the sender's last word and the agent's last metrics."""
    reads, seconds = end["reads"] - begin["reads"], end["at_s"] - begin["at_s"]
    unused = {name: int(got[f"windows_{name}"]) for name in ("late_reads", "unusable_reads", "unlisted_reads")}
    lost = sent["sent"] - int(got["windows_reads"]) + sum(unused.values())
    words = ", ".join(f"{count} {name}" for name, count in unused.items())
    cpu_s = end["cpu_s"] - begin["cpu_s"]
    return [
        Figure("readers.eight.lost", lost, "reads", detail=f"of {sent['sent']:,} sent; {words}"),
        Figure("readers.eight.rate", reads / seconds, "reads/s", detail=f"over {seconds:.0f} s, windows got them"),
        Figure("readers.eight.cpu_per_read", 1e6 * cpu_s / reads, "us", detail=f"{cpu_s / seconds:.1%} of one core"),
        Figure("readers.eight.rss", end["rss_mib"], "MiB", detail=f"{begin['rss_mib']:.1f} MiB at the beginning"),
        Figure("readers.eight.finals", got["windows_finals"], "events", detail="passages decided meanwhile"),
    ]


@contextmanager
def sender(rate):
    """Start the readers; they end with us."""
    command = [sys.executable, "-m", "tests.helpers.paced_readers", "--readers", str(READERS), "--rate", str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process, word):
    """Say a word to the sender; return its answer to "stop"."""
    process.stdin.write(f"{word or 'end'}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline()) if word else None


@contextmanager
def agent(folder, ports):
    """Start the agent; its log stays in the folder until it is told where it failed."""
    (folder / "edge.toml").write_text(configuration(ports))
    address = f"127.0.0.1:{free_port()}"
    program = Path(sys.executable).with_name("stockgate-edge")
    command = [program, "run", "--config", folder / "edge.toml", "--data-dir", folder, "--metrics", address]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield process, f"http://{address}/metrics"
        except BaseException:
            typer.echo((folder / "log").read_text()[-4000:], err=True)
            raise
        finally:
            process.terminate()


def configuration(ports):
    """Return a door for each reader."""
    text = 'site = "hq"\ngateway = "load"\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n'
    for number, port in enumerate(ports):
        text += f'[[readers]]\nid = "r{number}"\nhost = "127.0.0.1"\nport = {port}\n'
        sides = zip((1, 2, 3, 4), ("inside", "inside", "outside", "outside"), strict=True)
        listed = ", ".join(f'{{ reader = "r{number}", port = {port}, side = "{side}" }}' for port, side in sides)
        text += (
            f'[[portals]]\nid = "door-{number}"\ninside = "room-{number}"\noutside = "hall"\nantennas = [{listed}]\n'
        )
    return text


def free_port():
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_reads(url):
    """Wait until every reader is connected and reads come."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = metrics(url)
        except OSError:
            found = {}
        if found.get("reader_connected", 0) == READERS and found["windows_reads"] > 0:
            return
        if time.monotonic() > end_s:
            raise RuntimeError(f"the agent has {found.get('reader_connected', 0):g} of {READERS} readers in session")
        time.sleep(0.2)


def metrics(url):
    """Return the agent's figures by name, summed over labels."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (our own loopback address)
        found = {}
        for name, value in METRIC.findall(answer.read().decode()):
            found[name] = found.get(name, 0.0) + float(value)
        return found


def snapshot(process, url):
    """Return the time, reads in windows, CPU time and memory of the agent."""
    times, memory = process.cpu_times(), process.memory_info()
    return {
        "at_s": time.monotonic(),
        "reads": metrics(url)["windows_reads"],
        "cpu_s": times.user + times.system,
        "rss_mib": memory.rss / 2**20,
    }


if __name__ == "__main__":
    typer.run(main)
