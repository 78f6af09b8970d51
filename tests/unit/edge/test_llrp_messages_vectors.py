"""Messages that others encoded: nothing is lost, every field is what they say, and the bytes come back."""

import base64
import json
import struct
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from edge.llrp.framing import Frame
from edge.llrp.messages import decode_message, encode_message
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse, GetReaderConfigResponse
from edge.llrp.messages.base import Custom
from edge.llrp.messages.commands import SetReaderConfig
from edge.llrp.messages.plain import from_plain, to_plain
from edge.llrp.messages.registry import MESSAGES
from edge.llrp.wire import IMPINJ, ZEBRA
from tests.helpers.llrp_twins import elements, frames, from_edgex, json_differences, xml_differences

pytestmark = pytest.mark.shared

TOOLKIT_TWINS = (
    "dx101_a", "dx101_b", "java_ADD_ACCESSSPEC", "java_ADD_ROSPEC", "java_ADD_ROSPEC2", "java_ENABLE_ROSPEC",
    "java_GET_READER_CAPABILITIES", "java_GET_READER_CONFIG", "java_READER_EVENT_NOTIFICATION",
    "java_READER_EVENT_NOTIFICATION2", "java_RO_ACCESS_REPORT", "java_SET_READER_CONFIG", "java_START_ROSPEC",
)  # fmt: skip
"""The toolkit's XML files that say what a .bin holds; dx301_a.xml is what its .bin's errors answer."""
TWINS_AT_FAULT = {"java_ADD_ROSPEC2": ("Session is 2, its twin '1'", 2)}
"""Where the twin is wrong: LTKJava writes a field of two bits with its bits swapped (dx101's C++ toolkit doesn't)."""
UNKNOWN_ZEBRA = {(161, 502), (161, 509)}
"""Parameters of a recorded FX9600 that no public document names."""
TYPES = {name.replace("_", "").lower(): number for number, cls in MESSAGES.items() for name in [cls.STANDARD_NAME]}


def bins(shared):
    """Return (file name, frame) of every frame of every .bin."""
    return [(p.name, frame) for p in sorted((shared / "llrp").rglob("*.bin")) for frame in frames(p.read_bytes())]


def payloads(shared):
    """Return (path, frame) of every .bytes, whose name begins with its type."""
    paths = sorted((shared / "llrp").rglob("*.bytes"))
    return [(p, Frame(TYPES[p.name.partition("-")[0].lower()], 0, 1, p.read_bytes(), 0)) for p in paths]


def test_every_recorded_frame_comes_back_byte_for_byte(shared):
    """Decode, encode: 100 % of all files, so that of dx101_a and dx101_e nothing has to be listed."""
    seen = Counter()
    for name, frame in [*bins(shared), *payloads(shared)]:
        again = encode_message(decode_message(frame), frame.message_id, frame.version)
        assert again[10:] == frame.payload, name
        seen[name] += 1
    assert (seen["dx101_a.bin"], seen["dx101_e.bin"], seen["dx101_b.bin"], seen["dx301_a.bin"]) == (934, 750, 24, 78)
    assert seen.total() == 1814


def test_nothing_in_recorded_frames_is_left_over_or_unknown(shared):
    """Every parameter has a class but those of vendors that the toolkit made up; none stands out of place."""
    for name, frame in [*bins(shared), *payloads(shared)]:
        for element in elements(decode_message(frame)):
            assert element.leftover is None, (name, element)
            if isinstance(element, Custom):
                assert element.vendor_identifier not in {IMPINJ, ZEBRA}, (name, element)


def test_every_recorded_message_survives_json(shared):
    for name, frame in bins(shared):
        message = decode_message(frame)
        assert from_plain(type(message), json.loads(json.dumps(to_plain(message)))) == message, name


