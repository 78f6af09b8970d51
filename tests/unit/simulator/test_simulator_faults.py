"""Faults of the simulated reader do what they say; sllurp's codec is the judge of the bytes."""

import struct

import pytest
from llrpkit.protocol import decode_message

from simulator.faults import Faults
from simulator.server import events
from simulator.server.device import AWAY_MESSAGES, ReaderDevice
from simulator.server.model import ReaderModel, zebra_fx9600
from simulator.server.now import Now
from simulator.server.profiles import model_of
from simulator.server.reports import Content, ReportEncoder, report_message
from simulator.server.wire import tlv
from tests.helpers.devices import (
    ALL,
    NOW,
    START,
    add,
    ask,
    by_sllurp,
    command,
    fresh,
    impinj,
    kinds,
    later,
    put,
    read,
    running,
    tags,
    wired,
)


def test_uptime_reaches_reports_and_events_and_utc_neither():
    faults = Faults(stamps="uptime", booted_us=NOW.utc_us - 42)
    encoded = ReportEncoder(faults).encode(read(), ALL, 1)
    (tag,) = tags([report_message(1, [encoded])])
    assert (tag["FirstSeenTimestampUptime"], tag["LastSeenTimestampUptime"]) == (42, 42)
    assert not any("UTC" in key for key in tag)
    _, fields = by_sllurp(events.buffer_overflow(NOW.by(faults)))
    data = fields["ReaderEventNotificationData"]
    assert "UTCTimestamp" not in data
    assert data["Uptime"]["Microseconds"] == 42


def test_a_reader_without_times_leaves_them_out():
    (tag,) = tags([report_message(1, [ReportEncoder(Faults(stamps="none")).encode(read(), ALL, 1)])])
    assert not any("Timestamp" in key for key in tag)


def test_a_clock_from_2000_shows_2000_in_reports_and_events():
    faults = Faults()
    faults.begin_at_2000(NOW.utc_us)
    (tag,) = tags([report_message(1, [ReportEncoder(faults).encode(read(at_us=NOW.utc_us + 7), ALL, 1)])])
    assert tag["LastSeenTimestampUTC"] == 946_684_800_000_007
    assert NOW.by(faults).utc_us == 946_684_800_000_000


def test_only_what_changed_is_sent_and_the_rospec_always():
    encoder = ReportEncoder(Faults(omit_unchanged=True))
    sent = [encoder.encode(one, ALL, 1) for one in (read(1), read(2), read(3, antenna=2))]
    first, second, third = tags([report_message(1, sent)])
    assert set(first) - set(second) == {
        "AntennaID", "PeakRSSI", "ChannelIndex", "FirstSeenTimestampUTC", "LastSeenTimestampUTC", "TagSeenCount",
    }  # fmt: skip
    assert "ROSpecID" in second
    assert set(third) - set(second) == {"AntennaID"}
    encoder.reset()
    assert set(tags([report_message(1, [encoder.encode(read(4), ALL, 1)])])[0]) == set(first)


def test_an_epc_of_96_bits_has_two_forms():
    forms = [ReportEncoder(Faults(long_epc_form=form)).encode(read(), ALL, 1) for form in (False, True)]
    assert [b"\x00\xf1\x00\x12\x00\x60" in form for form in forms] == [False, True]


@pytest.mark.parametrize(("status", "faults"), [(1, {"attempt_status": 1}), (None, {})])
def test_a_newcomer_is_turned_away_only_by_a_fault(status, faults):
    told = ReaderDevice(ReaderModel(), b"\x02" * 8, Faults(**faults)).turns_away(NOW)
    assert [struct.unpack(">H", data[-2:])[0] for data in told] == ([status] if status else [])


def test_a_dead_session_is_kept_only_where_the_client_said_no_goodbye():
    later = Now(NOW.utc_us, NOW.steady_us + 1_100_000)
    lost, left = running(dead_session_s=1.0), running(dead_session_s=1.0)
    ask(left, 14)
    for device in (lost, left):
        device.disconnect(NOW)
    assert struct.unpack(">H", lost.turns_away(NOW)[0][-2:]) == (2,)
    assert lost.turns_away(later) == left.turns_away(NOW) == []


