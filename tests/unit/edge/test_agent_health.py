"""What the agent says of itself is always within the contract."""

import tomllib

import structlog

from edge import config
from edge.agent import clock
from edge.agent.health import Identity, birth, plain_text, reader_health, stream_health
from edge.contracts import ReaderHealth, decode_state, encode
from edge.outbox import OutboxStats

DOCUMENT = """
site = "hq"
gateway = "g1"
[[readers]]
id = "r1"
host = "192.0.2.10"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{ reader = "r1", port = 1 }]
[mqtt]
url = "mqtt://localhost"
"""


def test_birth_names_portals_and_readers_for_the_central_to_compare():
    """It survives the wire, and carries this start and this configuration."""
    parsed = config.parse(tomllib.loads(DOCUMENT), source="edge.toml")
    said = birth(parsed, Identity("g1", "b0", "0.1.0", 0))
    assert decode_state(encode(said)) == said
    assert (said.online, said.boot, said.config_digest) == (True, "b0", config.digest(parsed))
    assert [(portal.id, portal.inside, portal.outside, portal.layout) for portal in said.portals] == [
        ("door", "room", "corridor", "single")
    ]


def test_problem_texts_are_cut_to_what_the_contract_allows():
    """A reader's multi-line complaint must not make the heartbeat unreadable."""
    (cleaned,) = reader_health([ReaderHealth(id="r1", state="lost", reads=0, problem="a\n\x00b" + "x" * 600)])
    assert cleaned.problem.startswith("a b")
    assert len(cleaned.problem) == 500
    assert plain_text("fine") == "fine"


def test_stream_figures_count_what_waits_before_the_outbox_too():
    """Held rows are pending for whoever looks; a clock set back gives no negative age."""
    stats = OutboxStats(
        stream="movement", epoch="e", written=9, upto=4, pending=5, oldest_us=2_000_000, dropped=1, set_aside=0
    )
    seen = stream_health(stats, now_us=5_000_000, held=2, dropped=3)
    assert (seen.pending, seen.dropped, seen.oldest_s) == (7, 4, 3.0)
    assert stream_health(stats, now_us=0).oldest_s == 0.0


def test_only_a_board_without_battery_clock_can_be_unsynchronised(monkeypatch, tmp_path):
    """On other machines the kernel's flag says no more than that no NTP daemon runs here."""
    board = tmp_path / "model"
    monkeypatch.setattr(clock, "_BOARD", board)
    monkeypatch.setattr(clock, "kernel_says_unset", lambda: True)
    assert clock.host_synced()
    board.write_text("Raspberry Pi 4 Model B")
    assert not clock.host_synced()
    monkeypatch.setattr(clock, "kernel_says_unset", lambda: False)
    assert clock.host_synced()


def test_kernel_is_asked_without_privileges():
    """The question works on this machine, whatever the answer."""
    assert clock.kernel_says_unset() in {True, False}


def test_log_lines_are_json_where_stderr_is_no_terminal(capsys):
    """Machines read them; the line says when, how grave and what."""
    from edge.agent import logs  # noqa: PLC0415 (configures structlog for the whole process)

    before = structlog.get_config()
    try:
        logs.configure()
        structlog.get_logger().info("agent running", gateway="g1")
    finally:
        structlog.configure(**before)
    line = capsys.readouterr().err.strip()
    assert '"event": "agent running"' in line
    assert '"level": "info"' in line
    assert '"gateway": "g1"' in line
