"""The command `capture`: recorded within bounds, sent where the central said and nowhere else, gone afterwards."""

import asyncio
import contextlib
import dataclasses
import hashlib
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from edge.agent import put as putting
from edge.agent.capture_file import CaptureFile, DiskFullError
from edge.agent.captures import CaptureParts, Captures
from edge.agent.put import Content, PutError, parse_address, put
from edge.commands import OrderError
from edge.contracts import instant
from edge.llrp.capture import CaptureReader, ReaderStreams, Reassembler, RecordingNote, dissect
from edge.readers.taps import Taps
from tests.helpers.authority import Authority
from tests.helpers.captures import CLIENT, READER
from tests.helpers.llrp_messages import report, tag
from tests.helpers.uploads import UploadServer

NOW_US = 1_800_000_000_000_000
LIMIT_S = 30.0
MESSAGE = report(tag(antenna=1))


class Bench:
    """The command with two readers, of which the first is in session and talks."""

    def __init__(self, folder, context=None, **parts) -> None:
        self.folder = folder
        self.taps = {"r1": Taps(), "r2": Taps()}
        self.taps["r1"].opened(local=CLIENT, remote=READER)
        parts = {"keep_free_bytes": 0} | parts
        self.captures = Captures(
            CaptureParts(
                taps=self.taps,
                portals={"door": ["r1"], "both": ["r1", "r2"], "bare": []},
                folder=folder,
                context=lambda: context or ssl.create_default_context(),
                note=RecordingNote(version="0", gateway="gw-1"),
                now_us=lambda: NOW_US,
                host_synced=lambda: True,
                **parts,
            )
        )

    async def order(self, url, *, until_s=60, **args):
        """Order a capture while the reader talks; by default it ends when it is full."""
        talking = asyncio.create_task(self.talk())
        told = {"reader": "r1", "seconds": 20, "max_bytes": 4000, "url": url}
        told |= {"until": instant(NOW_US + until_s * 1_000_000)} | args
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self.captures.by_name()["capture"]({k: v for k, v in told.items() if v is not None})
        finally:
            talking.cancel()

    async def talk(self):
        """Receive a report now and then."""
        while True:
            self.taps["r1"].received(MESSAGE)
            await asyncio.sleep(0.002)

    @property
    def left(self):
        """What lies in the folder."""
        return [path.name for path in self.folder.iterdir()]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """No test waits long for the next try."""
    monkeypatch.setattr(putting, "FIRST_WAIT_S", 0.01)


async def test_a_capture_goes_up_whole_and_leaves_nothing_behind(tmp_path):
    """What came up is what was said: bytes, hash, packets; it reads as LLRP though it was joined late."""
    bench = Bench(tmp_path)
    async with UploadServer() as server:
        told = await bench.order(server.url)
    [upload] = server.uploads
    assert upload.head.startswith("PUT /api/v1/uploads/abc?x=1 HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}" in upload.head.lower()
    assert (told["bytes"], told["sha256"]) == (len(upload.body), hashlib.sha256(upload.body).hexdigest())
    assert (told["reader"], told["tries"], told["name"]) == ("r1", 1, "gw-1-r1.pcapng")
    assert told["ended"] == "full at 4,000 bytes"
    assert told["bytes"] <= 4000
    assert bench.left == []

    reader, assembled, streams = CaptureReader(), Reassembler(), ReaderStreams()
    packets = list(reader.feed(upload.body))
    reader.finish()
    assert told["packets"] == len(packets) > 5
    pieces = [
        piece for one in packets for piece in assembled.take(one.at_us, dissect(one.link, one.data), one.comments)
    ]
    said = b"".join(one.data for piece in pieces for one in streams.take(piece))
    assert said == MESSAGE * (len(said) // len(MESSAGE))
    assert said


async def test_a_capture_in_time_tells_so_and_takes_all_readers_of_a_portal(tmp_path):
    bench = Bench(tmp_path)
    bench.taps["r2"].opened(local=CLIENT, remote=READER)
    async with UploadServer() as server:
        told = await bench.order(server.url, reader=None, portal="both", seconds=1, max_bytes=1_000_000)
    assert (told["ended"], told["portal"], told["name"]) == ("in time", "both", "gw-1-r1-r2.pcapng")


async def test_a_recording_of_the_whole_run_sees_nothing_of_a_capture():
    """Who listens from the start is told the same, and who left is told nothing more."""
    heard = []

    class Ear:
        def __getattr__(self, name):  # noqa: ANN204 (any method)
            return lambda *_args, **_knobs: heard.append((self, name))

    first, second = Ear(), Ear()
    taps = Taps(first)
    assert not taps.open
    taps.opened(local=CLIENT, remote=READER)
    taps.join(second)
    taps.received(b"x")
    taps.leave(second)
    taps.leave(second)
    taps.sent(b"y")
    taps.closed()
    assert [name for who, name in heard if who is first] == ["opened", "received", "sent", "closed"]
    assert [name for who, name in heard if who is second] == ["joined", "received", "closed"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"reader": None}, "either reader or portal"),
        ({"portal": "door"}, "either reader or portal"),
        ({"reader": "r9"}, "this gateway has r1, r2"),
        ({"reader": "r2"}, "r2 is not connected"),
        ({"reader": None, "portal": "both"}, "r2 is not connected"),
        ({"reader": None, "portal": "bare"}, "has no LLRP reader"),
        ({"seconds": 301}, "from 1 to 300"),
        ({"max_bytes": 64 * 1024 * 1024 + 1}, "max_bytes is"),
        ({"until": "tomorrow"}, "until: "),
        ({"until_s": 20}, "before 20 s are over"),
        ({"x": 1}, "unknown argument 'x'"),
    ],
)
async def test_an_order_that_cant_be_carried_out_says_why(tmp_path, args, words):
    async with UploadServer() as server:
        with pytest.raises(OrderError, match=words):
            await Bench(tmp_path).order(server.url, **args)
    assert server.uploads == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "url is missing"),
        ("ftp://127.0.0.1/x", "can't be dialled|no URL that can be dialled"),
        ("http://central.example/x", "central.example is another"),
        ("http://192.0.2.1/x", "192.0.2.1 is another"),
        ("https://user:word@central.example/x", "holds a user"),
        ("https://central.example/x\r\nHost: other", "no URL"),
        ("https://central.example:0/x", "no URL"),
        ("https://central.example:port/x", "no URL"),
        ("https://[central/x", "no URL"),
        ("https://central.example/" + "x" * 500, "longer than 500"),
    ],
)
async def test_nothing_goes_to_an_address_that_isnt_safe(tmp_path, url, words):
    with pytest.raises(OrderError, match=words):
        await Bench(tmp_path).order(url)


