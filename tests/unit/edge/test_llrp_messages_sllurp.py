"""sllurp 3.0.5 as oracle for what it gets right, and a named list of what it gets wrong or loses, each shown.

A newer sllurp that fails one of the second kind has learnt something: strike it from docs/adr/0006.
"""

import logging
import struct
from collections import Counter

import pytest
from sllurp import llrp_proto as theirs

from edge.llrp.framing import Frame
from edge.llrp.messages import decode_message, encode_message
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse
from edge.llrp.messages.plain import to_plain
from edge.llrp.messages.registry import MESSAGES, PARAMETERS
from tests.helpers.llrp_messages import tlv
from tests.helpers.llrp_twins import elements, fields, frames

DERIVED = {"NumHops", "NumProtocols", "FirmwareVersionByteCount"}
"""Counts that sllurp gives beside the arrays that they count."""
ANTENNA = {
    "AntennaID": 1,
    "RFReceiver": {"ReceiverSensitivity": 2},
    "RFTransmitter": {"HopTableId": 1, "ChannelIndex": 3, "TransmitPower": 81},
    "C1G2InventoryCommand": [
        {
            "TagInventoryStateAware": False,
            "C1G2Filter": [{"T": 1, "C1G2TagInventoryMask": {"MB": 1, "Pointer": 32, "TagMask": "3034"}}],
            "C1G2RFControl": {"ModeIndex": 1000, "Tari": 0},
            "C1G2SingulationControl": {"Session": 2, "TagPopulation": 32, "TagTransitTime": 10},
            "ImpinjInventorySearchMode": {"InventorySearchMode": 2},
        }
    ],
}
STOP = {
    "AISpecStopTriggerType": "Tag observation",
    "DurationTriggerValue": 9,
    "TagObservationTrigger": {
        "TriggerType": "UponNTags", "NumberOfTags": 3, "NumberOfAttempts": 4, "T": 5, "Timeout": 6,
    },
}  # fmt: skip
REPORT = {
    "ROReportTrigger": "Upon_N_Tags_Or_End_Of_AISpec",
    "N": 1,
    "TagReportContentSelector": {
        "EnableAntennaID": True,
        "EnableLastSeenTimestamp": True,
        "C1G2EPCMemorySelector": {"EnableCRC": True, "EnablePCBits": False},
    },
    "ImpinjTagReportContentSelector": {
        "ImpinjEnableRFPhaseAngle": {"RFPhaseAngleMode": 1},
        "ImpinjEnablePeakRSSI": {"PeakRSSIMode": 1},
        "ImpinjEnableRFDopplerFrequency": {"RFDopplerFrequencyMode": 0},
    },
}
INVENTORY = {"InventoryParameterSpecID": 1, "ProtocolID": 1, "AntennaConfiguration": [ANTENNA]}
ROSPEC = {
    "ROSpecID": 7,
    "Priority": 1,
    "CurrentState": "Disabled",
    "ROBoundarySpec": {
        "ROSpecStartTrigger": {"ROSpecStartTriggerType": "Immediate"},
        "ROSpecStopTrigger": {"ROSpecStopTriggerType": "Duration", "DurationTriggerValue": 500},
    },
    "AISpec": [{"AntennaID": [1, 2], "AISpecStopTrigger": STOP, "InventoryParameterSpec": [INVENTORY]}],
    "ROReportSpec": REPORT,
}
ACCESS = {
    "AccessSpecID": 3,
    "AntennaID": 0,
    "ProtocolID": 1,
    "CurrentState": False,
    "ROSpecID": 7,
    "AccessSpecStopTrigger": {"AccessSpecStopTriggerType": 1, "OperationCountValue": 5},
    "AccessCommand": {
        "TagSpecParameter": {
            "C1G2TagSpec": {"C1G2TargetTag": [{"MB": 1, "M": True, "Pointer": 32, "TagMask": "ff", "TagData": "34"}]}
        },
        "OpSpecParameter": [
            {"C1G2Read": {"OpSpecID": 1, "AccessPassword": 0, "MB": 2, "WordPtr": 0, "WordCount": 6}},
        ],
    },
    "AccessReportSpec": {"AccessReportTrigger": 0},
}


