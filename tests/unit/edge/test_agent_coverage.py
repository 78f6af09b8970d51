"""Doorways are watched, partly blind or dark, and a gap begins at the last proof of life."""

import asyncio
import struct
import time

import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from edge.agent.coverage import Coverage, Doorway, tell_doorway
from edge.contracts import MAX_GAPS, AntennaHealth, ReaderHealth, instant, instant_us
from edge.readers import ReferenceSettings
from tests.helpers.fake_reader import FakeReader, event, report, tag, tlv
from tests.helpers.supervised import agent_of

S = 1_000_000
T0 = 1_800_000_000 * S
DOOR = Doorway("door", (("r1", 1), ("r1", 2)))
TWO_READERS = Doorway("wide", (("r1", 1), ("r2", 1)))


def reader(name="r1", *, state="connected", since=0, antennas=("ok", "ok"), antenna_since=0):
    """A reader as its supervisor tells it; times in seconds from T0."""
    return ReaderHealth(
        id=name,
        state=state,
        reads=0,
        since=instant(T0 + since * S),
        antennas=[
            AntennaHealth(port=port, state=one, since=instant(T0 + antenna_since * S), reason=f"is {one}")
            for port, one in enumerate(antennas, 1)
        ],
    )


def at(seconds):
    return T0 + seconds * S


