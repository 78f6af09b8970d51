"""What the agent decided live, and what a replay of the recording decides: the same rows, byte for byte."""

import asyncio
import contextlib
import dataclasses
import random
from itertools import pairwise

import msgspec
import numpy as np
import pytest
import structlog

from edge.agent.pipeline import Pipeline
from edge.agent.replay import Replay
from edge.contracts import LossRow, MovementRow, encode
from edge.llrp.capture import CaptureReader, RecordingNote, Skipped, dissect, header, packet
from edge.llrp.capture.frames import build
from edge.readers import ReaderSettings, ReaderSupervisor, Recorder
from edge.windows import AntennaSettings, PortalSettings, Windows, WindowsSettings
from tests.helpers import captures
from tests.helpers.doorway import EPOCH_US, Scene
from tests.helpers.fake_reader import FakeReader, attempt
from tests.helpers.llrp_messages import report, tag

LOG = structlog.get_logger()
NOTE = RecordingNote(version="0", gateway="gw", boot="b007", first_seq=5)
ONE, TWO, NEXT = ("r1",), ("r1", "r2"), ("left", "right")
WAIT_S = 30.0
EARLY = 0.5
"""Provisionals come easily: what is compared is that they are the same, not that they are right."""
READS_AT_ONCE = 12
READS_IN_A_BURST = 16
"""Of a late reader the messages of so many turns come at once: those of seconds."""
DELAY_US = 20_000
AGAIN_US = EPOCH_US + 200_000_000


def door(*readers):
    """One door of four antennas: those inside are the first reader's, those outside the last one's.

    Of the readers `NEXT` each has a door of its own, and they are neighbours.
    """
    if readers == NEXT:
        return WindowsSettings(
            gateway="gw", portals=(beside("left", 1, "right"), beside("right", 3, "left")), engine="plain"
        )
    sides = [(readers[0], 1, "inside"), (readers[0], 2, "inside"), (readers[-1], 3, "outside")]
    antennas = [AntennaSettings(*side) for side in [*sides, (readers[-1], 4, "outside")]]
    layout = "two-readers" if len(readers) > 1 else "two-sided"
    portal = PortalSettings("door", layout, tuple(antennas), provisional_confidence=EARLY)
    return WindowsSettings(gateway="gw", portals=(portal,), engine="plain")


def beside(name, port, neighbour):
    """A door with two antennas of the reader of its name."""
    antennas = AntennaSettings(name, port, "inside"), AntennaSettings(name, port + 1, "outside")
    return PortalSettings(name, "two-sided", antennas, provisional_confidence=EARLY, neighbours=(neighbour,))


def walks(seed, begin_us):
    """Reads of two walkers and some residents as (time, antenna, message), and a late one that ends all visits."""
    scene = Scene(np.random.default_rng(seed), seconds=10.0, rate_hz=45.0)
    scene.walk("out", 0.2)
    scene.walk("turned_back", 0.6)
    for _ in range(3):
        scene.walk("resident", 0.0)
    late = [(EPOCH_US + 75_000_000, b"\x30" * 12, port, -6000, 0, 1) for port in (1, 3)]
    return [
        (at_us + begin_us - EPOCH_US, antenna, report(tag(
            epc=epc, antenna=antenna, rssi_dbm=rssi // 100, channel=channel, last_us=at_us + begin_us - EPOCH_US
        )))
        for at_us, epc, antenna, rssi, _, channel in [*scene.rows(), *late]
    ]  # fmt: skip


class Kept:
    """Takes rows in place of the journal."""

    def __init__(self) -> None:
        self.rows = []

    def add(self, rows, *, opened, closed):
        self.rows += rows