def test_addresses_are_taken_as_they_are_meant():
    assert parse_address("https://central.example/u/t") == ("central.example", 443, True, "/u/t")
    assert parse_address("http://localhost:8080/u?a=b") == ("localhost", 8080, False, "/u?a=b")
    assert parse_address("http://[::1]:8080") == ("::1", 8080, False, "/")


@pytest.mark.parametrize(
    ("answers", "tries"),
    [(["503 Busy", "429 Wait", "200 OK"], 3), ([10, None, "201 Made"], 3), (["100 Go", "200 OK"], 2)],
)
async def test_what_may_pass_is_tried_again(tmp_path, answers, tries):
    """Busy, a connection that breaks in the body or before the answer, and an interim answer that none follows."""
    async with UploadServer(answers=answers) as server:
        told = await Bench(tmp_path).order(server.url)
    assert told["tries"] == tries


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("404 Not Found", "answered 404"),
        ('410 Gone\r\n\r\n{"detail": "it was used"}', "answered 410: it was used"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", "points elsewhere"),
        ("999 Odd", "speaks no HTTP"),
    ],
)
@pytest.mark.parametrize("early", [False, True])
async def test_a_refusal_ends_it_and_is_told(tmp_path, answer, words, early):
    """Also one that comes before the body was taken."""
    bench = Bench(tmp_path)
    async with UploadServer(answers=[answer], early=early) as server:
        with pytest.raises(OrderError, match=words):
            await bench.order(server.url)
    assert len(server.uploads) == 1
    assert bench.left == []


async def test_an_address_that_nobody_answers_at_is_given_up_when_its_life_ends(tmp_path):
    with pytest.raises(OrderError, match=r"not sent within the 2 s .* can't be reached"):
        await Bench(tmp_path).order("http://127.0.0.1:1/x", seconds=1, until_s=2, max_bytes=None)


async def test_a_server_that_takes_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(putting, "SILENCE_S", 0.2)
    async with UploadServer(deaf=True) as server:
        with pytest.raises(OrderError, match="took or answered nothing"):
            await Bench(tmp_path).order(server.url, seconds=1, until_s=3)


