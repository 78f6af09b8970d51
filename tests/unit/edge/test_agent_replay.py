"""The command `replay` with files and configurations that are wrong, strange or cut off."""

import json

import pytest
import structlog
from typer.testing import CliRunner

from edge.cli import app
from edge.llrp.capture import ConnectionNote, Endpoint, RecordedConnection, RecordingNote, header, to_comment
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


def config_at(tmp_path, **readers):
    """Write a configuration of single-antenna doors whose readers stand at a host and a port."""
    path = config(tmp_path, **{name: host for name, (host, _) in readers.items()})
    text = path.read_text()
    for name, (_, port) in readers.items():
        text = text.replace(f'id = "{name}"\n', f'id = "{name}"\nport = {port}\n', 1)
    path.write_text(text)
    return path


def walk_by(port=1, strange=0):
    """Messages of a tag that passes one antenna: louder, then quieter; some reads of another port."""
    found = [EVENT]
    for step in range(60):
        level = -70 + min(step, 60 - step)
        found.append(report(tag(antenna=port, rssi_dbm=level, channel=1, last_us=BEGIN_US + step * 50_000)))
    found += [report(tag(antenna=9, last_us=BEGIN_US))] * strange
    return found


def capture(parts, reader=READER, client=CLIENT, note=None):
    """A recording without notes, or with that of the connection."""
    one = RecordedConnection(client=client, reader=reader)
    comments = [] if note is None else [to_comment(note)]
    blocks = [header(application="test"), one.open(BEGIN_US, comments)]
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


def noted(name, port, host="127.0.0.1"):
    """A recording of our own of one reader: the packets show port 5084, the note its id and real address."""
    note = ConnectionNote(reader=name, host=host, port=port)
    return capture(walk_by(), Endpoint(host, 5084), Endpoint("127.0.0.2", 30000 + port % 1000), note)


@pytest.mark.parametrize(
    ("name", "port", "words"),
    [
        ("q1", 25084, ["reader r1 (127.0.0.1:25284) is none of", "reader r2 (127.0.0.1:25285) is none of"]),
        ("r1", 25084, ["reader r2 (127.0.0.1:25285) is none of"]),
        ("r1", 25285, ["reader r1 (127.0.0.1:25284) and the reader r2 (127.0.0.1:25285) would both be reader r1"]),
    ],
)
def test_two_recorded_readers_do_not_become_one(replay, tmp_path, name, port, words):
    """The configuration names one reader of that host: the other one's reads aren't given to it."""
    path = config_at(tmp_path, **{name: ("127.0.0.1", port)})
    files = {"a.pcapng": noted("r1", 25284), "b.pcapng": noted("r2", 25285)}
    code, _, told = replay(files, path)
    assert code == 2
    assert all(word in told for word in words)


def test_recorded_reader_is_known_by_id_then_by_its_address(replay, tmp_path):
    """A reader that was moved keeps its id; one that was renamed keeps its address."""
    path = config_at(tmp_path, r1=("127.0.0.1", 1), q2=("127.0.0.1", 25285))
    files = {"a.pcapng": noted("r1", 25284), "b.pcapng": noted("r2", 25285)}
    code, rows, _ = replay(files, path)
    assert (code, sorted(row["portal"] for row in rows)) == (0, ["door-q2", "door-r1"])


def test_two_ports_of_a_host_are_not_guessed_to_be_one_reader(replay, tmp_path):
    """Without notes a host stands for its reader where it shows one port only, unless the user says otherwise."""
    path = config_at(tmp_path, q1=("127.0.0.1", 25084))
    first, second = (capture(walk_by(), Endpoint("127.0.0.1", port)) for port in (25284, 25285))
    assert replay({"a.pcapng": first}, path)[0] == 0
    code, _, told = replay({"a.pcapng": first, "b.pcapng": second}, path)
    assert code == 2
    assert "127.0.0.1:25284 and the reader at 127.0.0.1:25285 would both be reader q1" in told
    assert replay({"a.pcapng": first, "b.pcapng": second}, path, "--reader", "q1=127.0.0.1")[0] == 0


