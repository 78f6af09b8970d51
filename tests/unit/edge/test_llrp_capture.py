"""Captures: what is written is read back, what others write is understood, what is broken is said."""

import random
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp import LlrpError
from edge.llrp.capture import (
    AsideNote,
    CaptureReader,
    ClockNote,
    ConnectionNote,
    Endpoint,
    ReaderStreams,
    Reassembler,
    RecordedConnection,
    RowsNote,
    Skipped,
    dissect,
    header,
    notes_in,
    to_comment,
)
from edge.llrp.capture.frames import build
from tests.helpers import captures
from tests.helpers.captures import CLIENT, CLIENT6, FIN, LINKS, READER, READER6, SYN, segment
from tests.helpers.llrp_messages import KEEPALIVE, message, report, tag

EVENT = message(63, b"\0\xf6\0\x16\0\x80\0\x0c" + bytes(8) + b"\x01\0\0\6\0\0")
CLIENTS_FIRST = message(1, b"\0")
AT_US = 1_700_000_000_123_456


def packets_of(data, sizes=None):
    """All packets of a file that came in pieces."""
    reader = CaptureReader()
    found, at = [], 0
    for size in sizes or [len(data)]:
        found += reader.feed(data[at : at + size])
        at += size
    found += reader.feed(data[at:])
    reader.finish()
    return found


def reader_bytes(packets):
    """What the readers sent, by connection, and the pieces."""
    reassembler, streams, pieces = Reassembler(), ReaderStreams(), []
    for packet in packets:
        found = dissect(packet.link, packet.data, whole=packet.whole)
        if not isinstance(found, Skipped):
            for piece in reassembler.take(packet.at_us, found, packet.comments):
                pieces += streams.take(piece)
    for piece in reassembler.finish():
        pieces += streams.take(piece)
    joined = {}
    for piece in pieces:
        joined[piece.connection] = joined.get(piece.connection, b"") + piece.data
    return joined, pieces


def recorded(*parts, client=CLIENT, reader=READER):
    """A recording of one connection in which the reader sent parts, a second apart."""
    one = RecordedConnection(client=client, reader=reader)
    blocks = [header(application="test"), one.open(AT_US, ["opens"])]
    for number, part in enumerate(parts):
        blocks += [one.received(AT_US + number * 1_000_000, part, [f"part {number}"]), one.sent(AT_US, KEEPALIVE)]
    return b"".join([*blocks, one.close(AT_US + len(parts) * 1_000_000)])


@pytest.mark.parametrize("ends", [(CLIENT, READER), (CLIENT6, READER6)], ids=["IPv4", "IPv6"])
def test_written_recording_reads_back_with_times_and_comments(ends):
    """Arrivals to the microsecond, the comment at its packet, and one close."""
    parts = [EVENT, report(tag(antenna=1)), b"".join([report(tag())] * 900)]
    joined, pieces = reader_bytes(packets_of(recorded(*parts, client=ends[0], reader=ends[1])))
    assert joined == {0: b"".join(parts)}
    noted = [(piece.at_us, piece.comments[0]) for piece in pieces if piece.comments and piece.data]
    assert noted == [(AT_US + number * 1_000_000, f"part {number}") for number in range(3)]
    assert [piece.reader for piece in pieces] == [ends[1]] * len(pieces)
    assert [piece.closed for piece in pieces].count(True) == 1
    assert not any(piece.anew or piece.lost for piece in pieces)


@given(st.lists(st.integers(1, 60), max_size=60))
def test_how_the_file_is_cut_changes_nothing(sizes):
    """One byte at a time or in any pieces: the same packets."""
    data = recorded(EVENT, report(tag()))
    assert packets_of(data, sizes) == packets_of(data)


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("ends", [(CLIENT, READER), (CLIENT6, READER6)], ids=["IPv4", "IPv6"])
def test_segment_is_found_behind_every_link_header(name, ends):
    """Ethernet with tags and padding, Linux cooked, loopback, raw IP."""
    link, wrap = LINKS[name]
    sent = segment(KEEPALIVE, source=ends[1], target=ends[0])
    assert dissect(link, wrap(build(sent))) == sent


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("ticks", [1_000_000, 1_000_000_000])
def test_classic_pcap_is_read(order, ticks):
    """Both byte orders, micro- and nanoseconds."""
    data = captures.pcap(captures.stream(EVENT, at_us=AT_US), order=order, ticks_a_second=ticks)
    (packet,) = packets_of(data)
    assert packet.at_us == AT_US
    assert reader_bytes([packet])[0] == {0: EVENT}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("resolution", [6, 9, 0x80 | 30, 3])