def test_a_queueing_reader_gives_the_next_client_what_it_read_alone():
    device = running(queue_while_away=True)
    device.disconnect(NOW)
    assert put(device, [read(number) for number in range(5)]) == []
    sent = device.connect(NOW)
    assert kinds(sent)[0] == 63
    assert [int(tag["EPC-96"] if "EPC-96" in tag else tag["EPC"], 16) for tag in tags(sent)] == list(range(5))
    assert device.connect(NOW)[1:] == []


def test_a_model_that_queues_needs_no_fault_for_it():
    device = running(model=model_of("zebra/fx9600"))
    device.disconnect(NOW)
    device.tick(NOW)
    assert put(device, [read(number) for number in range(3)]) == []
    assert len(tags(device.connect(NOW))) == 3


def test_a_queue_ends_where_a_zebras_does():
    device = running(queue_while_away=True)
    device.disconnect(NOW)
    put(device, [read(1)] * (AWAY_MESSAGES + 3))
    assert len(device.connect(NOW)) == 1 + AWAY_MESSAGES


def test_a_queue_waits_while_events_and_reports_are_held():
    device = running(queue_while_away=True)
    device.disconnect(NOW)
    put(device, [read(1)])
    ask(device, 3, b"\0" + tlv(226, b"\x80"))
    assert len(device.connect(NOW)) == 1
    assert len(tags(ask(device, 64))) == 1


def test_a_small_buffer_warns_once_a_fill_and_then_overflows():
    device = running(n=0, model=ReaderModel(warns_of_buffer=True), buffer_reports=10, buffer_warning_percent=70)
    ask(device, 3, b"\0" + tlv(244, tlv(245, struct.pack(">HB", 3, 0x80))))
    sent = put(device, [read(number) for number in range(12)])
    (warning,) = sent
    assert by_sllurp(warning)[1]["ReaderEventNotificationData"]["ReportBufferLevelWarning"] == {
        "ReportBufferPercentageFull": 70
    }
    overflow, report = ask(device, 60)
    assert "ReportBufferOverflowErrorEvent" in by_sllurp(overflow)[1]["ReaderEventNotificationData"]
    assert len(tags([report])) == 10
    assert device.inventory.counters.overflowed_reads == 2


def test_an_antenna_goes_silent_with_an_event_or_without():
    device = running(silent_antennas=frozenset({2}))
    assert len(tags(put(device, [read(1, antenna=1), read(2, antenna=2)]))) == 1
    ask(device, 3, b"\0" + tlv(244, tlv(245, struct.pack(">HB", 8, 0x80))))
    (event,) = device.unplug(1, NOW)
    assert by_sllurp(event)[1]["ReaderEventNotificationData"]["AntennaEvent"] == {
        "EventType": "Disconnected", "AntennaID": 1,
    }  # fmt: skip
    assert put(device, [read(3)]) == []
    device.plug(1, NOW)
    assert len(tags(put(device, [read(4)]))) == 1


def test_an_input_is_told_where_both_switches_are_on():
    device = running()
    assert device.gpi(2, NOW, high=True) == []
    assert device.gpi(2, NOW, high=False) == []
    ask(device, 3, b"\0" + tlv(244, tlv(245, struct.pack(">HB", 1, 0x80))) + tlv(225, struct.pack(">HBB", 2, 0x80, 0)))
    assert device.gpi(3, NOW, high=True) == []
    (event,) = device.gpi(2, NOW, high=True)
    assert by_sllurp(event)[1]["ReaderEventNotificationData"]["GPIEvent"] == {"GPIPortNumber": 2, "GPIEvent": True}


def test_outputs_stay_as_they_were_when_a_client_dies():
    device = running()
    ask(device, 3, b"\0" + tlv(219, struct.pack(">HB", 1, 0x80)))
    device.disconnect(NOW)
    device.connect(NOW)
    assert device.config.gpo_high == {1}
    device.reboot(NOW.utc_us)
    assert device.config.gpo_high == frozenset()


