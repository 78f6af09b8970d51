"""`stockgate-edge decode --messages`: every message whole, every fault told with its place."""

import json

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.llrp.messages import encode_message
from edge.llrp.messages.answers import Keepalive, ROAccessReport
from edge.llrp.messages.base import UnknownMessage
from edge.llrp.messages.commands import DeleteROSpec, SetReaderConfig
from edge.llrp.messages.common import LLRPStatus
from edge.llrp.messages.configuration import GPOWriteData
from edge.llrp.messages.reports import EPC96, AntennaID, EPCData, TagReportData
from edge.llrp.messages.wire_types import Bits
from tests.helpers.llrp_messages import message, tlv

SIREN = SetReaderConfig(
    reset_to_factory_default=False, gpo_write_data=(GPOWriteData(gpo_port_number=1, gpo_data=True),)
)
REPORT = ROAccessReport(
    tag_report_data=(
        TagReportData(epc=EPC96(epc=bytes(range(12))), antenna_id=AntennaID(antenna_id=2)),
        TagReportData(epc=EPCData(epc=Bits(12, b"\xab\xc0"))),
    )
)
CAPTURE = encode_message(SIREN, 7) + encode_message(REPORT, 8, 2) + encode_message(Keepalive(), 9)


@pytest.fixture
def run(tmp_path):
    """Run the command on bytes; return exit code, standard output and standard error."""

    def call(data, *options):
        path = tmp_path / "capture.bin"
        path.write_bytes(data)
        result = CliRunner().invoke(app, ["decode", "--messages", *options, str(path)])
        return result.exit_code, result.stdout, result.stderr.replace(str(tmp_path), "")

    return call


