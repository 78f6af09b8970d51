"""Faults, actions and inputs of running readers over HTTP, as the page of faults tells it."""

import asyncio
import contextlib
import json
import re
import shlex
import socket
import struct
import time

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from simulator.clock import SimulatedClock
from simulator.engine import Engine, Service
from simulator.faults import switches
from simulator.faults.model import LAST_US
from simulator.server.listener import ListenError
from simulator.server.model import ReaderModel
from simulator.server.profiles import model_of
from simulator.server.wire import message, tlv
from simulator.truth import Truth
from simulator.world.values import Read, columns, no_reads
from tests.helpers.docs import ROOT

WAIT_S = 60
LONG_TEXT = json.dumps({"text": "a" * 60_000}).encode()
PAGE = ROOT / "docs" / "reference" / "faults.md"


class Steady:
    """A source that gives a read of one tag every 10 ms to whom inventories."""

    residents = ()
    ends_us = None

    def __init__(self) -> None:
        self._to_us = {}

    def advance(self, reader, until_us, radio):
        since_us = self._to_us.get(reader, 0)
        self._to_us[reader] = max(since_us, until_us)
        if radio is None:
            return no_reads()
        times = range(since_us // 10_000 + 1, until_us // 10_000 + 1)
        return columns([Read(10_000 * at, 1, b"\x30" * 12, -5000, 5, 1) for at in times])

    def take_inputs(self, until_us):
        return []

    def take_crossings(self, until_us):
        return []


@contextlib.asynccontextmanager
async def served(models=None, *, log=None):
    """Readers with the API: yields the engine and an HTTP client."""
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[log or LogCapture()])
    engine = Engine(models or {"r1": ReaderModel()}, Steady(), SimulatedClock(1.0), Truth("t", 1, None), log)
    service = Service(listen="127.0.0.1", base_port=0, ready_file=None, exit_when_done=False, http_port=0)
    running = asyncio.create_task(engine.run(service))
    try:
        await until(lambda: engine.http_port or running.done())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{engine.http_port}") as http:
            yield engine, http
    finally:
        engine.stop()
        await running


async def until(what):
    limit = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < limit, "nothing within the time"
        await asyncio.sleep(0.005)


def rospec(*, gpi=None):
    """ROSpec 1, for ever or started by an input; a report each read."""
    start = b"\3" + tlv(181, struct.pack(">HBI", gpi, 0x80, 0)) if gpi else b"\1"
    boundary = tlv(178, tlv(179, start) + tlv(182, struct.pack(">BI", 0, 0)))
    ai = tlv(183, struct.pack(">HH", 1, 0) + tlv(184, struct.pack(">BI", 0, 0)) + tlv(186, struct.pack(">HB", 1, 1)))
    report = tlv(237, struct.pack(">BH", 1, 1) + tlv(238, struct.pack(">H", 0x0280)))
    return tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + ai + report)


@contextlib.asynccontextmanager
async def client(engine, *, reader="r1", gpi=None):
    """A client that has started a reader; yields its stream."""
    stream, writer = await asyncio.open_connection("127.0.0.1", engine.ports[reader])
    config = tlv(225, struct.pack(">HBB", gpi, 0x80, 0)) if gpi else b""
    for kind, body in ((3, b"\0" + config), (20, rospec(gpi=gpi)), (24, struct.pack(">I", 1))):
        writer.write(message(kind, kind, body))
    try:
        yield stream
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def receive(stream):
    word, length, _ = struct.unpack(">HII", await asyncio.wait_for(stream.readexactly(10), WAIT_S))
    return word & 0x3FF, await stream.readexactly(length - 10)


async def report(stream):
    """The next report's body."""
    while True:
        kind, body = await receive(stream)
        if kind == 61:
            return body


async def test_one_call_switches_a_fault_on_and_one_off():
    """Without its antenna the reader hears nothing, and all that it missed is counted."""
    async with served() as (engine, http), client(engine) as stream:
        await report(stream)
        answer = await http.put("/readers/r1/faults/silent_antennas", json=[1])
        assert (answer.status_code, answer.json()) == (200, {"silent_antennas": [1]})
        counters = engine.listeners["r1"].device.inventory.counters
        await until(lambda: counters.unheard_reads > 3)
        assert (await http.get("/faults")).json()["readers"]["r1"]["silent_antennas"] == [1]
        before = counters.tag_reads
        assert (await http.delete("/readers/r1/faults/silent_antennas")).json() == {"silent_antennas": []}
        await until(lambda: counters.tag_reads > before)