@pytest.mark.parametrize(
    ("faults", "answer"),
    [
        ({"deaf": frozenset({START})}, []),
        ({"unknown": frozenset({START})}, [100]),
        ({"refused": {START: 401}}, [32]),
        ({"interleave": True}, [63, 62, 61, 32]),
    ],
)
def test_a_request_meets_the_fault_that_is_set(faults, answer):
    device = running()
    for name, value in faults.items():
        setattr(device.faults, name, value)
    answers = ask(device, START, struct.pack(">I", 1))
    assert kinds(answers) == answer
    if "refused" in faults:
        assert struct.unpack_from(">H", answers[0], 14) == (401,)


def test_late_reports_follow_a_stop():
    device = running(late_reports_after_stop=True)
    ask(device, 23, struct.pack(">I", 1))
    assert len(tags(put(device, [read()]))) == 1
    device.faults.late_reports_after_stop = False
    assert put(device, [read()]) == []


def test_n_is_ignored_until_somebody_asks():
    device = running(ignore_n=True, empty_reports=True)
    assert put(device, [read(), read(2)]) == []
    sent = ask(device, 60)
    assert kinds(sent) == [61, 61]
    assert [len(tags([data])) for data in sent] == [0, 2]


def test_a_reboot_forgets_rospecs_configuration_and_uptime():
    device = running()
    device.reboot(NOW.utc_us - 3_000_000)
    assert (device.inventory.rospecs, device.config.keepalive_ms, device.connected) == ({}, 0, False)
    assert NOW.by(device.faults).uptime_us == 3_000_000


def test_an_input_that_is_debounced_tells_only_what_lasts():
    device = wired(running(), impinj(36, "HI", 2, 100))
    for ms, high in ((0, True), (20, False), (40, True), (90, False), (95, True)):
        assert device.gpi(2, later(ms), high=high) == []
        assert kinds(device.tick(later(ms))) == []
    assert kinds(device.tick(later(190))) == []
    assert kinds(device.tick(later(196))) == [63]
    assert device.terminals.inputs == {2: True}


def test_an_input_without_debounce_tells_every_bounce():
    device = wired(running())
    assert [len(device.gpi(2, later(ms), high=ms % 2 == 0)) for ms in range(4)] == [1, 1, 1, 1]


def test_a_pulsed_output_falls_back_even_when_the_client_has_died():
    device = running()
    ask(device, 3, b"\0" + impinj(64, "HHI", 1, 1, 300))
    ask(device, 3, b"\0" + tlv(219, struct.pack(">HB", 1, 0x80)) + tlv(219, struct.pack(">HB", 2, 0x80)))
    assert device.config.gpo_high == {1, 2}
    device.disconnect(later(10))
    device.tick(later(299))
    assert device.config.gpo_high == {1, 2}
    device.tick(later(300))
    assert device.config.gpo_high == {2}, "the other one has no pulse mode: nobody is left to end it"


def triggered(start, stop):
    boundary = tlv(178, tlv(179, start) + tlv(182, stop))
    ai = tlv(183, struct.pack(">HH", 1, 0) + tlv(184, struct.pack(">BI", 0, 0)) + tlv(186, struct.pack(">HB", 1, 1)))
    return tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + ai)


@pytest.mark.parametrize("stop_by", ["input", "time"])
def test_an_input_starts_a_rospec_and_input_or_time_ends_it(stop_by):
    device = wired(fresh())
    start = b"\x03" + tlv(181, struct.pack(">HBI", 2, 0x80, 0))
    stop = struct.pack(">BI", 2, 0) + tlv(181, struct.pack(">HBI", 2, 0, 500))
    assert kinds(ask(device, 20, triggered(start, stop))) == [30]
    ask(device, 24, struct.pack(">I", 1))
    assert device.radio() is None
    device.gpi(2, later(10), high=True)
    assert device.radio() is not None
    if stop_by == "input":
        device.gpi(2, later(20), high=False)
    device.tick(later(511))
    assert device.radio() is None
    device.gpi(2, later(600), high=False)
    device.gpi(2, later(610), high=True)
    assert device.radio() is not None, "it is armed again"


