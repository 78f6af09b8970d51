"""The message codec: bytes to typed values and back, all of them, and every way in which bytes can be wrong."""

import re
import struct
import time
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame, FrameBuffer
from edge.llrp.messages import decode_message, encode_message
from edge.llrp.messages.answers import (
    ErrorMessage,
    GetReaderCapabilitiesResponse,
    GetSupportedVersionResponse,
    Keepalive,
    ROAccessReport,
)
from edge.llrp.messages.base import Custom, CustomMessage, UnknownMessage
from edge.llrp.messages.capabilities import RegulatoryCapabilities
from edge.llrp.messages.commands import (
    AddROSpec,
    DeleteROSpec,
    GetSupportedVersion,
    SetProtocolVersion,
    SetReaderConfig,
)
from edge.llrp.messages.common import LLRPStatus, ParameterError
from edge.llrp.messages.configuration import AntennaConfiguration, EventsAndReports, GPOWriteData
from edge.llrp.messages.decoder import _Walk
from edge.llrp.messages.element import Leftover
from edge.llrp.messages.encoder import _Writer
from edge.llrp.messages.enums import (
    AirProtocols,
    AISpecStopTriggerType,
    C1G2StateUnawareAction,
    C1G2TruncateAction,
    ROSpecStartTriggerType,
    ROSpecState,
    StatusCode,
)
from edge.llrp.messages.impinj import ImpinjAdvancedGPOConfiguration, ImpinjGPIDebounceConfiguration
from edge.llrp.messages.impinj_enums import ImpinjAdvancedGPOMode
from edge.llrp.messages.impinj_reports import ImpinjEnablePeakRSSI, ImpinjTagReportContentSelector
from edge.llrp.messages.inventory import (
    C1G2Filter,
    C1G2InventoryCommand,
    C1G2TagInventoryMask,
    C1G2TagInventoryStateUnawareFilterAction,
)
from edge.llrp.messages.plain import from_plain, slot_name, to_plain
from edge.llrp.messages.plan import plan_of
from edge.llrp.messages.registry import MESSAGES, PARAMETERS, VENDOR_MESSAGES
from edge.llrp.messages.reports import EPC96, EPCData, PeakRSSI, TagReportData
from edge.llrp.messages.rospec import (
    AISpec,
    AISpecStopTrigger,
    InventoryParameterSpec,
    ROBoundarySpec,
    ROSpec,
    ROSpecStartTrigger,
    ROSpecStopTrigger,
)
from edge.llrp.messages.wire_types import Bits
from tests.helpers import llrp_values
from tests.helpers.llrp_messages import tlv
from tests.helpers.llrp_twins import frames

EPC = b"\x8d" + bytes(range(12))
STATUS = tlv(287, b"\0\0\0\0")


@st.composite
def damaged(draw):
    """Draw a message's payload with some bytes changed, cut off, or said twice."""
    payload = bytearray(encode_message(draw(llrp_values.messages()), 1)[10:])
    for _ in range(draw(st.integers(1, 4)) if payload else 0):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    start, end = (draw(st.integers(0, len(payload))) for _ in range(2))
    return bytes(payload[:end] + payload[start:end])


SIREN = SetReaderConfig(
    reset_to_factory_default=False,
    gpo_write_data=(GPOWriteData(gpo_port_number=1, gpo_data=True),),
    events_and_reports=EventsAndReports(hold_events_and_reports_upon_reconnect=True),
    custom=(
        ImpinjAdvancedGPOConfiguration(
            gpo_port_num=1, gpo_mode=ImpinjAdvancedGPOMode.PULSED, gpo_pulse_duration_msec=3000
        ),
        ImpinjGPIDebounceConfiguration(gpi_port_num=2, gpi_debounce_timer_msec=50),
    ),
)
PORTAL = AddROSpec(
    rospec=ROSpec(
        rospec_id=1,
        priority=0,
        current_state=ROSpecState.DISABLED,
        ro_boundary_spec=ROBoundarySpec(
            rospec_start_trigger=ROSpecStartTrigger(rospec_start_trigger_type=ROSpecStartTriggerType.NULL),
            rospec_stop_trigger=ROSpecStopTrigger(rospec_stop_trigger_type=0, duration_trigger_value=0),
        ),
        specs=(
            AISpec(
                antenna_ids=(1, 2),
                aispec_stop_trigger=AISpecStopTrigger(
                    aispec_stop_trigger_type=AISpecStopTriggerType.NULL, duration_trigger=0
                ),
                inventory_parameter_specs=(
                    InventoryParameterSpec(
                        inventory_parameter_spec_id=1,
                        protocol_id=AirProtocols.EPCGLOBAL_CLASS1_GEN2,
                        antenna_configurations=(AntennaConfiguration(antenna_id=1),),
                    ),
                ),
            ),
        ),
    )
)


