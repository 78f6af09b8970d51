"""`stockgate-edge decode`: every field shown, every fault told with its place, sensible exit codes."""

import json
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from edge.cli import app, with_payload_types
from edge.llrp import LlrpError
from edge.llrp.capture import header
from edge.llrp.dump import Tally, decode, moment, payload_type
from edge.llrp.tag_report import TagReport
from edge.llrp.wire import Message
from tests.helpers.captures import pcap, pcapng
from tests.helpers.llrp_messages import KEEPALIVE, custom, epc_data, message, mutated, random_chunk, report, tag, tlv

WORDY = tag(
    tlv(349, b"\0\0\1\0\2\xde\xad\xbe\xef"),
    tlv(350, b"\2\0\2\0\3"),
    tlv(351, b"\1\0\3"),
    tlv(362, b"\0\0\4\0\1\xff\0"),
    custom(25882, 56, b"\1\2"),
    custom(25882, 57, b"\xe9\x92"),
    custom(25882, 68, b"\xff\xe2"),
    custom(161, 709, b"\xa0\xd4"),
    custom(4711, 1, b"\xab"),
    tlv(300, b"\xcd"),
    antenna=2,
    first_uptime_us=5_000_001,
    last_us=1_594_174_805_140_192,
    pc=0x3000,
    crc=0x4BCB,
    xpc_w1=0x0201,
    xpc_w2=1,
    access_spec_id=9,
    op_spec_id=3,
    client_request_op_spec_result=8,
    singulation=0x00050007,
    rssi_dbm=-57,
)
WORDY_JSON = {
    "offset": 10,
    "message_id": 7,
    "version": 1,
    "epc": "3034257bf7194e4000000001",
    "epc_bits": 96,
    "epc_form": "EPC-96",
    "rospec_id": None,
    "spec_index": None,
    "inventory_parameter_spec_id": None,
    "antenna": 2,
    "peak_rssi_dbm": -57,
    "channel": None,
    "first_seen_us": None,
    "first_seen_uptime_us": 5_000_001,
    "last_seen_us": 1_594_174_805_140_192,
    "last_seen_uptime_us": None,
    "seen_count": None,
    "pc": 0x3000,
    "crc": 0x4BCB,
    "xpc_w1": 0x0201,
    "xpc_w2": 1,
    "access_spec_id": 9,
    "op_spec_id": 3,
    "client_request_op_spec_result": 8,
    "singulation": {"collision_slots": 5, "empty_slots": 7},
    "op_specs": [
        {"kind": "C1G2Read", "result": 0, "op_spec_id": 1, "words_written": None, "data": "deadbeef"},
        {"kind": "C1G2Write", "result": 2, "op_spec_id": 2, "words_written": 3, "data": None},
        {"kind": "C1G2Kill", "result": 1, "op_spec_id": 3, "words_written": None, "data": None},
        {"kind": "C1G2GetBlockPermalockStatus", "result": 0, "op_spec_id": 4, "words_written": None, "data": "ff00"},
    ],
    "custom": [
        dict(zip(("vendor", "subtype", "data", "name", "value", "unit"), values, strict=True))
        for values in (
            (25882, 56, "0102", "ImpinjRFPhaseAngle", 258, "turn/4096"),
            (25882, 57, "e992", "ImpinjPeakRSSI", -5742, "dBm/100"),
            (25882, 68, "ffe2", "ImpinjRFDopplerFrequency", -30, "Hz/16"),
            (161, 709, "a0d4", "MotoTagPhase", -24364, "turn/65534"),
            (4711, 1, "ab", None, None, None),
        )
    ],
    "unknown": [{"type": 300, "data": "cd"}],
}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `decode` over files of the given bytes; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args, stdin=b"", **files):
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        result = CliRunner().invoke(app, ["decode", *args], input=stdin)
        return result.exit_code, result.stdout, result.stderr

    return invoke


def test_json_has_every_field_of_a_tag_report(run):
    code, out, err = run("a", "--json", a=report(WORDY))
    assert (code, out.count("\n")) == (0, 1)
    assert json.loads(out) == {"file": "a", **WORDY_JSON}
    assert err == "a: 1 message (1 RO_ACCESS_REPORT); 1 tag report\n"


