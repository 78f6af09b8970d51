"""`stockgate-edge status`: what the running agent says, in words, and the exit code."""

import asyncio
import json
import socket
import stat
from contextlib import ExitStack, suppress

import msgspec
import pytest
import structlog

from edge.agent.at_the_door import AccessDoor, AtTheDoor, PortalMode
from edge.agent.fitness import OnTrial
from edge.agent.kernel_cache import Kernels
from edge.agent.machine import Machine, hottest, look_at, worries
from edge.agent.status_command import run_status
from edge.agent.status_socket import (
    AgentStatus,
    Movement,
    NotRunningError,
    StatusError,
    StatusServer,
    ask,
)
from edge.agent.unwell import backlog_faults, machine_faults, status_faults
from edge.contracts import (
    AntennaHealth,
    Clock,
    GateHealth,
    Health,
    PortalHealth,
    ReaderHealth,
    StreamHealth,
    instant,
)

CONFIG = """
site = "hq"
gateway = "g1"
[[readers]]
id = "r1"
host = "127.0.0.1"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{ reader = "r1", port = 1 }]
[mqtt]
url = "mqtt://127.0.0.1:1"
[agent]
data_dir = "data"
"""
READER = ReaderHealth(
    id="r1",
    state="connected",
    reads=12,
    clock=Clock(source="reader", offset_us=1500),
    antennas=[AntennaHealth(port=1, state="ok", read_rate=4.0, rssi_cdbm=-5010)],
)
WELL = AgentStatus(
    version="0.1.0",
    pid=4711,
    site="hq",
    broker="mqtts://broker.example:8883",
    health=Health(
        gateway="g1",
        boot="b",
        at=instant(0),
        uptime_s=3900.0,
        uplink="live",
        readers=[READER],
        portals=[PortalHealth(id="door", state="watching", since=instant(0))],
        streams=[StreamHealth(stream="movement", epoch="e", written=9, pending=0)],
    ),
    machine=Machine(folder="/data", disk_bytes=8 << 30, disk_free_bytes=4 << 30, outbox_bytes=4096, cpu_celsius=45.0),
    kernels=Kernels(seconds=0.3, compiled=0, loaded=80),
    watchdog_s=60.0,
    movements=[Movement(at=instant(0), portal="door", epc="e280", kind="out", final=True, confidence=0.99)],
)

ON_TRIAL = OnTrial(changed="log.mib: 16 -> 8", left_s=42.0, steady_s=5.0, problems=("the broker is out of reach",))


def _with(**changes):
    return msgspec.structs.replace(WELL, **changes)


def _health(**changes):
    return _with(health=msgspec.structs.replace(WELL.health, **changes))


HELD = {"generation": 3, "n": 4, "entries": 700, "expires_at": instant(60_000_000)}


def _door(**told):
    return _with(door=AtTheDoor(**told))


def _reader(**changes):
    return _health(readers=[msgspec.structs.replace(READER, **changes)])


