"""The reader role: sllurp's codec plays the client, so that requests and responses have an outside judge."""

import struct

import pytest
from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

from simulator.server.device import ReaderDevice
from simulator.server.model import ETSI_KHZ, ReaderModel
from simulator.server.now import Now
from simulator.server.wire import HEADER, Message, parameters
from simulator.world.values import Read, columns

NOW = Now(1_700_000_000_000_000, 5_000_000)


def at(later_ms):
    return Now(NOW.utc_us + 1000 * later_ms, NOW.steady_us + 1000 * later_ms)


def decoded(messages):
    found = []
    for data in messages:
        kind, _, message_id = HEADER.unpack_from(data)
        name, fields = (
            next(iter(LLRPMessage(msgbytes=data).msgdict.items()))
            if kind & 0x3FF != 62
            else ("KEEPALIVE", {"ID": message_id})
        )
        found.append((name, fields))
    return found


def raw(device, kind, body=b"", *, now=NOW, version=1):
    return decoded(device.receive(Message(kind, 77, body, version), now))


def ask(device, name, now=NOW, **fields):
    data = LLRPMessage(msgdict={name: fields}).msgbytes
    word, _, _ = HEADER.unpack_from(data)
    (answer, *after) = device.receive(Message(word & 0x3FF, 77, bytes(data[HEADER.size :])), now)
    ((_, response),) = decoded([answer])
    assert response["ID"] == 77
    return response, decoded(after)


def status(response):
    return response["LLRPStatus"]["StatusCode"]


def rospec(**changes):
    spec = LLRPROSpec(None, 1, antennas=[1, 2], tx_power=81)
    spec["ROBoundarySpec"]["ROSpecStartTrigger"]["ROSpecStartTriggerType"] = "Null"
    spec["ROReportSpec"]["N"] = 2
    for path, value in changes.items():
        *way, last = path.split("__")
        part = spec
        for step in way:
            part = part[int(step)] if step.isdigit() else part[step]
        part[last] = value
    return spec


def read(number=1):
    return Read(at_us=NOW.utc_us, epc=number.to_bytes(12), antenna=1, rssi_cdbm=-5500, phase=9, channel=3)


def put(device, reads):
    return device.put(columns(reads), 0, NOW)


@pytest.fixture
def device():
    device = ReaderDevice(ReaderModel(), b"\x02" * 8)
    device.connect(NOW)
    return device


def running(device, **changes):
    assert status(ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=rospec(**changes))[0]) == "Success"
    ask(device, "ENABLE_ROSPEC", ROSpecID=1)
    ask(device, "START_ROSPEC", ROSpecID=1)
    return device


def epcs(messages):
    found = [tag for name, fields in decoded(messages) if name == "RO_ACCESS_REPORT" for tag in fields["TagReportData"]]
    return [int(tag["EPC"], 16) for tag in found]


def test_the_first_message_of_a_session_says_that_it_succeeded(device):
    ((name, fields),) = decoded(device.connect(NOW))
    assert name == "READER_EVENT_NOTIFICATION"
    assert fields["ReaderEventNotificationData"]["ConnectionAttemptEvent"]["Status"] == "Success"
    assert fields["ReaderEventNotificationData"]["UTCTimestamp"]["Microseconds"] == NOW.utc_us


def test_capabilities_are_a_four_port_reader_with_81_powers_and_50_hops(device):
    found, _ = ask(device, "GET_READER_CAPABILITIES", RequestedData=0)
    general, band = found["GeneralDeviceCapabilities"], found["RegulatoryCapabilities"]["UHFBandCapabilities"]
    assert (general["MaxNumberOfAntennaSupported"], general["DeviceManufacturerName"]) == (4, 25882)
    powers = {entry["Index"]: entry["TransmitPowerValue"] for entry in band["TransmitPowerLevelTableEntry"]}
    assert (len(powers), powers[1], powers[81]) == (81, 1000, 3000)
    hops = band["FrequencyInformation"]["FrequencyHopTable"][0]["Frequency"]
    assert sorted(hops) == list(range(902_750, 927_251, 500))
    assert found["LLRPCapabilities"]["MaxNumROSpec"] == 1


