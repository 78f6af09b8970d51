"""Control-plane messages by name: nothing is left out without a word, and answers come as the session wants them."""

import json
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp import Frame, FrameBuffer, LlrpError, control
from tests.helpers import fake_reader as fake


def frame(data):
    """Return the one frame in `data`."""
    buffer = FrameBuffer()
    buffer.feed(data)
    (only,) = buffer.take().others
    return only


def test_request_without_payload_is_a_bare_header():
    assert control.encode("CLOSE_CONNECTION", message_id=7) == struct.pack("!HII", 1 << 10 | 14, 10, 7)
    assert control.encode("GET_REPORT", message_id=8) == struct.pack("!HII", 1 << 10 | 60, 10, 8)


def test_impinj_handshake_names_vendor_and_subtype():
    assert control.encode("IMPINJ_ENABLE_EXTENSIONS", message_id=1)[10:] == struct.pack("!IBI", 25882, 21, 0)


def test_requests_by_name_are_what_the_classes_encode():
    """The names of sllurp and its shorter forms are understood; parameters go out in the standard's order."""
    fields = {
        "ImpinjLinkMonitorConfiguration": {"LinkMonitorMode": 1, "LinkDownThreshold": 2},
        "EventsAndReports": {"HoldEventsAndReportsUponReconnect": True},
        "KeepaliveSpec": {"KeepaliveTriggerType": 1, "TimeInterval": 1000},
        "GPOWriteData": [{"GPOPortNumber": 2, "GPOData": True}],
        "ReaderEventNotificationSpec": {"EventNotificationState": {"GPIEvent": True}},
    }
    payload = control.encode("SET_READER_CONFIG", fields, message_id=1)[10:]
    assert payload == (
        b"\x00"
        + struct.pack("!HHHHHB", 244, 11, 245, 7, 1, 0x80)
        + struct.pack("!HHBI", 220, 9, 1, 1000)
        + struct.pack("!HHHB", 219, 7, 2, 0x80)
        + struct.pack("!HHB", 226, 5, 0x80)
        + struct.pack("!HHIIHH", 1023, 16, 25882, 38, 1, 2)
    )


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("SET_READER_CONFIG", {"GPOWriteData": {"GPOPortNumber": 1, "GPOData": True}}, "must be a list"),
        ("SET_READER_CONFIG", {"KeepaliveSpek": {}}, "nearest is KeepaliveSpec"),
        ("SET_READER_CONFIG", {"KeepaliveSpec": [{}]}, "must be one parameter"),
        ("SET_READER_CONFIG", {"KeepaliveSpec": 5}, "must hold named fields"),
        (
            "SET_READER_CONFIG",
            {"ReaderEventNotificationSpec": {"EventNotificationState": {"GPIEvnt": True}}},
            "GPIEvent",
        ),
        ("ADD_ROSPEC", {"ROSpec": {"AISpec": {}}}, "must be a list"),
        ("DELETE_ROSPEC", {}, "has no ROSpecID"),
        ("DELETE_ROSPEC", {"ROSpecID": -1}, "can't be encoded"),
        ("DELETE_ROSPEK", {}, "nearest is DELETE_ROSPEC"),
        ("KEEPALIVE", {"Custom": 1}, "has no field Custom"),
    ],
)
def test_what_would_be_left_out_or_cannot_be_encoded_is_refused(name, fields, words):
    with pytest.raises(LlrpError, match=words):
        control.encode(name, fields, message_id=1)


def test_status_is_told_in_words_with_what_the_reader_says():
    refused = fake.message(30, 5, fake.status(205, "one ROSpec is all I take"))
    status = control.decode_status(frame(refused))
    assert (status.code, status.ok) == (205, False)
    assert str(status) == (
        'too many parameters inside a parameter (LLRP status 205; the reader says "one ROSpec is all I take")'
    )


def test_unknown_status_code_is_still_a_status():
    """Newer readers know more of them."""
    assert "does not know (LLRP status 999)" in str(control.decode_status(frame(fake.message(30, 5, fake.status(999)))))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x01\x1f\x00\x08\x00\x00",
        b"\x01\x1f\x00\x06\x00\x00",
        struct.pack("!HHHH", 287, 8, 0, 9),
        b"\xff",
        struct.pack("!HH", 287, 3),
    ],
)
def test_response_without_whole_status_is_refused(payload):
    with pytest.raises(LlrpError):
        control.decode_status(Frame(30, 1, 1, payload, 0))


def test_events_come_out_typed():
    parameters = (
        fake.tlv(248, struct.pack("!HB", 2, 0x80)),
        fake.tlv(255, struct.pack("!BH", 0, 3)),
        fake.tlv(250, b"\x5a"),
        fake.tlv(251, b""),
        fake.tlv(252, struct.pack("!H", 5) + b"ouch\0"),
    )
    event = control.decode_event(frame(fake.event(123, *parameters)))
    assert event == control.ReaderEvent(
        utc_us=123, gpi=(2, True), antenna=(3, False), buffer_percent=90, overflow=True, exception="ouch"
    )


@pytest.mark.parametrize("code", range(5))
def test_connection_attempt_keeps_its_code(code):
    assert control.decode_event(frame(fake.attempt(code))).connection_attempt == code


def test_unknown_connection_attempt_code_is_an_llrp_error():
    with pytest.raises(LlrpError, match="ConnectionAttemptEvent holds a value that LLRP does not know"):
        control.decode_event(frame(fake.attempt(17)))