@pytest.fixture(autouse=True)
def _quiet():
    """It logs what it can't decode or encode; that is what these tests are about."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def encoded(name, given):
    """Return a message's payload as sllurp encodes it."""
    info = theirs.Message_struct[name]
    return info["encode"](given, info)


def ours(number, payload):
    """Decode by ours; what is left over would be what we don't understand."""
    message = decode_message(Frame(number, 1, 1, payload, 0))
    assert all(element.leftover is None for element in elements(message))
    assert encode_message(message, 1)[10:] == payload
    return to_plain(message)


def decoded(name, payload):
    """Return what sllurp reads in a message's payload."""
    return theirs.Message_struct[name]["decode"](memoryview(payload), name)


def test_its_rospec_is_read_as_it_was_meant():
    rospec = ours(20, encoded("ADD_ROSPEC", {"ROSpec": ROSPEC}))["ROSpec"]
    assert (rospec["ROSpecID"], rospec["Priority"], rospec["CurrentState"]) == (7, 1, "DISABLED")
    assert rospec["ROBoundarySpec"]["ROSpecStopTrigger"]["DurationTriggerValue"] == 500
    spec = rospec["Specs"][0]["AISpec"]
    assert (spec["AntennaIDs"], spec["AISpecStopTrigger"]["DurationTrigger"]) == ([1, 2], 9)
    assert spec["AISpecStopTrigger"]["TagObservationTrigger"] == {
        "TriggerType": "UPON_SEEING_N_TAGS_OR_TIMEOUT", "NumberOfTags": 3, "NumberOfAttempts": 4, "T": 5, "Timeout": 6,
    }  # fmt: skip
    antenna = spec["InventoryParameterSpec"][0]["AntennaConfiguration"][0]
    assert antenna["RFTransmitter"] == {"HopTableID": 1, "ChannelIndex": 3, "TransmitPower": 81}
    command = antenna["C1G2InventoryCommand"][0]
    assert command["C1G2Filter"][0]["C1G2TagInventoryMask"] == {
        "MB": 1, "Pointer": 32, "TagMask": {"bits": 16, "data": "3034"},
    }  # fmt: skip
    assert command["C1G2SingulationControl"] == {"Session": 2, "TagPopulation": 32, "TagTransitTime": 10}
    assert command["Custom"] == [{"ImpinjInventorySearchMode": {"InventorySearchMode": "DUAL_TARGET"}}]
    report = rospec["ROReportSpec"]
    assert [name for name, on in report["TagReportContentSelector"].items() if on is True] == [
        "EnableAntennaID",
        "EnableLastSeenTimestamp",
    ]
    assert report["Custom"][0]["ImpinjTagReportContentSelector"]["ImpinjEnablePeakRSSI"] == {"PeakRSSIMode": "ENABLED"}


def test_its_access_spec_is_read_as_it_was_meant():
    spec = ours(40, encoded("ADD_ACCESSSPEC", {"AccessSpec": ACCESS}))["AccessSpec"]
    assert (spec["AccessSpecID"], spec["ROSpecID"], spec["CurrentState"]) == (3, 7, "DISABLED")
    (pattern,) = spec["AccessCommand"]["C1G2TagSpec"]["C1G2TargetTag"]
    assert (pattern["MB"], pattern["Match"], pattern["TagData"]) == (1, True, {"bits": 8, "data": "34"})
    assert spec["AccessCommand"]["OpSpecs"] == [
        {"C1G2Read": {"OpSpecID": 1, "AccessPassword": 0, "MB": 2, "WordPointer": 0, "WordCount": 6}}
    ]


