"""What a session sets a reader to, by its profile, its capabilities and what it refuses, against a scripted reader."""

import struct

import pytest

from edge.llrp import ReportDecoder
from tests.helpers import fake_reader as fake
from tests.helpers.fake_reader import FakeReader, report, tag
from tests.helpers.supervised import agent_of


@pytest.fixture(scope="module", autouse=True)
def _warm():
    """Compile the report decoder outside the loop, as the agent does."""
    ReportDecoder().decode(bytearray(report(tag())))


async def test_capabilities_that_cannot_be_read_are_told_with_the_readers_name():
    async with FakeReader(capabilities=b"") as reader, agent_of(reader.port) as agent:
        problem = (await agent.until_state("lost")).problem
        assert problem.startswith(f"reader r1 at 127.0.0.1:{reader.port}: GET_READER_CAPABILITIES_RESPONSE lacks")


async def test_an_answer_that_cannot_be_read_is_told():
    refuse = {fake.ENABLE: lambda message_id, _payload: fake.message(34, message_id, b"\1\2")}
    async with FakeReader(refuse=refuse) as reader, agent_of(reader.port) as agent:
        assert "the answer to ENABLE_ROSPEC can't be read" in (await agent.until_state("lost")).problem


async def test_transmit_power_is_set_by_value_and_a_limit_is_told():
    async with FakeReader() as reader, agent_of(reader.port, tx_power_dbm=31.5) as agent:
        problem = (await agent.until_state("connected")).problem
        assert problem == "tx_power_dbm = 31.5 is not to be had: 30.00 dBm is used"
        assert struct.pack("!HHHHH", 224, 10, 1, 0, 2) in reader.payload_of(fake.ADD)


async def test_events_on_hold_from_a_former_client_are_released():
    async with FakeReader() as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        await agent.until(lambda _: fake.ENABLE_EVENTS in reader.types())
        assert struct.pack("!HHB", 226, 5, 0) in reader.payload_of(fake.SET_CONFIG)


async def test_a_reader_without_vendor_extensions_goes_on_visibly():
    async with FakeReader(knows_impinj=False) as reader, agent_of(reader.port) as agent:
        health = await agent.until_state("connected")
        assert "goes on without vendor extensions and phase" in health.problem
        assert struct.pack("!I", 25882) not in reader.payload_of(fake.ADD)
        assert len(agent.said("reader degraded")) == 1


async def test_an_unknown_reader_gets_the_generic_profile_visibly():
    unknown = fake.capabilities(vendor=4711, model=1)
    async with FakeReader(capabilities=unknown) as reader, agent_of(reader.port) as agent:
        health = await agent.until_state("connected")
        assert "no profile knows this reader (vendor 4711, model 1, firmware 5.14.0.240)" in health.problem
        assert fake.CUSTOM not in reader.types()


async def test_a_configured_profile_that_does_not_fit_is_used_visibly():
    async with FakeReader() as reader, agent_of(reader.port, profile="zebra/fx9600") as agent:
        assert "impinj/speedway fits" in (await agent.until_state("connected")).problem


async def test_a_misspelt_profile_is_told_and_nothing_is_started():
    async with FakeReader() as reader, agent_of(reader.port, profile="zebra/fx960") as agent:
        assert "the nearest is zebra/fx9600" in (await agent.until_state("lost")).problem
        assert fake.ADD not in reader.types()


async def test_a_reader_that_refuses_phase_is_inventoried_without():
    def refuse_custom(message_id, payload):
        bad = struct.pack("!II", 25882, 50) in payload
        return fake.message(30, message_id, fake.status(111 if bad else 0))

    async with FakeReader(refuse={fake.ADD: refuse_custom}) as reader, agent_of(reader.port) as agent:
        assert "goes on without phase" in (await agent.until_state("connected")).problem