async def test_only_a_certificate_of_the_right_authority_is_believed(tmp_path):
    (tmp_path / "right").mkdir()
    (tmp_path / "wrong").mkdir()
    right, wrong = Authority(tmp_path / "right"), Authority(tmp_path / "wrong")
    context = ssl.create_default_context(cafile=right.ca_file)
    async with UploadServer(pair=right.pair("server")) as server:
        assert (await Bench(tmp_path, context).order(server.url))["tries"] == 1
    async with UploadServer(pair=right.pair("server"), host="127.0.0.2") as server:
        with pytest.raises(OrderError, match=r"is not believed .*IP address mismatch"):
            await Bench(tmp_path, context).order(server.url)
        assert server.uploads == []
    async with UploadServer(pair=wrong.pair("server")) as server:
        with pytest.raises(OrderError, match="is not believed"):
            await Bench(tmp_path, context).order(server.url)
        assert server.uploads == []


async def test_one_capture_at_a_time(tmp_path):
    bench = Bench(tmp_path)
    async with UploadServer() as server:
        first = asyncio.create_task(bench.order(server.url, seconds=20, max_bytes=100_000))
        await asyncio.sleep(0.1)
        with pytest.raises(OrderError, match="one at a time"):
            await bench.order(server.url)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        assert bench.left == []
        assert (await bench.order(server.url))["tries"] == 1
    assert len(server.uploads) == 1


async def test_a_disk_that_is_nearly_full_takes_no_capture(tmp_path):
    async with UploadServer() as server:
        with pytest.raises(OrderError, match="nearly full"):
            await Bench(tmp_path, keep_free_bytes=2**62).order(server.url)
    assert server.uploads == []


async def test_a_capture_gives_way_when_the_disk_fills(tmp_path, monkeypatch):
    """While it is recorded, and while it is sent: nothing goes up, nothing stays."""
    free = [10**9]
    monkeypatch.setattr("edge.agent.capture_file.disk", lambda _folder: (10**10, free[0], False))
    monkeypatch.setattr("edge.agent.capture_file.LOOK_EVERY_BYTES", 1000)
    bench = Bench(tmp_path, keep_free_bytes=10**8)
    async with UploadServer() as server:
        order = asyncio.create_task(bench.order(server.url, max_bytes=10_000_000))
        await asyncio.sleep(0.1)
        free[0] = 10**7
        with pytest.raises(OrderError, match="nearly full: 10,000,000 bytes are free"):
            await order
        assert server.uploads == []
    free[0] = 10**9
    with CaptureFile(tmp_path, max_bytes=10**6, keep_free_bytes=10**8) as file:
        file.write(b"\6\0\0\0\x10\0\0\0" + bytes(8))
        file.seal()
        free[0] = 10**7
        with pytest.raises(DiskFullError):
            file.read(0)
    assert bench.left == []


def test_a_disk_that_takes_no_more_ends_the_capture_alone(tmp_path, monkeypatch):
    """No error reaches the reader's session; a folder that can't be written is told in words."""
    with CaptureFile(tmp_path, max_bytes=10**6, keep_free_bytes=0) as file:
        file._file.close()
        monkeypatch.setattr(file, "_file", Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115 (the context ends it)
        file.write(b"\6\0\0\0\x10\0\0\0" + bytes(8))
        file.write(b"\6\0\0\0\x10\0\0\0" + bytes(8))
        assert file.over.is_set()
        with pytest.raises(DiskFullError, match="takes no more"):
            file.seal()
    with pytest.raises(DiskFullError, match="no file can be made"):
        CaptureFile(tmp_path / "none", max_bytes=1, keep_free_bytes=0)


def test_nothing_of_a_capture_outlives_kill_9(tmp_path):
    """The file has no name from its beginning on, and nobody else may read it."""
    program = (
        "import sys, os, pathlib\n"
        "from edge.agent.capture_file import CaptureFile\n"
        "file = CaptureFile(pathlib.Path(sys.argv[1]), max_bytes=10**7, keep_free_bytes=0)\n"
        "file.write(b'\\6\\0\\0\\0\\0\\0\\1\\0' + bytes(65528))\n"
        "file.seal()\n"
        "print(oct(os.fstat(file._file.fileno()).st_mode & 0o777), flush=True)\n"
        "sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "0o600"
        assert list(tmp_path.iterdir()) == []
        process.send_signal(signal.SIGKILL)
        process.wait(LIMIT_S)
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_shrinks_is_no_upload():
    async def nothing(_at):
        return b""

    async with UploadServer() as server:
        content = Content(10, "00" * 32, nothing)
        with pytest.raises(PutError, match="ends before its time"):
            await put(parse_address(server.url), content, context=None, within_s=LIMIT_S, media_type="x/y")


def test_the_parts_have_a_bound_for_the_disk_by_default():
    fields = {one.name: one.default for one in dataclasses.fields(CaptureParts)}
    assert fields["keep_free_bytes"] == 256 * 1024 * 1024
