"""The Prometheus endpoint: loopback only, figures as of the scrape."""

import dataclasses
import socket
import threading
import urllib.error
import urllib.request

import msgspec
import pytest

from edge.agent import metrics_port
from edge.agent.metrics import (
    MetricsError,
    MetricsServer,
    counter_figures,
    gate_figures,
    health_figures,
    parse_address,
)
from edge.contracts import AntennaHealth, GateHealth, Health, PortalHealth, ReaderHealth, StreamHealth, instant


def health(reads):
    """A heartbeat."""
    return Health(
        gateway="g",
        boot="b",
        at=instant(0),
        uptime_s=1.0,
        uplink="backlog",
        readers=[ReaderHealth(id="r1", state="connected", reads=reads, unlisted_reads=3)],
        streams=[StreamHealth(stream="movement", epoch="e", written=9, pending=2, oldest_s=0.5)],
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:0", ("::1", 0)), ("localhost:1", ("localhost", 1))],
)
def test_loopback_addresses_are_taken(text, address):
    """IPv4, IPv6 and the name."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.0.0.0:9464", "only loopback"),
        ("192.0.2.1:9464", "only loopback"),
        ("127.0.0.1", "write it like"),
        ("127.0.0.1:x", "write it like"),
        ("example.org:80", "write it like"),
        ("127.0.0.1:65536", "a port is"),
        ("", "write it like"),
    ],
)
def test_other_addresses_are_refused_with_what_to_write(text, said):
    """The endpoint has no password, so it stays on the machine."""
    with pytest.raises(MetricsError, match=said):
        parse_address(text)


def test_antennas_and_doorways_are_figures():
    antennas = [AntennaHealth(port=1, state="ok", read_rate=4.5), AntennaHealth(port=2, state="fault")]
    reader = ReaderHealth(
        id="r1", state="connected", reads=0, antennas=antennas, temperature_c=41.0, buffer_overflows=2
    )
    portals = [PortalHealth(id="door", state="partial", since=instant(0))]
    beat = msgspec.structs.replace(health(0), readers=[reader], portals=portals)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in health_figures(beat)
        for sample in metric.samples
    }
    assert found["stockgate_edge_antenna_well", "r1", "1"] == 1.0
    assert found["stockgate_edge_antenna_well", "r1", "2"] == 0.0
    assert found["stockgate_edge_antenna_reads_per_second", "r1", "1"] == 4.5
    assert found["stockgate_edge_reader_celsius", "r1"] == 41.0
    assert found["stockgate_edge_reader_overflows_total", "r1"] == 2.0
    assert found["stockgate_edge_portal_watched", "door"] == 0.5


def _scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_figures_are_those_of_the_moment_and_the_port_is_free_afterwards():
    """A scrape asks the parts; after the end nobody listens."""
    reads = [5]
    with MetricsServer(("127.0.0.1", 0), lambda: health_figures(health(reads[0]))) as server:
        port = server.port
        assert 'stockgate_edge_reader_reads_total{reader="r1"} 5.0' in _scrape(port)
        reads[0] = 6
        text = _scrape(port)
    assert 'stockgate_edge_reader_reads_total{reader="r1"} 6.0' in text
    assert 'stockgate_edge_reader_unlisted_reads_total{reader="r1"} 3.0' in text
    assert 'stockgate_edge_outbox_pending{stream="movement"} 2.0' in text
    assert 'stockgate_edge_uplink_state{state="backlog"} 1.0' in text
    with pytest.raises(urllib.error.URLError):
        _scrape(port)


def test_port_in_use_is_told():
    """With what to do."""
    with (
        MetricsServer(("127.0.0.1", 0), list) as first,
        pytest.raises(MetricsError, match="take another port"),
        MetricsServer(("127.0.0.1", first.port), list),
    ):
        raise AssertionError("two servers on one port")


def test_counters_of_a_room_become_figures_by_their_names():
    """A counter that a room adds is shown without a change here."""

    @dataclasses.dataclass
    class Counters:
        sent: int = 4
        last: str = "text is no figure"

    (figure,) = counter_figures("stockgate_edge_uplink", Counters())
    assert (figure.name, figure.samples[0].value) == ("stockgate_edge_uplink_sent", 4)


def test_the_gate_snapshots_age_and_what_was_refused_are_figures():
    """Nothing is made up where none is held."""
    told = GateHealth(
        generation=4,
        n=2,
        issued_at=instant(10_000_000),
        expires_at=instant(12_000_000),
        entries=7,
        missing_parts=1,
        foreign=3,
        judged={"refuse": 5},
        refused={"replayed": 6},
    )
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in gate_figures(told, 15_000_000)
        for sample in metric.samples
    }
    assert found == {
        ("stockgate_edge_gate_held",): 1.0,
        ("stockgate_edge_gate_generation",): 4.0,
        ("stockgate_edge_gate_n",): 2.0,
        ("stockgate_edge_gate_entries",): 7.0,
        ("stockgate_edge_gate_missing_parts",): 1.0,
        ("stockgate_edge_gate_age_seconds",): 5.0,
        ("stockgate_edge_gate_left_seconds",): -3.0,
        ("stockgate_edge_gate_foreign_total",): 3.0,
        ("stockgate_edge_gate_judged_total", "refuse"): 5.0,
        ("stockgate_edge_gate_refused_total", "replayed"): 6.0,
    }
    none = [sample.name for metric in gate_figures(GateHealth(), 0) for sample in metric.samples]
    assert none == ["stockgate_edge_gate_held", "stockgate_edge_gate_foreign_total"]


def test_requests_that_never_end_are_hung_up_on_and_keep_no_scrape_out():
    """Forty that say half a line: few threads, the oldest of them gone, and Prometheus is answered beside them."""
    before = threading.active_count()
    with MetricsServer(("127.0.0.1", 0), lambda: health_figures(health(7))) as server:
        halves = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(40)]
        for half in halves:
            half.sendall(b"GET /metr")
        assert halves[0].recv(1) == b"", "the first has gone for others"
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as answer:
            assert b"stockgate_edge_reader_reads_total" in answer.read()
        assert threading.active_count() - before <= 1 + 2 * metrics_port.MOST + 2
        assert halves[-1].recv(1) == b"", "its time is over"
        for half in halves:
            half.close()