async def test_a_call_without_a_body_means_true_and_for_s_puts_it_back():
    """The log has both, however late this test looks."""
    log = LogCapture()
    async with served(log=log) as (engine, http), client(engine) as stream:
        await report(stream)
        answer = await http.put("/readers/r1/faults/no_keepalives", params={"for_s": 0.2})
        assert answer.json() == {"no_keepalives": True}
        await until(lambda: len([one for one in log.entries if one["event"] == "fault"]) == 2)
        put = [(one["switch"], one["value"]) for one in log.entries if one["event"] == "fault"]
        assert put == [("no_keepalives", True), ("no_keepalives", False)]
        assert not engine.listeners["r1"].device.faults.no_keepalives


async def ended(stream):
    """Read on until the connection is gone."""
    while True:
        await report(stream)


@pytest.mark.parametrize(("action", "body", "forgets"), [("drop", b"", False), ("reboot", b'{"down_s": 0.1}', True)])
async def test_a_drop_resets_the_connection_and_a_reboot_forgets_too(action, body, forgets):
    async with served() as (engine, http):
        device = engine.listeners["r1"].device
        async with client(engine) as stream:
            await report(stream)
            assert (await http.post(f"/readers/r1/actions/{action}", content=body)).status_code == 200
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await ended(stream)
        await until(lambda: not device.connected)
        if forgets:
            await until(lambda: not device.inventory.rospecs and engine.listeners["r1"]._server.is_serving())
            async with client(engine) as stream:
                assert await report(stream), "it is back at its port"
        else:
            assert device.inventory.rospecs


async def test_a_rebooted_reader_waits_for_its_port_where_another_program_took_it(monkeypatch):
    async with served() as (engine, _):
        listener = engine.listeners["r1"]
        host, port, _ = listener._listening
        tries = []
        start = listener.start
        monkeypatch.setattr(listener, "start", lambda *args, **how: (tries.append(1), start(*args, **how))[1])
        rebooting = asyncio.ensure_future(listener.reboot(0.1))
        # The port is taken in the very turn of the loop in which the reader lets it go: a moment later it may be back.
        while listener._server.is_serving():  # noqa: ASYNC110 (no event tells of it)
            await asyncio.sleep(0)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((host, port))
            other.listen()
            await until(lambda: len(tries) == 2)
            assert not rebooting.done()
        await asyncio.wait_for(rebooting, WAIT_S)
        async with client(engine) as stream:
            assert await report(stream)


async def test_an_input_that_is_set_by_http_starts_a_waiting_rospec():
    async with served() as (engine, http), client(engine, gpi=2) as stream:
        device = engine.listeners["r1"].device
        await until(lambda: device.inventory.rospecs and next(iter(device.inventory.rospecs.values())).state == 1)
        assert (await http.post("/readers/r1/inputs/2", content=b"true")).json() == {"port": 2, "high": True}
        assert len(await report(stream)) > 20