def frame_of(data):
    """Return the one frame in `data`."""
    (frame,) = frames(data)
    return frame


def frame(number, payload):
    """Return a frame of a type."""
    return Frame(number, 1, 1, payload, 0)


@pytest.mark.parametrize("message", [SIREN, PORTAL])
def test_a_message_comes_back_equal(message):
    assert decode_message(frame_of(encode_message(message, 7))) == message


def test_the_siren_is_written_as_the_standard_and_impinj_say():
    """By hand: GPO 1 on, held events, GPO 1 pulsed for 3 s, GPI 2 debounced by 50 ms."""
    assert encode_message(SIREN, 9)[10:] == b"".join(
        (
            b"\0",
            struct.pack("!HHHB", 219, 7, 1, 0x80),
            struct.pack("!HHB", 226, 5, 0x80),
            struct.pack("!HHIIHHI", 1023, 20, 25882, 64, 1, 1, 3000),
            struct.pack("!HHIIHI", 1023, 18, 25882, 36, 2, 50),
        )
    )


def test_a_select_on_an_epc_header_is_written_bit_by_bit():
    """MB 1, from bit 32 on, 8 bits 0x34; matching tags asserted, the others not."""
    chosen = C1G2Filter(
        t=C1G2TruncateAction.DO_NOT_TRUNCATE,
        c1g2_tag_inventory_mask=C1G2TagInventoryMask(mb=1, pointer=32, tag_mask=Bits.of(b"\x34")),
        c1g2_tag_inventory_state_unaware_filter_action=C1G2TagInventoryStateUnawareFilterAction(
            action=C1G2StateUnawareAction.SELECT_UNSELECT
        ),
    )
    command = C1G2InventoryCommand(tag_inventory_state_aware=False, c1g2_filters=(chosen,))
    config = SetReaderConfig(
        reset_to_factory_default=False,
        antenna_configurations=(AntennaConfiguration(antenna_id=3, inventory_commands=(command,)),),
    )
    mask = struct.pack("!HHBHHB", 332, 10, 0x40, 32, 8, 0x34)
    action = struct.pack("!HHB", 334, 5, 0)
    select = struct.pack("!HHB", 331, 5 + len(mask) + len(action), 0x40) + mask + action
    inner = struct.pack("!HHB", 330, 5 + len(select), 0) + select
    assert encode_message(config, 1)[11:] == struct.pack("!HHH", 222, 6 + len(inner), 3) + inner


def test_versions_are_negotiated_in_both_roles():
    """LLRP 1.1's own messages: asked in version 1, answered with the highest version, then set."""
    status = struct.pack("!HHHH", 287, 8, 0, 0)
    assert encode_message(GetSupportedVersion(), 1, 2) == struct.pack("!HII", 2 << 10 | 46, 10, 1)
    assert decode_message(frame(56, b"\1\2" + status)) == GetSupportedVersionResponse(
        current_version=1, supported_version=2, llrp_status=LLRPStatus(status_code=0, error_description="")
    )
    assert encode_message(SetProtocolVersion(protocol_version=2), 1, 2)[10:] == b"\2"
    assert decode_message(frame(57, status)).llrp_status.status_code is StatusCode.M_SUCCESS


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (DeleteROSpec(rospec_id=-1), "DELETE_ROSPEC can't be encoded: rospec_id is 0 to 4294967295, not -1"),
        (DeleteROSpec(rospec_id="1"), "not '1'"),
        (ErrorMessage(llrp_status=None), "llrp_status needs at least one LLRPStatus"),
        (AddROSpec(rospec=msgspec.structs.replace(PORTAL.rospec, specs=())), "specs needs at least one AISpec or"),
        (AddROSpec(rospec=PORTAL.rospec.specs[0]), "rospec takes ROSpec, not AISpec"),
        (SetReaderConfig(reset_to_factory_default=False, custom=[]), "custom takes VendorParameter, not"),
        (
            ErrorMessage(llrp_status=LLRPStatus(status_code=0, error_description="x" * 70_000)),
            "ERROR_MESSAGE > LLRPStatus can't be encoded: error_description has 70000 items",
        ),
        (
            ErrorMessage(llrp_status=LLRPStatus(status_code=0, error_description="x" * 65_530)),
            "it is 65538 bytes long, a parameter has at most 65535",
        ),
        (
            ROAccessReport(tag_report_data=(TagReportData(epc=EPC96(epc=b"short")),)),
            "RO_ACCESS_REPORT > TagReportData > EPC_96 can't be encoded: epc can't be b'short': it has 12 bytes",
        ),
        (
            ROAccessReport(tag_report_data=(TagReportData(epc=EPCData(epc=Bits(9, b"x"))),)),
            "9 bits are 2 bytes, not 1",
        ),
        (
            SetReaderConfig(
                reset_to_factory_default=False,
                custom=(ImpinjTagReportContentSelector(custom=(ImpinjEnablePeakRSSI(peak_rssi_mode=1),)),),
            ),
            "ImpinjEnablePeakRSSI belongs in impinj_enable_peak_rssi",
        ),
        (UnknownMessage(number=1024), "a message's type is 0 to 1023, not 1024"),
    ],
)
def test_what_cannot_be_encoded_is_refused_by_name(message, words):
    with pytest.raises(LlrpError, match=re.escape(words)):
        encode_message(message, 1)