def test_a_fixed_channel_reader_lists_its_channels():
    device = ReaderDevice(ReaderModel(frequencies_khz=ETSI_KHZ, hopping=False), b"\x02" * 8)
    found, _ = ask(device, "GET_READER_CAPABILITIES", RequestedData=3)
    band = found["RegulatoryCapabilities"]["UHFBandCapabilities"]["FrequencyInformation"]
    assert band["FixedFrequencyTable"]["Frequency"] == list(ETSI_KHZ)
    assert "GeneralDeviceCapabilities" not in found


@pytest.mark.parametrize("requested", range(12))
def test_configuration_comes_back_as_asked(device, requested):
    ask(
        device,
        "SET_READER_CONFIG",
        ResetToFactoryDefaults=False,
        KeepaliveSpec={"KeepaliveTriggerType": 1, "TimeInterval": 2500},
    )
    ((_, found),) = raw(device, 2, struct.pack(">HBHH", 0, requested, 0, 0))
    assert status(found) == "Success"
    if requested in {0, 8}:
        assert found["KeepaliveSpec"]["TimeInterval"] == 2500
    else:
        assert "KeepaliveSpec" not in found


def test_a_rospec_goes_through_its_states(device):
    def state():
        """Sllurp has no GET_ROSPECS_RESPONSE, so its parameters are walked here."""
        (answer,) = device.receive(Message(26, 77, b""), NOW)
        found = parameters(answer[HEADER.size :], "GET_ROSPECS_RESPONSE")
        return [part.body[5] for part in found if part.type == 177]

    assert device.radio() is None
    ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=rospec())
    assert state() == [0]
    assert status(ask(device, "START_ROSPEC", ROSpecID=1)[0]) == "A_Invalid"
    ask(device, "ENABLE_ROSPEC", ROSpecID=1)
    assert state() == [1]
    ask(device, "START_ROSPEC", ROSpecID=1)
    assert state() == [2]
    assert device.radio().antennas == (1, 2)
    assert device.radio().power_dbm == {1: 30.0, 2: 30.0}
    raw(device, 23, struct.pack(">I", 1))
    assert state() == [1]
    ask(device, "DISABLE_ROSPEC", ROSpecID=1)
    assert state() == [0]
    ask(device, "DELETE_ROSPEC", ROSpecID=0)
    assert state() == []


def test_an_immediate_rospec_runs_as_soon_as_it_is_enabled(device):
    spec = rospec(ROBoundarySpec__ROSpecStartTrigger__ROSpecStartTriggerType="Immediate")
    ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=spec)
    ask(device, "ENABLE_ROSPEC", ROSpecID=1)
    assert device.radio() is not None


def test_reports_go_out_every_n_tags_and_the_rest_when_the_rospec_stops(device):
    running(device)
    assert put(device, [read(1)]) == []
    assert epcs(put(device, [read(2), read(3)])) == [1, 2]
    assert epcs(device.receive(Message(23, 1, struct.pack(">I", 1)), NOW)[1:]) == [3]
    assert device.inventory.counters.tag_reads == 3
    assert device.inventory.counters.reports == 2


def test_without_a_limit_reports_wait_for_get_report(device):
    running(device, ROReportSpec__N=0)
    assert put(device, [read(1), read(2)]) == []
    assert epcs(device.receive(Message(60, 1, b""), NOW)) == [1, 2]
    assert len(device.receive(Message(60, 1, b""), NOW)) == 1


def test_the_end_of_an_aispec_reports_and_a_started_rospec_is_done_then(device):
    running(
        device,
        ROReportSpec__N=0,
        AISpec__0__AISpecStopTrigger={"AISpecStopTriggerType": "Duration", "DurationTriggerValue": 200},
    )
    put(device, [read(1)])
    assert device.tick(at(199)) == []
    assert epcs(device.tick(at(200))) == [1]
    assert device.radio() is None


def test_an_immediate_rospec_begins_again_after_its_aispec(device):
    stop = {
        "AISpecStopTriggerType": "Tag observation",
        "DurationTriggerValue": 0,
        "TagObservationTrigger": {
            "TriggerType": "UponNTags",
            "NumberOfTags": 3,
            "NumberOfAttempts": 0,
            "T": 0,
            "Timeout": 100,
        },
    }
    running(
        device,
        ROReportSpec__N=0,
        AISpec__0__AISpecStopTrigger=stop,
        ROBoundarySpec__ROSpecStartTrigger__ROSpecStartTriggerType="Immediate",
    )
    assert epcs(put(device, [read(1), read(2), read(3), read(4)])) == [1, 2, 3]
    assert device.radio() is not None
    assert epcs(device.tick(at(100))) == [4]
    assert device.radio() is not None