async def test_state_tells_time_and_counters():
    async with served() as (engine, http):
        assert (await http.get("/state")).json()["scenario_time_s"] is None
        async with client(engine) as stream:
            await report(stream)
            state = (await http.get("/state")).json()
            assert state["scenario_time_s"] >= 0
            reader = state["readers"]["r1"]
            assert (reader["port"], reader["connected"], reader["running"]) == (engine.ports["r1"], True, True)
            assert 0 < reader["reads"] <= (await http.get("/state")).json()["reads"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("PUT", "/readers/r2/faults/half_open", b"", 404, "there is no reader 'r2': there are r1"),
        ("PUT", "/readers/r1/faults/halfopen", b"", 422, "did you mean 'half_open'?"),
        ("PUT", "/readers/r1/faults/stamps", b'"utz"', 422, "Input should be 'utc', 'uptime' or 'none'"),
        ("PUT", "/readers/r1/faults/stamps", b"utc", 422, "the body is no JSON value"),
        ("PUT", "/readers/r1/faults/noise_db", b"", 422, "noise_db = True: it isn't switched on or off"),
        ("PUT", "/readers/r1/faults/half_open?for_s=1", b"", 422, "hasn't begun: start every reader first"),
        ("PUT", "/readers/r1/faults/half_open?for_s=x", b"", 422, "for_s: Input should be a valid number"),
        ("PUT", "/readers/r1/faults/half_open?for_s=-1", b"", 422, "for_s: Input should be greater than 0"),
        ("DELETE", "/readers/r1/faults/half-open", b"", 422, "did you mean 'half_open'?"),
        ("POST", "/readers/r1/actions/rebot", b"", 422, "did you mean 'reboot'?"),
        ("POST", "/readers/r1/actions/reboot", b"[]", 422, "the arguments of an action are a JSON object"),
        ("POST", "/readers/r1/actions/reboot", b'{"downs": 1}', 422, "did you mean 'down_s'?"),
        ("POST", "/readers/r1/actions/reboot", b'{"down_s": -1}', 422, "down_s = -1"),
        ("POST", "/readers/r1/inputs/9", b"", 422, "has no input 9: it has 1 to 4"),
        ("POST", "/readers/r1/inputs/1", b"1", 422, "true or false, not 1"),
        ("PUT", "/readers/r1/faults/half_open?for=1", b"", 422, "unknown key 'for' behind the question mark: for_s"),
        ("PUT", "/readers/r1/faults/half_open?for_s=1&for_s=2", b"", 422, "for_s is given twice"),
        ("PUT", "/readers/r1/faults/half_open?for_s=nan", b"", 422, "for_s: Input should be"),
        ("DELETE", "/readers/r1/faults/half_open?for_s=1", b"", 422, "unknown key 'for_s'"),
        ("POST", "/readers/r1/actions/drop?now=1", b"", 422, "unknown key 'now'"),
        ("GET", "/state?x=1", b"", 422, "unknown key 'x'"),
        ("PUT", "/readers/r1/faults/silent_antennas", b"[" * 100_000, 422, "the body is longer than 65,536 bytes"),
        ("PUT", "/readers/r1/faults/silent_antennas", b"[" * 60_000, 422, "the body is no JSON value"),
        ("POST", "/readers/r1/actions/drop", b'{"a":' * 10_000, 422, "the body is no JSON value"),
        ("POST", "/readers/r1/actions/exception", LONG_TEXT, 422, "at most 1000 characters"),
        ("POST", "/readers/r1/actions/exception", b'{"text": "\\ud800"}', 422, "unicode"),
        ("PUT", "/readers/r1/faults/half_open", b'"yes"', 422, "half_open = 'yes': Input should be a valid boolean"),
        ("PUT", "/readers/r1/faults/half_open", b"1", 422, "half_open = 1: Input should be a valid boolean"),
        ("PUT", "/readers/r1/faults/noise_db", b'"0.5"', 422, "noise_db = '0.5': Input should be a valid number"),
        ("PUT", "/readers/r1/faults/noise_db", b"NaN", 422, "noise_db = nan"),
        ("PUT", "/readers/r1/faults/noise_db", b"1e999", 422, "noise_db = inf"),
        ("GET", "/reader", b"", 404, "PUT /readers/{reader}/faults/{switch}"),
        ("GET", "/readers/r1/faults/half_open", b"", 405, "GET /readers/r1/faults/half_open"),
    ],
)
async def test_a_wrong_call_is_told_what_to_change(method, path, body, status, words):
    async with served() as (_, http):
        answer = await http.request(method, path, content=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        problem = answer.json()
        assert problem["status"] == status
        assert problem["title"]
        assert words in problem["detail"]


@pytest.mark.parametrize(
    "calls",
    [
        [("PUT", "faults/clock_offset_us", 10**30, 422)],
        [("PUT", "faults/clock_offset_us", -1_800_000_000_000_000, 200)],
        [("POST", "actions/step_clock", {"by_us": -1_800_000_000_000_000}, 200)] * 2,
        [("POST", "actions/step_clock", {"by_us": LAST_US}, 200)] * 2,
        [("POST", "actions/step_clock", {"by_us": 9_223_372_036_854_775_807}, 422)] * 2,
        [("PUT", "faults/stamps", "uptime", 200), ("PUT", "faults/booted_us", -(10**30), 422)],
        [("PUT", "faults/stamps", "uptime", 200), ("PUT", "faults/booted_us", -LAST_US, 200)],
    ],
)
async def test_no_clock_ends_the_readers(calls):
    async with served() as (engine, http), client(engine) as stream:
        await report(stream)
        for method, path, value, status in calls:
            answer = await http.request(method, f"/readers/r1/{path}", content=json.dumps(value))
            assert answer.status_code == status, answer.text
            if status == 422:
                assert str(LAST_US) in answer.json()["detail"]
        for _ in range(20):
            assert await report(stream)
        assert (await http.get("/state")).json()["mishaps"] == 0


@pytest.mark.parametrize("where", ["put", "tick", "act", "receive"])
async def test_a_defect_in_one_reader_is_counted_and_logged_once_and_all_go_on(where, monkeypatch):
    log = LogCapture()
    async with served({"r1": ReaderModel(), "r2": ReaderModel()}, log=log) as (engine, http):
        device = engine.listeners["r2"].device
        monkeypatch.setattr(device, where, broken)
        async with client(engine) as stream, client(engine, reader="r2") as other:
            if where == "receive":
                await until(lambda: device.inventory.counters.mishaps > 2)
            else:
                assert await report(stream)
                assert (await http.post("/readers/r2/actions/overflow")).status_code == 200
                assert (await http.post("/readers/r2/actions/overflow")).status_code == 200
                await until(lambda: device.inventory.counters.mishaps > 1)
                monkeypatch.undo()
                assert await report(other), "it goes on"
                assert await report(stream)
            assert (await http.get("/state")).json()["readers"]["r1"]["mishaps"] == 0
    told = [one for one in log.entries if one["event"] == "reader goes on after a defect"]
    assert [one["reader"] for one in told] == ["r2"]


def broken(*_, **__):
    raise OverflowError("int too big to convert")


async def test_every_switch_takes_back_what_the_catalogue_shows():
    async with served({"r1": model_of("zebra/fx9600")}) as (_, http):
        shown = (await http.get("/faults")).json()
        assert set(shown["switches"]) == {one.name for one in switches()} == set(shown["readers"]["r1"])
        for name, value in shown["readers"]["r1"].items():
            answer = await http.put(f"/readers/r1/faults/{name}", content=json.dumps(value))
            assert (answer.status_code, answer.json()) == (200, {name: value})


async def test_the_pages_examples_run():
    """Each curl of the page, as it stands there but for the port, against a reader that a client has started."""
    commands = [
        shlex.split(line)[1:]
        for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 8
    async with served() as (engine, http), client(engine) as stream:
        await report(stream)
        for words in commands:
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            body = words[words.index("-d") + 1].encode() if "-d" in words else b""
            path = words[-1].removeprefix("http://127.0.0.1:8085")
            assert path.startswith("/"), words
            answer = await http.request(method, path, content=body)
            assert answer.status_code == 200, (words, answer.text)


async def test_the_ready_file_says_where_the_api_is(tmp_path):
    ready = tmp_path / "ready.json"
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[LogCapture()])
    engine = Engine({"r1": ReaderModel()}, Steady(), SimulatedClock(1.0), Truth("t", 1, None), log)
    service = Service(listen="127.0.0.1", base_port=0, ready_file=ready, exit_when_done=False, http_port=0)
    running = asyncio.create_task(engine.run(service))
    await until(ready.exists)
    told = json.loads(ready.read_bytes())
    engine.stop()
    await running
    assert told == {
        "readers": {"r1": {"host": "127.0.0.1", "port": engine.ports["r1"]}},
        "http": {"host": "127.0.0.1", "port": engine.http_port},
    }


async def test_a_taken_port_is_named():
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[LogCapture()])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        engine = Engine({"r1": ReaderModel()}, Steady(), SimulatedClock(1.0), Truth("t", 1, None), log)
        service = Service(listen="127.0.0.1", base_port=0, ready_file=None, exit_when_done=False, http_port=port)
        with pytest.raises(ListenError, match=f"http api: can't listen on 127.0.0.1:{port} .*choose another port"):
            await engine.run(service)