async def test_a_reader_that_refuses_events_still_sends_keepalives():
    def refuse_events(message_id, payload):
        return fake.message(13, message_id, fake.status(101 if struct.pack("!H", 244) in payload else 0))

    async with (
        FakeReader(refuse={fake.SET_CONFIG: refuse_events}) as reader,
        agent_of(reader.port, keepalive_ms=400) as agent,
    ):
        assert "keepalives alone" in (await agent.until_state("connected")).problem
        await agent.until(lambda _: fake.KEEPALIVE_ACK in reader.types())


async def test_a_port_that_the_reader_lacks_is_told_and_the_others_work():
    async with FakeReader() as reader, agent_of(reader.port, antennas=(1, 9)) as agent:
        assert "wants 9: correct the portals" in (await agent.until_state("connected")).problem
        antennas = struct.pack("!HHH", 183, 0, 0)[:2]
        payload = reader.payload_of(fake.ADD)
        at = payload.index(antennas)
        assert payload[at + 4 : at + 8] == struct.pack("!HH", 1, 1)


def _modes(*mode_ids):
    entry = "!IBBBBIIIII"
    entries = b"".join(fake.tlv(329, struct.pack(entry, mode, 0, 0, 0, 0, 1, 1, 1, 1, 0)) for mode in mode_ids)
    return fake.tlv(328, entries)


def _capabilities_with_modes(*mode_ids):
    plain = fake.capabilities()
    at = plain.index(struct.pack("!HH", 840, 1)) - 4
    regulatory = plain[at + 4 :]
    band = regulatory[4:]
    return plain[:at] + fake.tlv(143, regulatory[:4] + fake.tlv(144, band[4:] + _modes(*mode_ids)))


async def test_mode_is_the_profile_s_first_that_the_reader_lists():
    """The Speedway's profile wants 1000, then 4: the first one that this reader lists is set, by its identifier."""
    async with FakeReader(capabilities=_capabilities_with_modes(0, 4)) as reader, agent_of(reader.port) as agent:
        await agent.until_state("connected")
        assert struct.pack("!HHHH", 335, 8, 4, 0) in reader.payload_of(fake.ADD)
        assert agent.said("reader mode")[0]["mode"] == "mode 4 (max Miller)"


async def test_reader_that_refuses_the_mode_keeps_its_own():
    refused = []

    def refuse_once(message_id, payload):
        if struct.pack("!HH", 335, 8) in payload:
            refused.append(payload)
            return fake.message(30, message_id, fake.status(401, "no such mode"))
        return fake.message(30, message_id, fake.status())

    capabilities = _capabilities_with_modes(4)
    async with (
        FakeReader(capabilities=capabilities, refuse={fake.ADD: refuse_once}) as reader,
        agent_of(reader.port) as agent,
    ):
        await agent.until_state("connected")
        assert len(refused) == 1
        assert "no such mode" in agent.said("reader's own mode")[0]["refused"]


async def test_legal_cap_holds_the_power_down_and_is_no_fault():
    levels = ((1, 1000), (2, 2700), (3, 3000))
    knobs = {"tx_power_dbm": 30.0, "power_caps_cdbm": ((1, 2700), (2, 3000)), "region": "us"}
    async with (
        FakeReader(capabilities=fake.capabilities(levels=levels)) as reader,
        agent_of(reader.port, **knobs) as agent,
    ):
        health = await agent.until_state("connected")
        sent = reader.payload_of(fake.ADD)
        at = [n for n in range(len(sent)) if sent.startswith(struct.pack("!HH", 224, 10), n)]
        assert [struct.unpack_from("!HHH", sent, n + 4)[2] for n in at] == [2, 3]
        assert not health.problem


async def test_reader_that_is_set_to_another_region_is_told():
    async with FakeReader() as reader, agent_of(reader.port, region="eu-lower") as agent:
        await agent.until(lambda agent: agent.supervisor.health().problem)
        assert "outside European Union" in agent.supervisor.health().problem