def test_a_rospec_ends_after_its_duration(device):
    running(
        device, ROBoundarySpec__ROSpecStopTrigger={"ROSpecStopTriggerType": "Duration", "DurationTriggerValue": 300}
    )
    put(device, [read(1)])
    assert epcs(device.tick(at(300))) == [1]
    assert device.radio() is None


def test_rospec_events_come_where_they_are_wanted(device):
    events = {"EventNotificationState": {"ROSpecEvent": True, "AntennaEvent": True}}
    _, after = ask(device, "SET_READER_CONFIG", ResetToFactoryDefaults=False, ReaderEventNotificationSpec=events)
    assert len(after) == 4
    ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=rospec())
    ask(device, "ENABLE_ROSPEC", ROSpecID=1)
    _, ((_, started),) = ask(device, "START_ROSPEC", ROSpecID=1)
    assert started["ReaderEventNotificationData"]["ROSpecEvent"]["EventType"] == "Start_of_ROSpec"


def test_keepalives_come_in_their_period(device):
    ask(
        device,
        "SET_READER_CONFIG",
        ResetToFactoryDefaults=False,
        KeepaliveSpec={"KeepaliveTriggerType": 1, "TimeInterval": 1000},
    )
    assert device.tick(at(999)) == []
    assert decoded(device.tick(at(1000)))[0][0] == "KEEPALIVE"
    assert device.tick(at(1999)) == []
    assert device.receive(Message(72, 1, b""), at(1500)) == []


def test_the_link_monitor_drops_a_client_that_stays_silent(device):
    monitor = struct.pack(">HHIIHH", 1023, 16, 25882, 38, 1, 2)
    assert status(raw(device, 3, b"\0" + struct.pack(">HHBI", 220, 9, 1, 100) + monitor)[0][1]) == "Success"
    for later in (100, 200):
        assert decoded(device.tick(at(later)))[0][0] == "KEEPALIVE"
    assert not device.closing
    assert "ConnectionCloseEvent" in decoded(device.tick(at(300)))[0][1]["ReaderEventNotificationData"]
    assert device.closing


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ROSpecID": 0}, "FieldError"),
        ({"AISpec__0__AntennaID": [5]}, "A_OutOfRange"),
        ({"ROBoundarySpec__ROSpecStartTrigger__ROSpecStartTriggerType": "Periodic"}, "UnsupportedParameter"),
        (
            {"AISpec__0__InventoryParameterSpec__0__AntennaConfiguration__0__RFTransmitter__TransmitPower": 82},
            "A_OutOfRange",
        ),
        ({"AISpec": []}, "MissingParameter"),
    ],
)
def test_a_rospec_that_cannot_be_played_is_refused_in_words(device, changes, code):
    try:
        found, _ = ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=rospec(**changes))
    except (KeyError, struct.error) as error:
        pytest.fail(f"sllurp could not encode the request: {error!r}")
    assert status(found) == code
    assert found["LLRPStatus"]["ErrorDescription"]


def test_what_is_not_there_or_there_already_is_refused(device):
    assert status(ask(device, "ENABLE_ROSPEC", ROSpecID=5)[0]) == "FieldError"
    ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=rospec())
    assert status(ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=rospec())[0]) == "FieldError"
    assert status(ask(device, "ADD_ROSPEC", ROSpecID=2, ROSpec=rospec(ROSpecID=2))[0]) == "OverflowParameter"
    assert status(ask(device, "DELETE_ACCESSSPEC", AccessSpecID=3)[0]) == "FieldError"
    assert status(ask(device, "DELETE_ACCESSSPEC", AccessSpecID=0)[0]) == "Success"


def test_impinj_parameters_need_the_extensions_first(device):
    spec = LLRPROSpec(
        None,
        1,
        antennas=[1],
        tx_power=81,
        impinj_tag_content_selector={
            "EnableRFPhaseAngle": True,
            "EnablePeakRSSI": True,
            "EnableRFDopplerFrequency": False,
        },
    )
    assert status(ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=spec)[0]) == "UnsupportedParameter"
    assert status(ask(device, "IMPINJ_ENABLE_EXTENSIONS")[0]) == "Success"
    assert status(ask(device, "ADD_ROSPEC", ROSpecID=1, ROSpec=spec)[0]) == "Success"


