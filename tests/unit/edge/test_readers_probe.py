"""A look at a reader: what is found, what is wrong in words, and that nothing is left behind."""

import asyncio
import json
import signal
import struct
import sys
import time
from asyncio.subprocess import PIPE
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.llrp import Frame
from edge.llrp.messages import decode_message
from edge.readers.answers import reader_of, with_config
from edge.readers.errors import (
    ReaderBusyError,
)
from edge.readers.found import clock_words, frequency_words, notes, problems
from edge.readers.probe import ProbeSettings, probe
from tests.helpers.fake_reader import (
    ADD,
    CLOSE,
    DELETE,
    ENABLE_EVENTS,
    EVENT,
    KEEPALIVE,
    KEEPALIVE_ACK,
    SET_CONFIG,
    START,
    FakeReader,
    attempt,
    capabilities,
    event,
    message,
    refuse_with,
    report,
    status,
    tag,
    tlv,
)

NOW_US = 1_700_000_000_250_000
STARTED_S = 120
"""A command has so long to load and to begin, on whatever machine."""
GET_CONFIG, GET_ROSPECS = 2, 26


def properties(port, *, connected, gain_cdbi=600):
    """AntennaProperties."""
    return tlv(221, struct.pack("!BHh", connected << 7, port, gain_cdbi))


def configuration(*parts):
    """Answer GET_READER_CONFIG with parameters."""
    return lambda message_id, _payload: message(12, message_id, status() + b"".join(parts))


def rospecs(*found):
    """Answer GET_ROSPECS with (id, state) pairs."""

    def rospec(number, state):
        boundary = tlv(178, tlv(179, b"\0") + tlv(182, b"\0" + bytes(4)))
        inventory = tlv(183, struct.pack("!HH", 1, 0) + tlv(184, bytes(5)) + tlv(186, struct.pack("!HB", 1, 1)))
        return tlv(177, struct.pack("!IBB", number, 0, state) + boundary + inventory)

    body = b"".join(rospec(*one) for one in found)
    return lambda message_id, _payload: message(36, message_id, status() + body)


ALL_WELL = (*(properties(port, connected=True) for port in (1, 2, 3, 4)), tlv(225, struct.pack("!HBB", 1, 1 << 7, 1)))


def reader(*, config=ALL_WELL, specs=(), **changes):
    """A reader that answers all that a look asks."""
    refuse = {GET_CONFIG: configuration(*config), GET_ROSPECS: rospecs(*specs)} | changes.pop("refuse", {})
    return FakeReader(refuse=refuse, **changes)


async def look_at(fake, **changes):
    """Look at a fake reader."""
    knobs = {"listen_s": 0.05, "timeout_s": 5.0} | changes
    return await probe(ProbeSettings(host="127.0.0.1", port=fake.port, **knobs), now_us=lambda: NOW_US)


@pytest.mark.parametrize("link", ["whole", "bytes", "split"])
async def test_look_finds_what_stands_there(link):
    """Who it is, where it may transmit, its powers, clock, antennas with their reads, and inputs."""
    heard = report(tag(antenna=1, rssi=-60, count=3), tag(epc=b"\x30" + b"\x22" * 11, antenna=1, rssi=-48))
    async with reader(link=link, on_start=(heard,), capabilities=capabilities(levels=((1, 3000), (2, 1000)))) as fake:
        found = await look_at(fake, listen_s=0.2)
    assert (found.vendor, found.model_code, found.firmware) == ("Impinj", 2001002, "5.14.0.240")
    assert found.profile == "impinj/speedway"
    assert (found.region.country, found.region.standard, found.region.hopping) == (
        "United States", "US FCC Part 15", True,
    )  # fmt: skip
    assert found.region.frequencies_khz == (915250,)
    assert found.powers_cdbm == (1000, 3000)
    assert found.clock_offset_us == 250_000
    assert [(one.port, one.connected, one.gain_dbi) for one in found.antennas] == [(n, True, 6.0) for n in (1, 2, 3, 4)]
    assert [(one.reads, one.tags, one.best_rssi_cdbm) for one in found.antennas] == [(4, 2, -4800)] * 4
    assert [(one.port, one.enabled, one.state) for one in found.inputs] == [(1, True, "high")]
    assert (list(problems(found)), list(notes(found))) == ([], [])


def refuse_1084(message_id, payload):
    """Keep that one ROSpec."""
    return message(31, message_id, status(101) if payload == struct.pack("!I", 1084) else status())