def test_one_json_line_a_tag_report_and_other_messages_named_beside(run):
    wire = KEEPALIVE + report(tag(), tag(), tlv(242), custom(161, 3, b"")) + report() + message(63) + message(999)
    code, out, err = run("a", "b", "--json", a=wire, b=report(tag(epc_data(b"\x54", 1), epc=None)))
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(line["file"], line["offset"]) for line in lines] == [("a", 20), ("a", 37), ("b", 10)]
    assert [lines[2][name] for name in ("epc", "epc_bits", "epc_form")] == ["54", 1, "EPCData"]
    assert err.splitlines() == [
        (
            "a: 5 messages (2 RO_ACCESS_REPORT, 1 KEEPALIVE, 1 READER_EVENT_NOTIFICATION, 1 type 999); 2 tag reports; "
            "2 other parameters beside them (RF surveys, custom) not shown"
        ),
        "b: 1 message (1 RO_ACCESS_REPORT); 1 tag report",
    ]


def test_table_shows_what_json_shows(run):
    code, out, _ = run("a", a=report(WORDY))
    text = " ".join(out.replace("│", " ").split())
    assert code == 0
    for words in ("3034257bf7194e4000000001", "+5.000001 s", "2020-07-08", "02:20:05.140192Z", "pc 3000", "-57"):
        assert words in text
    squeezed = (
        "".join(line[112:] for line in out.splitlines() if line.startswith("│")).replace(" ", "").replace("│", "")
    )
    for words in (
        "crc4bcb",
        "C1G2Read1result0deadbeef",
        "ImpinjPeakRSSI-5742dBm/100",
        "custom4711/1",
        "type300",
        "slots5/7",
    ):
        assert words in squeezed


def test_times_are_shown_as_people_read_them():
    assert moment(0, 5) == "1970-01-01 00:00:00.000000Z"
    assert moment(None, None) == ""
    assert moment(2**63 - 1, None) == f"{2**63 - 1} us"


def test_truncated_file_shows_what_was_whole_and_says_where_it_ends(run):
    wire = report(tag()) + report(tag())
    code, out, err = run("a", "--json", a=wire[:-5])
    assert (code, len(out.splitlines())) == (1, 1)
    assert (
        err.splitlines()[0] == "a: the stream ends inside a message: the one at byte 27 is cut off after 22 of 27 bytes"
    )
    assert err.splitlines()[1] == "a: 1 message (1 RO_ACCESS_REPORT); 1 tag report; 1 fault"


def test_garbage_behind_whole_messages_is_told_with_its_offset(run):
    code, out, err = run("a", "--json", a=report(tag()) + b"\xa5\x5a\x00\x09")
    assert (code, len(out.splitlines())) == (1, 1)
    assert "a: at byte 27 stands no LLRP message header: a5 5a 00 09" in err


def test_file_of_something_else_is_told_with_what_it_may_be(run):
    code, out, err = run("a", a=report(tag())[10:])
    assert (code, out) == (1, "")
    assert "the first bytes are no LLRP message header: 00 f0 00 11" in err
    assert "read with --payload" in err
    code, _, err = run("a", "--payload", a=report(tag()))
    assert code == 1
    assert "without --payload" in err


def test_broken_tag_report_costs_no_other_and_the_next_file_is_still_read(run):
    wire = report(tag(), tag(b"\xff"), tag()) + report(tag(epc=None)) + report(b"\x81\0\1")
    code, out, err = run("a", "b", "--json", a=wire, b=report(tag()))
    assert (code, len(out.splitlines())) == (1, 3)
    assert [line.split(":")[:2] for line in err.splitlines()[:3]] == [["a", f" byte {n}"] for n in (44, 72, 86)]


def test_flood_of_faults_is_told_in_few_lines(run):
    code, _, err = run("a", a=report(*[tag(epc=None)] * 500))
    assert (code, len(err.splitlines())) == (1, 21)
    assert err.endswith("0 tag reports; 500 faults, 20 shown\n")


def test_standard_input_is_a_dash(run):
    code, out, _ = run("-", "--json", stdin=report(tag()))
    assert (code, json.loads(out)["file"]) == (0, "-")


