"""What others' dissector says of what our agent and our simulator send."""

import pytest

from edge.llrp import Frame
from edge.llrp.capture import Endpoint, RecordedConnection, header
from edge.llrp.messages import decode_message, encode_message
from tests.helpers import dissected
from tests.helpers.llrp_messages import message

READER, CLIENT = True, False
IDENTIFICATION = bytes.fromhex("00da000f00" + "0008" + "021625fffe000000")


@pytest.mark.system("tshark")
async def test_tshark_finds_nothing_malformed_in_either_direction(tmp_path):
    """Connect, set-up, outputs, reports, keepalives, a broken connection, orderly closes; known gaps aside."""
    recording = tmp_path / "session.pcapng"
    reads = await dissected.record_session(recording, scenario="crowd", seconds=6.0, reconnects=1)
    seen, malformed, _ = dissected.dissect(recording)
    assert malformed == []
    assert reads > 0
    assert seen[READER, 61] > 10
    for kind in (1, 2, 3, 14, 20, 21, 22, 23, 24, 41, 64, 72, 1023):
        assert seen[CLIENT, kind], f"the client's message type {kind} is not in the recording"
    for kind in (4, 11, 12, 13, 30, 31, 32, 33, 34, 51, 62, 63, 1023):
        assert seen[READER, kind], f"the reader's message type {kind} is not in the recording"
    assert seen[CLIENT, 14] == 2
    assert seen[READER, 63] >= 4


@pytest.mark.system("tshark")
async def test_dissector_finds_what_is_wrong(tmp_path):
    """The check can fail: a parameter whose length is a lie is called malformed."""
    recording = tmp_path / "session.pcapng"
    await dissected.record_session(recording, seconds=1.5, reconnects=0)
    data = bytearray(recording.read_bytes())
    status = bytes.fromhex("011f0008")
    at = data.index(status)
    data[at : at + 4] = bytes.fromhex("011f0006")
    recording.write_bytes(data)
    assert dissected.dissect(recording)[1]


def test_known_gap_of_the_dissector_is_as_the_standard_has_it():
    """Identification: one byte of type, a 16-bit count, so many bytes; our codec reads it and writes it back."""
    data = message(12, bytes.fromhex("011f000800000000") + IDENTIFICATION)
    read = decode_message(Frame(12, 7, 1, data[10:], 0))
    assert read.identification.reader_id == bytes.fromhex("021625fffe000000")
    assert encode_message(read, 7) == data


@pytest.mark.system("tshark")
@pytest.mark.parametrize("comments", [(), ('stockgate {"note":"clock","offset_us":1}',)])
def test_known_gap_is_known_whatever_comment_its_packet_carries(tmp_path, comments):
    """Wireshark lists a comment beside what is malformed; a receive that brings a report too carries the clock's."""
    answer = message(12, bytes.fromhex("011f000800000000") + IDENTIFICATION)
    _, malformed, all_of_them = dissected.dissect(_capture(tmp_path, answer, comments))
    assert (malformed, all_of_them) == ([], 1)


@pytest.mark.system("tshark")
def test_packet_called_malformed_is_named_by_its_frame(tmp_path):
    """Frame, messages, parameters, words, as the figure's detail gives them; the comment is none of the words."""
    answer = message(13, bytes.fromhex("011f000600000000"))
    _, (malformed,), _ = dissected.dissect(_capture(tmp_path, answer, ("a comment, with a comma.",)))
    assert str(malformed).startswith("frame 4: messages 13, parameters 287")
    assert "ength" in str(malformed)
    assert "comment" not in str(malformed)


def _capture(folder, data, comments):
    connection = RecordedConnection(client=Endpoint("127.0.0.1", 50000), reader=Endpoint("127.0.0.1", 5084))
    path = folder / "one.pcapng"
    path.write_bytes(
        header(application="test", comments=[]) + connection.open(1) + connection.received(2, data, comments)
    )
    return path