@pytest.mark.parametrize(("message_id", "version"), [(-1, 1), (1 << 32, 1), (1, 0), (1, 3)])
def test_ids_and_versions_that_no_header_holds_are_refused(message_id, version):
    with pytest.raises(LlrpError, match=r"KEEPALIVE can't"):
        encode_message(Keepalive(), message_id, version)


@pytest.mark.parametrize(
    ("number", "payload", "words"),
    [
        (21, b"\0\0", "DELETE_ROSPEC, payload byte 0: from rospec_id on 4 bytes are wanted, 2 are there"),
        (30, b"", "ADD_ROSPEC_RESPONSE, payload byte 0: there is no LLRPStatus in it"),
        (30, tlv(287, b"\0\0\0\x05ab"), "ADD_ROSPEC_RESPONSE > LLRPStatus, payload byte 8: error_description wants 5"),
        (61, b"\0\xf0\0", "3 bytes are left, a parameter's header has 4"),
        (61, tlv(240, b"", length=3), "a parameter of type 240 says that it is 3 bytes long, its header has 4"),
        (61, tlv(240, b"", length=9), "TagReportData is cut off: it wants 9 bytes, 4 are there"),
        (61, b"\x7c" + tlv(240)[1:], "the reserved bits of a parameter's header are not zero"),
        (61, tlv(240, b"\xd0\0"), "a TV parameter of unknown type 80 has no length: what follows can't be read"),
        (61, tlv(240, b"\x8d\0"), "EPC_96 is cut off: it wants 13 bytes, 2 are there"),
        (61, tlv(240), "RO_ACCESS_REPORT > TagReportData, payload byte 4: there is no EPCData or EPC_96 in it"),
        (61, tlv(1023, b"\0\0\0"), "a Custom parameter of 7 bytes names no vendor and subtype"),
        (1023, b"\0\0\0\1", "CUSTOM_MESSAGE, payload byte 0: from vendor_identifier on 5 bytes are wanted, 4"),
    ],
)
def test_malformed_bytes_are_refused_with_message_parameter_and_place(number, payload, words):
    with pytest.raises(LlrpError, match=re.escape(words)):
        decode_message(frame(number, payload))


def unchanged(number, payload):
    """Decode, encode, and return the message if its payload is the same again."""
    message = decode_message(frame(number, payload))
    assert encode_message(message, 1)[10:] == payload
    assert from_plain(type(message), to_plain(message)) == message
    return message


def test_a_message_of_unknown_type_is_kept_whole():
    message = decode_message(frame(77, b"what"))
    assert message == UnknownMessage(number=77, data=b"what")
    assert encode_message(message, 5) == struct.pack("!HII", 1 << 10 | 77, 14, 5) + b"what"


def test_an_unknown_vendor_is_kept_as_bytes():
    custom = unchanged(3, b"\0" + tlv(1023, struct.pack("!II", 4711, 8) + b"abc")).custom
    assert custom == (Custom(vendor_identifier=4711, parameter_subtype=8, data=b"abc"),)
    assert unchanged(1023, struct.pack("!IB", 4711, 8) + b"x").data == b"x"


@pytest.mark.parametrize("body", [b"\0\1", b""])
def test_a_known_vendor_with_a_layout_that_we_do_not_know_is_kept_as_bytes(body):
    """A firmware may change its own parameters: that costs the parameter, not the message."""
    (custom,) = unchanged(3, b"\0" + tlv(1023, struct.pack("!II", 25882, 64) + body)).custom
    assert custom == Custom(vendor_identifier=25882, parameter_subtype=64, data=body)
    handshake = unchanged(1023, struct.pack("!IB", 25882, 21))
    assert handshake == CustomMessage(vendor_identifier=25882, message_subtype=21)


