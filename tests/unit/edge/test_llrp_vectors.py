"""Reports made or recorded by others, held to their twins in XML and JSON, and to sllurp, field by field."""

import base64
import json
import xml.etree.ElementTree as ET
from datetime import datetime

import pytest
from sllurp.llrp import LLRPMessage

from edge.llrp import FrameBuffer, ReportDecoder
from edge.llrp.dump import Tally, decode
from edge.llrp.tag_report import TagReport
from edge.llrp.wire import HEADER, Message

pytestmark = pytest.mark.shared

XML_FIELDS = {
    "ROSpecID/ROSpecID": "rospec_id",
    "SpecIndex/SpecIndex": "spec_index",
    "InventoryParameterSpecID/InventoryParameterSpecID": "inventory_parameter_spec_id",
    "AntennaID/AntennaID": "antenna",
    "PeakRSSI/PeakRSSI": "peak_rssi_dbm",
    "ChannelIndex/ChannelIndex": "channel",
    "TagSeenCount/TagCount": "seen_count",
    "C1G2_PC/PC_Bits": "pc",
    "C1G2_CRC/CRC": "crc",
    "AccessSpecID/AccessSpecID": "access_spec_id",
}
XML_TIMES = {"FirstSeenTimestampUTC/Microseconds": "first_seen_us", "LastSeenTimestampUTC/Microseconds": "last_seen_us"}
JSON_FIELDS = {
    "ROSpecID": "rospec_id",
    "SpecIndex": "spec_index",
    "InventoryParameterSpecID": "inventory_parameter_spec_id",
    "AntennaID": "antenna",
    "PeakRSSI": "peak_rssi_dbm",
    "ChannelIndex": "channel",
    "FirstSeenUTC": "first_seen_us",
    "FirstSeenUptime": "first_seen_uptime_us",
    "LastSeenUTC": "last_seen_us",
    "LastSeenUptime": "last_seen_uptime_us",
    "TagSeenCount": "seen_count",
    "C1G2PC": "pc",
    "C1G2XPCW1": "xpc_w1",
    "C1G2XPCW2": "xpc_w2",
    "C1G2CRC": "crc",
    "AccessSpecID": "access_spec_id",
    "ClientRequestOpSpecResult": "client_request_op_spec_result",
}
JSON_LISTS = {
    "C1G2ReadOpSpecResult",
    "C1G2WriteOpSpecResult",
    "C1G2KillOpSpecResult",
    "C1G2LockOpSpecResult",
    "C1G2BlockEraseOpSpecResult",
    "C1G2BlockWriteOpSpecResult",
    "C1G2RecommissionOpSpecResult",
    "C1G2BlockPermalockOpSpecResult",
    "C1G2GetBlockPermalockStatusOpSpecResult",
    "Custom",
}


def decoded(data, payload=None):
    """Return all tag reports of a file as dicts without their offsets; any fault fails."""
    reports = list(decode(data, payload, Tally()))
    assert all(isinstance(report, TagReport) for report in reports), reports
    return [
        {name: getattr(report, name) for name in TagReport.__struct_fields__ if name != "offset"} for report in reports
    ]


def local(element):
    """Return an XML element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def expected_of_xml(path):
    """Return the same dicts from an XML twin."""
    root = ET.fromstring(path.read_text().strip())  # noqa: S314 - a file of our own data folder
    messages = [root] if local(root) == "RO_ACCESS_REPORT" else [e for e in root if local(e) == "RO_ACCESS_REPORT"]
    return [expected_tag(message, tag) for message in messages for tag in message]


def expected_tag(message, tag):
    """Return one expected tag report; an element that isn't mapped fails."""
    expected = dict.fromkeys(set(TagReport.__struct_fields__) - {"offset"}, None)
    expected |= {"op_specs": [], "custom": [], "unknown": []}
    expected |= {"message_id": int(message.get("MessageID")), "version": int(message.get("Version", "1"))}
    assert local(tag) == "TagReportData"
    for parameter in tag:
        (value,) = parameter
        name = f"{local(parameter)}/{local(value)}"
        if name in XML_FIELDS:
            expected[XML_FIELDS[name]] = int(value.text)
        elif name in XML_TIMES:
            expected[XML_TIMES[name]] = round(datetime.fromisoformat(value.text).timestamp() * 1e6)
        else:
            form, bits = {"EPC_96/EPC": ("EPC-96", 96), "EPCData/EPC": ("EPCData", value.get("Count"))}[name]
            expected |= {"epc": value.text.lower(), "epc_bits": int(bits), "epc_form": form}
    return expected


@pytest.mark.parametrize(("name", "tags"), [("dx101_b", 132), ("java_RO_ACCESS_REPORT", 1), ("dx101_a", 130)])
def test_llrp_toolkit_reports_equal_their_xml_twins_in_all_fields(shared, name, tags):
    folder = shared / "llrp" / "ltk"
    found = decoded((folder / f"{name}.bin").read_bytes())
    assert len(found) == tags
    assert found == expected_of_xml(folder / f"{name}.xml")


