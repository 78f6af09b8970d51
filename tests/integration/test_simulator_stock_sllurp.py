"""A stock client, sllurp's own, inventories the simulator and sees every simulated tag."""

import json
import logging
import os
import sys
import time
from collections import Counter
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

ALL_FIELDS = {
    "EnableROSpecID": True,
    "EnableSpecIndex": True,
    "EnableInventoryParameterSpecID": True,
    "EnableAntennaID": True,
    "EnableChannelIndex": True,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
    "EnableAccessSpecID": False,
    "C1G2EPCMemorySelector": {"EnableCRC": True, "EnablePCBits": True},
}
IMPINJ = {"EnableRFPhaseAngle": True, "EnablePeakRSSI": True, "EnableRFDopplerFrequency": False}
IN_SIGHT = 30
AT_THE_END = 90
COMPILED = 180
"""A machine that has never run the kernels compiles them first."""


def wait_for(what, seconds=IN_SIGHT):
    """Poll until `what` answers something true; timing never decides more than that it happens at all."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := what():
            return found
        time.sleep(0.02)
    pytest.fail(f"nothing within {seconds} s")


@pytest.fixture
def simulator(tmp_path):
    started = []

    def start(*arguments):
        ready, truth = tmp_path / "ready.json", tmp_path / "truth.json"
        command = [sys.executable, "-c", "from simulator.cli import main; main()", *arguments]
        with (tmp_path / "log").open("wb") as log:
            started.append(Popen([*command, "--ready-file", str(ready), "--truth", str(truth)], stderr=log))
        wait_for(lambda: ready.exists() or started[-1].poll() is not None, seconds=COMPILED)
        assert started[-1].poll() is None, (tmp_path / "log").read_text()
        return json.loads(ready.read_bytes())["readers"], lambda: json.loads(truth.read_bytes())

    yield start
    for process in started:
        process.terminate()
        assert process.wait(IN_SIGHT) == 0


class Stock:
    """A stock client as a process of its own, with this file as its script."""

    def __init__(self, address, out, config) -> None:
        self._out = out
        arguments = [address["host"], str(address["port"]), str(out), json.dumps(config)]
        command = [sys.executable, "-W", "ignore", __file__, *arguments]
        self.process = Popen(command, stdin=PIPE, stderr=PIPE, text=True)

    def heard(self):
        """So many reads it has seen by now."""
        noted = heard_file(self._out)
        return int(noted.read_text()) if noted.exists() else 0

    def finish(self):
        """End it; return what it has seen."""
        _, complaints = self.process.communicate(timeout=AT_THE_END)
        assert (self.process.returncode, complaints) == (0, "")
        return json.loads(self._out.read_bytes())


def heard_file(out):
    return out.with_suffix(".heard")


@pytest.fixture
def inventory(tmp_path):
    """Start stock clients."""
    started = []

    def start(address, **config):
        started.append(Stock(address, tmp_path / f"tags-{len(started)}.json", config))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def all_heard(truth, *clients):
    """Wait for the end, and for the clients to have seen what was sent: sllurp doesn't read it to its end by itself."""
    wait_for(lambda: truth()["done"], seconds=AT_THE_END)
    wait_for(lambda: sum(one.heard() for one in clients) >= truth()["reads"], seconds=AT_THE_END)


def stock_client(host, port, out, config):
    """What a user of sllurp writes: inventory until stdin ends, then say what was seen."""
    logging.basicConfig(level=logging.ERROR)
    seen, noted = [], heard_file(Path(out))

    def note(_, tags):
        seen.extend(tags)
        beside = noted.with_suffix(".new")
        beside.write_text(str(sum(tag["TagSeenCount"] for tag in seen)))
        beside.replace(noted)

    stock = LLRPReaderClient(host, int(port), LLRPReaderConfig(json.loads(config)))
    stock.add_tag_report_callback(note)
    stock.connect()
    sys.stdin.read()
    stock.disconnect(timeout=3)
    Path(out).write_text(json.dumps(seen, default=lambda value: value.decode()))
    # sllurp sets its state after it has sent: an answer quicker than that is lost, and its thread stays for ever.
    os._exit(0)


def test_stock_sllurp_gets_every_read_of_the_office_with_all_its_fields(simulator, inventory):
    """What the truth says was read at a door has been seen, and nothing that isn't there."""
    readers, truth = simulator("serve", "office", "--base-port", "0", "--seconds", "46", "--speed", "15", "--seed", "7")
    clients = [
        inventory(
            address,
            antennas=[1, 2, 3, 4],
            report_every_n_tags=10,
            report_timeout_ms=100,
            tag_content_selector=ALL_FIELDS,
            impinj_tag_content_selector=IMPINJ,
            keepalive_interval=200,
        )
        for address in readers.values()
    ]
    all_heard(truth, *clients)
    tags = [tag for one in clients for tag in one.finish()]
    told = truth()
    assert sum(tag["TagSeenCount"] for tag in tags) == told["reads"] > 500
    epcs = {tag["EPC"] for tag in tags}
    assert epcs <= {crossing["epc"] for crossing in told["crossings"]} | set(told["residents"])
    assert epcs >= {crossing["epc"] for crossing in told["crossings"] if crossing["reads"]}
    assert epcs & set(told["residents"])
    assert {kind["kind"] for kind in told["crossings"]} == {"out", "in", "turned_back", "near"}
    for tag in tags:
        assert {"ImpinjPeakRSSI", "ImpinjRFPhaseAngle", "FirstSeenTimestampUTC", "C1G2PC", "C1G2CRC"} <= set(tag)
        assert 1 <= tag["AntennaID"] <= 4
        assert 1 <= tag["ChannelIndex"] <= 50
        assert abs(tag["PeakRSSI"] - tag["ImpinjPeakRSSI"] / 100) <= 0.5
    assert told["unheard_reads"] == told["overflowed_reads"] == 0


def test_stock_sllurp_counts_every_read_of_a_crowd_once(simulator, inventory):
    readers, truth = simulator("serve", "crowd", "--base-port", "0", "--seconds", "6", "--speed", "3")
    client = inventory(readers["r1"], antennas=[1], report_every_n_tags=50, report_timeout_ms=100)
    all_heard(truth, client)
    told, seen = truth(), client.finish()
    counts = Counter(tag["EPC"] for tag in seen)
    assert set(counts.values()) == {10}
    assert set(counts) == {crossing["epc"] for crossing in told["crossings"]}
    assert len(counts) == 701


@pytest.mark.shared
def test_a_replay_sends_every_recorded_read_once_with_its_time(simulator, inventory, shared):
    path = shared / "reads" / "ecd" / "dynamic.csv"
    readers, truth = simulator("replay", str(path), "--port", "0", "--speed", "40")
    client = inventory(readers["r1"], antennas=[1], report_every_n_tags=25, report_timeout_ms=100)
    all_heard(truth, client)
    seen = client.finish()
    cells = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert sorted(tag["LastSeenTimestampUTC"] for tag in seen) == sorted(
        round(1e6 * float(row[24].strip())) for row in cells
    )
    assert truth()["reads"] == sum(int(row[17]) for row in cells) == 4269


if __name__ == "__main__":
    stock_client(*sys.argv[1:])
