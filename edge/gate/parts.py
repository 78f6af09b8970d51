"""The parts of a generation as one block of bytes, and how an EPC's entries are found in it.

The block is a table of 512 sizes (u32, big-endian, 0: no part) and behind it the parts as they were signed, by index.
Nothing of it is unpacked but where each entry begins: nothing where EPCs are all of one length, else 4 bytes an entry.
"""

import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import numpy as np

from edge.contracts import BUCKETS, VERDICTS
from edge.contracts.gate import Verdict
from edge.gate.errors import GateError

_TABLE: Final = struct.Struct(f">{BUCKETS}I")
_HEADER: Final = struct.Struct(">4sIHHI")
_TAIL: Final = struct.Struct(">BHqq")
_MAGIC: Final = b"SGP1"
_NO_BOUNDARY: Final = 0xFFFF
OPEN_FROM: Final = -(2**63)
OPEN_TO: Final = 2**63 - 1

Block = bytes | memoryview


class Entry(NamedTuple):
    """What one EPC may do at one boundary, from an instant until before another (UTC microseconds, int64 ends open)."""

    verdict: Verdict
    boundary: str | None
    from_us: int
    to_us: int


class Part:
    """One part where it lies in the block.

    Raises:
        GateError: lengths, numbers or the order of EPCs are not those of a part.
    """

    def __init__(self, index: int, data: memoryview) -> None:
        self.data = self._data = data
        try:
            self.generation = generation_of(index, data)
            *_, boundaries, count = _HEADER.unpack_from(data)
            self._boundaries, offset = _boundaries(data, boundaries)
            self._begins = _begins(index, data, offset, count, boundaries)
        except (struct.error, UnicodeDecodeError, IndexError) as error:
            raise GateError("unreadable", f"gate part {index} of {len(data)} bytes: {error}") from error

    def __len__(self) -> int:
        return len(self._begins)

    def find(self, epc: bytes) -> list[Entry]:
        """Return the entries of an EPC."""
        first = self._first(epc)
        found = []
        for number in range(first, len(self._begins)):
            if self._epc(number) != epc:
                break
            found.append(self._entry(self._begins[number] + 1 + len(epc)))
        return found

    def _first(self, epc: bytes) -> int:
        low, high = 0, len(self._begins)
        while low < high:
            middle = (low + high) // 2
            if self._epc(middle) < epc:
                low = middle + 1
            else:
                high = middle
        return low

    def _epc(self, number: int) -> bytes:
        start = self._begins[number]
        return bytes(self._data[start + 1 : start + 1 + self._data[start]])

    def _entry(self, offset: int) -> Entry:
        verdict, boundary, from_us, to_us = _TAIL.unpack_from(self._data, offset)
        name = None if boundary == _NO_BOUNDARY else self._boundaries[boundary]
        return Entry(VERDICTS[verdict], name, from_us, to_us)


def bucket(epc: bytes) -> int:
    """Return the part (0 to 511) that an EPC belongs to; `edge.contracts.bucket_of` for bytes."""
    return int.from_bytes(sha256(epc).digest()[:2]) >> 7


def generation_of(index: int, data: Block) -> int:
    """Return the generation that a part was made for; what doesn't begin as a part raises `GateError`."""
    if len(data) < _HEADER.size:
        raise GateError("unreadable", f"gate part {index} of {len(data)} bytes is shorter than its header")
    magic, generation, told, *_ = _HEADER.unpack_from(data)
    if magic != _MAGIC or told != index:
        raise GateError("unreadable", f"gate part {index} begins with {magic!r} and says that it is part {told}")
    return int(generation)


def pack_block(parts: Mapping[int, Block]) -> Iterator[Block]:
    """Yield the pieces of a block."""
    yield _TABLE.pack(*(len(parts.get(index, b"")) for index in range(BUCKETS)))
    yield from (parts[index] for index in sorted(parts))


def cut_block(block: Block) -> dict[int, memoryview]:
    """Return the parts of a block by index; sizes that don't come out even raise `GateError`."""
    if len(block) < _TABLE.size:
        raise GateError("unreadable", f"a block of {len(block)} bytes is shorter than its table")
    data, offset = memoryview(block), _TABLE.size
    parts = {}
    for index, size in enumerate(_TABLE.unpack_from(block)):
        if size:
            parts[index] = data[offset : offset + size]
            offset += size
    if offset != len(block):
        raise GateError("unreadable", f"a block of {len(block)} bytes ends at {offset} by its table")
    return parts


def _boundaries(data: memoryview, count: int) -> tuple[Sequence[str], int]:
    names, offset = [], _HEADER.size
    for _ in range(count):
        end = offset + 2 + int.from_bytes(data[offset : offset + 2])
        if end > len(data):
            raise IndexError("a boundary's name ends beyond the part")
        names.append(str(data[offset + 2 : end], "utf-8"))
        offset = end
    return tuple(names), offset


def _begins(index: int, data: memoryview, offset: int, count: int, boundaries: int) -> Sequence[int]:
    """Return where each entry begins; EPCs must rise, or the search would pass by what is there."""
    stride = 1 + data[offset] + _TAIL.size if count else 1
    if len(data) == offset + count * stride and _is_even(data[offset:], stride, boundaries):
        return range(offset, len(data), stride)
    begins, before = array("I"), b""
    for _ in range(count):
        begins.append(offset)
        end = offset + 1 + data[offset]
        epc = bytes(data[offset + 1 : end])
        verdict, boundary = data[end], data[end + 1] << 8 | data[end + 2]
        offset = end + _TAIL.size
        if epc < before or verdict >= len(VERDICTS) or not (boundary < boundaries or boundary == _NO_BOUNDARY):
            raise GateError("unreadable", f"gate part {index}: entry {len(begins)} is out of order or means nothing")
        before = epc
    if offset != len(data):
        raise GateError("unreadable", f"gate part {index} of {len(data)} bytes: its entries end at {offset}")
    return begins


def _is_even(data: memoryview, stride: int, boundaries: int) -> bool:
    """Tell whether entries of one length stand in order and mean something; a million are looked at in a blink."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, stride)
    width = stride - 1 - _TAIL.size
    epcs, tails = rows[:, 1 : 1 + width], rows[:, 1 + width :]
    places = tails[:, 1].astype(np.uint16) << 8 | tails[:, 2]
    before, after = epcs[:-1], epcs[1:]
    differs = (before != after).argmax(axis=1) if width and len(rows) > 1 else np.zeros(len(before), np.intp)
    each = np.arange(len(before))
    return bool(
        (rows[:, 0] == width).all()
        and (tails[:, 0] < len(VERDICTS)).all()
        and ((places < boundaries) | (places == _NO_BOUNDARY)).all()
        and (width == 0 or (before[each, differs] <= after[each, differs]).all())
    )
