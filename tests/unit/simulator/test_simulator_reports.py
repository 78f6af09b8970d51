"""The report encoder against bytes of real readers and against sllurp's decoder."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sllurp.llrp import LLRPMessage

from simulator.faults.model import LAST_US
from simulator.server import events
from simulator.server.codes import ConnectionAttempt
from simulator.server.now import Now
from simulator.server.reports import Content, Report, crc16, encode_report, report_message

EVERYTHING = Content(
    rospec_id=True,
    spec_index=True,
    inventory_id=True,
    antenna=True,
    channel=True,
    peak_rssi=True,
    first_seen=True,
    last_seen=True,
    seen_count=True,
    crc=True,
    pc=True,
    impinj_phase=True,
    impinj_rssi=True,
)
NOTHING = Content(antenna=False, peak_rssi=False, last_seen=False, seen_count=False)
REPORT = Report(bytes(range(12)), 3, -5650, 1234, 17, 1_700_000_000_000_000, 1_700_000_000_000_500, 4)

reports = st.builds(
    Report,
    epc=st.binary(min_size=12, max_size=12),
    antenna=st.integers(1, 4),
    rssi_cdbm=st.integers(-9000, -2000).map(lambda value: value // 50 * 50),
    phase=st.integers(0, 4095),
    channel=st.integers(1, 50),
    first_us=st.integers(0, LAST_US),
    last_us=st.integers(0, LAST_US),
    seen_count=st.integers(1, 65535),
)


def _by_sllurp(encoded):
    return LLRPMessage(msgbytes=report_message(1, encoded)).msgdict["RO_ACCESS_REPORT"]["TagReportData"]


@given(st.lists(reports, min_size=1, max_size=5))
def test_sllurp_decodes_what_was_encoded(given_reports):
    found = _by_sllurp([encode_report(report, EVERYTHING, 9) for report in given_reports])
    assert [
        (
            bytes.fromhex(tag["EPC-96"].decode()),
            tag["AntennaID"],
            tag["ImpinjPeakRSSI"],
            tag["ImpinjRFPhaseAngle"],
            tag["ChannelIndex"],
            tag["FirstSeenTimestampUTC"],
            tag["LastSeenTimestampUTC"],
            tag["TagSeenCount"],
        )
        for tag in found
    ] == [
        (r.epc, r.antenna, r.rssi_cdbm, r.phase, r.channel, r.first_us, r.last_us, r.seen_count) for r in given_reports
    ]
    assert all(tag["ROSpecID"] == 9 and tag["PeakRSSI"] == round(tag["ImpinjPeakRSSI"] / 100) for tag in found)


@pytest.mark.parametrize(
    ("switch", "key"),
    [
        ("rospec_id", "ROSpecID"),
        ("spec_index", "SpecIndex"),
        ("inventory_id", "InventoryParameterSpecID"),
        ("antenna", "AntennaID"),
        ("channel", "ChannelIndex"),
        ("peak_rssi", "PeakRSSI"),
        ("first_seen", "FirstSeenTimestampUTC"),
        ("last_seen", "LastSeenTimestampUTC"),
        ("seen_count", "TagSeenCount"),
        ("crc", "C1G2CRC"),
        ("pc", "C1G2PC"),
        ("impinj_phase", "ImpinjRFPhaseAngle"),
        ("impinj_rssi", "ImpinjPeakRSSI"),
    ],
)
def test_only_what_is_selected_is_in_a_report(switch, key):
    only = Content(**{"antenna": False, "peak_rssi": False, "last_seen": False, "seen_count": False, switch: True})
    assert set(_by_sllurp([encode_report(REPORT, only, 1)])[0]) - {"EPC", "EPC-96"} == {key}
    assert set(_by_sllurp([encode_report(REPORT, NOTHING, 1)])[0]) == {"EPC", "EPC-96"}


def test_an_epc_of_another_length_goes_as_epc_data():
    encoded = encode_report(Report(b"\xab" * 8, 1, -5000, 0, 1, 0, 0), NOTHING, 1)
    assert encoded == bytes.fromhex("00f00012 00f1000e 0040 abababababababab".replace(" ", ""))
    assert _by_sllurp([encoded])[0]["EPC"] == b"ab" * 8


def test_crc_is_the_one_that_tags_use():
    """Check value of CRC-16/GENIBUS, the catalogue's name for it."""
    assert crc16(b"123456789") == 0xD64E


@pytest.mark.shared
@pytest.mark.parametrize("number", range(1, 10))
def test_recorded_reports_are_reproduced_byte_by_byte(shared, number):
    recorded = shared / "llrp" / "edgex" / "roAccessReports" / f"ROAccessReport-00{number}"
    (tag,) = json.loads(recorded.with_suffix(".json").read_text())["TagReportData"]
    report = Report(
        base64.b64decode(tag["EPC96"]["EPC"]), tag["AntennaID"], 100 * tag["PeakRSSI"], 0, 1, tag["FirstSeenUTC"], 0
    )
    content = Content(first_seen=True, last_seen=False, seen_count=False)
    assert encode_report(report, content, 1) == recorded.with_suffix(".bytes").read_bytes()


@pytest.mark.shared
def test_recorded_events_are_reproduced_byte_by_byte(shared):
    attempt = (shared / "llrp" / "ltk" / "java_READER_EVENT_NOTIFICATION.bin").read_bytes()
    stamp = int.from_bytes(attempt[18:26])
    assert datetime.fromtimestamp(stamp / 1e6, UTC).year == 2001
    assert events.connection_attempt(ConnectionAttempt.SUCCESS, Now(stamp, 0)) == attempt
    close = (shared / "llrp" / "edgex" / "ReaderEventNotification-000.bytes").read_bytes()
    assert events.connection_close(Now(int.from_bytes(close[8:16]), 0))[10:] == close
