"""The command `replay` with files and configurations that are wrong, strange or cut off."""

import json

import pytest
import structlog
from typer.testing import CliRunner

from edge.cli import app
from edge.llrp.capture import Endpoint, RecordedConnection, header
from tests.helpers import captures
from tests.helpers.captures import config
from tests.helpers.llrp_messages import KEEPALIVE, message, report, tag

READER = Endpoint("192.0.2.10", 5084)
OTHER = Endpoint("192.0.2.77", 5084)
CLIENT = Endpoint("192.0.2.1", 40000)
EVENT = message(63, b"\0\xf6\0\x16\0\x80\0\x0c" + bytes(8) + b"\x01\0\0\6\0\0")
BEGIN_US = 1_700_000_000_000_000


@pytest.fixture(autouse=True)
def logging_as_before():
    """The command configures structlog for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def walk_by(port=1, strange=0):
    """Messages of a tag that passes one antenna: louder, then quieter; some reads of another port."""
    found = [EVENT]
    for step in range(60):
        level = -70 + min(step, 60 - step)
        found.append(report(tag(antenna=port, rssi_dbm=level, channel=1, last_us=BEGIN_US + step * 50_000)))
    found += [report(tag(antenna=9, last_us=BEGIN_US))] * strange
    return found


def capture(parts, reader=READER):
    """A recording without notes."""
    one = RecordedConnection(client=CLIENT, reader=reader)
    blocks = [header(application="test"), one.open(BEGIN_US)]
    blocks += [one.received(BEGIN_US + step * 50_000, part) for step, part in enumerate(parts)]
    return b"".join(blocks)


@pytest.fixture
def replay(tmp_path):
    """Run the command on named contents; return exit code, rows and what it told."""

    def run(contents, path, *words):
        files = []
        for name, data in contents.items():
            (tmp_path / name).write_bytes(data)
            files.append(str(tmp_path / name))
        result = CliRunner().invoke(app, ["replay", *files, "--config", str(path), *words])
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    return run


def test_passage_that_is_open_at_the_end_is_decided_by_then(replay, tmp_path):
    """The file ends while the tag is still heard: its final comes all the same; strange ports are counted."""
    code, rows, told = replay({"x.pcapng": capture(walk_by(strange=3))}, config(tmp_path, r1=READER.host))
    assert code == 0
    assert [(row["kind"], row["portal"], row["final"], row["seq"]) for row in rows] == [("near", "door-r1", True, 1)]
    assert "63 reads, 3 of them at ports that serve no portal" in told


def test_capture_split_over_files_is_one(replay, tmp_path):
    """A ring buffer: the second file goes on inside a message."""
    data = b"".join(walk_by())
    packets = captures.stream(data, at_us=BEGIN_US, step_us=10_000, size=77)
    half = len(packets) // 2
    files = {"a.pcap": captures.pcap(packets[:half]), "b.pcapng": captures.pcapng(packets[half:])}
    code, rows, told = replay(files, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (0, 1)
    assert "60 reads, 0" in told


def test_cut_off_file_is_replayed_as_far_as_it_goes(replay, tmp_path):
    """Power went while it was recorded: what is whole is decided, and the exit code says that it isn't all."""
    code, rows, told = replay({"x.pcapng": capture(walk_by())[:-30]}, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (1, 1)
    assert "ends inside a block" in told


def test_bytes_that_are_missing_are_told(replay, tmp_path):
    """A packet that the capture missed: counted, and the exit code says so."""
    data = b"".join(walk_by())
    packets = captures.stream(data, at_us=BEGIN_US, size=50)
    del packets[20]
    code, rows, told = replay({"x.pcap": captures.pcap(packets)}, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (1, 1)
    assert "bytes of the readers are missing" in told
    assert "58 reads" in told


def test_bare_file_needs_to_be_of_one_reader(replay, tmp_path):
    """Two readers in the configuration: whose bytes are they? `--reader` says it."""
    path = config(tmp_path, r1=READER.host, r2=OTHER.host)
    data = {"x.bin": b"".join(walk_by())}
    code, _, told = replay(data, path)
    assert code == 2
    assert "r1, r2: say whose it is with --reader ID; for two readers at one door record pcapng" in told
    code, rows, _ = replay(data, path, "--reader", "r2")
    assert (code, [row["portal"] for row in rows]) == (0, ["door-r2"])


def test_bare_file_without_times_is_refused(replay, tmp_path):
    """Neither the reader nor the file says when anything was."""
    data = b"".join([EVENT, report(tag(antenna=1)), KEEPALIVE])
    code, _, told = replay({"x.bin": data}, config(tmp_path, r1=READER.host))
    assert code == 2
    assert "carry no times, and a bare file has no arrivals: record pcapng" in told


def test_reader_at_an_unknown_address_is_named_and_can_be_told(replay, tmp_path):
    """Two readers are configured and the capture shows a third address."""
    path = config(tmp_path, r1=READER.host, r2=OTHER.host)
    data = {"x.pcapng": capture(walk_by(), Endpoint("198.51.100.5", 5084))}
    code, _, told = replay(data, path)
    assert code == 2
    assert "the reader at 198.51.100.5:5084" in told
    assert "--reader ID=198.51.100.5:5084" in told
    code, rows, _ = replay(data, path, "--reader", "r2=198.51.100.5:5084")
    assert (code, [row["portal"] for row in rows]) == (0, ["door-r2"])


def test_the_only_reader_may_stand_anywhere(replay, tmp_path):
    """One reader configured, one in the capture: it is that one, whatever its address was."""
    code, rows, _ = replay({"x.pcapng": capture(walk_by(), OTHER)}, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (0, 1)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.pcapng", b"LLRP?", "neither pcapng nor pcap"),
        ("x.pcapng", b"", "empty"),
        ("x.pcapng", EVENT, "bare LLRP bytes want a name that ends in .bin"),
        ("x.pcapng", header(application="x"), "no connection of a reader of"),
    ],
)
def test_file_that_holds_nothing_of_ours_is_told(replay, tmp_path, name, data, words):
    """Exit 2, with what would be right."""
    code, rows, told = replay({name: data}, config(tmp_path, r1=READER.host))
    assert (code, rows) == (2, [])
    assert words in told


def test_missing_file_and_wrong_reader_are_told(tmp_path):
    """Names that lead nowhere."""
    path = config(tmp_path, r1=READER.host)
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "none.pcapng"), "--config", str(path)])
    assert result.exit_code == 2
    assert "none.pcapng: cannot be read" in result.stderr
    result = CliRunner().invoke(app, ["replay", str(path), "--config", str(path), "--reader", "r9=192.0.2.1"])
    assert result.exit_code == 2
    assert "the configuration names r1" in result.stderr


def test_stream_that_is_broken_is_told(replay, tmp_path):
    """Bytes that are no LLRP in the middle of a connection."""
    parts = [*walk_by(), b"\xff" * 40, report(tag(antenna=1, last_us=BEGIN_US))]
    code, rows, told = replay({"x.pcapng": capture(parts)}, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (1, 1)
    assert "reader r1: at byte" in told
