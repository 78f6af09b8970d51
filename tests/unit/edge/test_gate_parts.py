"""Parts of a gate snapshot: searched where they lie, and read as the plain decoder reads them, or refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.contracts import ContractError, decode_part, join_part
from edge.gate import GateError
from edge.gate.parts import Part, bucket, cut_block, pack_block
from tests.helpers.gate_messages import entry, parts

FIRST = [entry(number) for number in range(1, 200, 2)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=4),
            st.sampled_from(["allow", "allow_once", "refuse", "hold"]),
            st.sampled_from(["a", "b", "ä"]),
            st.none() | st.integers(0, 10),
        ),
        max_size=40,
    ),
    st.binary(min_size=1, max_size=4),
)
def test_a_search_finds_what_the_plain_decoder_reads(told, strange):
    """Of EPCs of all lengths, however many entries each has."""
    entries = [entry(tag.hex(), verdict, place, start) for tag, verdict, place, start in told]
    packed = parts(1, entries)
    found = {index: Part(index, data) for index, data in cut_block(b"".join(pack_block(packed))).items()}
    assert {index: bytes(part.data) for index, part in found.items()} == packed
    for tag in [*(tag for tag, *_ in told), strange]:
        mine = found.get(bucket(tag))
        plain = [] if mine is None else decode_part(bytes(mine.data)).entries
        wanted = [(one.verdict, one.boundary) for one in plain if one.epc == tag.hex()]
        assert [(one.verdict, one.boundary) for one in (mine.find(tag) if mine else [])] == wanted


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.sampled_from(["cut", "flip", "more"]), st.integers(0, 255))
def test_a_part_is_read_as_the_plain_decoder_would_or_refused(place, damage, value):
    """Whatever one byte of it is, nothing but the room's error comes, and no order is taken for one that isn't."""
    index, whole = next(iter(parts(1, FIRST).items()))
    place %= len(whole)
    damaged = {"cut": whole[:place], "flip": whole[:place] + bytes([value]) + whole[place + 1 :], "more": whole + b"x"}
    try:
        read = Part(index, memoryview(damaged[damage]))
    except GateError:
        read = None
    try:
        plain = decode_part(damaged[damage])
    except ContractError:
        plain = None
    if plain is not None and plain.index == index:
        assert read is not None
    for one in [] if read is None or plain is None else plain.entries:
        assert [found.verdict for found in read.find(bytes.fromhex(one.epc))][:1] != []


@pytest.mark.parametrize("width", [1, 12, 62])
def test_entries_out_of_order_are_refused(width):
    """Of one length, and of several."""
    tail = bytes(3) + bytes(16)
    tags = [bytes([number]) * width for number in (1, 2, 3)]
    for mixed in (b"", b"\x09\x09"):
        good = [*tags, mixed] if mixed else tags
        for order, fits in ((sorted(good), True), (sorted(good, reverse=True), False)):
            packed = b"".join(bytes([len(tag)]) + tag + tail for tag in order)
            payload = join_part(1, 7, ["a"], len(order), packed)
            if fits:
                assert len(Part(7, memoryview(payload))) == len(order)
            else:
                with pytest.raises(GateError, match="out of order"):
                    Part(7, memoryview(payload))
