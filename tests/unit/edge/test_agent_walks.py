"""What the installer types while walks are led through, and what is said of readers that can't be reached."""

import asyncio
import os
from pathlib import Path

import pytest
import structlog

from edge import config
from edge.agent.walks import Walks
from edge.commissioning.recipe import walk
from tests.helpers.commissioned import row

DOCUMENT = {
    "site": "hq",
    "gateway": "hq-1",
    "readers": [{"id": "r1", "host": "127.0.0.1", "port": 1}],
    "portals": [
        {
            "id": "stockroom-a-door",
            "inside": "a",
            "outside": "b",
            "antennas": [
                {"reader": "r1", "port": port, "side": side} for port, side in ((1, "inside"), (2, "outside"))
            ],
        }
    ],
    "mqtt": {"url": "mqtt://127.0.0.1"},
    "windows": {"engine": "plain"},
}


@pytest.fixture(autouse=True)
def _silent():
    """Log lines of readers that aren't there."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.configure(**before)


@pytest.fixture
def said():
    """What the installer was told."""
    return []


@pytest.fixture
def walks(said):
    """Two walks at a door."""
    parsed = config.parse(DOCUMENT, source="edge.toml")
    return Walks(
        parsed,
        parsed.portals[0],
        [walk("plain", "out"), walk("plain", "in")],
        base=Path(),
        residents=(),
        wait_s=None,
        say=said.append,
    )


def typed(walks, *words):
    """Results of lines that are typed one after the other."""
    outcomes = []
    for word in words:
        walks._keys.append(f"{word}\n")
        outcome = walks._by_key(10.0)
        outcomes.append(None if outcome is None else outcome.result)
    return outcomes


def test_keys_leave_out_repeat_and_say_missed(walks, said):
    walks._course.begin(0.0)
    assert typed(walks, "s", "r", "", "what?") == ["skipped", None, "missed", None]
    assert [one.result for one in walks._course.outcomes] == ["missed"]
    assert said == ["walk 1 of 2, plain: " + walk("plain", "out").says]


def test_nothing_typed_does_nothing(walks):
    assert walks._by_key(10.0) is None


def test_q_ends_the_walks(walks):
    typed(walks, "Q")
    assert walks._stop.is_set()


def test_walk_is_told_with_what_it_lacks_and_a_doorway_that_no_walks_can_prove_once(said):
    """Of ten walks one may lack reads: after the second the doorway is past proving."""
    parsed = config.parse(DOCUMENT, source="edge.toml")
    plan = [walk("plain", "out") for _ in range(10)]
    mine = Walks(parsed, parsed.portals[0], plan, base=Path(), residents=(), wait_s=None, say=said.append)
    mine._course.begin(0.0)
    for at_s in (10.0, 30.0, 50.0):
        mine._course.take([row("out", reads=(9, 3, 0, 0))], at_s)
        mine._tell(mine._course.settle(at_s + 5.0))
    assert [line.partition("; reads ")[2] for line in said if "right: out" in line] == [
        "r1/1: 9, r1/2: 3; too few reads for a certificate: 12 reads, 15 are needed; outside 3, 4 are needed"
    ] * 3
    (told,) = [line for line in said if "won't be certified" in line]
    assert told.startswith("   2 walks had too few reads: as it hangs, ")
    assert said.index(told) == 2


def test_keyboard_that_is_gone_is_no_enter(walks, said, monkeypatch):
    async def typed_nothing():
        with Path(os.devnull).open() as nothing:  # noqa: ASYNC230 (it answers at once)
            monkeypatch.setattr("sys.stdin", nothing)
            walks._typed()

    asyncio.run(typed_nothing())
    assert walks._keys == []
    assert said == ["no more keys are taken: walks are taken as they come, Control-C ends"]


def test_what_was_called_before_the_end_is_kept(walks, said):
    """Whoever ends after one of two walks has that one."""

    class Reached:
        def problems(self):
            return []

    async def lead():
        leading = asyncio.create_task(walks._lead(Reached()))
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        walks._course.take([row("out")], loop.time() - 10.0)
        async with asyncio.timeout(5):
            while not walks._course.outcomes:  # noqa: ASYNC110 (nothing tells of an outcome)
                await asyncio.sleep(0.01)
        walks._keys.append("q")
        return await asyncio.wait_for(leading, 5)

    assert asyncio.run(lead()) == ["ended before the last walk"]
    assert [one.result for one in walks._course.outcomes] == ["right"]
    assert any(line.startswith("   right: out; confidence 0.990") for line in said)


def test_reader_that_is_lost_ends_the_walks_in_words(walks):
    class Lost:
        def problems(self):
            return ["reader r1 is not in session: gone"]

    assert asyncio.run(walks._lead(Lost())) == ["reader r1 is not in session: gone"]