async def test_look_leaves_the_reader_as_it_was():
    """No configuration is set, each ROSpec of ours goes again, others' stay, and the connection is closed in order."""
    async with reader(specs=((1084, 2), (7, 0)), refuse={DELETE: refuse_1084}) as fake:
        found = await look_at(fake)
        await fake.closed.wait()
        ours = [payload for kind, _, payload in fake.received if kind == DELETE][1:]
        added = [payload[4:8] for kind, _, payload in fake.received if kind == ADD]
    assert SET_CONFIG not in fake.types()
    assert set(ours) == {struct.pack("!I", 1085)} == set(added)
    assert fake.types().count(ADD) == 4
    assert fake.types()[-1] == CLOSE
    assert [(one.id, one.state) for one in found.rospecs] == [(1084, "active"), (7, "disabled")]
    assert "ROSpec 1084 (active), 7 (disabled)" in " ".join(notes(found))


async def test_nothing_is_added_where_no_trial_is_wanted():
    """`--listen-seconds 0` only asks."""
    async with reader() as fake:
        found = await look_at(fake, listen_s=0)
    assert not {ADD, START, DELETE} & set(fake.types())
    assert [one.reads for one in found.antennas] == [None] * 4
    assert list(problems(found)) == []


async def test_look_that_is_broken_off_still_takes_its_rospec_back():
    """Control-C in the middle of a trial."""
    async with reader() as fake:
        task = asyncio.create_task(look_at(fake, listen_s=30))
        await fake.started.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await fake.closed.wait()
    assert fake.types()[-2:] == [DELETE, CLOSE]


async def test_sigterm_ends_the_command_as_control_c_does():
    """A script's `timeout` must not leave a reader transmitting; a shell's background job doesn't hear SIGINT."""
    deaf = ("-c", "trap '' INT; exec \"$@\"", "sh", Path(sys.executable).with_name("stockgate-edge"))
    async with reader() as fake:
        words = ("probe", f"127.0.0.1:{fake.port}", "--listen-seconds", "60")
        program = await asyncio.create_subprocess_exec("sh", *deaf, *words, stdout=PIPE, stderr=PIPE)
        async with asyncio.timeout(STARTED_S):
            await fake.started.wait()
            program.send_signal(signal.SIGTERM)
            _, told = await program.communicate()
            await fake.closed.wait()
    assert fake.types()[-2:] == [DELETE, CLOSE]
    assert program.returncode == 130
    assert b"Traceback" not in told


async def test_killed_looks_rospec_ends_by_itself_and_the_next_look_deletes_it():
    """After kill -9 nothing transmits for long, and a reader that holds one ROSpec can be looked at again."""
    async with reader(specs=((1084, 1),), on_start=(report(tag()),)) as fake:
        fake.rospecs = {1084}
        found = await look_at(fake, listen_s=0.1)
    added = [payload for kind, _, payload in fake.received if kind == ADD]
    assert len(added) == 4
    assert all(tlv(182, b"\1" + struct.pack("!I", 5_100)) in payload for payload in added)
    assert list(problems(found)) == []
    assert list(notes(found)) == [
        "an earlier probe that was killed left its inventory order on it (ROSpec 1084): deleted"
    ]


async def test_reader_full_of_anothers_rospec_is_said_once():
    """Its antennas are not to blame."""
    async with reader(specs=((7, 2),), refuse={ADD: refuse_with(30, 205, "at most 1 ROSpecs")}) as fake:
        found = await look_at(fake)
    (wrong,) = problems(found)
    assert wrong.startswith("an inventory order (ROSpec 7) is left on the reader, and it takes none of ours besides (")
    assert "at most 1 ROSpecs" in wrong
    assert [one.reads for one in found.antennas] == [None] * 4


async def test_reads_of_another_programs_rospec_do_not_count():
    """A leftover ROSpec reports into our connection."""
    strange = tlv(240, b"\x8d" + bytes(12) + b"\x89" + struct.pack("!I", 7) + b"\x81\0\1")
    async with reader(on_start=(message(61, 0, strange),)) as fake:
        found = await look_at(fake)
    assert [one.reads for one in found.antennas] == [0] * 4


async def test_cable_that_is_off_is_named_unless_no_antenna_should_be_there():
    """The reader says that antennas 3 and 4 are not connected; the installer says that he has put up two."""
    parts = [properties(port, connected=port < 3) for port in (1, 2, 3, 4)]
    async with reader(config=parts, on_start=(report(tag()),)) as fake:
        found = await look_at(fake, listen_s=0)
        assert list(problems(found)) == [
            f"antenna {port}: not connected: is its cable open or loose?" for port in (3, 4)
        ]
        expected = await look_at(fake, listen_s=0, antennas=(1, 2))
        assert list(problems(expected)) == []
        too_many = await look_at(fake, listen_s=0, antennas=(1, 9))
        assert list(problems(too_many)) == ["antenna 9: the reader has the ports 1 to 4 only"]


