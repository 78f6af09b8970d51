"""What a session does besides inventory: look, drain, replan, sweep, feel the temperature."""

import asyncio
import struct

import pytest

from edge.contracts import SensorRow
from edge.readers import GpiSettings, ReaderError, SweepWish, TriggerSettings, session
from tests.helpers import fake_reader as fake
from tests.helpers.fake_reader import FakeReader, report, tag
from tests.helpers.kept import WAIT_S
from tests.helpers.supervised import agent_of

TAGS = [bytes([0x30, number]) + bytes(10) for number in range(64)]


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def __call__(self):  # noqa: ANN204 (the time)
        return self.us


def added(reader):
    """ADD_ROSPEC payloads in order."""
    return [payload for kind, _, payload in reader.received if kind == fake.ADD]


async def test_the_temperature_is_in_health_where_the_reader_tells_it():
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.health().temperature_c is not None)
        assert agent.supervisor.health().temperature_c == 41.0


async def test_a_reader_without_thermometer_is_not_asked():
    async with (
        FakeReader(capabilities=fake.capabilities(vendor=4711, model=1)) as reader,
        agent_of(reader.port) as agent,
    ):
        await agent.until_state("connected")
        await asyncio.sleep(0.05)
        assert agent.supervisor.health().temperature_c is None
        assert all(struct.pack("!I", 25882) not in payload for _, _, payload in reader.received)


async def test_an_antenna_that_is_off_when_a_session_begins_is_a_fault(monkeypatch):
    """No event tells what was so before we came."""
    monkeypatch.setattr(session, "TICK_S", 0.02)
    async with FakeReader(unplugged={2}) as reader, agent_of(reader.port) as agent:
        await agent.until(lambda agent: agent.supervisor.health().antennas[1].state == "fault")
        assert agent.supervisor.health().antennas[0].state != "fault"


async def test_inputs_are_read_when_a_session_begins():
    gpis = (GpiSettings(port=1, kind="door"), GpiSettings(port=3, kind="beam"))
    async with FakeReader(inputs={1: 1, 2: 1, 3: 0}) as reader, agent_of(reader.port, gpis=gpis) as agent:
        await agent.until(lambda agent: len(agent.rows) == 2)
        assert [(row.gpi, row.kind, row.state) for row in agent.rows] == [(1, "door", True), (3, "beam", False)]
        assert all(isinstance(row, SensorRow) for row in agent.rows)


async def test_an_input_that_the_reader_debounces_is_believed_at_once():
    gpis = (GpiSettings(port=1, kind="door", debounce_ms=10_000),)
    async with FakeReader() as reader, agent_of(reader.port, gpis=gpis) as agent:
        await agent.until_state("connected")
        assert struct.pack("!IIHI", 25882, 36, 1, 10_000) in reader.payload_of(fake.SET_CONFIG)
        await reader.send(fake.event(1_700_000_001_000_000, fake.tlv(248, struct.pack("!HB", 1, 0x80))))
        await agent.until(lambda agent: [row.state for row in agent.rows] == [True])


async def test_an_input_that_rattles_gives_one_row():
    gpis, generic = (GpiSettings(port=1, kind="door", debounce_ms=100),), fake.capabilities(vendor=4711, model=1)
    async with FakeReader(capabilities=generic) as reader, agent_of(reader.port, gpis=gpis) as agent:
        await agent.until_state("connected")
        for number in range(5):
            at_us = 1_700_000_001_000_000 + number * 9_000
            await reader.send(fake.event(at_us, fake.tlv(248, struct.pack("!HB", 1, 0x80 * (number % 2 == 0)))))
        await agent.until(lambda agent: agent.rows)
        await asyncio.sleep(0.15)
        assert [row.state for row in agent.rows] == [True]
        assert agent.supervisor.counters.bounces == 4


async def test_after_a_loss_what_the_reader_gathered_is_fetched_before_its_rospec_is_deleted():
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        assert fake.GET_REPORT not in reader.types()
        first = len(reader.received)
        reader.drop()
        await agent.until(lambda agent: agent.said("reader back"))
        again = [kind for kind, _, _ in reader.received[first:]]
        assert again.index(fake.ENABLE_EVENTS) < again.index(fake.GET_REPORT) < again.index(fake.DELETE)