@pytest.mark.parametrize(
    ("status", "severity", "said"),
    [
        (_with(stuck=("a write hangs",)), "bad", "agent: a write hangs: restart it"),
        (_with(outbox_problem="disk full", held=7), "bad", "7 events wait in memory: free or mend the disk"),
        (_with(set_aside=1), "see to", "1 damaged files were set aside"),
        (_with(certificate_days_left=3.0), "see to", "runs out in 3 days"),
        (_with(certificate_days_left=-1.0), "bad", "has run out"),
        (_with(certificate_problem="no connection"), "see to", "the new certificate isn't used: no connection"),
        (_with(central_heard=False), "see to", "has hq/g1 in its registry"),
        (_with(uplink_failures=3), "see to", "the central isn't heard"),
        (_with(kernels=Kernels(seconds=110.0, compiled=80, loaded=0)), "see to", "80 were compiled at the last start"),
        (_health(uplink="offline"), "bad", "mqtts://broker.example:8883 is not reached"),
        (_reader(state="lost", problem="no answer: check power"), "bad", "reader r1: is not in session: no answer"),
        (_reader(problem="runs as generic/llrp"), "see to", "runs as generic/llrp"),
        (_reader(lost_reports=2), "see to", "2 reports were lost"),
        (_reader(clock=Clock(source="reader", offset_us=-90_000_000)), "see to", "its clock is 90 s off"),
        (
            _reader(antennas=[AntennaHealth(port=3, state="fault", reason="not connected")]),
            "bad",
            "antenna 3 of reader r1: not connected: screw its cable on",
        ),
        (_health(gate=GateHealth()), "see to", "no verified snapshot is held"),
        (_health(gate=GateHealth(**HELD, refused={"untrusted": 2})), "see to", "refused since the start: untrusted 2"),
        (_door(lacks_delta=True), "bad", "gate: its last changes were lost on the disk"),
        (_door(fire=["input 2 of r1"]), "bad", "input 2 of r1 is active: all sirens are muted"),
        (
            _door(access=[AccessDoor(way="http", state="shut", problem="taken")]),
            "bad",
            "by http: can't be heard: taken",
        ),
        (
            _door(access=[AccessDoor(way="mqtt", state="open", refused={"unfit": 3})]),
            "see to",
            "by mqtt: nothing that came was taken: unfit 3",
        ),
        (_health(gate=GateHealth(generation=3, expires_at=instant(0))), "bad", "the snapshot ran out at 1970"),
        (
            _health(portals=[PortalHealth(id="door", state="dark", since=instant(0), reason="reader r1 is lost")]),
            "bad",
            "portal door: is not watched since 1970",
        ),
        (
            _health(streams=[StreamHealth(stream="movement", epoch="e", written=9, pending=4, oldest_s=90.0)]),
            "see to",
            "4 movement rows wait, the oldest for 2 min",
        ),
    ],
)
def test_what_is_not_well_is_said_in_words(status, severity, said):
    faults = list(status_faults(status))
    assert [fault.severity for fault in faults] == [severity]
    assert said in faults[0].words


def test_all_well_says_nothing():
    assert list(status_faults(WELL)) == []
    assert list(machine_faults(WELL.machine)) == []


def test_what_a_broker_tells_once_more_and_a_door_that_was_heard_need_nothing_done():
    assert list(status_faults(_health(gate=GateHealth(**HELD, refused={"replayed": 9, "unwanted": 1})))) == []
    heard = AccessDoor(way="http", state="open", heard_at=instant(0), refused={"stranger": 1})
    assert list(status_faults(_door(access=[heard]))) == []


def test_reader_that_counts_from_its_start_has_no_clock_to_be_off():
    assert list(status_faults(_reader(clock=Clock(source="uptime", offset_us=10**15)))) == []


def test_backlog_of_days_is_bad_and_dropped_rows_are_told():
    faults = list(backlog_faults("movement", 5, 4 * 86_400.0, 2))
    assert [fault.severity for fault in faults] == ["bad", "see to"]
    assert "the oldest for 4 days" in faults[0].what
    assert "2 movement rows were dropped" in faults[1].what


@pytest.mark.parametrize(
    ("changes", "severity", "said"),
    [
        ({"read_only": True}, "bad", "read-only"),
        ({"disk_free_bytes": 3 << 20}, "bad", "full: 3 MiB left"),
        ({"disk_free_bytes": 100 << 20}, "see to", "nearly full"),
        ({"clock_believed": False}, "bad", "timedatectl"),
        ({"cpu_celsius": 84.0}, "bad", "84 °C"),
        ({"cpu_celsius": 72.0}, "see to", "72 °C"),
        ({"power": ["the supply voltage is too low"]}, "bad", "the maker's own supply"),
        ({"power": ["the supply voltage was too low since the start"]}, "see to", "was too low"),
    ],
)
def test_machine_says_what_it_suffers(changes, severity, said):
    (fault,) = machine_faults(msgspec.structs.replace(WELL.machine, **changes))
    assert fault.severity == severity
    assert said in fault.words