def test_pcapng_of_others_is_read(order, resolution):
    """Any byte order, resolution in powers of ten and two, a time offset, blocks of no use here."""
    at_us = 1_700_000_000_120_000
    data = captures.pcapng(
        captures.stream(EVENT, at_us=at_us), order=order, resolution=resolution, offset_s=1_600_000_000
    )
    (packet,) = packets_of(data)
    assert packet.at_us == at_us
    assert packet.data[-len(EVENT) :] == EVENT


@given(st.randoms(use_true_random=False))
def test_swapped_repeated_and_overlapping_segments_are_put_right(rng):
    """TCP as networks deliver it: the same bytes, in order, none twice; numbers wrap at 2^32."""
    data = EVENT + b"".join(report(tag(antenna=port)) for port in (1, 2, 3, 4))
    first = rng.choice([1, 2**32 - 3, 2**32 - 60, 2**31 - 9])
    cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(8))})
    parts = [(begin, data[begin:end]) for begin, end in pairwise(cuts)]
    parts += [(begin, data[begin : begin + rng.randrange(1, 50)]) for begin in rng.choices(cuts[:-1], k=3)]
    rng.shuffle(parts)
    opening = segment(seq=(first - 1) % 2**32, flags=SYN)
    segments = [opening, *(segment(part, seq=(first + begin) % 2**32) for begin, part in parts)]
    reassembler, joined = Reassembler(), b""
    for one in segments:
        joined += b"".join(piece.data for piece in reassembler.take(0, one))
    assert joined == data


def test_hole_is_told_and_reading_goes_on_at_a_whole_message():
    """A capture that missed a segment: what follows begins with a message, and the missing bytes are counted."""
    parts = [EVENT, report(tag()), report(tag(antenna=2)), report(tag(antenna=3))]
    whole = captures.stream(b"".join(parts[:2]), size=len(EVENT))
    at = 1 + len(b"".join(parts[:2]))
    missing = [(5, build(segment(parts[2][20:], seq=at + 20))), (6, build(segment(parts[3], seq=at + len(parts[2]))))]
    joined, pieces = reader_bytes(packets_of(captures.pcap([*whole, *missing])))
    assert joined == {0: parts[0] + parts[1] + parts[3]}
    (anew,) = [piece for piece in pieces if piece.lost]
    assert (anew.anew, anew.data, anew.lost) == (True, parts[3], len(parts[2]))


def test_capture_that_begins_inside_a_message_starts_with_the_next_one():
    """Wireshark was started while the reader reported."""
    data = report(tag()) + report(tag(antenna=2))
    half = len(report(tag()))
    cut = [(0, build(segment(data[15:half], seq=100))), (1, build(segment(data[half:], seq=100 + half - 15)))]
    joined, pieces = reader_bytes(packets_of(captures.pcap(cut)))
    assert joined == {0: report(tag(antenna=2))}
    assert pieces[0].anew
    assert pieces[0].lost == half - 15


def test_reader_is_known_by_what_it_says_not_by_its_port():
    """A reader may dial the host: then the port 5084 is ours."""
    ours, readers = Endpoint("192.0.2.1", 5084), Endpoint("192.0.2.10", 51000)
    packets = captures.stream(EVENT, source=readers, target=ours)
    packets += captures.stream(CLIENTS_FIRST, source=ours, target=readers)
    _, pieces = reader_bytes(packets_of(captures.pcap(packets)))
    assert {piece.reader for piece in pieces} == {readers}


def test_connections_that_are_not_llrp_are_passed_over_and_counted():
    """HTTP and TLS in the same capture."""
    streams = ReaderStreams()
    reassembler = Reassembler()
    web, safe = Endpoint("192.0.2.7", 80), Endpoint("192.0.2.7", 443)
    sent = [segment(b"HTTP/1.1 200 OK", source=web), segment(b"\x16\x03\x01\0\1", source=safe), segment(EVENT)]
    found = []
    for one in sent:
        opening = one._replace(seq=0, flags=SYN, payload=b"")
        for piece in (*reassembler.take(0, opening), *reassembler.take(0, one)):
            found += streams.take(piece)
    assert [piece.reader for piece in found] == [READER]
    assert streams.foreign == 2