class Watch:
    """A coverage, with what it said."""

    def __init__(self, *portals) -> None:
        self.coverage = Coverage(portals or (DOOR,), now_us=T0)

    def look(self, seconds, *readers):
        self.coverage.look(readers, at(seconds))
        one = self.coverage.portals()[0]
        return one.state, (instant_us(one.since) - T0) // S

    def gaps(self):
        return [
            (gap.state, (instant_us(gap.from_) - T0) // S, None if gap.to is None else (instant_us(gap.to) - T0) // S)
            for gap in self.coverage.gaps()
        ]


def test_a_doorway_is_dark_from_the_start_until_its_reader_is_in_session():
    watch = Watch()
    assert watch.look(1, reader(state="connecting")) == ("dark", 0)
    assert watch.gaps() == [("dark", 0, None)]
    assert watch.look(4, reader(since=3, antenna_since=3)) == ("watching", 3)
    assert watch.gaps() == [("dark", 0, 3)]


def test_a_lost_reader_darkens_its_doorway_since_its_last_word():
    watch = Watch()
    watch.look(4, reader(since=3, antenna_since=3))
    assert watch.look(60, reader(state="lost", since=57, antennas=("unknown", "unknown"))) == ("dark", 57)
    assert watch.look(90, reader(since=88, antennas=("unknown", "unknown"), antenna_since=88)) == ("watching", 88)
    assert watch.gaps() == [("dark", 0, 3), ("dark", 57, 88)]


@pytest.mark.parametrize("state", ["fault", "silent"])
def test_one_blind_antenna_leaves_the_doorway_partly_blind(state):
    watch = Watch()
    watch.look(4, reader())
    assert watch.look(20, reader(antennas=("ok", state), antenna_since=14)) == ("partial", 14)
    assert "antenna 2 of r1: is" in watch.coverage.portals()[0].reason


def test_silence_of_all_antennas_is_doubt_and_no_darkness():
    watch = Watch()
    watch.look(4, reader())
    assert watch.look(20, reader(antennas=("silent", "silent"), antenna_since=14))[0] == "partial"
    assert watch.look(21, reader(antennas=("fault", "fault"), antenna_since=14))[0] == "dark"


def test_partly_blind_then_dark_are_two_gaps_without_a_hole():
    watch = Watch()
    watch.look(1, reader())
    watch.look(20, reader(antennas=("fault", "ok"), antenna_since=10))
    watch.look(30, reader(state="lost", since=28))
    watch.look(50, reader(since=45, antennas=("ok", "ok"), antenna_since=45))
    assert watch.gaps() == [("dark", 0, 0), ("partial", 10, 28), ("dark", 28, 45)]


def test_of_two_readers_one_is_enough_to_see_part():
    watch = Watch(TWO_READERS)
    watch.look(1, reader(antennas=("ok",)), reader("r2", antennas=("ok",)))
    lost = reader("r2", state="lost", since=9, antennas=("unknown",))
    assert watch.look(12, reader(antennas=("ok",)), lost) == ("partial", 9)
    both = reader("r1", state="lost", since=11, antennas=("unknown",))
    assert watch.look(14, both, lost) == ("dark", 11), "dark begins with the last one's last word"


def test_a_reader_that_counts_watches_nothing_meanwhile():
    watch = Watch()
    watch.look(1, reader())
    counting = msgspec.structs.replace(reader(), busy="counts every tag once", busy_since=instant(at(20)))
    assert watch.look(21, counting) == ("dark", 20)
    assert watch.coverage.gaps()[-1].reason == "reader r1 counts every tag once"


def test_a_reader_that_tells_of_no_antennas_is_judged_by_its_session():
    watch = Watch()
    assert watch.look(2, reader(antennas=(), since=1)) == ("watching", 1)


def test_gaps_are_the_newest_ones():
    watch = Watch()
    for number in range(100):
        watch.look(2 * number, reader(since=2 * number, antenna_since=2 * number))
        watch.look(2 * number + 1, reader(state="lost", since=2 * number + 1))
    assert len(watch.coverage.gaps()) == MAX_GAPS
    assert watch.gaps()[-1] == ("dark", 199, None)


def test_a_change_is_told_once():
    coverage = Coverage((DOOR,), now_us=T0)
    log = structlog.get_logger()
    with capture_logs() as logs:
        for second in range(10):
            state = "connected" if second < 5 else "lost"
            for change in coverage.look([reader(state=state, since=second)], at(second)):
                tell_doorway(change, log)
    assert [entry["event"] for entry in logs] == ["portal is watched", "portal is dark"]


class LiveDoor:
    """A coverage that follows a real supervisor over a real clock, as the agent's does."""

    def __init__(self, agent, now_us) -> None:
        self.agent, self.now_us = agent, now_us
        self.coverage = Coverage((Doorway("door", (("r1", 1), ("r1", 2))),), now_us=now_us())

    async def until(self, state):
        """Look twice a second until the doorway's state is that; return it, and how long that took."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        async with asyncio.timeout(30):
            while True:
                self.coverage.look([self.agent.supervisor.health()], self.now_us())
                one = self.coverage.portals()[0]
                if one.state == state:
                    return one, loop.time() - begin_s
                await asyncio.sleep(0.1)


HEARTBEAT_S = 2.0
LIMIT_S = 10.0 - HEARTBEAT_S
"""Within 10 s in `health`: the heartbeat that carries it comes up to 2 s later."""


def now_us():
    return time.time_ns() // 1000


async def test_a_silent_network_darkens_the_doorway_within_ten_seconds_from_the_last_word_on():
    async with FakeReader() as fake, agent_of(fake.port, keepalive_ms=1000, now_us=now_us) as agent:
        await agent.until_state("connected")
        door = LiveDoor(agent, now_us)
        await door.until("watching")
        await agent.until(lambda _: fake.types().count(72) >= 1)
        fake.mute = True
        cut_us = now_us()
        dark, took_s = await door.until("dark")
        assert took_s < LIMIT_S
        assert cut_us - 1_300_000 < instant_us(dark.since) <= cut_us + 200_000
        assert door.coverage.gaps()[-1].from_ == dark.since


async def test_an_unplugged_antenna_is_in_health_within_seconds_from_the_word_before_on():
    async with FakeReader() as fake, agent_of(fake.port, keepalive_ms=500, now_us=now_us) as agent:
        await agent.until_state("connected")
        door = LiveDoor(agent, now_us)
        await door.until("watching")
        cut_us = now_us()
        await fake.send(event(cut_us, tlv(255, b"\0\0\2")))
        partial, took_s = await door.until("partial")
        assert took_s < LIMIT_S
        assert instant_us(partial.since) <= cut_us + 200_000
        assert cut_us - instant_us(partial.since) < 1_000_000


async def test_a_cable_cut_without_an_event_shows_by_the_reference_tag_within_ten_seconds():
    epc = bytes.fromhex("e28011700000020f")
    references = (ReferenceSettings(port=1, epc=epc.hex()),)
    knobs = {"references": references, "reference_epcs": frozenset({epc.hex()}), "keepalive_ms": 500}
    async with FakeReader() as fake, agent_of(fake.port, now_us=now_us, **knobs) as agent:
        await agent.until_state("connected")
        door = LiveDoor(agent, now_us)
        for _ in range(8):
            await fake.send(report(tag(epc + bytes(4), 2), reference_read(epc, now_us())))
            await asyncio.sleep(0.25)
        await door.until("watching")
        last_us = now_us()
        await fake.send(report(reference_read(epc, last_us)))
        partial, took_s = await door.until("partial")
        assert took_s < LIMIT_S
        assert abs(instant_us(partial.since) - last_us) < 300_000
        assert "reference tag" in partial.reason
        assert all(read[0][:8] != epc or read[1] == 2 for read in agent.tags), "no read of a reference tag goes on"
        assert agent.supervisor.counters.reference_reads == 9


def reference_read(epc, at_us):
    """A read of a reference tag on antenna 1, as EPCData, since it has 64 bits."""
    body = tlv(241, struct.pack("!H", 8 * len(epc)) + epc) + b"\x81\0\1" + b"\x86" + struct.pack("!b", -60)
    body += b"\x82" + struct.pack("!Q", at_us) + b"\x84" + struct.pack("!Q", at_us) + b"\x88\0\1"
    return tlv(240, body)