def test_stranger_beside_the_only_reader_is_not_taken_for_it(replay, tmp_path):
    """The configured reader stands in the capture, so another one is another one."""
    files = {"a.pcapng": capture(walk_by()), "b.pcapng": capture(walk_by(), OTHER)}
    code, rows, told = replay(files, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (2, 1)
    assert "the reader at 192.0.2.77:5084 is none of" in told
    assert "60 reads" in told


@pytest.mark.parametrize(("name", "data"), [("pcapng", capture(walk_by())), ("bin", b"".join(walk_by()))])
def test_same_recording_twice_is_refused(replay, tmp_path, name, data):
    """By its bytes, whatever the file is called."""
    path = config(tmp_path, r1=READER.host)
    code, rows, told = replay({f"a.{name}": data, f"b.{name}": data}, path)
    assert (code, rows) == (2, [])
    assert f"b.{name} are the same recording twice" in told


def test_shorter_copy_of_a_recording_is_refused(replay, tmp_path):
    """A copy made while it was still recorded: it begins as the other one does."""
    begin = header(application="test", comments=[to_comment(RecordingNote(version="0", boot="b1"))])
    data = begin + capture(walk_by())[len(header(application="test")) :]
    more = RecordedConnection(client=CLIENT, reader=OTHER).open(BEGIN_US)
    code, _, told = replay({"a.pcapng": data, "b.pcapng": data + more}, config(tmp_path, r1=READER.host))
    assert code == 2
    assert "b.pcapng: the same recording twice" in told


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.pcapng", b"LLRP?", "neither pcapng nor pcap"),
        ("x.pcapng", b"", "empty"),
        ("x.pcapng", EVENT, "bare LLRP bytes want a name that ends in .bin"),
        ("x.pcapng", header(application="x"), "no connection of a reader of"),
        ("x.bin", b"", "x.bin: is empty"),
    ],
)
def test_file_that_holds_nothing_of_ours_is_told(replay, tmp_path, name, data, words):
    """Exit 2, with what would be right."""
    code, rows, told = replay({name: data}, config(tmp_path, r1=READER.host))
    assert (code, rows) == (2, [])
    assert words in told


@pytest.mark.parametrize("words", [("--out",), ("--explain", "ab", "--picture")])
@pytest.mark.parametrize("name", ["x.pcapng", "./link", "edge.toml", "sub/../x.pcapng"])
def test_what_is_read_is_never_overwritten(replay, tmp_path, words, name):
    """Two names changed places on the command line: the recording, by whatever name, and the configuration stay."""
    data, path = capture(walk_by()), config(tmp_path, r1=READER.host)
    text = path.read_bytes()
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "x.pcapng")
    target = path if name == "edge.toml" else tmp_path / name
    code, rows, told = replay({"x.pcapng": data}, path, *words, str(target))
    assert (code, rows) == (2, [])
    assert "is read by this replay, and would be overwritten" in told
    assert ((tmp_path / "x.pcapng").read_bytes(), path.read_bytes()) == (data, text)


def test_rows_and_picture_are_two_files(replay, tmp_path):
    """The picture would replace the rows."""
    words = ("--out", str(tmp_path / "a"), "--explain", "ab", "--picture", str(tmp_path / "a"))
    code, _, told = replay({"x.pcapng": capture(walk_by())}, config(tmp_path, r1=READER.host), *words)
    assert code == 2
    assert "name two files" in told


def test_missing_file_and_wrong_reader_are_told(tmp_path):
    """Names that lead nowhere."""
    path = config(tmp_path, r1=READER.host)
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "none.pcapng"), "--config", str(path)])
    assert result.exit_code == 2
    assert "none.pcapng: cannot be read" in result.stderr
    result = CliRunner().invoke(app, ["replay", str(path), "--config", str(path), "--reader", "r9=192.0.2.1"])
    assert result.exit_code == 2
    assert "the configuration names r1" in result.stderr


@pytest.mark.parametrize("word", ["r1=", "r1=999.1.1.1", "r1=1.2.3"])
def test_reader_word_without_a_real_address_is_refused(replay, tmp_path, word):
    """It would match nothing, in silence."""
    code, rows, told = replay({"x.pcapng": capture(walk_by())}, config(tmp_path, r1=READER.host), "--reader", word)
    assert (code, rows) == (2, [])
    assert "write it like" in told or "is no address" in told


def test_connection_that_cannot_be_followed_is_told(replay, tmp_path):
    """What it lacks isn't the address: no message of a reader stands in its bytes, in the order in which they come."""
    parts = [b"?" * 40, *walk_by()]
    code, _, told = replay({"x.pcapng": capture(parts)}, config(tmp_path, r1=READER.host))
    assert code == 2
    assert "1 of its connections can't be followed" in told


def test_stream_that_is_broken_is_told(replay, tmp_path):
    """Bytes that are no LLRP in the middle of a connection."""
    parts = [*walk_by(), b"\xff" * 40, report(tag(antenna=1, last_us=BEGIN_US))]
    code, rows, told = replay({"x.pcapng": capture(parts)}, config(tmp_path, r1=READER.host))
    assert (code, len(rows)) == (1, 1)
    assert "reader r1: at byte" in told
