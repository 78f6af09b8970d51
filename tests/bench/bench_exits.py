"""From the doorway to the light and to the guard's screen: exits without leave, at every door every 4.6 s (Show 4).

Simulator, broker, database, central and agent are the programs themselves, on one machine. The light counts until the
device's answer that it is on, the screen until the server-sent event that names the asset. For the last third of the
time the centre is gone: lights go on without it.
"""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator

import httpx
import numpy as np
import psutil
import psycopg

from deploy.standalone.programs import script
from deploy.standalone.stack import Stack
from edge.contracts import instant_us
from tests.bench.exits_site import ExitsSite
from tests.bench.figures import BENCH, Figure
from tests.helpers.brokers import free_port

MINUTES = float(os.environ.get("EXITS_MINUTES", "3"))
"""`EXITS_MINUTES=10` for a thousand exits at eight doors."""
DOORS = int(os.environ.get("EXITS_DOORS", "8"))
ALONE = 1 / 3
"""Share of the time, at its end, for which the centre is gone."""
SETTLE_S = 12.0
ENOUGH_READS = 15
PROMISED_S = 0.15
"""From the verdict to the light."""
TOLD = """
SELECT DISTINCT ON (epc) epc, crossed_at, (gate ->> 'acted_at')::timestamptz, received_at, final
FROM movement WHERE kind = 'out' ORDER BY epc, rev
"""
BUCKET = re.compile(r'^stockgate_edge_gate_light_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)$', re.MULTILINE)
READS = re.compile(r"^stockgate_edge_windows_reads_total ([0-9.e+]+)$", re.MULTILINE)


class Screen(threading.Thread):
    """Listens to the feed as the console does, and notes when each asset was first named in an alert."""

    def __init__(self, url) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/api/v1/events?kinds=alert"
        self.heard_us: dict[str, int] = {}

    def run(self) -> None:
        """Listen until the server is gone."""
        try:
            with httpx.stream("GET", self._url, timeout=30.0, trust_env=False) as stream:
                for line in stream.iter_lines():
                    now_us = time.time_ns() // 1000
                    for asset in re.findall(r"LT-\d{5}", line):
                        self.heard_us.setdefault(asset, now_us)
        except httpx.HTTPError:
            pass


@BENCH.register("exits.", when_named=True)
def exits() -> Iterator[Figure]:
    """Yield how late light and screen are, and what the machine was doing meanwhile."""
    with Stack(pulse=lambda: None) as stack:
        yield from Trial(ExitsSite(DOORS, 60 * MINUTES), stack).run()


class Trial:
    """One run."""

    def __init__(self, site, stack) -> None:
        self._site, self._stack = site, stack
        self._truth = stack.run_dir / "truth.json"
        self._metrics = f"127.0.0.1:{free_port()}"

    def run(self) -> Iterator[Figure]:
        """Play it, and yield the figures."""
        central, screen, watched = self._start()
        begun_s, spent_s = time.monotonic(), {name: _cpu_s(one) for name, one in watched.items()}
        reads = self._reads()
        time.sleep((1 - ALONE) * self._site.seconds)
        shares = {name: (_cpu_s(one) - spent_s[name]) / (time.monotonic() - begun_s) for name, one in watched.items()}
        lasted_s = time.monotonic() - begun_s
        told, light, reads = self._told(), self._light(), self._reads() - reads
        self._stack.programs.end(central)
        time.sleep(ALONE * self._site.seconds + SETTLE_S)
        truth = json.loads(self._truth.read_text())
        yield from _lights(light, self._light())
        yield from _ways(self._site, truth, told, screen.heard_us)
        words = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        rate = reads / lasted_s / self._site.doors
        yield Figure("exits.cpu", sum(shares.values()), "cores", detail=f"{words}; {rate:.0f} reads/s of each reader")

    def _start(self):
        stack, site, start = self._stack, self._site, self._stack.programs.start
        scenario, sheets, data = (stack.run_dir / name for name in ("exits.toml", "sheets", "central"))
        scenario.write_text(site.scenario())
        sheets.mkdir()
        site.sheets(sheets)
        stack.start_servers()
        stack.import_registry(sheets)
        ready = stack.run_dir / "central.ready"
        command = ["stockgate-central", "run", "--dsn", stack.postgres.dsn, "--mqtt", stack.broker.url]
        command += ["--listen", "127.0.0.1:0", "--data-dir", str(data), "--ready-file", str(ready)]
        central = start("central", command)
        api = stack.programs.ready(central, ready)["api"]
        trust = subprocess.check_output(
            [script("stockgate-central"), "keys", "show", "--data-dir", str(data)], text=True
        )
        screen = Screen(api)
        screen.start()
        simulator, ready = stack.start_simulator(str(scenario), seconds=0, truth_file=self._truth)
        config = stack.run_dir / "edge.toml"
        config.write_text(site.config(stack.readers(simulator, ready), stack.broker.url, trust))
        command = ["stockgate-edge", "run", "--config", str(config), "--data-dir", str(stack.run_dir / "edge")]
        edge = start("edge", [*command, "--metrics", self._metrics])
        while not self._truth.exists() or not self._serves():
            stack.check()
            time.sleep(0.2)
        return central, screen, {"simulator": simulator, "edge": edge, "central": central}

    def _told(self):
        with psycopg.connect(self._stack.postgres.dsn) as connection:
            return connection.execute(TOLD).fetchall()

    def _serves(self):
        try:
            return bool(self._light())
        except httpx.HTTPError:
            return False

    def _reads(self):
        return float(READS.search(self._page())[1])

    def _page(self):
        return httpx.get(f"http://{self._metrics}/metrics", trust_env=False).text

    def _light(self):
        text = self._page()
        return {float(bound): float(count) for bound, count in BUCKET.findall(text)}


