"""From what the database holds to signed messages; no I/O."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from central.application.gate import Changes, Contents, Entry, Packed, SentPart
from central.domain.gate import Door, GateView
from central.gate.keys import SigningKey
from edge.contracts import (
    BUCKETS,
    MAX_PART_BYTES,
    PART_HEADER_BYTES,
    VERDICTS,
    ContractError,
    EpcPrefix,
    GateDelta,
    GateEntry,
    GateManifest,
    GatePortal,
    PartDigest,
    encode,
    instant,
    join_part,
    signed_bytes,
)

_OPEN_FROM: Final = -(2**63)
_OPEN_TO: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a new generation: all of them as they stand, and the bytes of those that have to be sent."""

    standing: Mapping[int, SentPart]
    fresh: Mapping[int, bytes]


def geometry_of(view: GateView, prefixes: Iterable[EpcPrefix]) -> str:
    """Return a digest of what all parts of a generation depend on beside assets and authorisations."""
    told: list[object] = [view.site, [[door.id, door.out, door.into] for door in view.doors], view.opened_by]
    told.append([[prefix.hex, prefix.bits] for prefix in prefixes])
    return sha256(json.dumps(told).encode()).hexdigest()


def outline_of(view: GateView, prefixes: Iterable[EpcPrefix]) -> str:
    """Return the geometry, and behind a stroke a digest of what else stands in the manifest: how doors behave."""
    manners = [[door.id, *astuple(door.manner)] for door in view.doors]
    return f"{geometry_of(view, prefixes)}/{sha256(json.dumps(manners, default=str).encode()).hexdigest()}"


def make_parts(generation: int, contents: Contents, *, resend: bool) -> Parts:
    """Compare built parts with those sent; those that differ, or with `resend` all, get the new generation.

    More entries than the parts hold raise `ContractError`, which says so before anything is sent.
    """
    _check_room(contents)
    standing, fresh = dict(contents.sent), {}
    built = {part.number: part for part in contents.parts}
    for index in range(BUCKETS) if contents.built is None else contents.built:
        part, before = built.get(index), standing.pop(index, None)
        payload = None if resend else _same(part, before)
        if payload is None and (part is not None or before is not None or resend):
            fresh[index] = _pack(generation, index, part)
        if part is not None:
            data = payload or fresh[index]
            number = before.generation if before is not None and payload is not None else generation
            standing[index] = SentPart(index, number, sha256(data).hexdigest(), part.entries, len(data))
    return Parts(standing, fresh)


def make_manifest(
    view: GateView,
    prefixes: Sequence[EpcPrefix],
    parts: Parts,
    generation: int,
    *,
    now: datetime,
    life: timedelta,
    key: SigningKey,
) -> bytes:
    """Return a signed manifest."""
    manifest = GateManifest(
        v=1,
        gateway=view.gateway,
        generation=generation,
        issued_at=wire(now),
        expires_at=wire(now + life),
        own_prefixes=list(prefixes),
        parts=[PartDigest(index=part.number, sha256=part.sha256) for _, part in sorted(parts.standing.items())],
        portals=[_portal(door) for door in view.doors],
    )
    return encode(msgspec.structs.replace(manifest, signature=key.sign(signed_bytes(encode(manifest)))))


def make_delta(gateway: str, generation: int, n: int, changes: Changes, *, now: datetime, key: SigningKey) -> bytes:
    """Return a signed delta: the entries of changed EPCs, and those of them that have none any more."""
    listed = {entry.epc for entry in changes.entries}
    delta = GateDelta(
        v=1,
        gateway=gateway,
        generation=generation,
        n=n,
        issued_at=wire(now),
        entries=[_entry(entry) for entry in sorted(changes.entries, key=lambda one: (one.epc, one.boundary or ""))],
        removed=sorted(set(changes.dirty) - listed),
    )
    return encode(msgspec.structs.replace(delta, signature=key.sign(signed_bytes(encode(delta)))))


def wire(at: datetime) -> str:
    """Return an instant as the contracts write it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _check_room(contents: Contents) -> None:
    fullest = max(contents.parts, key=lambda part: len(part.packed), default=None)
    if fullest is None:
        return
    size = PART_HEADER_BYTES + sum(2 + len(name.encode()) for name in fullest.boundaries) + len(fullest.packed)
    if size > MAX_PART_BYTES:
        built = sum(part.entries for part in contents.parts)
        kept = sum(part.entries for number, part in contents.sent.items() if number not in set(contents.built or ()))
        total = built if contents.built is None else built + kept
        holds = MAX_PART_BYTES * fullest.entries // size
        raise ContractError(
            f"{total} permissions and refusals at its doors' boundaries don't fit: part {fullest.number} of {BUCKETS} "
            f"would have {fullest.entries} of them, {size} bytes, and {MAX_PART_BYTES} bytes hold {holds}; give some "
            "of its doors to another gateway, or let fewer assets leave there without asking"
        )


def _portal(door: Door) -> GatePortal:
    manner = door.manner
    told = {
        "mode": manner.mode,
        "quiet": [{"mode": one.mode, "from": wire(one.from_at), "until": wire(one.until_at)} for one in manner.quiet],
        "stale": manner.stale,
        "person": manner.person,
    }
    return msgspec.convert({"id": door.id, "out": door.out, "into": door.into, **told}, GatePortal)


def _same(part: Packed | None, before: SentPart | None) -> bytes | None:
    """Return the bytes that were sent, if the part has those still."""
    if part is None or before is None:
        return None
    payload = _pack(before.generation, part.number, part)
    return payload if sha256(payload).hexdigest() == before.sha256 else None


def _pack(generation: int, index: int, part: Packed | None) -> bytes:
    if part is None:
        return b""  # an empty retained message takes a part back
    return join_part(generation, index, part.boundaries, part.entries, part.packed)


def _entry(entry: Entry) -> GateEntry:
    return GateEntry(
        epc=entry.epc,
        verdict=VERDICTS[entry.verdict],
        boundary=entry.boundary,
        valid_from=None if entry.from_us == _OPEN_FROM else instant(entry.from_us),
        valid_to=None if entry.to_us == _OPEN_TO else instant(entry.to_us),
    )