@pytest.mark.parametrize(
    "args",
    [
        ["--payload", "a"],
        ["a", "--payload"],
        ["--payload=ro_access_report", "a"],
        ["--payload", "61", "a"],
        ["--payload", "--json", "a"],
        ["--payload", "--", "a"],
    ],
)
def test_payload_stands_alone_or_with_a_type(run, args):
    code, out, err = run("--json", *args, a=report(WORDY)[10:])
    assert code == 0, err
    assert json.loads(out) == {"file": "a", **WORDY_JSON, "offset": 0, "message_id": None, "version": None}


def test_payload_of_another_type_is_named(run):
    code, out, err = run("--payload", "READER_EVENT_NOTIFICATION", "a", a=b"\0\xf6\0\4")
    assert (code, out, err) == (0, "", "a: 1 message (1 READER_EVENT_NOTIFICATION); 0 tag reports\n")


def test_payload_word_is_a_type_only_where_it_names_one():
    assert with_payload_types(["--payload", "x.bin"]) == ["--payload=RO_ACCESS_REPORT", "x.bin"]
    assert with_payload_types(["--payload", "keepalive", "x"]) == ["--payload=keepalive", "x"]
    assert with_payload_types(["x", "--", "--payload"]) == ["x", "--", "--payload"]


@pytest.mark.parametrize("data", [header(application="test"), pcap([]), pcapng([], order="<"), pcapng([], order=">")])
def test_capture_is_told_to_be_one(tmp_path, data):
    """Exit 2 and the command that reads it, rather than a message of an absurd length."""
    path = tmp_path / "run.pcapng"
    path.write_bytes(data)
    result = CliRunner().invoke(app, ["decode", str(path)], env={"COLUMNS": "1000"})
    assert result.exit_code == 2
    assert "is a capture (pcapng or pcap)" in result.stderr
    assert "stockgate-edge replay" in result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nowhere.bin"], "cannot read 'nowhere.bin': No such file"),
        (["."], "cannot read '.': Is a directory"),
        (["--payload", "RO_ACCES_REPORT"], "--payload=RO_ACCESS_REPORT"),
        (["--payload=KEEPALIV", "x"], "did you mean KEEPALIVE?"),
        (["--payload=1024", "x"], "or a number up to 1023"),
        ([], "Missing argument"),
    ],
)  # fmt: skip
def test_wrong_file_or_option_exits_2_and_says_what_is_right(run, args, words):
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert words.replace(" ", "") in err.replace("│", "").replace("\n", "").replace(" ", "")


def test_file_name_that_is_no_text_is_shown_escaped(run, tmp_path):
    name = "caf\udce9"
    (tmp_path / name).write_bytes(report(tag()))
    code, out, _ = run(name, "--json")
    assert (code, json.loads(out)["file"]) == (0, "caf\\udce9")


def test_help_says_what_the_commands_do():
    for args in (["--help"], ["decode", "--help"], ["run", "--help"]):
        result = CliRunner().invoke(app, args)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "." in result.stdout


def test_message_types_are_names_or_numbers():
    assert payload_type("Keepalive") == Message.KEEPALIVE
    assert payload_type("0") == 0
    with pytest.raises(LlrpError, match="no LLRP message type"):
        payload_type("²")


@given(st.randoms(use_true_random=False))
def test_any_damage_is_reports_and_faults_and_nothing_else(rng):
    wire = mutated(rng, random_chunk(rng))
    for data, payload in ((wire, None), (wire[10:], Message.RO_ACCESS_REPORT)):
        tally = Tally()
        items = list(decode(data, payload, tally))
        assert all(isinstance(item, TagReport | LlrpError) for item in items)
        assert tally.tag_reports + tally.faults == len(items)


def test_right_reports_decode_without_faults():
    rng = random.Random(11)
    for _ in range(200):
        tally = Tally()
        list(decode(random_chunk(rng), None, tally))
        assert tally.faults == 0


def test_reader_of_the_pipe_may_leave_early(tmp_path):
    (tmp_path / "a").write_bytes(report(*[tag()] * 3000))
    command = f"{sys.executable} -c 'import edge.cli; edge.cli.main()' decode --json {tmp_path}/a | head -1"
    result = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602 - a pipe is the point
    assert len(result.stdout.splitlines()) == 1
    assert b"Traceback" not in result.stderr