def test_port_used_again_is_another_connection():
    """A reconnect from the same port after a close is not mixed up with the first one."""
    first, second = recorded(EVENT), recorded(EVENT, report(tag()))
    joined, _ = reader_bytes(packets_of(first + second))
    assert joined == {0: EVENT, 1: EVENT + report(tag())}


def test_packets_of_no_use_say_why():
    """UDP, fragments, cut packets, link types nobody knows."""
    raw = build(segment(EVENT))
    assert dissect(101, raw[:9] + b"\x11" + raw[10:]) is Skipped.NOT_TCP
    assert dissect(101, raw[:6] + b"\x20\0" + raw[8:]) is Skipped.FRAGMENT
    assert dissect(101, raw[:-1], whole=False) is Skipped.CUT
    assert dissect(147, raw) is Skipped.LINK
    assert dissect(1, bytes(12) + b"\x08\x06" + bytes(28)) is Skipped.NOT_TCP


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08\0 squeezed", "gzip"),
        (b"\x28\xb5\x2f\xfd squeezed", "zstd"),
        (EVENT, "neither pcapng nor pcap"),
        (recorded(EVENT)[:-7], "cut off"),
        (captures.pcap(captures.stream(EVENT))[:-7], "cut off"),
        (header(application="x") + struct.pack("<II", 6, 13) + bytes(40), "13 bytes long"),
        (header(application="x") + struct.pack("<II", 6, 1 << 30) + bytes(40), "more than any packet"),
        (header(application="x") + struct.pack("<III", 99, 12, 16), "at its end 16"),
        (header(application="x") + struct.pack("<IIIIIIII", 6, 32, 7, 0, 0, 0, 0, 32), "interface 7"),
        (header(application="x") + struct.pack("<IIII", 3, 16, 0, 16), "has no time"),
    ],
)
def test_broken_capture_is_told_in_words(data, words):
    """What is wrong and where."""
    with pytest.raises(LlrpError, match=words):
        packets_of(data)


def test_packets_before_the_fault_are_given():
    """A recording whose end a power cut took is good up to there."""
    whole = recorded(EVENT, report(tag()))
    reader, found = CaptureReader(), []
    found += reader.feed(whole[:-60])
    with pytest.raises(LlrpError, match="cut off"):
        reader.finish()
    assert found == packets_of(whole)[: len(found)]
    assert len(found) >= 6


@given(st.integers(0, 2**32), st.binary(max_size=40))
def test_damaged_captures_give_packets_or_the_one_error(seed, noise):
    """Any bytes: the documented error or none, in the reader, the frames and the streams."""
    rng = random.Random(seed)
    good = rng.choice([recorded(EVENT, report(tag())), captures.pcapng(captures.stream(EVENT))])
    damaged = bytearray(good)
    for _ in range(rng.randrange(4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    at = rng.randrange(len(damaged))
    damaged[at:at] = noise
    reader, found = CaptureReader(), []
    try:
        found.extend(reader.feed(bytes(damaged)))
        reader.finish()
    except LlrpError:
        pass
    reader_bytes(found)


def test_notes_stand_among_the_comments_of_people():
    """What others wrote, or a later version of us, is passed over."""
    notes = [
        ConnectionNote(reader="r1", host="2001:db8::10", port=5085),
        ClockNote(source="uptime", offset_us=-5, spread_us=7),
        AsideNote(rows=1),
        RowsNote(rows=2),
    ]
    comments = ["look here", 'stockgate {"note":"from the future"}', "stockgate no JSON", *map(to_comment, notes)]
    assert list(notes_in(comments)) == notes


def test_fin_ends_a_connection_once():
    """Both sides say FIN; the connection ends with the first."""
    reassembler = Reassembler()
    pieces = [*reassembler.take(0, segment(EVENT)), *reassembler.take(1, segment(seq=1 + len(EVENT), flags=FIN))]
    pieces += reassembler.take(2, segment(source=CLIENT, target=READER, flags=FIN))
    assert [piece.closed for piece in pieces] == [False, True]