class Live:
    """Supervisors against scripted readers on a clock of the test's own, with a recorder listening in."""

    def __init__(self, *names, late=False) -> None:
        self.names, self.now_us, self.late = names, EPOCH_US, late
        self.kept, self.parts = Kept(), []
        self.pipeline = Pipeline(
            Windows(door(*names), boot=NOTE.boot),
            self.kept,
            ports=dict.fromkeys(names, (1, 2, 3, 4)),
            host_synced=lambda: True,
            log=LOG,
        )
        self.recorder = Recorder(self.parts.append, now_us=lambda: self.now_us, host_synced=lambda: True, note=NOTE)

    async def run(self, link):
        """Let two waves of walkers pass; between them every reader's connection is reset."""
        async with contextlib.AsyncExitStack() as stack:
            readers = [
                await stack.enter_async_context(FakeReader(link=link, seed=number))
                for number, _ in enumerate(self.names)
            ]
            supervisors = [
                self._supervisor(name, reader.port) for name, reader in zip(self.names, readers, strict=True)
            ]
            tasks = [asyncio.create_task(one.run()) for one in supervisors]
            await self._wave(walks(7, EPOCH_US), readers, supervisors)
            self.now_us = AGAIN_US
            for reader in readers:
                reader.started.clear()
                reader.greeting = attempt(utc_us=AGAIN_US - DELAY_US)
                reader.drop()
            await self._wave(walks(8, AGAIN_US), readers, supervisors)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wave(self, wave, readers, supervisors):
        for reader in readers:
            await asyncio.wait_for(reader.started.wait(), WAIT_S)
        await until(lambda: all(one.health().state == "connected" for one in supervisors))
        held = []
        for at in range(0, len(wave), READS_AT_ONCE):
            part = wave[at : at + READS_AT_ONCE]
            for number, reader in enumerate(readers):
                mine = [one for one in part if len(readers) == 1 or (one[1] > 2) == bool(number)]
                if self.late and number == len(readers) - 1:
                    ends = at // READS_AT_ONCE % READS_IN_A_BURST == 0 or at + READS_AT_ONCE >= len(wave)
                    mine, held = ([*held, *mine], []) if ends else ([], [*held, *mine])
                self.now_us = max(self.now_us, mine[-1][0] + DELAY_US) if mine else self.now_us
                counters = supervisors[number].counters
                expected = counters.reads + len(mine)
                await reader.send(b"".join(message for _, _, message in mine))
                await until(lambda counters=counters, expected=expected: counters.reads == expected)

    def _supervisor(self, name, port):
        settings = ReaderSettings(
            id=name, host="127.0.0.1", port=port, antennas=(1, 2, 3, 4), backoff_base_s=0.01, keepalive_ms=60_000
        )
        return ReaderSupervisor(
            settings,
            sink=self.pipeline.sink,
            now_us=lambda: self.now_us,
            rng=random.Random(1),
            log=LOG,
            tap=self.recorder.tap(name),
        )

    def movements(self):
        """What was published, with the numbers that an outbox gives."""
        numbered = [msgspec.structs.replace(row, seq=NOTE.first_seq + at) for at, row in enumerate(self.kept.rows)]
        assert sum(isinstance(row, LossRow) for row in numbered) == len(self.names)
        return [row for row in numbered if isinstance(row, MovementRow)]

    def finals(self):
        """Of that the finals."""
        return [row for row in self.movements() if row.final]