@pytest.mark.parametrize(("kind", "version", "code"), [(999, 1, 109), (1, 2, 110), (1023, 1, 100)])
def test_the_unknown_is_answered_with_an_error_message(device, kind, version, code):
    (answer,) = device.receive(Message(kind, 77, b"", version), NOW)
    word, _, message_id = HEADER.unpack_from(answer)
    assert (word & 0x3FF, message_id) == (100, 77)
    assert struct.unpack_from(">HHH", answer, HEADER.size)[0::2] == (287, code)


@pytest.mark.parametrize("kind", [1, 2, 3, 20, 21, 22, 23, 24, 25, 41])
def test_a_truncated_request_is_answered_with_a_status(device, kind):
    ((_, found),) = raw(device, kind, b"")
    assert status(found) in {"ParameterError", "MissingParameter"}


def test_held_reports_wait_for_the_client_after_a_reconnect(device):
    raw(device, 3, b"\0" + struct.pack(">HHB", 226, 5, 0x80))
    running(device)
    device.disconnect(NOW)
    device.connect(NOW)
    assert put(device, [read(1), read(2)]) == []
    assert epcs(device.receive(Message(64, 1, b""), NOW)) == [1, 2]
    assert epcs(put(device, [read(3), read(4)])) == [3, 4]


def test_rospecs_outlive_a_client_and_its_reads_do_not(device):
    running(device)
    put(device, [read(1)])
    device.disconnect(NOW)
    assert put(device, [read(2)]) == []
    device.tick(NOW)
    device.connect(NOW)
    assert device.radio() is not None
    assert epcs(put(device, [read(3), read(4)])) == [3, 4]
    assert (device.inventory.counters.tag_reads, device.inventory.counters.unheard_reads) == (2, 2)


def test_lost_reads_are_counted_and_told_once(device):
    running(device)
    device.inventory.lose(4)
    told = decoded(device.inventory.overflow_notice(NOW))
    assert [list(fields["ReaderEventNotificationData"])[1:] for _, fields in told] == [
        ["ReportBufferOverflowErrorEvent"]
    ]
    assert device.inventory.overflow_notice(NOW) == []
    assert device.inventory.counters.overflowed_reads == 4


def test_a_second_client_is_refused_and_the_first_one_hears_of_it(device):
    newcomer, told = device.refuse(NOW)
    codes = [struct.unpack(">H", data[-2:])[0] for data in (newcomer, *told)]
    assert codes == [2, 4]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "code"), [("java_ADD_ROSPEC", "UnsupportedParameter"), ("java_ADD_ROSPEC2", "Success")]
)
def test_rospecs_that_others_wrote_are_answered(device, shared, name, code):
    data = (shared / "llrp" / "ltk" / f"{name}.bin").read_bytes()
    ((answer, found),) = decoded(device.receive(Message(20, 1, data[10:]), NOW))
    assert answer == "ADD_ROSPEC_RESPONSE"
    assert status(found) == code


@pytest.mark.shared
def test_an_identification_is_a_recorded_one_byte_by_byte(shared):
    recorded = (shared / "llrp" / "edgex" / "GetReaderConfigResponse-000.bytes").read_bytes()
    device = ReaderDevice(ReaderModel(), bytes.fromhex("001625ffff1125d6"))
    (answer,) = device.receive(Message(2, 1, struct.pack(">HBHH", 0, 1, 0, 0)), NOW)
    assert answer[HEADER.size :] == recorded[:23]


@pytest.mark.shared
def test_any_frame_of_the_toolkit_gets_an_answer_and_nothing_else(device, shared):
    """750 frames with vendors' parameters everywhere, many of them no request at all."""
    data, at_byte, answers = (shared / "llrp" / "ltk" / "dx101_e.bin").read_bytes(), 0, 0
    while at_byte < len(data):
        word, length, message_id = HEADER.unpack_from(data, at_byte)
        body = data[at_byte + HEADER.size : at_byte + length]
        answers += len(device.receive(Message(word & 0x3FF, message_id, body), NOW)) > 0
        at_byte += length
    assert answers > 700