def test_what_a_newer_firmware_adds_behind_known_fields_is_kept():
    wider = unchanged(61, tlv(240, EPC + tlv(1023, struct.pack("!IIH", 161, 709, 5) + b"\0\0")))
    (phase,) = wider.tag_report_data[0].custom
    assert (phase.phase, phase.leftover) == (5, Leftover(tail=b"\0\0"))


@pytest.mark.parametrize(
    ("payload", "order", "unknown"),
    [
        (tlv(300, b"x") + STATUS, (-1, 0), 1),
        (STATUS + tlv(300) + tlv(240), (0, -1, -1), 2),
        (STATUS + STATUS, (0, -1), 1),
        (STATUS + b"\x81\0\1", (0, -1), 1),
    ],
    ids=["unknown type", "known but misplaced", "one too many", "TV"],
)
def test_parameters_that_do_not_belong_are_kept_in_their_place(payload, order, unknown):
    left = unchanged(30, payload).leftover
    assert (left.order, len(left.unknown)) == (order, unknown)


def test_parameters_in_another_order_keep_it():
    message = unchanged(61, tlv(240, b"\x81\0\2" + b"\x86\xd0" + EPC))
    assert message.tag_report_data[0].antenna_id.antenna_id == 2
    assert message.tag_report_data[0].leftover.order == (4, 5, 0)


def test_an_empty_table_is_read_and_marked():
    """A reader without power levels is one to talk to; who writes such a table himself is told."""
    band = tlv(144, tlv(146, b"\0") + tlv(328))
    message = unchanged(11, STATUS + tlv(143, b"\0\0\0\0" + band))
    read = message.regulatory_capabilities.uhf_band_capabilities
    assert (read.transmit_power_level_table_entries, read.leftover.short) == ((), True)
    with pytest.raises(LlrpError, match="transmit_power_level_table_entries needs at least one"):
        encode_message(
            GetReaderCapabilitiesResponse(
                llrp_status=message.llrp_status,
                regulatory_capabilities=RegulatoryCapabilities(
                    country_code=0,
                    communications_standard=0,
                    uhf_band_capabilities=msgspec.structs.replace(read, leftover=None),
                ),
            ),
            1,
        )


def test_a_kept_order_gives_way_where_it_no_longer_fits():
    """Who changes a decoded message gets the standard's order, with nothing lost."""
    message = decode_message(frame(61, tlv(240, b"\x81\0\2" + EPC)))
    report = msgspec.structs.replace(message.tag_report_data[0], peak_rssi=PeakRSSI(peak_rssi=-50))
    data = encode_message(msgspec.structs.replace(message, tag_report_data=(report,)), 1)
    assert data[10:] == tlv(240, EPC + b"\x81\0\2" + b"\x86\xce")


def test_reserved_bits_and_values_without_names_are_kept():
    message = unchanged(3, b"\x85")
    assert (message.reset_to_factory_default, message.leftover.reserved) == (True, 5)
    event = unchanged(63, tlv(246, tlv(128, bytes(8)) + tlv(256, b"\0\x11")))
    assert event.reader_event_notification_data.connection_attempt_event.status == 17


def test_text_that_is_no_utf8_comes_back():
    message = unchanged_bytes(100, tlv(287, b"\0\0\0\3a\xffb"))
    assert to_plain(message)["LLRPStatus"]["ErrorDescription"] == "a\\xffb"


def unchanged_bytes(number, payload):
    """The same as `unchanged` for what JSON can't hold."""
    message = decode_message(frame(number, payload))
    assert encode_message(message, 1)[10:] == payload
    return message


def test_nesting_is_bounded_both_ways():
    body = b""
    for _ in range(1000):
        body = tlv(289, b"\0\0\0\0" + body)
    with pytest.raises(LlrpError, match="nested more than 24 deep"):
        decode_message(frame(100, tlv(287, b"\0\0\0\0" + body)))
    error = None
    for _ in range(1000):
        error = ParameterError(parameter_type=1, error_code=0, parameter_error=error)
    status = LLRPStatus(status_code=0, error_description="", parameter_error=error)
    with pytest.raises(LlrpError, match="nested more than 24 deep"):
        encode_message(ErrorMessage(llrp_status=status), 1)


@pytest.mark.wall_clock
def test_time_grows_with_the_size_and_not_faster():
    """Tiny parameters, unknown ones and vendors' within vendors': four times the bytes, hardly more than four times."""
    for part in (tlv(300), tlv(240, EPC), tlv(1023, struct.pack("!II", 25882, 40) + tlv(1023, bytes(8)) * 50)):
        few, many = (best_of_three(part * count) for count in (200, 800))
        assert many < 10 * few + 0.01