async def until(condition):
    """Wait for a condition."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 (counters notify nobody)
            await asyncio.sleep(0)


def replay_of(*names, places=None, provisionals=False):
    """Make a replay for the readers of the door."""
    readers = [ReaderSettings(id=name, host="", antennas=(1, 2, 3, 4)) for name in names]
    return Replay(readers, door(*names), places=places or {}, log=LOG, provisionals=provisionals)


def replayed(data, *names, places=None, provisionals=False):
    """Replay a capture; return its finals, or all its movements."""
    known, reader, rows = replay_of(*names, places=places, provisionals=provisionals), CaptureReader(), []
    for one in reader.feed(data):
        rows += known.packet(one)
    reader.finish()
    rows += known.finish()
    assert not known.faults
    assert not known.lost_bytes
    return rows


def rewritten(data, rng):
    """The same recording as a worse network would have shown it: segments cut, repeated and swapped."""
    parts = [header(application="a network")]
    for one in CaptureReader().feed(data):
        segment = dissect(one.link, one.data)
        assert not isinstance(segment, Skipped)
        cuts = sorted({0, len(segment.payload), *(rng.randrange(len(segment.payload) + 1) for _ in range(3))})
        cut = [
            segment._replace(seq=(segment.seq + begin) % 2**32, payload=segment.payload[begin:end])
            for begin, end in pairwise(cuts)
        ] or [segment]
        sent = [*cut, *rng.choices(cut, k=rng.randrange(2))]
        rng.shuffle(sent)
        noted = sent.index(cut[0])
        parts += [
            packet(one.at_us, build(piece), inbound=True, comments=one.comments if at == noted else ())
            for at, piece in enumerate(sent)
        ]
    return b"".join(parts)


def told(rows):
    """What a row decides, without the clock and its times."""
    return [(row.passage, row.portal, row.epc, row.kind, row.reads, row.confidence) for row in rows]


@pytest.mark.parametrize(
    ("link", "names"), [("whole", ONE), ("bytes", ONE), ("split", ONE), ("whole", TWO), ("split", TWO)]
)
@pytest.mark.parametrize("late", [False, True])
async def test_replay_gives_what_was_published_live(link, names, late):
    """Numbers, ids, clocks and evidence, over late bursts and a reconnect, however the network cut the bytes."""
    live = Live(*names, late=late)
    await live.run(link)
    data, published = b"".join(live.parts), [encode(row) for row in live.movements()]
    assert {row.kind for row in live.finals()} >= {"out", "turned_back"}
    assert any(not row.final for row in live.movements())
    assert [encode(row) for row in replayed(data, *names, provisionals=True)] == published
    worse = rewritten(data, random.Random(link))
    assert [encode(row) for row in replayed(worse, *names, provisionals=True)] == published
    assert [encode(row) for row in replayed(data, *names)] == [encode(row) for row in live.finals()]


@pytest.mark.parametrize("late", [False, True])
async def test_replay_gives_what_neighbours_on_two_readers_published_live(late):
    """What one decided early waited for the other, live as in the replay."""
    live = Live(*NEXT, late=late)
    await live.run("split")
    data, published = b"".join(live.parts), [encode(row) for row in live.movements()]
    assert {row.portal for row in live.finals()} == set(NEXT)
    assert any(not row.final for row in live.movements())
    for recording in (data, rewritten(data, random.Random(7))):
        assert [encode(row) for row in replayed(recording, *NEXT, provisionals=True)] == published


async def test_capture_of_another_program_gives_the_same_decisions():
    """Without our notes the clock is learnt anew; a portal of one reader decides on the reader's own time."""
    live = Live("r1")
    await live.run("whole")
    packets = list(CaptureReader().feed(b"".join(live.parts)))
    framed = [(one.at_us, captures.LINKS["ethernet"][1](one.data)) for one in packets]
    for data in (captures.pcap(framed, link=1), captures.pcapng(framed, link=1)):
        assert told(replayed(data, "r1")) == told(live.finals())


async def test_bare_bytes_of_one_reader_give_the_same_decisions():
    """A .bin has no arrivals: offset 0, reader time alone."""
    live = Live("r1")
    await live.run("split")
    known, rows, sent = replay_of("r1"), [], {}
    for one in CaptureReader().feed(b"".join(live.parts)):
        segment = dissect(one.link, one.data)
        if segment.source.port == 5084:
            key = segment.target
            sent[key] = sent.get(key, b"") + segment.payload
    assert len(sent) == 2
    for data in sent.values():
        rows += known.bare("r1", data)
    rows += known.finish()
    assert told(rows) == told(live.finals())
    assert {(row.clock.offset_us, row.clock.boot) for row in rows} == {(0, "replay")}


async def test_recording_tells_the_readers_apart_by_name_and_captures_by_address():
    """Two readers on one host look the same in our packets; a stranger is left out and named."""
    live = Live(*TWO)
    await live.run("whole")
    data = b"".join(live.parts)
    ours = {"r1": [("127.0.0.1", None)], "r2": [("127.0.0.1", None)]}
    assert told(replayed(data, *TWO, places=ours)) == told(live.finals())
    bare = [dataclasses.replace(one, comments=()) for one in CaptureReader().feed(data)]
    known = replay_of(*TWO, places=ours)
    assert [row for one in bare for row in known.packet(one)] == []
    assert known.tally.connections == 0
    assert {str(met) for met in known.tally.strange} == {"the reader at 127.0.0.1:5084"}