@pytest.mark.parametrize("number", range(1, 10))
def test_recorded_payloads_equal_their_json_twins_in_all_fields(shared, number):
    folder = shared / "llrp" / "edgex" / "roAccessReports"
    found = decoded((folder / f"ROAccessReport-00{number}.bytes").read_bytes(), Message.RO_ACCESS_REPORT)
    twin = json.loads((folder / f"ROAccessReport-00{number}.json").read_text())
    assert (twin.pop("RFSurveyReportData"), twin.pop("Custom"), list(twin)) == (None, None, ["TagReportData"])
    assert len(found) == len(twin["TagReportData"])
    for report, tag in zip(found, twin["TagReportData"], strict=True):
        assert {key: tag.pop(key) for key in JSON_LISTS} == dict.fromkeys(JSON_LISTS, None)
        assert (report["op_specs"], report["custom"], report["unknown"]) == ([], [], [])
        assert tag.pop("EPCData") == {"EPCNumBits": 0, "EPC": None}
        assert report["epc"] == base64.b64decode(tag.pop("EPC96")["EPC"]).hex()
        assert (report["epc_bits"], report["epc_form"]) == (96, "EPC-96")
        assert {JSON_FIELDS[key]: value for key, value in tag.items()} == {
            name: report[name] for name in JSON_FIELDS.values()
        }


@pytest.mark.parametrize("name", ["dx101_a", "dx101_b", "dx101_e"])
def test_reports_equal_sllurps_reading(shared, name):
    """dx101_e has custom parameters at every extension point and no XML twin, so sllurp is the oracle."""
    data = (shared / "llrp" / "ltk" / f"{name}.bin").read_bytes()
    names = {
        "ROSpecID": "rospec_id",
        "SpecIndex": "spec_index",
        "AntennaID": "antenna",
        "PeakRSSI": "peak_rssi_dbm",
        "ChannelIndex": "channel",
        "FirstSeenTimestampUTC": "first_seen_us",
        "LastSeenTimestampUTC": "last_seen_us",
        "TagSeenCount": "seen_count",
        "C1G2PC": "pc",
        "C1G2CRC": "crc",
        "AccessSpecID": "access_spec_id",
        "InventoryParameterSpecID": "inventory_parameter_spec_id",
    }
    theirs = []
    for message in messages(data):
        if HEADER.unpack_from(message)[0] & 1023 == Message.RO_ACCESS_REPORT:
            theirs += LLRPMessage(msgbytes=message).msgdict["RO_ACCESS_REPORT"].get("TagReportData", [])
    ours = decoded(data)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert our["epc"].encode() == their.get("EPC-96", their.get("EPC"))
        assert {our_name: our[our_name] for our_name in names.values()} == {
            our_name: their.get(name) for name, our_name in names.items()
        }


@pytest.mark.parametrize("name", ["dx101_a", "dx101_b", "dx101_e", "dx301_a"])
def test_toolkit_files_frame_whole(shared, name):
    data = (shared / "llrp" / "ltk" / f"{name}.bin").read_bytes()
    buffer = FrameBuffer()
    buffer.feed(data)
    chunk = buffer.take()
    assert (bytes(chunk.data), chunk.fault, buffer.pending) == (data, None, 0)
    assert chunk.messages == {"dx101_a": 934, "dx101_b": 24, "dx101_e": 750, "dx301_a": 78}[name]


def test_fast_decoder_reads_what_the_full_one_reads(shared):
    """dx101_a leaves out nothing, so filling in changes nothing and the two decoders must agree."""
    data = (shared / "llrp" / "ltk" / "dx101_a.bin").read_bytes()
    batch = ReportDecoder().decode(data)
    for row, report in enumerate(decoded(data)):
        assert batch.epc[row, :12].tobytes().hex() == report["epc"]
        assert [
            getattr(batch, name)[row].item()
            for name in ("antenna", "rssi_cdbm", "channel", "first_us", "last_us", "seen_count", "rospec_id")
        ] == [
            report["antenna"],
            report["peak_rssi_dbm"] * 100,
            report["channel"],
            report["first_seen_us"],
            report["last_seen_us"],
            report["seen_count"],
            report["rospec_id"],
        ]
    assert len(batch) == 130


def test_epcs_too_long_for_any_tag_are_faults_of_the_fast_decoder_only(shared):
    """The toolkit's reports go up to 512 bits; Gen2 memory ends at 496."""
    data = (shared / "llrp" / "ltk" / "dx101_b.bin").read_bytes()
    long = [report for report in decoded(data) if report["epc_bits"] > 496]
    decoder = ReportDecoder()
    assert len(decoder.decode(data)) == 132 - len(long)
    assert decoder.fault_count == len(long) > 0


def messages(data):
    """Cut a file into messages by their lengths."""
    at = 0
    while at < len(data):
        length = HEADER.unpack_from(data, at)[1]
        yield data[at : at + length]
        at += length