def test_json_has_one_object_a_message_with_all_its_fields(run):
    code, out, err = run(CAPTURE, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert err == "/capture.bin: 3 messages (1 SET_READER_CONFIG, 1 RO_ACCESS_REPORT, 1 KEEPALIVE); 2 tag reports\n"
    assert [(line["message"], line["id"], line["version"], line["offset"]) for line in lines] == [
        ("SET_READER_CONFIG", 7, 1, 0),
        ("RO_ACCESS_REPORT", 8, 2, 18),
        ("KEEPALIVE", 9, 1, len(CAPTURE) - 10),
    ]
    assert [line["fields"] for line in lines] == [
        {"ResetToFactoryDefault": False, "GPOWriteData": [{"GPOPortNumber": 1, "GPOData": True}]},
        {
            "TagReportData": [
                {"EPC_96": {"EPC": "000102030405060708090a0b"}, "AntennaID": {"AntennaID": 2}},
                {"EPCData": {"EPC": {"bits": 12, "data": "abc0"}}},
            ]
        },
        {},
    ]


def test_outline_is_for_people(run):
    code, out, _ = run(CAPTURE)
    assert code == 0
    assert out == (
        "byte 0: SET_READER_CONFIG, id 7, LLRP 1.0.1\n"
        "  ResetToFactoryDefault: no\n"
        "  GPOWriteData\n"
        "    GPOPortNumber: 1\n"
        "    GPOData: yes\n"
        "byte 18: RO_ACCESS_REPORT, id 8, LLRP 1.1\n"
        "  TagReportData\n"
        "    EPC_96\n"
        "      EPC: 000102030405060708090a0b\n"
        "    AntennaID: 2\n"
        "  TagReportData\n"
        "    EPCData\n"
        "      EPC: abc0 (12 bits)\n"
        f"byte {len(CAPTURE) - 10}: KEEPALIVE, id 9, LLRP 1.0.1\n"
    )


def test_a_message_that_cannot_be_read_keeps_its_bytes_and_costs_no_other(run):
    broken = message(30, b"\1\x1f\0\x05\0")
    code, out, err = run(broken + encode_message(DeleteROSpec(rospec_id=5), 2), "--json")
    bad, good = [json.loads(line) for line in out.splitlines()]
    assert (code, bad["message"], bad["data"]) == (1, "ADD_ROSPEC_RESPONSE", "011f000500")
    assert bad["error"].startswith("ADD_ROSPEC_RESPONSE > LLRPStatus, payload byte 4: from status_code on 2 bytes")
    assert good["fields"] == {"ROSpecID": 5}
    assert "message at byte 0: ADD_ROSPEC_RESPONSE > LLRPStatus, payload byte 4" in err
    assert "1 fault" in err
    _, outline, _ = run(broken)
    assert outline == "byte 0: ADD_ROSPEC_RESPONSE, id 7, LLRP 1.0.1, can't be read: 011f000500\n"


def test_what_is_unknown_is_shown_and_is_no_fault(run):
    stray = message(30, tlv(287, b"\0\0\0\0") + tlv(300, b"x"))
    code, out, _ = run(encode_message(UnknownMessage(number=77, data=b"hi"), 1) + stray, "--json")
    unknown, known = [json.loads(line) for line in out.splitlines()]
    assert (code, unknown["message"], unknown["type"], unknown["data"]) == (0, "type 77", 77, "6869")
    assert known["fields"]["_leftover"]["unknown"] == ["012c000578"]
    _, outline, _ = run(stray)
    assert "  left over, unknown: 012c000578\n" in outline
    assert run(encode_message(UnknownMessage(number=77, data=b"hi"), 1))[1].endswith(
        "type 77, id 1, LLRP 1.0.1: 6869\n"
    )


def test_a_cut_file_shows_what_was_whole_and_says_where_it_ends(run):
    code, out, err = run(CAPTURE[:-3], "--json")
    assert (code, len(out.splitlines())) == (1, 2)
    assert "the stream ends inside a message" in err


def test_payload_of_any_type_is_read_without_its_header(run):
    reset = encode_message(SetReaderConfig(reset_to_factory_default=True), 1)[10:]
    code, out, _ = run(reset, "--json", "--payload=SET_READER_CONFIG")
    line = json.loads(out)
    assert (code, line["message"], line["fields"]) == (0, "SET_READER_CONFIG", {"ResetToFactoryDefault": True})
    assert "id" not in line
    code, _, err = run(reset, "--payload", "ADD_ROSPEC")
    assert code == 1
    assert "what follows can't be read (whole messages with their headers are read without --payload)" in err


def test_a_flood_of_faults_is_told_in_few_lines(run):
    code, out, err = run(message(30, b"") * 50, "--json")
    assert (code, len(out.splitlines()), len(err.splitlines())) == (1, 50, 21)
    assert "50 faults, 20 shown" in err


def test_status_words_are_shown_as_the_reader_said_them(run):
    said = LLRPStatus(status_code=100, error_description="nein, grüße")
    _, out, _ = run(message(30, status_bytes(said)), "--json")
    assert json.loads(out)["fields"] == {
        "LLRPStatus": {"StatusCode": "M_PARAMETER_ERROR", "ErrorDescription": "nein, grüße"}
    }


def status_bytes(status):
    """Return an LLRPStatus as bytes."""
    text = status.error_description.encode()
    return tlv(287, status.status_code.to_bytes(2, "big") + len(text).to_bytes(2, "big") + text)


@pytest.mark.shared
def test_all_recorded_files_are_shown_whole(shared):
    """Every .bin, and every .bytes by its type: no fault, and a JSON line a message."""
    counts = 0
    bins = [str(path) for path in sorted((shared / "llrp").rglob("*.bin"))]
    result = CliRunner().invoke(app, ["decode", "--messages", "--json", *bins])
    assert result.exit_code == 0
    counts += len([json.loads(line) for line in result.stdout.splitlines()])
    for path in sorted((shared / "llrp").rglob("*.bytes")):
        kind = TYPES[path.name.partition("-")[0]]
        result = CliRunner().invoke(app, ["decode", "--messages", "--json", "--payload", kind, str(path)])
        assert result.exit_code == 0, result.stderr
        counts += "fields" in json.loads(result.stdout)
    assert counts == 1814


TYPES = {
    "CloseConnectionResponse": "CLOSE_CONNECTION_RESPONSE",
    "GetAccessSpecsResponse": "GET_ACCESSSPECS_RESPONSE",
    "GetROSpecsResponse": "GET_ROSPECS_RESPONSE",
    "GetReaderCapabilitiesResponse": "GET_READER_CAPABILITIES_RESPONSE",
    "GetReaderConfigResponse": "GET_READER_CONFIG_RESPONSE",
    "ROAccessReport": "RO_ACCESS_REPORT",
    "ReaderEventNotification": "READER_EVENT_NOTIFICATION",
}