def test_a_sweep_ends_when_no_tag_has_been_new_for_a_while():
    device = fresh()
    stop = struct.pack(">BI", 3, 0) + tlv(185, struct.pack(">BBHHHI", 1, 0, 0, 0, 100, 5000))
    ai = tlv(183, struct.pack(">HH", 1, 0) + tlv(184, stop) + tlv(186, struct.pack(">HB", 1, 1)))
    boundary = tlv(178, tlv(179, b"\0") + tlv(182, struct.pack(">BI", 0, 0)))
    ask(device, 20, tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + ai))
    for kind in (24, START):
        ask(device, kind, struct.pack(">I", 1))
    for ms, tag in ((0, 1), (80, 2), (150, 1), (170, 2)):
        device.tick(later(ms))
        put(device, [read(tag)], later(ms))
        assert device.radio() is not None
    device.tick(later(181))
    assert device.radio() is None


def test_a_survey_tells_each_channel_that_was_asked_and_ends():
    device = ReaderDevice(zebra_fx9600(), b"\x02" * 8)
    device.connect(NOW)
    ask(device, 3, b"\0" + tlv(244, tlv(245, struct.pack(">HB", 5, 0x80))))
    boundary = tlv(178, tlv(179, b"\0") + tlv(182, struct.pack(">BI", 0, 0)))
    survey = tlv(187, struct.pack(">HII", 1, 902_000, 904_000) + tlv(188, struct.pack(">BII", 1, 200, 0)))
    ask(device, 20, tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + survey))
    for kind in (24, START):
        ask(device, kind, struct.pack(">I", 1))
    assert device.radio().antennas == ()
    report, event = device.tick(later(201))
    (data,) = decode_message(report).rf_survey_report_datas  # sllurp doesn't know it, llrpkit does
    assert [entry.frequency for entry in data.frequency_rssi_level_entrys] == [902_750, 903_250, 903_750]
    assert "RFSurveyEvent" in by_sllurp(event)[1]["ReaderEventNotificationData"]
    assert device.radio() is None


def test_an_impinj_reader_tells_its_temperature_where_it_is_asked():
    device = running(temperature_c=-7)
    asked = struct.pack(">HBHH", 0, 1, 0, 0) + impinj(21, "I", 2004)
    assert struct.pack(">Ih", 37, -7) not in ask(device, 2, asked)[0]
    ask(device, 1023, struct.pack(">IBI", 25882, 21, 0))
    assert ask(device, 2, asked)[0].endswith(struct.pack(">Ih", 37, -7))


def test_a_skewed_clock_gains_and_keeps_what_it_has_gained():
    faults = Faults(booted_us=NOW.utc_us)
    faults.put("clock_skew_ppm", 200.0, NOW.utc_us)
    later_us = NOW.utc_us + 10_000_000
    assert faults.reader_utc_us(later_us) - later_us == 2000
    assert faults.uptime_us(later_us) == 10_002_000
    faults.put("clock_skew_ppm", 0.0, later_us)
    assert faults.reader_utc_us(later_us + 5) - later_us == 2005
    assert faults.uptime_us(later_us) == 10_002_000
    faults.begin_at_2000(later_us)
    assert faults.reader_utc_us(later_us) == 946_684_800_000_000


def test_a_reader_without_a_battery_clock_boots_into_2000():
    device = running(forgets_time=True)
    device.reboot(NOW.utc_us)
    assert NOW.by(device.faults).utc_us == 946_684_800_000_000


@pytest.mark.parametrize(
    ("omitted", "keys"),
    [
        ({"antenna"}, {"AntennaID"}),
        ({"peak_rssi", "seen_count"}, {"PeakRSSI", "TagSeenCount"}),
        ({"first_seen", "last_seen"}, {"FirstSeenTimestampUTC", "LastSeenTimestampUTC"}),
    ],
)
def test_parameters_that_are_left_out_are_those_and_no_others(omitted, keys):
    whole, part = running(), running(omit_parameters=frozenset(omitted))
    (tag,), (poorer,) = (tags(put(device, [read()])) for device in (whole, part))
    assert set(tag) - set(poorer) == keys
    assert {key: tag[key] for key in poorer} == poorer


def test_held_reports_come_late_and_all_at_once():
    device = running(burst_s=2.0, reports_a_message=3)
    device.tick(later(0))
    assert [put(device, [read(number)]) for number in range(4)] == [[]] * 4
    assert tags(ask(device, 60)) == []
    assert device.tick(later(1999)) == []
    burst = device.tick(later(2001))
    assert [len(tags([data])) for data in burst] == [3, 1]
    device.faults.burst_s = 0.0
    assert len(tags(put(device, [read(9)]))) == 1