def test_message_of_another_type_is_refused_by_name():
    with pytest.raises(LlrpError, match="expected READER_EVENT_NOTIFICATION, got KEEPALIVE"):
        control.decode_event(frame(fake.message(fake.KEEPALIVE)))


def test_capabilities_come_out_typed():
    seen = control.decode_capabilities(frame(fake.message(11, 1, fake.status() + fake.capabilities())))
    assert (seen.vendor, seen.model, seen.firmware, seen.antennas) == (25882, 2001002, "5.14.0.240", 4)
    assert seen.power_levels == (control.PowerLevel(1, 1000), control.PowerLevel(2, 3000))
    assert (seen.hopping, seen.hop_table_ids, seen.holds_events, seen.warns_of_buffer) == (True, (1,), True, True)


def test_capabilities_that_name_no_device_are_refused():
    with pytest.raises(LlrpError, match="GeneralDeviceCapabilities"):
        control.decode_capabilities(frame(fake.message(11, 1, fake.status())))


def test_control_message_beyond_the_cap_is_refused():
    with pytest.raises(LlrpError, match="at most"):
        control.decode_event(Frame(63, 1, 1, bytes(control.MAX_CONTROL_BYTES + 1), 0))


def test_custom_messages_are_named_by_vendor_and_subtype():
    assert control.message_name(Frame(1023, 1, 1, struct.pack("!IB", 5, 6), 0)) == "custom message 5/6"
    assert control.message_name(Frame(77, 1, 1, b"", 0)) == "type 77"
    with pytest.raises(LlrpError, match="names no vendor"):
        control.message_name(Frame(1023, 1, 1, b"\0\0", 0))


WHOLE = [
    fake.message(11, 1, fake.status() + fake.capabilities()),
    fake.event(5, fake.tlv(248, b"\0\1\x80"), fake.tlv(252, b"\0\2ab"), fake.tlv(255, b"\1\0\1")),
    fake.message(30, 1, fake.status(100, "no")),
]


@given(st.sampled_from(WHOLE), st.data())
def test_any_bytes_give_a_value_or_llrp_error(whole, data):
    """Mutated and cut payloads never raise anything else, whichever decoder meets them."""
    payload = bytearray(whole[10:])
    for _ in range(data.draw(st.integers(0, 6))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(payload[: data.draw(st.integers(0, len(payload)))])
    for kind, decode in ((11, control.decode_capabilities), (63, control.decode_event), (30, control.decode_status)):
        with suppress(LlrpError):
            decode(Frame(kind, 1, 1, cut, 0))


def test_deeply_nested_parameters_are_an_llrp_error():
    """A nest that exhausts the interpreter's stack is bad input like any other."""
    body = b""
    for _ in range(3000):
        body = fake.tlv(246, body)
    with pytest.raises(LlrpError):
        control.decode_event(Frame(63, 1, 1, body, 0))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["GetReaderCapabilitiesResponse-000"])
def test_recorded_capabilities_equal_their_meaning(shared, name):
    """A Speedway's own bytes and what another project read in them."""
    folder = shared / "llrp" / "edgex"
    told = json.loads((folder / f"{name}.json").read_text())
    seen = control.decode_capabilities(Frame(11, 1, 1, (folder / f"{name}.bytes").read_bytes(), 0))
    general, band = told["GeneralDeviceCapabilities"], told["RegulatoryCapabilities"]["UHFBandCapabilities"]
    assert (seen.vendor, seen.model) == (general["DeviceManufacturer"], general["Model"])
    assert (seen.firmware, seen.antennas) == (general["FirmwareVersion"], general["MaxSupportedAntennas"])
    assert seen.gpis == general["GPIOCapabilities"]["NumGPIs"]
    assert seen.max_rospecs == told["LLRPCapabilities"]["MaxROSpecs"]
    levels = [(level["Index"], level["TransmitPowerValue"]) for level in band["TransmitPowerLevels"]]
    assert [(level.index, level.cdbm) for level in seen.power_levels] == levels
    assert list(seen.hop_table_ids) == [t["HopTableID"] for t in band["FrequencyInformation"]["FrequencyHopTables"]]


@pytest.mark.shared
def test_recorded_event_and_status_equal_their_meaning(shared):
    folder = shared / "llrp" / "edgex"
    event = control.decode_event(Frame(63, 1, 1, (folder / "ReaderEventNotification-000.bytes").read_bytes(), 0))
    told = json.loads((folder / "ReaderEventNotification-000.json").read_text())["ReaderEventNotificationData"]
    assert event == control.ReaderEvent(utc_us=told["UTCTimestamp"], connection_closed=True)
    closed = Frame(4, 1, 1, (folder / "CloseConnectionResponse-000.bytes").read_bytes(), 0)
    assert control.decode_status(closed).code == 0


@pytest.mark.shared
@pytest.mark.parametrize("name", ["java_READER_EVENT_NOTIFICATION", "java_READER_EVENT_NOTIFICATION2"])
def test_toolkit_events_are_read(shared, name):
    """The LLRP Toolkit's own encoding: UTC and a successful connection attempt."""
    event = control.decode_event(frame((shared / "llrp" / "ltk" / f"{name}.bin").read_bytes()))
    assert event.connection_attempt == control.CONNECTED
    assert event.utc_us // 1_000_000 == 1004088772
