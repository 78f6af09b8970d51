"""The recording's file, and the command `record` where it can't begin."""

import errno

import pytest
import structlog
from structlog.testing import capture_logs
from typer.testing import CliRunner

from edge.agent import record_command
from edge.agent.recording import RecordingFile
from edge.cli import app
from edge.llrp.capture import CaptureReader, RecordingNote
from edge.readers import Recorder
from tests.helpers.captures import CLIENT, READER, config

LOG = structlog.get_logger()


@pytest.fixture(autouse=True)
def logging_as_before():
    """The command configures structlog for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def recorder_into(file):
    """A recorder on a clock that stands still."""
    return Recorder(file.write, now_us=lambda: 5, host_synced=lambda: True, note=RecordingNote(version="0"))


def test_recording_ends_before_it_is_too_large_and_says_so_once(tmp_path):
    """The agent goes on; what was written is a whole capture."""
    path = tmp_path / "x.pcapng"
    with capture_logs() as logs, RecordingFile(path, max_bytes=20_000, log=LOG) as file:
        tap = recorder_into(file).tap("r1")
        tap.opened(local=CLIENT, remote=READER)
        for _ in range(50):
            tap.sent(bytes(1000))
        tap.closed()
    assert [entry["event"] for entry in logs].count("recording ended, the agent goes on") == 1
    assert file.left_out > 0
    assert path.stat().st_size == file.written <= 20_000
    reader = CaptureReader()
    assert len(list(reader.feed(path.read_bytes()))) > 10
    reader.finish()


def test_full_disk_ends_the_recording_and_nothing_else(tmp_path, monkeypatch):
    """No error reaches the session that is recorded."""

    class Full:
        def write(self, _data):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            pass

    with capture_logs() as logs, RecordingFile(tmp_path / "x", max_bytes=1000, log=LOG) as file:
        file._file.close()
        monkeypatch.setattr(file, "_file", Full())
        file.write(b"a")
        file.write(b"b")
    told = [entry for entry in logs if entry["event"] == "recording ended, the agent goes on"]
    assert [entry["reason"] for entry in told] == ["No space left on device"]
    assert file.left_out == 2


def test_connections_of_one_file_never_look_the_same(tmp_path):
    """Two readers on one host are dialled from one port: the packets show two ports."""
    parts = []
    recorder = Recorder(parts.append, now_us=lambda: 5, host_synced=lambda: True, note=RecordingNote(version="0"))
    ends = [recorder.ends(CLIENT, READER._replace(port=port)) for port in (5084, 5085, 5086)]
    assert len({client for client, _ in ends}) == 3
    assert {reader for _, reader in ends} == {READER}


def record(*words):
    """Run the command."""
    return CliRunner().invoke(app, ["record", *map(str, words)])


def test_record_says_what_it_lacks(tmp_path):
    """No reader, an address that is none, an id that isn't there, a folder that isn't there, nobody who answers."""
    out, path = tmp_path / "x.pcapng", config(tmp_path, r1=READER.host)
    assert record("-o", out).exit_code == 2
    assert record("host:x", "-o", out).exit_code == 2
    strange = record("r9", "--config", path, "-o", out)
    assert (strange.exit_code, "names the readers r1" in strange.stderr) == (2, True)
    nowhere = record("--config", path, "-o", tmp_path / "none" / "x.pcapng", "--seconds", "0.1")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)
    silent = record("127.0.0.1:1", "-o", out, "--seconds", "0.1")
    assert (silent.exit_code, "can't be reached" in silent.stderr) == (1, True)
    assert not out.exists()


def test_connection_that_outlasts_the_recording_throws_nothing(tmp_path):
    """A tap told of bytes and of the end after the file or the recorder was closed: nothing is written."""
    path = tmp_path / "x.pcapng"
    with RecordingFile(path, max_bytes=20_000, log=LOG) as file:
        recorder = recorder_into(file)
        outlasts_file = recorder.tap("r1")
        outlasts_file.opened(local=CLIENT, remote=READER)
    size = path.stat().st_size
    outlasts_file.sent(b"x")
    outlasts_file.closed()
    assert path.stat().st_size == size

    blocks = []
    recorder = Recorder(blocks.append, now_us=lambda: 5, host_synced=lambda: True, note=RecordingNote(version="0"))
    tap = recorder.tap("r1")
    tap.opened(local=CLIENT, remote=READER)
    recorder.close()
    before = len(blocks)
    tap.received(b"x")
    tap.closed()
    assert len(blocks) == before


def test_record_keeps_the_file_that_is_there(tmp_path):
    """A recording can't be made again; an empty file (mktemp's) is no recording."""
    out = tmp_path / "x.pcapng"
    out.write_bytes(b"recorded")
    refused = record("127.0.0.1:1", "-o", out, "--seconds", "0.1")
    assert (refused.exit_code, f"{out}: exists already" in refused.stderr) == (2, True)
    assert out.read_bytes() == b"recorded"
    out.write_bytes(b"")
    assert "can't be reached" in record("127.0.0.1:1", "-o", out, "--seconds", "0.1").stderr


@pytest.mark.parametrize(("name", "words"), [("no/r.pcapng", "there is no folder"), ("", "is a folder")])
def test_record_names_a_place_that_cannot_be_before_it_dials(tmp_path, monkeypatch, name, words):
    """No reader is asked for a file that can't be."""
    monkeypatch.setattr(record_command, "_looked_up", lambda _hosts: pytest.fail("dialled"))
    result = CliRunner().invoke(app, ["record", "192.0.2.1", "--output", str(tmp_path / name)])
    assert result.exit_code == 2
    assert words in result.stderr