def test_an_overflow_loses_what_waits_and_says_so():
    device = running(n=0)
    put(device, [read(number) for number in range(5)])
    (notice,) = device.act("overflow", {}, NOW)
    assert "ReportBufferOverflowErrorEvent" in by_sllurp(notice)[1]["ReaderEventNotificationData"]
    assert device.inventory.counters.overflowed_reads == 5
    assert tags(ask(device, 60)) == []


def test_actions_that_need_no_connection_do_as_they_say():
    device = running()
    assert device.act("exception", {"text": "fan"}, NOW) == [], "the client didn't ask for exceptions"
    ask(device, 3, b"\0" + tlv(244, tlv(245, struct.pack(">HB", 4, 0x80))))
    (told,) = device.act("exception", {"text": "fan"}, NOW)
    assert b"fan" in told
    device.act("step_clock", {"by_us": -7}, NOW)
    assert NOW.by(device.faults).utc_us == NOW.utc_us - 7
    device.act("clock_2000", {}, NOW)
    assert NOW.by(device.faults).utc_us == 946_684_800_000_000
    (close,) = device.act("close", {}, NOW)
    assert "ConnectionCloseEvent" in by_sllurp(close)[1]["ReaderEventNotificationData"]
    assert device.closing


def test_a_switch_for_cables_tells_as_a_cable_does():
    device = running()
    ask(device, 3, b"\0" + tlv(244, tlv(245, struct.pack(">HB", 8, 0x80))))
    for ports, told in ((frozenset({1, 3}), [(1, 0), (3, 0)]), (frozenset({3}), [(1, 1)])):
        device.faults.unplugged_antennas = ports
        assert [(event[-1], event[-3]) for event in device.tick(NOW)] == told
    assert device.tick(NOW) == []


def test_a_radio_knows_its_cables_and_its_noise_and_stays_the_same_until_they_change():
    device = running(detuned_db={2: 3.5}, silent_antennas=frozenset({3}), noise_db=4.0)
    radio = device.radio()
    assert (radio.extra_loss_db, radio.noise_db) == ({2: 3.5, 3: float("inf")}, 4.0)
    assert device.radio() is radio
    device.faults.put("detuned_db", {2: 6.0}, NOW.utc_us)
    assert device.radio().extra_loss_db[2] == 6.0
    device.faults.powered_off = True
    assert device.radio() is None


def test_a_radio_has_what_the_client_asked_of_the_air():
    device = fresh(ReaderModel(max_filters=1))
    mode = tlv(335, struct.pack(">HH", 2, 0))
    singulation = tlv(336, struct.pack(">BHI", 2 << 6, 40, 0))
    assert add(device, command(mode, singulation, impinj(23, "H", 1))) == 0
    for kind in (24, START):
        ask(device, kind, struct.pack(">I", 1))
    (asked,) = device.radio().commands.values()
    assert (asked.mode, asked.session, asked.population, asked.search_mode) == (2, 2, 40, 1)
    assert (asked.timing.miller, asked.timing.link_hz, asked.timing.tari_us) == (4, 274_000, 20.0)


def test_a_contact_that_bounces_falls_back_and_comes_again():
    device = wired(running(gpi_bounces=2))
    told = device.gpi(2, later(0), high=True)
    for ms in range(1, 40):
        told += device.tick(later(ms))
    assert [event[-1] for event in told] == [0x80, 0, 0x80, 0, 0x80]
    assert device.terminals.inputs == {2: True}
    debounced = wired(running(gpi_bounces=2), impinj(36, "HI", 2, 30))
    told = debounced.gpi(2, later(0), high=True)
    for ms in range(1, 100):
        told += debounced.tick(later(ms))
    assert [event[-1] for event in told] == [0x80]


def test_doppler_comes_where_it_is_asked_for():
    content = Content(impinj_doppler=True)
    encoded = ReportEncoder(Faults()).encode(read(doppler=-321), content, 1)
    assert encoded.endswith(bytes.fromhex("03ff000e 0000651a 00000044 febf".replace(" ", "")))
    (tag,) = tags([report_message(1, [encoded])])
    assert tag["ImpinjRFDopplerFrequency"] == -321
