"""What the session asks of a reader."""

import dataclasses
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp import Frame, FrameBuffer, control
from edge.llrp.messages import decode_message, encode_message, enums
from edge.llrp.messages.commands import AddROSpec
from edge.profiles import profile_named
from edge.readers.configuration import Abilities, abilities, reader_config
from edge.readers.errors import ReaderRefusedError
from edge.readers.model import GpiSettings, ReaderSettings, SweepWish, TriggerSettings
from edge.readers.planner import Plan, Round
from edge.readers.rospec import (
    Radio,
    choose_power,
    choose_powers,
    portal_rospec,
    starts_itself,
    survey_rospec,
    sweep_rospec,
    sweep_session,
    timed_sweep_rospec,
    usable_antennas,
)
from tests.helpers import fake_reader as fake

SEEN = control.Capabilities(
    vendor=1,
    model=2,
    firmware="1",
    antennas=4,
    has_utc_clock=True,
    gpis=4,
    max_rospecs=1,
    holds_events=True,
    warns_of_buffer=True,
    hopping=True,
    hop_table_ids=(1,),
    power_levels=(),
)
GENERIC = profile_named("generic/llrp")
IMPINJ = profile_named("impinj/speedway")
READER = ReaderSettings(id="r1", host="h", antennas=(1, 2))


def levels(*pairs):
    return tuple(control.PowerLevel(*pair) for pair in pairs)


@given(st.permutations([(0, 1000), (1, 1010), (10, 1100), (200, 3000), (7, 2990)]))
def test_power_is_chosen_by_value_however_the_table_is_sorted(table):
    seen = dataclasses.replace(SEEN, power_levels=levels(*table))
    assert choose_power("r1", 29.95, seen, GENERIC).index == 7
    assert choose_power("r1", 99.0, seen, GENERIC).index == 200
    assert choose_power("r1", 10.0, seen, GENERIC).index == 0


def test_power_below_the_lowest_is_refused_with_what_there_is():
    with pytest.raises(ReaderRefusedError, match=r"tx_power_dbm = 9.5 can't be set, its lowest is 10.00 dBm"):
        choose_power("r1", 9.5, dataclasses.replace(SEEN, power_levels=levels((1, 1000))), GENERIC)
    with pytest.raises(ReaderRefusedError, match="lists no powers"):
        choose_power("r1", 9.5, SEEN, GENERIC)


def test_channel_and_hop_table_follow_region_and_profile():
    seen = dataclasses.replace(SEEN, power_levels=levels((1, 1000)))
    hopping = choose_power("r1", 10, seen, IMPINJ)
    assert (hopping.hop_table_id, hopping.channel_index) == (1, 0)
    fixed = choose_power("r1", 10, dataclasses.replace(seen, hopping=False, hop_table_ids=()), IMPINJ)
    assert (fixed.hop_table_id, fixed.channel_index) == (0, 1)


@pytest.mark.shared
@pytest.mark.parametrize("file", ["SpeedwayR-12-34-FF", "fx96004a4a4a", "fx96008c8c8c"])
def test_recorded_power_tables_give_the_asked_power(shared, file):
    told = json.loads((shared / "llrp" / "readers" / f"{file}.json").read_text())
    band = told["ReaderCapabilities"]["RegulatoryCapabilities"]["UHFBandCapabilities"]
    table = [(level["Index"], level["TransmitPowerValue"]) for level in band["TransmitPowerLevels"]]
    choice = choose_power("r1", 27.5, dataclasses.replace(SEEN, power_levels=levels(*table)), GENERIC)
    assert choice.cdbm == 2750
    assert (choice.index, 2750) in table


def test_ports_that_the_reader_lacks_are_left_out_and_told():
    wanted = dataclasses.replace(READER, antennas=(1, 7))
    assert usable_antennas("reader r1", wanted, SEEN) == (
        (1,),
        "reader r1 has antenna ports 1 to 4, the configuration wants 7: correct the portals",
    )
    with pytest.raises(ReaderRefusedError, match="wants 7, 9"):
        usable_antennas("reader r1", dataclasses.replace(READER, antennas=(7, 9)), SEEN)


def radio(**changes):
    return Radio(profile=GENERIC, antennas=(1, 2), powers={}, **changes)


def plan(*rounds):
    return Plan(rounds, full=True, words="")


OPEN = plan(Round(0, "dual"))


def on_wire(message):
    """Encode a message, which reads back as it was."""
    data = encode_message(message, 1, 1)
    frames = FrameBuffer()
    frames.feed(data)
    frame = frames.take().others[0]
    assert decode_message(frame) == message
    return data


def test_vendor_parameters_are_sent_only_with_extensions_on():
    for extensions in (False, True):
        spec = portal_rospec(dataclasses.replace(radio(extensions=extensions), profile=IMPINJ), OPEN)
        config = reader_config(READER, IMPINJ, SEEN, extensions=extensions)
        sent = on_wire(AddROSpec(rospec=spec)) + on_wire(config)
        assert (struct.pack("!I", 25882) in sent) is extensions