@pytest.mark.shared
def test_every_number_that_it_reads_in_recorded_answers_is_ours_too(shared):
    """Over 9,000 numbers of 1,290 messages; it raises on AISpecEvents with details (below), which are left out."""
    agreed, messages, refused = 0, 0, Counter()
    for name in ("dx101_a.bin", "dx101_b.bin", "dx101_e.bin"):
        for frame in frames((shared / "llrp" / "ltk" / name).read_bytes()):
            message = decode_message(frame)
            kind = message.STANDARD_NAME
            if "decode" not in theirs.Message_struct.get(kind, {}) or message.VENDOR or frame.type == 1023:
                continue
            try:
                told = Counter(numbers(decoded(kind, frame.payload)))
            except struct.error:
                refused[kind] += 1
                continue
            found = Counter(own_numbers(message))
            assert not told - found, (name, frame.offset, told - found)
            agreed, messages = agreed + told.total(), messages + 1
    assert (messages, dict(refused)) == (1290, {"READER_EVENT_NOTIFICATION": 73})
    assert agreed > 9000


def numbers(value, name=""):
    """Yield every number in what sllurp decoded, but those that it only counted."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != theirs.DECODE_ERROR_PARNAME:
                yield from numbers(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from numbers(inner, name)
    elif isinstance(value, int) and name not in DERIVED:
        yield int(value)


def own_numbers(message):
    """Yield every number of a message of ours."""
    for element in elements(message):
        for _, value in fields(element):
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, int):
                    yield int(one)


# What it gets wrong or loses.


def test_loses_parameters_that_it_cannot_encode():
    """Without a word but in the log: a siren that is never switched, a debounce that is never set."""
    lost = {
        "GPOWriteData": [{"GPOPortNumber": 1, "GPOData": True}],
        "EventsAndReports": {"HoldEventsAndReportsUponReconnect": True},
        "ImpinjLinkMonitorConfiguration": {"LinkMonitorMode": 1, "LinkDownThreshold": 2},
        "ImpinjGPIDebounceConfiguration": {"GPIPortNum": 1, "GPIDebounceTimerMSec": 50},
        "ImpinjAdvancedGPOConfiguration": {"GPOPortNum": 1, "GPOMode": 1, "GPOPulseDurationMSec": 3000},
        "ImpinjLowDutyCycle": {"LowDutyCycleMode": 1, "EmptyFieldTimeout": 500, "FieldPingInterval": 200},
    }
    for name, fields_given in lost.items():
        assert encoded("SET_READER_CONFIG", {name: fields_given}) == b"\0", name


def test_knows_not_all_parameters_and_messages():
    """By its tables: 20 of the standard's parameters are absent, more can't be written, more can't be read."""
    known = {name.replace("_", "").replace("-", "") for name in theirs.Param_struct} | {
        "Custom", "EPCData", "C1G2UHFRFModeTable", "C1G2UHFRFModeTableEntry", "ReportBufferLevelWarningEvent",
    }  # fmt: skip
    absent = {cls.STANDARD_NAME for cls in PARAMETERS.values() if not cls.VENDOR} - known - {
        "EPC_96", "C1G2_PC", "C1G2_CRC", "C1G2_XPC_W1", "C1G2_XPC_W2",
    }  # fmt: skip
    assert absent == {
        "C1G2TagInventoryStateAwareFilterAction", "C1G2TagInventoryStateUnawareFilterAction", "ClientRequestOpSpec",
        "C1G2Kill", "C1G2BlockErase", "C1G2Recommission", "C1G2BlockPermalock", "C1G2GetBlockPermalockStatus",
        "ClientRequestResponse", "RFSurveySpecStopTrigger", "RFSurveySpec", "LoopSpec", "FrequencyRSSILevelEntry",
        "RFSurveyReportData",
    }  # fmt: skip
    unwritable = {name for name, info in theirs.Param_struct.items() if "encode" not in info}
    unreadable = {name for name, info in theirs.Param_struct.items() if "decode" not in info}
    assert (len(unwritable), len(unreadable)) == (103, 14)
    infos = theirs.Message_struct.values()
    assert (sum("encode" not in info for info in infos), sum("decode" not in info for info in infos)) == (18, 17)
    messages = {cls.STANDARD_NAME for cls in MESSAGES.values()}
    assert messages - set(theirs.Message_struct) == {
        "GET_ROSPECS", "GET_ROSPECS_RESPONSE", "GET_ACCESSSPECS", "GET_ACCESSSPECS_RESPONSE", "GET_REPORT",
        "CLIENT_REQUEST_OP", "CLIENT_REQUEST_OP_RESPONSE", "GET_SUPPORTED_VERSION", "GET_SUPPORTED_VERSION_RESPONSE",
        "SET_PROTOCOL_VERSION", "SET_PROTOCOL_VERSION_RESPONSE",
    }  # fmt: skip


