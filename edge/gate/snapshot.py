"""One verified snapshot, frozen: whose tags are ours, what each may do, and how the doors behave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.contracts import EpcPrefix, GateDelta, GateEntry, GateManifest, GatePortal, instant_us
from edge.contracts.gate import Mode
from edge.gate.parts import OPEN_FROM, OPEN_TO, Entry, Part, bucket

QUIETEST_FIRST: Final[tuple[Mode, ...]] = ("observe", "notify", "alarm")


@dataclass(frozen=True, slots=True)
class Quiet:
    """A span in which a door is quieter, UTC microseconds, its end excluded."""

    mode: Mode
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Door:
    """A portal as the manifest names it: which boundaries a crossing leaves either way, and how it behaves."""

    out: tuple[str, ...]
    into: tuple[str, ...]
    mode: Mode
    quiet: tuple[Quiet, ...]
    trusts_stale: bool
    person: bool

    def mode_at(self, now_us: int) -> Mode:
        """Return the quietest of all that hold at an instant."""
        modes = [self.mode, *(one.mode for one in self.quiet if one.from_us <= now_us < one.until_us)]
        return min(modes, key=QUIETEST_FIRST.index)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is held of one generation and its newest delta.

    Attributes:
        generation: the manifest's.
        n: the delta's, 0 before there is one.
        signed_us: when the newest of the two was signed, UTC microseconds.
        expires_us: when the manifest runs out.
        doors: portals by id.
        prefixes: of EPCs that are ours.
        parts: by index.
        changed: EPCs that the delta names, with their entries.
        lacks_delta: whether a delta was held that the disk has lost: what it allowed or took back isn't known.
    """

    generation: int
    n: int
    signed_us: int
    expires_us: int
    doors: Mapping[str, Door]
    prefixes: tuple[tuple[bytes, int], ...]
    parts: Mapping[int, Part]
    changed: Mapping[bytes, tuple[Entry, ...]]
    lacks_delta: bool = False

    @property
    def entries(self) -> int:
        """Entries of the parts, and of the delta beside them."""
        return sum(map(len, self.parts.values())) + sum(map(len, self.changed.values()))

    def find(self, epc: bytes) -> tuple[Entry, ...]:
        """Return the entries of an EPC, none where it isn't listed."""
        told = self.changed.get(epc)
        if told is not None:
            return told
        part = self.parts.get(bucket(epc))
        return () if part is None else tuple(part.find(epc))

    def is_ours(self, epc: bytes) -> bool:
        """Tell whether an EPC stands under one of our own prefixes."""
        return any(_is_under(epc, head, bits) for head, bits in self.prefixes)


def make_snapshot(
    manifest: GateManifest, parts: Mapping[int, Part], delta: GateDelta | None, *, lacks_delta: bool = False
) -> Snapshot:
    """Join a manifest, its parts and its delta; an instant that is none raises `ContractError`."""
    signed = manifest.issued_at if delta is None else delta.issued_at
    return Snapshot(
        generation=manifest.generation,
        n=0 if delta is None else delta.n,
        signed_us=max(instant_us(signed), instant_us(manifest.issued_at)),
        expires_us=instant_us(manifest.expires_at),
        doors={portal.id: _door(portal) for portal in manifest.portals},
        prefixes=tuple(_head(prefix) for prefix in manifest.own_prefixes),
        parts=parts,
        changed={} if delta is None else _changed(delta),
        lacks_delta=lacks_delta,
    )


def _changed(delta: GateDelta) -> dict[bytes, tuple[Entry, ...]]:
    changed: dict[bytes, tuple[Entry, ...]] = {bytes.fromhex(epc): () for epc in delta.removed}
    for entry in delta.entries:
        epc = bytes.fromhex(entry.epc)
        changed[epc] = (*changed.get(epc, ()), _entry(entry))
    return changed


def _entry(entry: GateEntry) -> Entry:
    from_us = OPEN_FROM if entry.valid_from is None else instant_us(entry.valid_from)
    to_us = OPEN_TO if entry.valid_to is None else instant_us(entry.valid_to)
    return Entry(entry.verdict, entry.boundary, from_us, to_us)


def _door(portal: GatePortal) -> Door:
    return Door(
        out=tuple(portal.out),
        into=tuple(portal.into),
        mode=portal.mode,
        quiet=tuple(Quiet(one.mode, instant_us(one.from_), instant_us(one.until)) for one in portal.quiet),
        trusts_stale=portal.stale == "trust",
        person=portal.person,
    )


def _head(prefix: EpcPrefix) -> tuple[bytes, int]:
    return bytes.fromhex(prefix.hex), prefix.bits


def _is_under(epc: bytes, head: bytes, bits: int) -> bool:
    if min(len(epc), len(head)) * 8 < bits:
        return False
    return int.from_bytes(epc) >> (len(epc) * 8 - bits) == int.from_bytes(head) >> (len(head) * 8 - bits)