async def test_a_reader_that_knows_no_get_report_is_not_bothered_by_that():
    refuse = {fake.GET_REPORT: lambda message_id, _: fake.message(fake.ERROR, message_id, fake.status(109))}
    async with FakeReader(refuse=refuse) as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        reader.drop()
        await agent.until(lambda agent: agent.said("reader back"))
        assert agent.supervisor.counters.stray_messages == 0
        assert agent.supervisor.health().problem == ""


async def test_many_residents_change_the_rospec_and_no_read_is_lost_over_it(monkeypatch):
    """The old ROSpec is stopped first and so reports its last reads."""
    monkeypatch.setattr(session, "TICK_S", 0.02)
    clock = Clock()
    sent = 0
    async with FakeReader() as reader, agent_of(reader.port, now_us=clock) as agent:
        await agent.until_state("connected")
        last = report(*(tag(TAGS[number], 1) for number in range(3)))
        reader.refuse[fake.STOP] = lambda message_id, _: last + fake.message(33, message_id, fake.status())
        for _ in range(25):
            await reader.send(report(*(tag(epc, 1, last_us=clock.us - 100_000_000_000_000) for epc in TAGS[:40])))
            sent += 40
            clock.us += 1_000_000
            await asyncio.sleep(0.03)
            if len(added(reader)) > 1:
                break
        await agent.until(lambda _: reader.types().count(fake.START) == 2)
        await agent.until(lambda agent: len(agent.tags) == sent + 3)
        health = agent.supervisor.health()
        assert (health.residents, health.problem, reader.connections) == (40, "", 1)
        assert "40 tags stay and are kept quiet in S2" in health.plan
        assert agent.supervisor.counters.plan_changes == 1


async def test_a_reader_that_refuses_select_goes_on_without_it_visibly():
    def refuse_filter(message_id, payload):
        return fake.message(30, message_id, fake.status(111 if struct.pack("!H", 331) in payload else 0))

    async with FakeReader(refuse={fake.ADD: refuse_filter}) as reader, agent_of(reader.port, select=("30",)) as agent:
        health = await agent.until_state("connected")
        assert "goes on without Select, all tags answer" in health.problem


async def test_prefixes_beyond_what_the_reader_takes_are_told():
    async with FakeReader() as reader, agent_of(reader.port, select=("30", "31", "e2")) as agent:
        assert "takes 2 Select masks an antenna; 3 prefixes" in (await agent.until_state("connected")).problem


async def test_an_input_that_starts_reading_is_left_to_the_reader():
    async with FakeReader() as reader, agent_of(reader.port, trigger=TriggerSettings(gpi=2, read_ms=5000)) as agent:
        await agent.until_state("connected")
        assert fake.START not in reader.types()
        assert struct.pack("!HHB", 225, 8, 0)[:4] in reader.payload_of(fake.SET_CONFIG), "the input is switched on"


async def test_a_sweep_counts_and_goes_back_to_the_plan():
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        counting = asyncio.create_task(agent.supervisor.sweep(SweepWish(timeout_ms=60_000, silence_ms=1500)))
        await agent.until(lambda _: len(added(reader)) == 2)
        await agent.until(lambda _: reader.types().count(fake.START) == 2)
        health = agent.supervisor.health()
        assert (health.busy, health.busy_since is not None) == ("counts every tag once", True)
        await reader.send(report(tag(TAGS[0]), tag(TAGS[1])))
        await reader.send(report(tag(TAGS[1]), tag(TAGS[2])))
        found = await counting
        assert found.epcs == set(TAGS[:3])
        assert agent.supervisor.health().busy_since is None
        assert len(added(reader)) == 3
        assert added(reader)[2] == added(reader)[0], "the plan runs again"
        assert len(agent.tags) == 4, "what a sweep reads goes on to the windows too"


async def test_a_beam_ends_a_sweep_at_once():
    gpis = (GpiSettings(port=1, kind="beam"),)
    async with FakeReader() as reader, agent_of(reader.port, gpis=gpis) as agent:
        await agent.until_state("connected")
        counting = asyncio.create_task(agent.supervisor.sweep(SweepWish(timeout_ms=60_000, silence_ms=60_000)))
        await agent.until(lambda _: reader.types().count(fake.START) == 2)
        await reader.send(fake.event(1_700_000_001_000_000, fake.tlv(248, struct.pack("!HB", 1, 0x80))))
        async with asyncio.timeout(WAIT_S):
            await counting
        reader.drop()
        await agent.until_state("lost")
        with pytest.raises(ReaderError, match="not in session"):
            await agent.supervisor.sweep(SweepWish(timeout_ms=1, silence_ms=1))