def _lights(with_centre, all_of_them):
    """Yield how many verdicts were shown within the promise, with the centre and without it."""
    alone = {bound: count - with_centre[bound] for bound, count in all_of_them.items()}
    for name, counts in (("with", with_centre), ("without", alone)):
        total, kept = counts[float("inf")], counts[PROMISED_S]
        bound = next((bound for bound, count in counts.items() if count >= 0.99 * total), float("inf"))
        detail = f"99 of 100 within {1000 * bound:g} ms (a bucket's bound); {kept:.0f} of {total:.0f} within 150 ms"
        yield Figure(f"exits.light.{name}_centre", 100 * kept / total if total else 0.0, "%", detail=detail)


def _ways(site, truth, told, heard_us):
    """Yield quantiles from the doorway on, of crossings of 15 reads and more that the centre heard of."""
    crossed_us = {
        one["epc"]: instant_us(one["crossed_at"])
        for one in truth["crossings"]
        if one["kind"] == "out" and one["reads"] >= ENOUGH_READS
    }
    assets = {site.epc(tag): f"LT-{tag:05}" for _, _, tag in site.walks}
    rows = {epc: (acted, received, final) for epc, _, acted, received, final in told if epc in crossed_us}
    decided = [(_us(acted) - crossed_us[epc]) / 1e3 for epc, (acted, _, _) in rows.items() if acted is not None]
    committed = [(_us(received) - _us(acted)) / 1e3 for acted, received, _ in rows.values() if acted is not None]
    shown = {epc: heard_us[assets[epc]] for epc in rows if assets[epc] in heard_us}
    screen = [(at_us - crossed_us[epc]) / 1e3 for epc, at_us in shown.items()]
    last = [(at_us - _us(rows[epc][1])) / 1e3 for epc, at_us in shown.items()]
    early = sum(not final for _, _, final in rows.values())
    words = f"{len(rows)} exits told, {early} of them early, {len(decided)} lit, {len(shown)} on the feed"
    yield _figure("exits.crossing_to_light", decided, words)
    yield _figure("exits.crossing_to_feed", screen, words)
    yield _figure("exits.stage.light_to_receipt", committed, "outbox with its fsync, broker, the centre's receipt")
    yield _figure("exits.stage.receipt_to_feed", last, "ingest, judging, commit, server-sent event")


def _figure(name, values_ms, words):
    if not values_ms:
        return Figure(name, float("nan"), "ms", detail=f"nothing to measure: {words}")
    middle, late = np.percentile(values_ms, [50, 99])
    return Figure(
        name, float(middle), "ms", detail=f"median; 99 %: {late:.0f} ms, most {max(values_ms):.0f} ms; {words}"
    )


def _us(at):
    return round(at.timestamp() * 1e6)


def _cpu_s(program):
    process = psutil.Process(program.process.pid)
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))