async def test_antenna_events_go_before_what_the_configuration_said():
    """Some readers tell a cable by event alone."""
    loose = event(NOW_US, tlv(255, struct.pack("!BH", 0, 2)))
    async with reader(config=(), on_start=(loose, report(tag()))) as fake:
        found = await look_at(fake)
    assert [one.connected for one in found.antennas] == [None, False, None, None]
    told = " ".join(notes(found))
    assert "antenna 2: it says not connected, yet tags are heard" in told


async def test_one_silent_antenna_is_a_fault_and_all_silent_are_a_room_without_tags():
    """What an installer must do differs."""
    async with reader() as fake:
        silent = await look_at(fake)
    assert list(problems(silent)) == [
        "no antenna heard a tag within 0.05 s each: hold one in front of them and look again"
    ]


async def test_antenna_that_the_reader_refuses_is_named():
    """ADD_ROSPEC with that port is refused; the others are still tried."""

    def refuse_second(message_id, payload):
        antenna = payload.index(struct.pack("!HH", 183, 24)) + 6
        bad = payload[antenna : antenna + 2] == b"\0\2"
        return message(30, message_id, status(301, "antenna 2 is off") if bad else status())

    async with reader(on_start=(report(tag()),), refuse={ADD: refuse_second}) as fake:
        found = await look_at(fake)
    assert [one.reads for one in found.antennas] == [1, None, 1, 1]
    (wrong,) = problems(found)
    assert wrong.startswith("antenna 2: the reader refuses to read with it (ADD_ROSPEC: ")
    assert "antenna 2 is off" in wrong


async def test_reader_that_tells_its_configuration_in_parts_only():
    """All at once is refused, each part is answered; and one that tells nothing is looked at all the same."""

    def parts_only(message_id, payload):
        part = {2: properties(1, connected=False), 9: b"", 11: tlv(226, b"\x80")}.get(payload[2])
        return message(12, message_id, status(101) if part is None else status() + part)

    async with reader(refuse={GET_CONFIG: parts_only}) as fake:
        found = await look_at(fake)
    assert (found.antennas[0].connected, found.antennas[1].connected, found.holds_reports) == (False, None, True)
    assert ENABLE_EVENTS in fake.types()
    refuse = {GET_CONFIG: refuse_with(12, 109), GET_ROSPECS: refuse_with(36, 109)}
    async with reader(refuse=refuse) as fake:
        dumb = await look_at(fake, listen_s=0)
    assert not dumb.tells_config
    assert any("does not tell its configuration" in line for line in notes(dumb))


@pytest.mark.parametrize("code", [1, 2])
async def test_reader_that_serves_another_client_is_said_to(code):
    """It answers; it is just not ours."""
    async with reader(greeting=attempt(code)) as fake:
        with pytest.raises(ReaderBusyError, match="another client holds this reader"):
            await look_at(fake)
        assert fake.types() == []


async def test_clock_that_began_in_2000_is_told_in_years():
    """A reader without a time server."""
    async with reader(greeting=attempt(utc_us=946_704_236_596_234)) as fake:
        found = await look_at(fake, listen_s=0)
    assert list(problems(found)) == ["its clock is 23.9 years behind this machine's: give it a time server (NTP)"]


async def test_uptime_in_place_of_a_clock_is_no_fault():
    """The agent times such reads itself."""
    greeting = message(EVENT, 0, tlv(246, tlv(129, struct.pack("!Q", 5_000_000)) + tlv(256, b"\0\0")))
    async with reader(greeting=greeting) as fake:
        found = await look_at(fake, listen_s=0)
    assert (found.clock_offset_us, found.uptime_us, list(problems(found))) == (None, 5_000_000, [])
    assert any("time since start in place of UTC" in line for line in notes(found))


async def test_region_and_powers_that_are_not_set_are_wrong():
    """A reader out of the box."""
    bare = capabilities().replace(struct.pack("!HH", 840, 1), bytes(4))
    async with reader(capabilities=bare) as fake:
        found = await look_at(fake, listen_s=0)
    assert list(problems(found)) == ["it names no region: set the country it stands in on the reader itself"]
    (powerless,) = problems(replace(found, powers_cdbm=()))
    assert powerless.startswith("it lists no transmit powers: is its region set?")


async def test_exceptions_of_the_reader_are_told_and_keepalives_acknowledged():
    """What comes by itself while we look."""
    text = b"PA too hot"
    hot = event(NOW_US, tlv(252, struct.pack("!H", len(text)) + text))
    async with reader(on_start=(hot, message(KEEPALIVE, 5), report(tag()))) as fake:
        found = await look_at(fake)
        assert KEEPALIVE_ACK in fake.types()
    assert list(problems(found)) == ["it reports an exception: PA too hot"]