def test_rospec_asks_for_all_that_windows_read():
    spec = portal_rospec(radio(), OPEN)
    asked = spec.ro_report_spec.tag_report_content_selector
    names = ("antenna_id", "peak_rssi", "first_seen_timestamp", "last_seen_timestamp", "tag_seen_count")
    assert all(getattr(asked, f"enable_{name}") for name in names)
    assert spec.ro_report_spec.n == 1, "N = 0 would send nothing before the ROSpec's end"


def test_only_supported_and_wired_things_are_configured():
    bare = dataclasses.replace(SEEN, holds_events=False, warns_of_buffer=False)
    config = reader_config(READER, GENERIC, bare, extensions=False)
    assert config.events_and_reports is None
    assert config.gpi_port_current_states == ()
    on = {
        one.event_type
        for one in config.reader_event_notification_spec.event_notification_states
        if one.notification_state
    }
    assert on == {enums.NotificationEventType.READER_EXCEPTION_EVENT, enums.NotificationEventType.ANTENNA_EVENT}
    wired = dataclasses.replace(READER, gpis=(GpiSettings(port=2, kind="beam"),))
    config = reader_config(wired, GENERIC, bare, extensions=False)
    assert [(one.gpi_port_num, one.config) for one in config.gpi_port_current_states] == [(2, True)]


def test_the_readers_own_debounce_is_set_where_it_has_one():
    wired = dataclasses.replace(READER, gpis=(GpiSettings(port=2, kind="beam", debounce_ms=150),))
    own = struct.pack("!IIHI", 25882, 36, 2, 150)
    assert own in on_wire(reader_config(wired, IMPINJ, SEEN, extensions=True))
    assert own not in on_wire(reader_config(wired, IMPINJ, SEEN, extensions=False))


def test_select_keeps_tags_of_each_prefix_and_no_others():
    """The first Select unselects all others, each further one only adds: LLRP 1.0.1's unaware actions 0 and 1."""
    spec = portal_rospec(radio(), plan(Round(1, "dual", (b"\x30", b"\xe2\x80"))))
    data = on_wire(AddROSpec(rospec=spec))
    first = fake.tlv(331, b"\x40" + fake.tlv(332, b"\x40" + struct.pack("!HH", 32, 8) + b"\x30") + fake.tlv(334, b"\0"))
    second = fake.tlv(
        331, b"\x40" + fake.tlv(332, b"\x40" + struct.pack("!HH", 32, 16) + b"\xe2\x80") + fake.tlv(334, b"\1")
    )
    assert data.count(first + second) == 2, "for each of the two antennas"
    assert data.count(fake.tlv(336, b"\x40" + struct.pack("!HI", 32, 0))) == 2, "session 1"


def test_rounds_that_take_turns_begin_again_by_themselves():
    quiet = plan(Round(2, "single", (), 200), Round(0, "dual", (), 100))
    spec = portal_rospec(radio(), quiet)
    assert (
        spec.ro_boundary_spec.rospec_start_trigger.rospec_start_trigger_type == enums.ROSpecStartTriggerType.IMMEDIATE
    )
    assert [one.aispec_stop_trigger.duration_trigger for one in spec.specs] == [200, 100]
    assert starts_itself(quiet, None)
    assert not starts_itself(OPEN, None)


def test_target_is_told_in_the_vendors_words_where_it_has_some():
    one = dataclasses.replace(radio(extensions=True), profile=IMPINJ)
    data = on_wire(AddROSpec(rospec=portal_rospec(one, plan(Round(2, "single"), Round(0, "dual")))))
    modes = [struct.pack("!IIH", 25882, 23, mode) for mode in (1, 2)]
    assert [data.count(mode) for mode in modes] == [2, 2]
    assert data.index(modes[0]) < data.index(modes[1])


def test_an_input_starts_reading_for_a_while():
    spec = portal_rospec(radio(), OPEN, TriggerSettings(gpi=3, state=True, read_ms=7000))
    data = on_wire(AddROSpec(rospec=spec))
    assert fake.tlv(179, b"\3" + fake.tlv(181, struct.pack("!HBI", 3, 0x80, 0))) in data
    assert fake.tlv(182, struct.pack("!BI", 1, 7000)) in data


def test_a_sweep_ends_when_no_tag_is_new():
    spec = sweep_rospec(radio(), SweepWish(timeout_ms=20_000, silence_ms=1500), 2)
    data = on_wire(AddROSpec(rospec=spec))
    assert (
        fake.tlv(184, struct.pack("!BI", 3, 0) + fake.tlv(185, struct.pack("!BBHHHI", 1, 0, 0, 0, 1500, 20_000)))
        in data
    )
    timed = timed_sweep_rospec(radio(), SweepWish(timeout_ms=20_000, silence_ms=1500), 2)
    assert timed.specs[0].aispec_stop_trigger.duration_trigger == 20_000