@pytest.mark.parametrize("name", TOOLKIT_TWINS)
def test_toolkit_messages_equal_their_xml_field_by_field(shared, name):
    root = ET.parse(shared / "llrp" / "ltk" / f"{name}.xml").getroot()  # noqa: S314 (a vector of ours)
    nodes = list(root) if root.tag.endswith("packetSequence") else [root]
    found = frames((shared / "llrp" / "ltk" / f"{name}.bin").read_bytes())
    assert [frame.message_id for frame in found] == [int(node.get("MessageID")) for node in nodes]
    equal, different = 0, []
    for frame, node in zip(found, nodes, strict=True):
        message = decode_message(frame)
        assert node.tag.endswith(f"}}{message.STANDARD_NAME}")
        for difference in xml_differences(message, node):
            equal += difference is None
            different += [difference] if difference else []
    words, count = TWINS_AT_FAULT.get(name, ("", 0))
    assert len(different) == count, different
    assert all(difference.endswith(words) for difference in different), different
    assert equal >= {"dx101_a": 5000, "dx101_b": 700}.get(name, 1)


@pytest.mark.parametrize("name", ["java_CUSTOM_MESSAGE1", "java_CUSTOM_MESSAGE2"])
def test_custom_messages_equal_their_xml(shared, name):
    """The toolkit knows them as bytes, we by name: the bytes that we write are those."""
    node = ET.parse(shared / "llrp" / "ltk" / f"{name}.xml").getroot()  # noqa: S314 (a vector of ours)
    vendor, subtype, data = (child.text for child in node)
    (frame,) = frames((shared / "llrp" / "ltk" / f"{name}.bin").read_bytes())
    message = decode_message(frame)
    assert (int(vendor), int(subtype)) == (message.VENDOR, message.SUBTYPE)
    assert encode_message(message, 1)[15:] == bytes.fromhex(data)


def test_edgex_messages_equal_their_json_field_by_field(shared):
    equal = 0
    for path, frame in payloads(shared):
        told = json.loads(path.with_suffix(".json").read_text())
        differences = list(json_differences(decode_message(frame), told))
        assert not any(differences), (path.name, differences)
        equal += len(differences)
    assert equal > 550


@pytest.mark.parametrize("name", ["SpeedwayR-12-34-FF", "fx96004a4a4a", "fx96008c8c8c"])
def test_recorded_readers_go_through_the_wire_field_by_field(shared, name):
    """Capabilities and configuration that readers told EdgeX: written and read by us, they say the same."""
    told = json.loads((shared / "llrp" / "readers" / f"{name}.json").read_text())
    equal = 0
    for cls, part in (
        (GetReaderCapabilitiesResponse, told["ReaderCapabilities"]),
        (GetReaderConfigResponse, told["ReaderConfig"]),
    ):
        whole = {"LLRPStatus": {"Status": 0, "ErrorDescription": ""}} | part
        message = from_edgex(cls, whole)
        data = encode_message(message, 1)
        differences = list(json_differences(decode_message(Frame(cls.NUMBER, 1, 1, data[10:], 0)), whole))
        assert not any(differences), differences
        equal += len(differences)
    assert equal > 400


@pytest.mark.parametrize("name", ["fx96004a4a4a", "fx96008c8c8c"])
def test_zebras_recorded_parameters_are_understood(shared, name):
    """All that public documents name have fields and no bytes left over; the two others stay as they came."""
    found = list(_customs(json.loads((shared / "llrp" / "readers" / f"{name}.json").read_text())))
    for vendor, subtype, data in found:
        parameter = struct.pack("!HHII", 1023, 12 + len(data), vendor, subtype) + data
        (custom,) = decode_message(Frame(SetReaderConfig.NUMBER, 1, 1, b"\0" + parameter, 0)).custom
        if (vendor, subtype) in UNKNOWN_ZEBRA:
            assert custom == Custom(vendor_identifier=vendor, parameter_subtype=subtype, data=data)
        else:
            assert (vendor, subtype) == (custom.VENDOR, custom.SUBTYPE)
            left = {type(one).__name__ for one in elements(custom) if one.leftover or isinstance(one, Custom)}
            assert not left, (custom, left)
    assert (name != "fx96004a4a4a") or len(found) > 10


def _customs(value):
    if isinstance(value, dict) and "VendorID" in value:
        yield value["VendorID"], value["Subtype"], base64.b64decode(value["Data"])
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _customs(inner)