async def test_unknown_reader_gets_the_generic_profile_and_a_note():
    """Nothing is wrong with it."""
    async with reader(capabilities=capabilities(vendor=4711)) as fake:
        found = await look_at(fake, listen_s=0)
    assert (found.vendor, found.profile) == ("vendor number 4711", "generic/llrp")
    assert any("no profile knows this reader" in line for line in notes(found))


@pytest.mark.shared
def test_recorded_answers_of_a_real_reader_are_understood(shared):
    """Capabilities and configuration that the EdgeX project recorded."""

    def recorded(kind, name):
        return decode_message(Frame(kind, 1, 1, (shared / "llrp" / "edgex" / f"{name}-000.bytes").read_bytes(), 0))

    answer = recorded(11, "GetReaderCapabilitiesResponse")
    found = reader_of("x", answer, answer.general_device_capabilities, tested_s=0)
    found = with_config(found, recorded(12, "GetReaderConfigResponse"))
    twin = json.loads((shared / "llrp" / "edgex" / "GetReaderCapabilitiesResponse-000.json").read_text())
    general = twin["GeneralDeviceCapabilities"]
    assert found.vendor_code == general["DeviceManufacturer"]
    assert found.model_code == general["Model"]
    assert found.firmware == general["FirmwareVersion"]
    assert len(found.antennas) == general["MaxSupportedAntennas"]
    band = twin["RegulatoryCapabilities"]["UHFBandCapabilities"]
    assert found.powers_cdbm == tuple(sorted(one["TransmitPowerValue"] for one in band["TransmitPowerLevels"]))
    settings = json.loads((shared / "llrp" / "edgex" / "GetReaderConfigResponse-000.json").read_text())
    assert [one.connected for one in found.antennas] == [
        one["AntennaConnected"] for one in settings["AntennaProperties"]
    ]


def test_clocks_and_channels_in_words():
    """As people say them."""
    assert clock_words(0) == "agrees with this machine's to 1 ms"
    assert clock_words(-90_000_000) == "90.0 seconds ahead of this machine's"
    assert clock_words(7_200_000_000) == "2.0 hours behind this machine's"
    assert frequency_words([865_700, 866_300, 865_700]) == "2 channels, 865.7 to 866.3 MHz"
    assert frequency_words([915_250]) == "915.25 MHz"
    assert frequency_words([]) == "no channel named"


def run_probe(fake, *words):
    """Run the command in a thread, beside the fake reader's loop."""
    return asyncio.to_thread(CliRunner().invoke, app, ["probe", f"127.0.0.1:{fake.port}", *words])


async def test_command_prints_tables_and_says_that_all_is_well():
    """Exit 0, in words that a facilities person understands."""
    async with reader(on_start=(report(tag()),), greeting=attempt(utc_us=time.time_ns() // 1000)) as fake:
        result = await run_probe(fake, "--listen-seconds", "0.05")
    assert result.exit_code == 0, result.output
    for words in ("Impinj", "United States, US FCC Part 15", "1 reads of 1 tags in 0.05 s", "10 to 30 dBm in 2 steps"):
        assert words in result.stdout
    assert "Nothing is wrong with it." in result.stdout


async def test_command_prints_json_and_exits_1_where_something_is_wrong():
    """For scripts."""
    greeting = attempt(utc_us=time.time_ns() // 1000)
    async with reader(config=(properties(1, connected=False),), greeting=greeting) as fake:
        result = await run_probe(fake, "--listen-seconds", "0", "--json", "--antennas", "1,2")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["problems"] == ["antenna 1: not connected: is its cable open or loose?"]
    assert [one["expected"] for one in found["antennas"]] == [True, True, False, False]
    async with reader(greeting=attempt(1)) as fake:
        busy = await run_probe(fake, "--json")
    assert busy.exit_code == 1
    assert "another client holds" in json.loads(busy.stdout)["problems"][0]


def test_command_tells_wrong_words_and_silent_addresses_apart():
    """Exit 2 for the user's own slips, 3 where nobody answers."""
    for words in (["127.0.0.1:x"], ["127.0.0.1", "--antennas", "1;2"], ["127.0.0.1", "--listen-seconds", "-1"]):
        assert CliRunner().invoke(app, ["probe", *words]).exit_code == 2
    result = CliRunner().invoke(app, ["probe", "127.0.0.1:1"])
    assert result.exit_code == 3
    assert "can't be reached" in result.stderr
