"""Framing and values of serial readers: vectors from manuals and other projects, any cut, any garbage."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.errors import MalformedError
from edge.readers.serial import r200, uhfreader
from edge.readers.sightings import Sighting
from tests.helpers.fake_serial import crc_mcrf4xx, r200_frame, uhf_frame

EPC = bytes.fromhex("30751feb705c5904e3d50d70")
# R200 user protocol V2.3.3, chapters 2, 3, 18 and 19 (its head and tail), and the same frames in the BB dialect.
NOTICE = bytes.fromhex("aa02220011c9340030751feb705c5904e3d50d703a76efdd")
NOTICE_BB = bytes.fromhex("bb02220011c9340030751feb705c5904e3d50d703a76ef7e")
NO_TAG = bytes.fromhex("bb01ff000115167e")
# Answers recorded in the tests of chafon-rfid; the info is that of a reader of type 0x0C (CF-RU6402).
TAG_288 = bytes.fromhex("1500010301010c0000000000000000000003136bb1a5")
TAG_288_ANT3 = bytes.fromhex("1500010304010c49440000000000000a0003346425c0")
TAGS_288 = bytes.fromhex("2300010301020c0000000000000000000003136b0c0000000000000000000003146c70f2")
SHORT_288 = bytes.fromhex("0d000103010104003230386da3d2")
NO_TAGS_288 = bytes.fromhex("0700010101001e4b")
TAGS_18 = bytes.fromhex("20000103020c0000000000000000000003130c0000000000000000000003149ac9")
INFO_288 = bytes.fromhex("1100210000160c034e001e0a01000000e651")


def frames_of(family, data, cuts=()):
    """Frames of a stream that comes in pieces, and the framer."""
    framer, found, at = family.framer(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[at:cut])
        at = cut
    return found, framer


def one(family, data):
    """The one frame of a vector."""
    found, framer = frames_of(family, data)
    assert (len(found), framer.skipped_bytes, framer.pending) == (1, 0, 0)
    return found[0]


@pytest.mark.parametrize("data", [NOTICE, NOTICE_BB])
def test_r200_notice_of_the_manual_is_read(data):
    assert r200.read_tag(one(r200, data)) == Sighting(EPC, antenna=1, rssi_cdbm=-5500)


@pytest.mark.parametrize(
    ("made", "manual"),
    [
        (r200.info(r200.Info.HARDWARE, head=0xAA), "aa00030001 00 04dd"),
        (r200.command(r200.Command.POLL_ONCE, head=0xAA), "aa0022000022dd"),
        (r200.poll_many(10000, head=0xAA), "aa00270003 222710 83dd"),
        (r200.poll_many(head=0xAA), "aa00270003 22ffff 4add"),
        (r200.command(r200.Command.STOP_POLLING), "bb00280000287e"),
        (r200.set_region(0x01), "bb00070001 01 097e"),
        (r200.insert_channels((1, 2, 3, 4, 5), head=0xAA), "aa00a90006 05 0102030405 c3dd"),
        (r200.set_power(2000), "bb00b60002 07d0 8f7e"),
        (r200.set_hopping(on=True), "bb00ad0001 ff ad7e"),
    ],
)
def test_r200_commands_are_those_of_the_manual(made, manual):
    assert made == bytes.fromhex(manual)


def test_r200_answers_of_the_manual_are_read():
    hardware = bytes.fromhex("aa0103000b004d3130302056312e3030") + bytes(
        [sum(b"M100 V1.00") + 0x01 + 0x03 + 0x0B & 0xFF, 0xDD]
    )
    assert r200.read_info(one(r200, hardware)) == "M100 V1.00"
    assert r200.read_power_cdbm(one(r200, bytes.fromhex("aa01b7000207d091dd"))) == 2000
    assert "heard no tag (code 0x15)" in r200.read_error(one(r200, NO_TAG))


def test_uhfreader_vectors_of_another_project_are_read():
    read = uhfreader.read_tags
    epc = bytes.fromhex("000000000000000000000313")
    assert read(one(uhfreader, TAG_288), antenna=1, with_rssi=True) == [Sighting(epc, 1, 100 * (0x6B - 160))]
    assert uhfreader.antennas(one(uhfreader, TAG_288_ANT3).data[1], 4) == [3]
    assert [tag.epc[-1] for tag in read(one(uhfreader, TAGS_288), antenna=1, with_rssi=True)] == [0x13, 0x14]
    assert read(one(uhfreader, SHORT_288), antenna=1, with_rssi=True)[0].epc == bytes.fromhex("00323038")
    assert read(one(uhfreader, NO_TAGS_288), antenna=1, with_rssi=True) == []
    assert read(one(uhfreader, TAGS_18), antenna=1, with_rssi=False)[1].rssi_cdbm is None
    info = uhfreader.read_info(one(uhfreader, INFO_288))
    assert info == ("0.22", 0x0C, 4, 0, 14, 30, 10)


def test_uhfreader_commands_are_those_of_another_project_and_the_manual():
    # chafon-rfid: Q 15, session 0, antenna 1 is `0f 00 01 0000 00 00 80 14` with its scan time of 2 s
    assert uhfreader.inventory_288(1, 15)[3:-2] == bytes.fromhex("0f00 01000000 00 80 03")
    assert uhfreader.inventory_288(4, 2, session=1)[3:-2] == bytes.fromhex("0201 01000000 00 83 03")
    assert uhfreader.set_region(4, 0, 14)[3:-2] == bytes.fromhex("4e00"), "as the vector's reader says of itself"
    assert uhfreader.command(uhfreader.Command.INFO)[:3] == bytes.fromhex("04ff21")


def test_crc_is_the_published_one():
    """CRC-16/MCRF4XX of "123456789" is 0x6F91."""
    assert uhfreader.crc16(b"123456789") == crc_mcrf4xx(b"123456789") == 0x6F91


@pytest.mark.parametrize(
    ("byte", "ports", "named"), [(4, 4, [3]), (5, 4, [1, 3]), (0x80, 8, [8]), (4, 16, [5]), (0, 4, [])]
)
def test_antenna_byte_is_a_mask_on_small_readers_and_an_index_on_large_ones(byte, ports, named):
    assert uhfreader.antennas(byte, ports) == named


def test_fastid_keeps_the_epc_and_leaves_the_tid():
    block = bytes([0x80 | 24]) + EPC + bytes(12) + bytes([100])
    frame = uhfreader.Frame(0, 1, bytes([1, 1, 1]) + block)
    assert uhfreader.read_tags(frame, antenna=1, with_rssi=True) == [Sighting(EPC, 1, -6000)]


FAMILIES = {
    "r200": (r200, lambda data: r200_frame(2, 0x22, data)),
    "uhfreader": (uhfreader, lambda data: uhf_frame(1, data)),
}
FAMILY = pytest.mark.parametrize("name", FAMILIES)
payloads = st.lists(
    st.binary(max_size=40) | st.sampled_from([NOTICE_BB, b"\xbb\x7e", b"\xaa\xdd", b"\x05"]), max_size=6
)


@FAMILY
@given(data=st.data())
def test_cuts_never_change_the_frames(name, data):
    """Whatever the bytes and wherever they are cut: the same frames and the same skips."""
    family, frame = FAMILIES[name]
    pieces = [data.draw(st.binary(max_size=9)) + frame(payload) for payload in data.draw(payloads)]
    stream = b"".join(pieces) + data.draw(st.binary(max_size=9))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    whole, whole_framer = frames_of(family, stream)
    cut, cut_framer = frames_of(family, stream, cuts)
    single, single_framer = frames_of(family, stream, range(len(stream)))
    assert whole == cut == single
    assert len({(f.skipped_bytes, f.faults, f.pending) for f in (whole_framer, cut_framer, single_framer)}) == 1


@FAMILY
@given(data=st.data())
def test_any_bytes_give_frames_or_skips_and_nothing_is_held_after_silence(name, data):
    """Each byte is in a frame, skipped, or gone after `idle`; nothing is raised."""
    family, _ = FAMILIES[name]
    stream = data.draw(st.binary(max_size=700))
    framer = family.framer()
    found = framer.feed(stream) + framer.idle()
    assert framer.pending == 0
    assert sum(len(family.encode(frame)) for frame in found) + framer.skipped_bytes == len(stream)


@FAMILY
@given(garbage=st.binary(max_size=30), payload=st.binary(min_size=1, max_size=30))
def test_a_frame_after_garbage_is_found(name, garbage, payload):
    """With a pause between the two and without one, though garbage may look like the head of a longer frame."""
    family, frame = FAMILIES[name]
    framer = family.framer()
    found = framer.feed(garbage) + framer.idle() + framer.feed(frame(payload))
    assert family.framer().feed(frame(payload))[0] == found[-1]
    follow = family.framer()
    assert family.framer().feed(frame(payload))[0] in follow.feed(garbage + frame(payload)) + follow.idle()


@FAMILY
@given(data=st.data())
def test_a_whole_frame_survives_the_device_and_back(name, data):
    family, frame = FAMILIES[name]
    payload = data.draw(st.binary(min_size=1, max_size=200))
    (found,) = family.framer().feed(frame(payload))
    assert found.data == payload
    assert family.encode(found) == frame(payload)


@given(data=st.binary(max_size=80), rssi=st.booleans(), ports=st.sampled_from([1, 4, 8, 12, 16]))
def test_any_payload_is_read_or_malformed(data, rssi, ports):
    """Readers of payloads raise their one error and no other, and give EPCs that a batch can hold."""
    frame = uhfreader.Frame(0, 1, data)
    for read in (
        lambda: uhfreader.read_tags(frame, antenna=1, with_rssi=rssi),
        lambda: uhfreader.read_pushed(frame, ports=ports),
        lambda: [r200.read_tag(r200.Frame(2, 0x22, data))],
    ):
        with contextlib.suppress(MalformedError):
            assert all(0 < len(tag.epc) <= 62 for tag in read())
    for read, family_frame in (
        (uhfreader.read_info, frame),
        (r200.read_power_cdbm, r200.Frame(1, 0xB7, data)),
        (r200.read_info, r200.Frame(1, 3, data)),
    ):
        with contextlib.suppress(MalformedError):
            read(family_frame)
    assert r200.read_error(r200.Frame(1, 0xFF, data))


def test_a_long_stretch_of_garbage_is_skipped_and_not_held():
    """A line at the wrong speed gives nothing but garbage, and must cost no more than reading it."""
    noise = random.Random(5).randbytes(200_000)
    framer = r200.framer()
    for at in range(0, len(noise), 1000):
        framer.feed(noise[at : at + 1000])
    framer.idle()
    assert framer.pending == 0
    assert framer.skipped_bytes > 190_000