def test_firmware_word_of_a_raspberry_is_read_bit_by_bit(tmp_path):
    """0x50005: too low now and before, throttled now and before."""
    word = tmp_path / "get_throttled"
    word.write_text("50005\n")
    assert worries(word) == [
        "the supply voltage is too low",
        "the processor is throttled",
        "the supply voltage was too low since the start",
        "the processor was throttled since the start",
    ]
    word.write_text("0\n")
    assert worries(word) == []
    assert worries(tmp_path / "absent") == []


def test_hottest_sensor_counts_and_one_that_fails_does_not(tmp_path):
    for number, text in enumerate(("48300\n", "61200\n", "broken\n")):
        (tmp_path / f"thermal_zone{number}").mkdir()
        (tmp_path / f"thermal_zone{number}" / "temp").write_text(text)
    assert hottest(tmp_path) == 61.2
    assert hottest(tmp_path / "absent") is None


def test_machine_is_seen_as_far_as_it_tells(tmp_path):
    (tmp_path / "outbox.db").write_bytes(b"x" * 100)
    (tmp_path / "outbox.db-wal").write_bytes(b"x" * 20)
    seen = look_at(tmp_path, outbox_file="outbox.db")
    assert (seen.outbox_bytes, seen.read_only) == (120, False)
    assert 0 < seen.disk_free_bytes <= seen.disk_bytes
    assert look_at(tmp_path / "absent", outbox_file="outbox.db").disk_bytes is None


@pytest.fixture
def folder(tmp_path):
    """The data directory of the configuration beside it."""
    (tmp_path / "edge.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    return tmp_path


AT_THE_DOOR = msgspec.structs.replace(
    _health(gate=GateHealth(**HELD, refused={"replayed": 2})),
    door=AtTheDoor(
        fire=["input 2 of r1"],
        modes=[PortalMode(portal="door", mode="observe", usual="alarm", until=instant(3_600_000_000))],
        access=[AccessDoor(way="http", state="open", heard_at=instant(0), refused={"unfit": 1, "flood": 2})],
    ),
)


async def _run(folder, **how):
    return await asyncio.to_thread(run_status, folder / "edge.toml", None, as_json=how.get("as_json", False))


async def test_status_of_a_well_agent_is_zero_and_of_an_ill_one_is_one(folder, capsys):
    told = [WELL]
    async with StatusServer(folder / "data", lambda: told[0], log=structlog.get_logger()):
        assert await _run(folder) == 0
        said = capsys.readouterr().out
        for words in ("hq/g1", "all is well", "watchdog of 60 s", "4.00 GiB free", "from the cache", "-50.1", "e280"):
            assert words in said
        told[0] = _health(gate=GateHealth(generation=3, n=4, entries=700, expires_at=instant(60_000_000)))
        assert await _run(folder) == 0
        assert "gate snapshot 3.4: 700 entries, until 1970-01-01T00:01" in capsys.readouterr().out
        told[0] = _health(uplink="offline")
        assert await _run(folder) == 1
        said = capsys.readouterr().out
        told[0] = AT_THE_DOOR
        assert await _run(folder) == 1
        door = " ".join(capsys.readouterr().out.split())
        for words in (
            "fire alarm: input 2 of r1: all sirens are muted",
            "observe",
            "1970-01-01T01:00:00.000000Z",
            "flood 2, unfit 1",
            "messages refused: replayed 2",
        ):
            assert words in door
        assert "see to: broker" in said
        told[0] = _with(central_heard=False, trial=ON_TRIAL)
        assert await _run(folder) == 1
        said = capsys.readouterr().out
        assert "uplink live: mqtts://broker.example:8883, the central is not heard" in said
        assert "configuration pushed and on trial (log.mib: 16 -> 8): it stays once all is well for 5 s on end" in said
        assert "see to: configuration" not in said, "nobody has to do anything about a trial"
        assert await _run(folder, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["exit_code"], document["running"], document["pid"]) == (1, True, 4711)
    assert document["health"]["readers"][0]["reads"] == 12


async def test_socket_is_the_users_alone_and_goes_with_the_server(folder):
    async with StatusServer(folder / "data", lambda: WELL, log=structlog.get_logger()):
        (name,) = (folder / "data").iterdir()
        assert stat.S_IMODE(name.stat().st_mode) == 0o600
        assert await asyncio.to_thread(ask, folder / "data") == WELL
    assert not name.exists()


async def test_socket_that_a_killed_agent_left_is_replaced(folder):
    left = folder / "data" / "status.sock"
    left.write_bytes(b"")
    async with StatusServer(folder / "data", lambda: WELL, log=structlog.get_logger()):
        assert (await asyncio.to_thread(ask, folder / "data")).pid == 4711


async def test_folder_deeper_than_a_socket_address_serves_too(tmp_path):
    deep = tmp_path.joinpath(*["a-very-deep-folder"] * 8)
    deep.mkdir(parents=True)
    async with StatusServer(deep, lambda: WELL, log=structlog.get_logger()):
        assert (await asyncio.to_thread(ask, deep)).pid == 4711


async def test_folder_that_is_gone_costs_only_the_status(tmp_path):
    with structlog.testing.capture_logs() as lines:
        async with StatusServer(tmp_path / "gone", lambda: WELL, log=structlog.get_logger()):
            pass
    assert [line["event"] for line in lines] == ["status can't be asked for"]


def test_no_agent_is_told_as_three(folder, capsys):
    assert run_status(folder / "edge.toml", None, as_json=False) == 3
    assert "no agent runs over" in capsys.readouterr().err
    assert run_status(folder / "edge.toml", folder / "gone", as_json=True) == 3
    assert not json.loads(capsys.readouterr().out)["running"]


def test_configuration_that_cannot_be_used_is_two(folder, capsys):
    (folder / "edge.toml").write_text("site = 1")
    assert run_status(folder / "edge.toml", None, as_json=False) == 2
    assert "edge.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "said"), [(b"hello", "no agent of this version"), (b"{}", "no agent of this version")]
)
async def test_stranger_on_the_socket_is_named(tmp_path, answer, said):
    async def talk(_reader, writer):
        writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(talk, tmp_path / "status.sock")
    with pytest.raises(StatusError, match=said):
        await asyncio.to_thread(ask, tmp_path)
    server.close()
    await server.wait_closed()


