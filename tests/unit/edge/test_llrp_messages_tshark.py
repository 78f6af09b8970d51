"""Wireshark's dissector finds nothing wrong in any of the standard's messages, but for its own gaps."""

import struct
import subprocess
from collections import Counter
from random import Random

import pytest

from edge.llrp.messages import encode_message
from edge.llrp.messages.base import CustomMessage, UnknownMessage
from edge.llrp.messages.enums import GetReaderConfigRequestedData
from edge.llrp.messages.registry import MESSAGES
from tests.helpers import llrp_values

MESSAGES_DRAWN = 600
GAPS = {
    ("SET_PROTOCOL_VERSION", 1): "the version byte isn't dissected",
    (
        "GET_READER_CONFIG_RESPONSE",
        2,
    ): "Identification's count isn't counted; a Speedway sends it as we do",
    ("ADD_ACCESSSPEC", 1): "C1G2GetBlockPermalockStatus is one byte short; EdgeX has 11 bytes of fields as we do",
    ("GET_ACCESSSPECS_RESPONSE", 1): "the same",
}
"""(message, bytes that are there but not dissected) and what they are."""
MISREAD = {"CLIENT_REQUEST_OP_RESPONSE"}
"""Dissected as if ClientRequestResponse had no AccessSpecID [16.2.5.1.3.1]."""


@pytest.mark.system("tshark")
def test_wireshark_agrees_with_every_message_of_the_standard(tmp_path):
    rng, drawn = Random(5), []
    kinds = [cls for cls in MESSAGES.values() if cls not in {CustomMessage, UnknownMessage}]
    for message_id in range(MESSAGES_DRAWN):
        message = llrp_values.value(rng, kinds[message_id % len(kinds)], vendors=False)
        if message.STANDARD_NAME == "GET_READER_CONFIG" and message.requested_data not in set(
            GetReaderConfigRequestedData
        ):
            continue
        drawn.append((message.STANDARD_NAME, encode_message(message, message_id, 2)))
    (tmp_path / "all.pcap").write_bytes(pcap([data for _, data in drawn]))
    arguments = ("-d", "tcp.port==5084,llrp", "-Y", "llrp", "-T", "fields", "-e", "frame.number")
    output = subprocess.run(
        ["tshark", "-r", tmp_path / "all.pcap", *arguments, "-e", "_ws.malformed", "-e", "_ws.expert.message"],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    lines = [line.split("\t") for line in output.splitlines()]
    assert len(lines) == len(drawn)
    complaints = Counter()
    for number, malformed, expert in lines:
        name = drawn[int(number) - 1][0]
        for words in (expert or malformed).split(".,") if name not in MISREAD else ():
            if words and not known(name, words):
                complaints[name, words] += 1
    assert not complaints
    assert {name for name, _ in drawn} == {cls.STANDARD_NAME for cls in kinds}


def known(name, words):
    """Say whether a complaint is one of the dissector's own gaps."""
    numbers = [int(word) for word in words.replace(",", " ").split() if word.isdigit()]
    return words.startswith("Incorrect length") and (name, numbers[1] - numbers[0]) in GAPS


def pcap(payloads):
    """Return a capture of one TCP stream from port 5084, a packet a message."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 101)]
    sequence = 1
    for index, data in enumerate(payloads):
        size = 40 + len(data)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, index, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
        tcp = struct.pack("!HHIIBBHHH", 5084, 40000, sequence, 1, 0x50, 0x18, 65535, 0, 0)
        sequence += len(data)
        out.append(struct.pack("<IIII", index, 0, size, size) + ip + tcp + data)
    return b"".join(out)
