"""Gate snapshot: a signed manifest, 512 packed parts and a cumulative delta (contracts: Gate snapshot).

A part is big-endian: header `SGP1`, generation u32, index u16, number of boundaries u16, number of entries u32; each
boundary u16 length and UTF-8; each entry u8 length and EPC, u8 verdict, u16 boundary (0xFFFF: none), i64 valid from and
i64 valid to in UTC microseconds (lowest and highest i64: open). Boundaries and entries are sorted, so that the same
entries always give the same bytes, and the manifest's digest of a part can be compared.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from edge.contracts.errors import ContractError
from edge.contracts.rows import EpcHex, GatewayId, Name, Seq
from edge.contracts.signing import Signature
from edge.contracts.times import Instant, instant, instant_us

BUCKETS: Final = 512
MAX_PART_BYTES: Final = 96 * 1024
MAX_DELTA_BYTES: Final = 64 * 1024
MAX_MANIFEST_BYTES: Final = 128 * 1024

Generation = Annotated[int, Meta(ge=1, le=2**32 - 1, description="only rises")]
Mode = Literal["observe", "notify", "alarm"]
Verdict = Literal["allow", "allow_once", "refuse", "hold"]
VERDICTS: Final[tuple[Verdict, ...]] = ("allow", "allow_once", "refuse", "hold")
"""In the order of their codes in a part. A hold is a refusal that names its cause; both win over every permission."""

_HEADER: Final = struct.Struct(">4sIHHI")
_ENTRY_TAIL: Final = struct.Struct(">BHqq")
_LENGTH: Final = struct.Struct(">H")
PART_HEADER_BYTES: Final = _HEADER.size
_MAGIC: Final = b"SGP1"
_NO_BOUNDARY: Final = 0xFFFF
_OPEN_FROM: Final = -(2**63)
_OPEN_TO: Final = 2**63 - 1


class GateEntry(Struct, frozen=True, kw_only=True):
    """A tag may, or may not, leave `boundary` between two instants; null is open, a refusal needs no boundary."""

    epc: EpcHex
    verdict: Verdict
    boundary: Name | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class EpcPrefix(Struct, frozen=True, kw_only=True):
    """The first `bits` bits of our own EPCs; `hex` is padded with zero bits to whole bytes."""

    hex: EpcHex
    bits: Annotated[int, Meta(ge=1, le=496)]


class GateQuiet(Struct, frozen=True, kw_only=True):
    """A door that was told to be quieter for a while; it ends by itself."""

    mode: Mode
    from_: Annotated[Instant, Meta(description="from then on")] = field(name="from")
    until: Annotated[Instant, Meta(description="until before then")]


class GatePortal(Struct, frozen=True, kw_only=True):
    """Which guarded boundaries a crossing of a portal leaves by the registry; each of them needs its permission.

    What a manifest doesn't tell of the door's policy is as in the defaults.
    """

    id: Name
    out: list[Name]
    into: Annotated[list[Name], Meta(description="those that a crossing inwards leaves")]
    mode: Annotated[Mode, Meta(description="log only, tell the console, or light and siren too")] = "notify"
    quiet: Annotated[list[GateQuiet], Meta(description="the quietest of all that hold, and of `mode`, counts")] = field(
        default_factory=list
    )
    stale: Annotated[
        Literal["refuse", "trust"], Meta(description="what a snapshot past `expires_at` means: refuse, or go by it")
    ] = "refuse"
    person: Annotated[
        bool, Meta(description="badges within -10/+5 s go into the evidence: the central asks who carried some assets")
    ] = False


class PartDigest(Struct, frozen=True, kw_only=True):
    """Which bytes part `index` has; parts without entries aren't listed."""

    index: Annotated[int, Meta(ge=0, lt=BUCKETS)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class GateManifest(Struct, frozen=True, kw_only=True):
    """One generation of the authorisation snapshot; signed over its canonical bytes without `signature`."""

    v: Literal[1]
    gateway: GatewayId
    generation: Generation
    issued_at: Instant
    expires_at: Instant
    own_prefixes: list[EpcPrefix]
    parts: Annotated[list[PartDigest], Meta(max_length=BUCKETS)]
    portals: list[GatePortal] = field(default_factory=list)
    signature: Signature | None = None


class GateDelta(Struct, frozen=True, kw_only=True):
    """All changes since the manifest: `entries` replace all entries of the EPCs they name, `removed` lists the rest."""

    v: Literal[1]
    gateway: GatewayId
    generation: Generation
    n: Seq
    issued_at: Instant
    entries: list[GateEntry]
    removed: list[EpcHex] = field(default_factory=list)
    signature: Signature | None = None


class GatePart(Struct, frozen=True):
    """One of the 512 parts, unpacked."""

    generation: int
    index: int
    entries: list[GateEntry]


def bucket_of(epc: str) -> int:
    """Return the part (0 to 511) of an EPC: the first nine bits of the SHA-256 over the EPC's bytes."""
    return int.from_bytes(sha256(bytes.fromhex(epc)).digest()[:2]) >> 7


def under_prefix(epc: str, prefix: EpcPrefix) -> bool:
    """Say whether an EPC starts with the prefix's bits."""
    data, head = bytes.fromhex(epc), bytes.fromhex(prefix.hex)
    if min(len(data), len(head)) * 8 < prefix.bits:
        return False
    return int.from_bytes(data) >> (len(data) * 8 - prefix.bits) == int.from_bytes(head) >> (
        len(head) * 8 - prefix.bits
    )


def encode_part(generation: int, index: int, entries: Iterable[GateEntry]) -> bytes:
    """Pack one part; an entry of another bucket, or more than 96 KiB, raises `ContractError`."""
    ordered = sorted(set(entries), key=_order)
    boundaries = sorted({entry.boundary for entry in ordered if entry.boundary is not None})
    place = {name: number for number, name in enumerate(boundaries)}
    for entry in ordered:
        if bucket_of(entry.epc) != index:
            raise ContractError(f"gate part {index}: EPC {entry.epc} belongs to part {bucket_of(entry.epc)}")
    packed = b"".join(_pack_entry(entry, place) for entry in ordered)
    return join_part(generation, index, boundaries, len(ordered), packed)


def join_part(generation: int, index: int, boundaries: Sequence[str], count: int, entries: bytes) -> bytes:
    """Put header and boundaries before `count` entries that are packed and sorted already, at most 96 KiB in all."""
    packed = _HEADER.pack(_MAGIC, generation, index, len(boundaries), count)
    packed += b"".join(_LENGTH.pack(len(name.encode())) + name.encode() for name in boundaries) + entries
    if len(packed) > MAX_PART_BYTES:
        raise ContractError(f"gate part {index}: {len(packed)} bytes, at most {MAX_PART_BYTES} are allowed")
    return packed


def decode_part(payload: bytes) -> GatePart:
    """Unpack one part; anything but the one form that `encode_part` gives raises `ContractError`."""
    if len(payload) > MAX_PART_BYTES:
        raise ContractError(f"gate part of {len(payload)} bytes: at most {MAX_PART_BYTES} are allowed")
    try:
        part = _unpack(payload)
        same = encode_part(part.generation, part.index, part.entries) == payload
    except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
        raise ContractError(f"gate part: {error}") from error
    if not same:
        raise ContractError("gate part: boundaries or entries are out of order, or bytes are left over")
    return part


def _top_bits(data: bytes, bits: int) -> int:
    return int.from_bytes(data) >> (len(data) * 8 - bits)


def _order(entry: GateEntry) -> tuple[bytes, str, int, int, str]:
    """Order of entries in a part: by EPC, then boundary, validity and verdict."""
    return (bytes.fromhex(entry.epc), entry.boundary or "", *_validity_us(entry), entry.verdict)


def _validity_us(entry: GateEntry) -> tuple[int, int]:
    return (
        _OPEN_FROM if entry.valid_from is None else instant_us(entry.valid_from),
        _OPEN_TO if entry.valid_to is None else instant_us(entry.valid_to),
    )


def _pack_entry(entry: GateEntry, place: dict[str, int]) -> bytes:
    if entry.boundary is None and entry.verdict not in {"refuse", "hold"}:
        raise ContractError(f"gate entry of {entry.epc}: only a refusal or hold may leave out the boundary")
    epc = bytes.fromhex(entry.epc)
    boundary = _NO_BOUNDARY if entry.boundary is None else place[entry.boundary]
    tail = _ENTRY_TAIL.pack(VERDICTS.index(entry.verdict), boundary, *_validity_us(entry))
    return bytes((len(epc),)) + epc + tail


def _unpack(payload: bytes) -> GatePart:
    magic, generation, index, boundary_count, entry_count = _HEADER.unpack_from(payload)
    if magic != _MAGIC or index >= BUCKETS:
        raise ContractError(f"gate part starts with {magic!r} and says index {index}: not a part of this version")
    offset, boundaries = _HEADER.size, []
    for _ in range(boundary_count):
        (length,) = _LENGTH.unpack_from(payload, offset)
        boundaries.append(payload[offset + 2 : offset + 2 + length].decode())
        offset += 2 + length
    entries = []
    for _ in range(entry_count):
        start, end = offset + 1, offset + 1 + payload[offset]
        entries.append(_unpack_entry(payload[start:end], _ENTRY_TAIL.unpack_from(payload, end), boundaries))
        offset = end + _ENTRY_TAIL.size
    return GatePart(generation, index, entries)


def _unpack_entry(epc: bytes, tail: tuple[int, int, int, int], boundaries: Sequence[str]) -> GateEntry:
    verdict, boundary, valid_from, valid_to = tail
    return GateEntry(
        epc=epc.hex(),
        verdict=VERDICTS[verdict],
        boundary=None if boundary == _NO_BOUNDARY else boundaries[boundary],
        valid_from=None if valid_from == _OPEN_FROM else instant(valid_from),
        valid_to=None if valid_to == _OPEN_TO else instant(valid_to),
    )