async def test_agent_that_does_not_answer_stands_still(tmp_path):
    quiet = asyncio.Event()

    async def talk(_reader, writer):
        await quiet.wait()
        writer.close()

    server = await asyncio.start_unix_server(talk, tmp_path / "status.sock")
    with pytest.raises(StatusError, match="stands still"):
        await asyncio.to_thread(ask, tmp_path, timeout_s=0.2)
    quiet.set()
    server.close()
    await server.wait_closed()


def test_an_agent_that_too_many_ask_says_so_and_not_that_a_resource_is_unavailable(tmp_path):
    """Its queue is full: what the kernel says of that is EAGAIN, at once and whatever the timeout is."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(tmp_path / "status.sock"))
        listener.listen(0)
        for _ in range(2):
            waits = stack.enter_context(socket.socket(socket.AF_UNIX))
            waits.settimeout(0)
            with suppress(BlockingIOError):
                waits.connect(str(tmp_path / "status.sock"))
        with pytest.raises(StatusError, match="takes no more questions: too many ask at once"):
            ask(tmp_path)


def test_a_file_in_place_of_the_folder_is_told_as_that(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StatusError, match="is no folder: give the agent's data directory"):
        ask(tmp_path / "file")


async def test_a_folder_in_place_of_the_socket_is_named(tmp_path):
    (tmp_path / "status.sock").mkdir()
    with structlog.testing.capture_logs() as lines:
        async with StatusServer(tmp_path, lambda: WELL, log=structlog.get_logger()):
            pass
    assert lines[0]["problem"] == f"{tmp_path}/status.sock: Is a directory: remove it"


def test_nobody_there_is_told_apart_from_who_does_not_answer(tmp_path):
    with pytest.raises(NotRunningError):
        ask(tmp_path)
