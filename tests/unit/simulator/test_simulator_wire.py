"""Framing and parameters of the simulated reader."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.server.errors import WireError
from simulator.server.wire import HEADER, Parameter, custom, message, parameters, read_message, tlv


async def _read(data):
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    return await read_message(stream)


def test_parameters_are_split_as_they_were_joined():
    body = tlv(224, b"abc") + b"\x81\x00\x07" + custom(56, b"\x01\x02")
    assert list(parameters(body, "x")) == [
        Parameter(224, b"abc"),
        Parameter(1, b"\x00\x07"),
        Parameter(1023, b"\x01\x02", 25882, 56),
    ]


@given(st.binary(max_size=80))
def test_any_bytes_are_parameters_or_a_wire_error(body):
    try:
        found = list(parameters(body, "fuzz"))
    except WireError as error:
        assert "fuzz" in str(error)  # noqa: PT017 - the other outcome is asserted too
    else:
        assert sum(len(part.body) for part in found) <= len(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"\xe3", "unknown"), (b"\x00\xe0\x00\x03", "its own header"), (b"\x00\xe0\x00\x09a", "where 5 are left")],
)
def test_a_broken_parameter_is_named(body, words):
    with pytest.raises(WireError, match=words):
        list(parameters(body, "ROSpec"))


async def test_a_message_is_read_whole():
    found = await _read(message(20, 7, b"body"))
    assert (found.type, found.message_id, found.body, found.version) == (20, 7, b"body", 1)
    assert await _read(b"") is None


@pytest.mark.parametrize("length", [0, 9, 1 << 24])
async def test_an_impossible_length_is_no_llrp(length):
    with pytest.raises(WireError, match="no LLRP message header"):
        await _read(HEADER.pack(1 << 10 | 1, length, 1) + b"x" * 20)


@pytest.mark.parametrize("cut", [3, 12])
async def test_an_end_inside_of_a_message_is_an_error(cut):
    with pytest.raises(WireError, match="ended"):
        await _read(message(20, 7, b"body")[:cut])