def test_a_sweep_is_of_its_antennas_alone_and_asks_everybody_where_that_is_wanted():
    asked = SweepWish(timeout_ms=20_000, silence_ms=1500, ports=(2,))
    assert sweep_rospec(radio(), asked, 2).specs[0].antenna_ids == (2,)
    octane = Radio(profile=profile_named("impinj/speedway"), antennas=(1, 2), powers={}, extensions=True)
    both = [sweep_rospec(octane, dataclasses.replace(asked, target=one), 2) for one in ("single", "dual")]
    assert on_wire(AddROSpec(rospec=both[0])) != on_wire(AddROSpec(rospec=both[1]))


def test_a_sweep_is_never_in_the_session_in_which_residents_are_kept_quiet():
    assert [sweep_session(radio(), quieted) for quieted in (None, 1, 2, 3)] == [2, 2, 3, 2]


def test_a_survey_listens_without_asking_tags():
    spec = survey_rospec(2, from_khz=902_750, to_khz=927_250, duration_ms=5000)
    data = on_wire(AddROSpec(rospec=spec))
    assert (
        fake.tlv(187, struct.pack("!HII", 2, 902_750, 927_250) + fake.tlv(188, struct.pack("!BII", 1, 5000, 0))) in data
    )


def test_what_a_reader_can_is_taken_from_its_capabilities():
    frame = Frame(11, 1, 1, fake.status() + fake.capabilities(filters=2), 0)
    assert abilities(decode_message(frame)) == Abilities(filters=2, specs=32, surveys=False, outputs=4)
    assert abilities(decode_message(Frame(11, 1, 1, fake.status(), 0))) == Abilities()


TABLE = dataclasses.replace(SEEN, power_levels=levels(*((n, 1000 + 25 * n) for n in range(81))))


def test_no_antenna_gets_more_than_its_legal_cap():
    """The lower of what is asked and what is legal; without either the reader's own power is left."""
    capped = dataclasses.replace(READER, power_caps_cdbm=((1, 2710),))
    chosen = choose_powers("r1", capped, (1, 2), TABLE, GENERIC)
    assert {port: power.cdbm for port, power in chosen.items()} == {1: 2700}
    asked = dataclasses.replace(capped, tx_power_dbm=29.0)
    assert {port: power.cdbm for port, power in choose_powers("r1", asked, (1, 2), TABLE, GENERIC).items()} == {
        1: 2700,
        2: 2900,
    }
    less = dataclasses.replace(capped, tx_power_dbm=20.0)
    assert {power.cdbm for power in choose_powers("r1", less, (1, 2), TABLE, GENERIC).values()} == {2000}
    assert choose_powers("r1", READER, (1, 2), TABLE, GENERIC) == {}


def test_an_antenna_may_be_asked_for_less_than_its_reader():
    """What is asked at a port goes before the reader's own, and its legal cap before both."""
    asked = dataclasses.replace(READER, tx_power_dbm=29.0, port_powers_dbm=((2, 24.0),), power_caps_cdbm=((2, 2500),))
    powers = choose_powers("r1", asked, (1, 2), TABLE, GENERIC)
    assert {port: power.cdbm for port, power in powers.items()} == {1: 2900, 2: 2400}
    held = dataclasses.replace(asked, port_powers_dbm=((2, 27.0),))
    assert choose_powers("r1", held, (1, 2), TABLE, GENERIC)[2].cdbm == 2500
    with pytest.raises(ReaderRefusedError, match=r"tx_power_dbm = 3 can't be set"):
        choose_powers("r1", dataclasses.replace(asked, port_powers_dbm=((2, 3.0),)), (1, 2), TABLE, GENERIC)


def test_cap_below_the_lowest_power_is_refused_with_its_reason():
    """Transmitting too strongly is no fall-back."""
    capped = dataclasses.replace(READER, power_caps_cdbm=((2, 700),), tx_power_dbm=20.0)
    with pytest.raises(ReaderRefusedError, match=r"antenna port 2 may legally get 7 dBm, which this reader can't set"):
        choose_powers("r1", capped, (1, 2), TABLE, GENERIC)
    with pytest.raises(ReaderRefusedError, match=r"tx_power_dbm = 5 can't be set"):
        choose_powers("r1", dataclasses.replace(capped, tx_power_dbm=5.0), (1, 2), TABLE, GENERIC)


def test_power_and_mode_stand_at_each_antenna():
    powers = choose_powers("r1", dataclasses.replace(READER, power_caps_cdbm=((1, 2710),)), (1, 2), TABLE, GENERIC)
    spec = portal_rospec(dataclasses.replace(radio(mode_id=4), powers=powers), OPEN)
    first, second = spec.specs[0].inventory_parameter_specs[0].antenna_configurations
    assert first.rf_transmitter.transmit_power == powers[1].index
    assert second.rf_transmitter is None
    assert on_wire(AddROSpec(rospec=spec)).count(struct.pack("!HHHH", 335, 8, 4, 0)) == 2