def best_of_three(payload):
    """Return the least processor time to decode a report."""
    times = []
    for _ in range(3):
        begin = time.process_time()
        decode_message(frame(61, payload))
        times.append(time.process_time() - begin)
    return min(times)


@given(llrp_values.messages(), st.integers(0, 0xFFFFFFFF), st.sampled_from([1, 2]))
def test_any_message_comes_back_equal_from_wire_and_json(message, message_id, version):
    data = encode_message(message, message_id, version)
    came = frame_of(data)
    assert (came.message_id, came.version) == (message_id, version)
    assert decode_message(came) == message
    assert from_plain(type(message), msgspec.json.decode(msgspec.json.encode(to_plain(message)))) == message


@pytest.mark.parametrize("cls", list(PARAMETERS.values()), ids=lambda cls: cls.STANDARD_NAME)
def test_every_declared_parameter_comes_back_equal(cls):
    """Each alone, whatever messages may hold it."""
    for seed in range(20):
        value = llrp_values.value(Random(seed), cls, depth=2)
        body = bytearray()
        _Writer(body, cls.STANDARD_NAME).element(value)
        assert _Walk(bytes(body), cls).element(cls, 0, len(body)) == value


@given(st.sampled_from([*MESSAGES, 77]), st.binary(max_size=60) | damaged())
def test_any_bytes_are_a_message_that_gives_them_back_or_an_llrp_error(number, payload):
    try:
        message = decode_message(frame(number, payload))
    except LlrpError:
        return
    assert encode_message(message, 1)[10:] == payload


@given(st.lists(llrp_values.messages(), min_size=1, max_size=3), st.data())
def test_chunking_never_matters(messages, data):
    """Whole, byte by byte and cut at random, the same frames reach the codec."""
    whole = b"".join(encode_message(message, index) for index, message in enumerate(messages) if not_a_report(message))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    for ends in ([len(whole)], list(range(1, len(whole) + 1)), [*cuts, len(whole)]):
        buffer, seen, start = FrameBuffer(), [], 0
        for end in ends:
            buffer.feed(whole[start:end])
            seen += [decode_message(one) for one in buffer.take().others]
            start = end
        assert seen == [message for message in messages if not_a_report(message)]


def not_a_report(message):
    """Say whether a chunk hands a message over as a frame; reports go to their own decoder."""
    return not isinstance(message, ROAccessReport)


def test_names_are_the_standards_own_and_differ():
    """No two fields or sub-parameters of one class share a name in JSON."""
    for cls in [*MESSAGES.values(), *PARAMETERS.values(), *VENDOR_MESSAGES.values()]:
        plan = plan_of(cls)
        names = list(plan.names.values())
        for slot in plan.slots:
            names += [slot_name(slot)] if slot.repeated else [kind.STANDARD_NAME for kind in slot.types]
        assert len(names) == len(set(names)), cls


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({}, "DELETE_ROSPEC has no ROSpecID"),
        ({"ROSpecID": 1, "ROSpecId": 2}, "DELETE_ROSPEC has no field ROSpecId; the nearest is ROSpecID"),
        ([], "DELETE_ROSPEC must hold named fields, not list"),
    ],
)
def test_wrong_names_are_told_with_the_right_ones(plain, words):
    with pytest.raises(LlrpError, match=re.escape(words)):
        from_plain(DeleteROSpec, plain)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ROSpec": None}, "ADD_ROSPEC.ROSpec must hold named fields, not NoneType"),
        (
            {"ROSpec": {"CurrentState": "Dissabled"}},
            "its values are DISABLED, INACTIVE, ACTIVE; the nearest is DISABLED",
        ),
        ({"ROSpec": {"Specs": {}}}, "ADD_ROSPEC.ROSpec.Specs must be a list of parameters"),
        ({"ROSpec": {"Specs": [{}]}}, "each item of ADD_ROSPEC.ROSpec.Specs must be an object with one name"),
        ({"ROSpec": {"Specs": [{"AISpek": {}}]}}, "there is no parameter AISpek; the nearest is AISpec"),
        ({"ROSpec": {"_leftover": {}}}, "_leftover can't be {}"),
    ],
)
def test_wrong_values_are_told_with_their_place(change, words):
    plain = to_plain(PORTAL)
    plain["ROSpec"] = change["ROSpec"] and plain["ROSpec"] | change["ROSpec"]
    with pytest.raises(LlrpError, match=re.escape(words)):
        from_plain(AddROSpec, plain)