def test_writes_a_select_without_its_action():
    """Filters go out without saying what matching tags do: the parameter is not in its tables."""
    chosen = {
        "T": 1,
        "C1G2TagInventoryMask": {"MB": 1, "Pointer": 32, "TagMask": "30"},
        "C1G2TagInventoryStateUnawareFilterAction": {"Action": 5},
    }
    data = theirs.encode_param("C1G2Filter", chosen)
    assert struct.pack("!H", 334) not in data


def test_swaps_the_first_two_fields_of_get_reader_config():
    """AntennaID comes before RequestedData [16.1.36], as in the toolkit's java_GET_READER_CONFIG.bin."""
    given = {"RequestedData": 9, "AntennaID": 1, "GPIPortNum": 2, "GPOPortNum": 3}
    assert encoded("GET_READER_CONFIG", given) == struct.pack("!BHHH", 9, 1, 2, 3)


def test_gives_a_gpi_trigger_the_type_of_a_periodic_one():
    """180 instead of 181 [16.2.4.1.1.1.2]: a reader starts by the clock, or refuses."""
    trigger = {"GPIPortNum": 1, "GPIEvent": True, "Timeout": 0}
    assert theirs.encode_param("GPITriggerValue", trigger)[:2] == struct.pack("!H", 180)


def test_raises_on_an_aispec_event_with_singulation_details():
    body = struct.pack("!BIH", 0, 1, 1) + b"\x92\0\5\0\7"
    payload = tlv(246, tlv(128, bytes(8)) + tlv(254, body))
    with pytest.raises(struct.error):
        decoded("READER_EVENT_NOTIFICATION", payload)
    event = ours(63, payload)["ReaderEventNotificationData"]["AISpecEvent"]
    assert event["C1G2SingulationDetails"] == {"NumCollisionSlots": 5, "NumEmptySlots": 7}


def test_puts_a_connection_attempt_of_unknown_status_aside():
    payload = tlv(246, tlv(128, bytes(8)) + tlv(256, b"\0\x11"))
    assert "ConnectionAttemptEvent" not in decoded("READER_EVENT_NOTIFICATION", payload)["ReaderEventNotificationData"]
    assert ours(63, payload)["ReaderEventNotificationData"]["ConnectionAttemptEvent"] == {"Status": 17}


def test_drops_a_status_code_that_it_does_not_know():
    payload = tlv(287, struct.pack("!HH", 999, 0))
    assert "StatusCode" not in decoded("ADD_ROSPEC_RESPONSE", payload)["LLRPStatus"]
    assert ours(30, payload)["LLRPStatus"]["StatusCode"] == 999


def test_raises_what_it_happens_to_on_deep_or_cut_bytes():
    body = b""
    for _ in range(3000):
        body = tlv(246, body)
    with pytest.raises(RecursionError):
        decoded("READER_EVENT_NOTIFICATION", body)
    with pytest.raises(struct.error):
        decoded("READER_EVENT_NOTIFICATION", tlv(246, tlv(248, b"\0")))


def test_cannot_encode_any_answer_of_a_reader():
    """So it can't stand in for a reader; the one regulatory parameter that it tries raises."""
    assert "encode" not in theirs.Message_struct["GET_READER_CAPABILITIES_RESPONSE"]
    with pytest.raises((struct.error, TypeError, KeyError)):
        theirs.encode_param("RegulatoryCapabilities", {"CountryCode": 840, "CommunicationsStandard": 1})
    assert GetReaderCapabilitiesResponse in MESSAGES.values()
