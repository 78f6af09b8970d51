"""Bytes cut anyhow become the same messages; what isn't LLRP is told early and in words."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp import FrameBuffer, LlrpError
from edge.llrp.framing import MAX_FRAME_BYTES, OTHERS_A_CALL, CompiledCut, PlainCut, choose_cut
from tests.helpers.llrp_messages import KEEPALIVE, message, mutated, pieces, random_chunk, report, tag

STREAM = report(tag(), tag()) + KEEPALIVE + report() + message(30, b"\x01\x1f\x00\x08\x00\x00\x00\x00", version=2)


@pytest.fixture(params=[CompiledCut, PlainCut], autouse=True)
def cut_walk(request, monkeypatch):
    """Each walk over headers in turn, as the one that a buffer chooses by itself."""
    monkeypatch.setattr("edge.llrp.framing.choose_cut", request.param)


def _received(parts, **options):
    """Feed parts one by one; return the messages' bytes, the other frames, and the fault's words."""
    buffer = FrameBuffer(**options)
    data, others = b"", []
    try:
        for part in parts:
            buffer.feed(part)
            chunk = buffer.take()
            others += [(frame.type, frame.message_id, frame.version, frame.payload) for frame in chunk.others]
            data += bytes(chunk.data)
        buffer.finish()
    except LlrpError as error:
        return data, others, str(error)
    return data, others, None


@pytest.mark.parametrize("cut", ["whole", "one byte at a time", "random split"])
def test_messages_are_the_same_however_the_stream_was_cut(cut):
    parts = {
        "whole": [STREAM],
        "one byte at a time": [STREAM[i : i + 1] for i in range(len(STREAM))],
        "random split": pieces(random.Random(5), STREAM),
    }[cut]
    data, others, fault = _received(parts, capacity_bytes=64)
    assert data == STREAM
    assert others == [(62, 7, 1, b""), (30, 7, 2, b"\x01\x1f\x00\x08\x00\x00\x00\x00")]
    assert fault is None


def test_chunk_counts_messages_and_says_where_the_others_stand():
    buffer = FrameBuffer()
    buffer.feed(STREAM)
    chunk = buffer.take()
    assert (chunk.messages, chunk.reports, [frame.offset for frame in chunk.others]) == (4, 2, [44, 44 + 10 + 10])


def test_received_in_place_through_a_writable_view():
    buffer = FrameBuffer(capacity_bytes=16)
    for at in range(0, len(STREAM), 3):
        room = buffer.writable()
        part = STREAM[at : at + min(3, len(room))]
        room[: len(part)] = part
        buffer.written(len(part))
    assert bytes(buffer.take().data) == STREAM
    assert buffer.pending == 0


def test_room_is_offered_by_64_kib_and_to_the_hint():
    assert len(FrameBuffer().writable()) >= 65536
    assert len(FrameBuffer().writable(1_000_000)) >= 1_000_000
    with pytest.raises(ValueError, match="can't have been written"):
        FrameBuffer(capacity_bytes=16).written(17)


def test_message_far_larger_than_the_buffer_comes_whole():
    large = message(61, b"".join([tag()] * 50_000))
    parts = [large[at : at + 65536] for at in range(0, len(large), 65536)]
    data, _, fault = _received([*parts, KEEPALIVE], capacity_bytes=1024)
    assert data == large + KEEPALIVE
    assert fault is None


@pytest.mark.parametrize("greeting", ["a55a00098d01", "a5", "485454502f312e3120343030", "1603010200", "00" * 12])
def test_port_that_speaks_something_else_is_told_at_its_first_byte(greeting):
    data, _, fault = _received([bytes.fromhex(greeting)])
    assert data == b""
    assert fault.startswith(f"the first bytes are no LLRP message header: {bytes.fromhex(greeting)[:8].hex(' ')}")
    assert "is this an LLRP reader's port?" in fault


def test_whole_messages_before_garbage_are_handed_over_with_the_fault():
    buffer = FrameBuffer()
    buffer.feed(KEEPALIVE + report(tag()) + b"\xa5\x5a")
    chunk = buffer.take()
    assert bytes(chunk.data) == KEEPALIVE + report(tag())
    assert chunk.fault.offset == len(chunk.data)
    assert f"at byte {len(chunk.data)}" in str(chunk.fault)
    for last_word in (buffer.take, buffer.finish):
        with pytest.raises(LlrpError, match="nothing from here on can be read"):
            last_word()


def test_offsets_in_faults_count_from_the_start_of_the_stream():
    buffer = FrameBuffer(capacity_bytes=16)
    for _ in range(10):
        buffer.feed(KEEPALIVE)
        buffer.take()
    buffer.feed(b"\xff")
    assert buffer.take().fault.offset == 100


@pytest.mark.parametrize("have", range(6, 12))
def test_length_below_the_header_is_told_as_soon_as_it_is_there(have):
    _, _, fault = _received([KEEPALIVE, message(62, b"\0" * 8, length=9)[:have]])
    assert fault == (
        "the message at byte 10 says it is 9 bytes long, its header alone has 10; nothing from here on can be read"
    )


def test_length_above_the_cap_is_told_before_its_bytes_are_awaited():
    at_cap = message(61, b"\0" * 90)
    assert _received([at_cap], max_frame_bytes=100)[2] is None
    fault = _received([message(61, length=101)[:6]], max_frame_bytes=100)[2]
    assert "101 bytes long, more than the 100 allowed" in fault


def test_cap_is_16_mib_where_nothing_else_is_said():
    assert MAX_FRAME_BYTES == 16 * 1024 * 1024
    buffer = FrameBuffer()
    buffer.feed(message(61, length=MAX_FRAME_BYTES))
    assert buffer.take().fault is None
    assert "more than the 16777216 allowed" in _received([message(61, length=MAX_FRAME_BYTES + 1)])[2]


def test_more_other_messages_than_one_call_tells_come_all():
    many = [message(62, message_id=n) for n in range(3 * OTHERS_A_CALL + 1)]
    buffer = FrameBuffer()
    buffer.feed(report(tag()).join(many) + message(62, length=9))
    chunk = buffer.take()
    assert [frame.message_id for frame in chunk.others] == list(range(len(many)))
    assert (chunk.messages, chunk.reports) == (2 * len(many) - 1, len(many) - 1)
    assert chunk.fault is not None


@pytest.mark.parametrize(("have", "of"), [(3, "at least 10"), (9, "10"), (40, "60")])
def test_stream_that_ends_inside_a_message_says_where(have, of):
    whole = {"at least 10": KEEPALIVE, "10": KEEPALIVE, "60": message(61, b"\0" * 50)}[of]
    _, _, fault = _received([KEEPALIVE, whole[:have]])
    assert fault == f"the stream ends inside a message: the one at byte 10 is cut off after {have} of {of} bytes"


@given(st.randoms(use_true_random=False), st.sampled_from([11, 60, 4096]))
def test_compiled_cut_equals_plain(rng, cap):
    stream = bytearray(mutated(rng, b"".join(random_chunk(rng) for _ in range(rng.choice((1, 1, 40))))))
    start = rng.choice((0, 0, rng.randrange(len(stream) + 1)))
    end = rng.randrange(start, len(stream) + 1)
    assert CompiledCut().whole(stream, start, end, cap) == PlainCut().whole(stream, start, end, cap)


def test_plain_cut_is_used_where_numba_is_switched_off_or_absent(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert isinstance(choose_cut(), PlainCut)
    monkeypatch.delenv("NUMBA_DISABLE_JIT")
    assert isinstance(choose_cut(), CompiledCut)
    monkeypatch.setattr("edge.llrp.framing.find_spec", lambda _: None)
    assert isinstance(choose_cut(), PlainCut)


@given(st.randoms(use_true_random=False))
def test_damaged_streams_give_the_same_messages_and_fault_however_cut(rng):
    """The message of a fault may show more bytes when more had come, so its offset is compared."""
    stream = mutated(rng, random_chunk(rng))
    results = []
    for parts in ([stream], [stream[i : i + 1] for i in range(len(stream))], pieces(rng, stream)):
        buffer = FrameBuffer(capacity_bytes=32, max_frame_bytes=4096)
        data, fault = b"", None
        for part in parts:
            buffer.feed(part)
            chunk = buffer.take()
            data += bytes(chunk.data)
            if chunk.fault:
                fault = chunk.fault.offset
                break
        results.append((data, fault, fault is None and buffer.pending))
    assert results[0] == results[1] == results[2]
