"""What systemd hears of the agent, and when its watchdog goes hungry."""

import asyncio
import socket
import time
from dataclasses import replace

import pytest
import structlog

from edge.agent.notify import Progress, ServiceManager, Standing, attend

PATIENCE_S = 60.0


@pytest.fixture
def manager_socket(tmp_path):
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)
        yield listening


class Work:
    """Parts whose standing the test sets."""

    def __init__(self, standing=None) -> None:
        self.now = standing or Standing()

    def standing(self):
        return self.now

    def words(self):
        return "1 of 1 readers"


def _manager(listening, **more):
    environment = {"NOTIFY_SOCKET": listening.getsockname(), **more}
    return ServiceManager.from_environment(environment, pid=7)


def test_environment_without_a_manager_sends_nothing():
    manager = ServiceManager.from_environment({}, pid=7)
    assert manager.watchdog_s is None
    assert not manager.tell("READY=1")


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_is_the_one_that_is_meant_for_this_process(environment, watchdog_s):
    assert ServiceManager.from_environment(environment, pid=7).watchdog_s == watchdog_s


def test_abstract_socket_is_written_with_an_at_sign():
    """As systemd hands one over to a process in a container."""
    name = f"stockgate-test-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(PATIENCE_S)
        assert ServiceManager(f"@{name}").tell("READY=1", "STATUS=well")
        assert listening.recv(100) == b"READY=1\nSTATUS=well"


def test_manager_that_is_gone_is_no_fault_of_ours(tmp_path):
    assert not ServiceManager(str(tmp_path / "nobody")).tell("READY=1")


def test_standstill_is_believed_at_the_second_look():
    """A chunk may be on its way at the first; a write of the SD card may take long once."""
    moving = Standing(reports=5, chunks=5)
    progress = Progress()
    assert progress.look(moving)
    assert progress.look(replace(moving, reports=6))
    assert not progress.look(replace(moving, reports=7))
    assert progress.stuck == ("reads come in and the windows get none",)
    assert progress.look(replace(moving, reports=8, chunks=6))
    assert progress.stuck == ()


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(outbox_turns=False), "a write to the outbox doesn't return"),
        (Standing(ended=("reader",)), "the agent's task reader has ended"),
    ],
)
def test_what_hangs_is_named(standing, words):
    progress = Progress()
    assert progress.look(standing)
    assert not progress.look(standing)
    assert progress.stuck == (words,)


async def _heard(listening, until):
    """Collect datagrams until one holds a word."""
    found = []
    while not found or until not in found[-1]:
        found.append((await asyncio.to_thread(listening.recv, 4096)).decode())
    return found


async def test_ready_then_fed_then_stopping(manager_socket):
    stop = asyncio.Event()
    manager = _manager(manager_socket, WATCHDOG_USEC="200000")
    task = asyncio.create_task(attend(manager, Work(), Progress(), stop=stop, log=structlog.get_logger()))
    assert await _heard(manager_socket, "WATCHDOG=1") == ["READY=1", "WATCHDOG=1\nSTATUS=1 of 1 readers"]
    await _heard(manager_socket, "WATCHDOG=1")
    stop.set()
    assert "STOPPING=1" in (await _heard(manager_socket, "STOPPING=1"))[-1]
    await task


async def test_one_that_begins_anew_says_that_it_reloads_and_not_that_it_stops(manager_socket):
    """A manager kills what says that it stops and doesn't; of what reloads it wants READY=1 again."""
    stop, manager = asyncio.Event(), _manager(manager_socket)
    how = {"stop": stop, "back_soon": lambda: True, "log": structlog.get_logger()}
    task = asyncio.create_task(attend(manager, Work(), Progress(), **how))
    await _heard(manager_socket, "STATUS=")
    stop.set()
    last = (await _heard(manager_socket, "RELOADING=1"))[-1]
    assert "MONOTONIC_USEC=" in last
    assert "STOPPING" not in last
    await task


async def test_watchdog_goes_hungry_while_the_outbox_hangs_and_is_fed_again(manager_socket):
    """The datagrams that still come only say how it is."""
    work, stop = Work(), asyncio.Event()
    manager = _manager(manager_socket, WATCHDOG_USEC="80000")
    with structlog.testing.capture_logs() as lines:
        task = asyncio.create_task(attend(manager, work, Progress(), stop=stop, log=structlog.get_logger()))
        await _heard(manager_socket, "WATCHDOG=1")
        work.now = Standing(outbox_turns=False)
        await _until_hungry(manager_socket)
        assert not any("WATCHDOG" in one for one in await _next(manager_socket, 4))
        work.now = Standing()
        await _heard(manager_socket, "WATCHDOG=1")
        stop.set()
        await task
    assert [line["event"] for line in lines] == ["the agent stands still", "the agent moves again"]
    assert lines[0]["why"] == "a write to the outbox doesn't return"


async def _until_hungry(listening):
    while "WATCHDOG" in (await _next(listening, 1))[0]:
        pass


async def _next(listening, count):
    return [(await asyncio.to_thread(listening.recv, 4096)).decode() for _ in range(count)]