async def test_a_tag_that_the_reader_has_not_heard_of_late_ends_a_sweep_where_it_is_loud_at_the_door():
    """What was heard before, was found by an earlier part, is weak, or is at another antenna ends none."""
    wish = SweepWish(timeout_ms=60_000, silence_ms=60_000, doorway_cdbm={1: -6000}, found=frozenset([TAGS[1]]))
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        await reader.send(report(tag(TAGS[0], rssi=-50)))
        await agent.until(lambda agent: TAGS[0] in agent.supervisor.session._residents)
        counting = asyncio.create_task(agent.supervisor.sweep(wish))
        await agent.until(lambda _: reader.types().count(fake.START) == 2)
        await reader.send(report(tag(TAGS[0], rssi=-50), tag(TAGS[1], rssi=-50), tag(TAGS[2], rssi=-61)))
        await reader.send(report(tag(TAGS[3], rssi=-50, antenna=2)))
        await agent.until(lambda _: len(agent.tags) == 5)
        assert not counting.done()
        await reader.send(report(tag(TAGS[4], rssi=-60)))
        async with asyncio.timeout(30):
            result = await counting
        assert (result.ended, len(result.epcs)) == ("yielded", 5)


async def test_a_sweep_says_what_ended_it_and_is_refused_without_any_of_its_antennas():
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        assert (await agent.supervisor.sweep(SweepWish(timeout_ms=5_000, silence_ms=20))).ended == "silence"
        assert (await agent.supervisor.sweep(SweepWish(timeout_ms=20, silence_ms=5_000))).ended == "time"
        with pytest.raises(ReaderError, match="none of the antenna ports"):
            await agent.supervisor.sweep(SweepWish(timeout_ms=20, silence_ms=20, ports=(9,)))
        assert agent.supervisor.health().busy_since is None
        agent.supervisor.end_sweep()


async def test_a_reader_that_knows_no_end_of_new_tags_sweeps_by_time():
    def refuse_observation(message_id, payload):
        return fake.message(30, message_id, fake.status(111 if struct.pack("!HH", 185, 16) in payload else 0))

    async with FakeReader(refuse={fake.ADD: refuse_observation}) as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        found = await agent.supervisor.sweep(SweepWish(timeout_ms=200, silence_ms=100))
        assert found.epcs == set()
        assert len(added(reader)) == 4


def levels_of(*channels):
    """RFSurveyReportData of (kHz, average dBm, peak dBm)."""
    stamp = fake.tlv(128, struct.pack("!Q", 5))
    entries = b"".join(
        fake.tlv(243, struct.pack("!IIbb", khz, 500, average, peak) + stamp) for khz, average, peak in channels
    )
    return fake.tlv(242, entries)


async def test_a_survey_tells_the_levels_of_the_channels_and_goes_back_to_the_plan():
    able = fake.capabilities(surveys=True)
    async with FakeReader(capabilities=able) as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        listening = asyncio.create_task(
            agent.supervisor.session.survey(2, from_khz=902_000, to_khz=928_000, duration_ms=50)
        )
        await agent.until(lambda _: reader.types().count(fake.START) == 2)
        await reader.send(
            report(tag()) + fake.message(fake.REPORT, 0, levels_of((915_250, -60, -41), (902_750, -90, -88)))
        )
        found = await listening
        assert [(one.frequency_khz, one.average_dbm, one.peak_dbm) for one in found] == [
            (902_750, -90, -88),
            (915_250, -60, -41),
        ]
        assert added(reader)[2] == added(reader)[0]


async def test_a_reader_that_can_not_survey_is_not_asked_to():
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        with pytest.raises(ReaderError, match="can't survey"):
            await agent.supervisor.session.survey(1, from_khz=1, to_khz=2, duration_ms=1)


async def test_a_firmware_that_is_not_on_record_shows_in_health():
    newer = fake.capabilities(firmware="7.9.9.9")
    async with FakeReader(capabilities=newer) as reader, agent_of(reader.port) as agent:
        health = await agent.until_state("connected")
        assert health.firmware == "7.9.9.9"
        assert "firmware 7.9.9.9 is not among those" in health.profile
