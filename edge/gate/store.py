"""The snapshot that is held: verified, kept on disk, one frozen reference that changes as a whole.

Used by one thread at a time (see `keeper`); `snapshot` may be read by any. Counters only rise: an older manifest or
delta, or another of the same counters, is a replay; the same bytes again are a broker's redelivery.

Messages come in any order. Parts wait in memory, one an index beside the one that the coming manifest wants, until a
manifest is held or a while is over. A manifest waits until all of its parts are there, a delta of a later generation
until its manifest is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from structlog.typing import FilteringBoundLogger

from edge.contracts import (
    BUCKETS,
    MAX_DELTA_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_PART_BYTES,
    ContractError,
    GateDelta,
    GateManifest,
    decode_delta,
    decode_manifest,
)
from edge.contracts.topics import GATE_DELTA, GATE_MANIFEST, GATE_PART
from edge.gate.disk import COUNTERS, DELTA, MANIFEST, GateFiles
from edge.gate.errors import GateError, Refusal
from edge.gate.parts import Block, Part, cut_block, generation_of, pack_block
from edge.gate.snapshot import Snapshot, make_snapshot
from edge.gate.waiting import WaitingParts
from edge.trust import Keyring, TrustError, UnreadableError

CHANNELS: Final = (GATE_MANIFEST, f"{GATE_PART}/+", GATE_DELTA)
"""What the uplink subscribes for the gate."""
_COUNTERS: Final = 2
_DIGITS: Final = 20
_MOST_BYTES: Final = {GATE_MANIFEST: MAX_MANIFEST_BYTES, GATE_DELTA: MAX_DELTA_BYTES}


@dataclass(slots=True)
class StoreCounters:
    """Counts since the agent started; `refused` by why, see `Refusal`."""

    generations: int = 0
    deltas: int = 0
    redelivered: int = 0
    disk_failures: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class _Manifest(NamedTuple):
    told: GateManifest
    payload: bytes

    @property
    def digests(self) -> dict[int, str]:
        return {part.index: part.sha256 for part in self.told.parts}


class _Delta(NamedTuple):
    told: GateDelta
    payload: bytes

    @property
    def counters(self) -> tuple[int, int]:
        return self.told.generation, self.told.n


class GateStore:
    """One gateway's snapshot.

    Args:
        gateway: whose messages these are.
        keyring: who may sign them.
        files: where they are kept.
        log: logger; the first refusal of each kind is a line in it.
    """

    def __init__(self, gateway: str, keyring: Keyring, files: GateFiles, *, log: FilteringBoundLogger) -> None:
        self._gateway, self._keyring, self._files, self._log = gateway, keyring, files, log
        self._kept: _Manifest | None = None
        self._delta: _Delta | None = None
        self._parts: dict[int, Part] = {}
        self._coming: _Manifest | None = None
        self._waiting = WaitingParts(lambda index, why: self._refuse("unwanted", f"gate part {index}: {why}"))
        self._ahead: _Delta | None = None
        self._lost: tuple[int, int] | None = None
        self._disk_full = False
        self.snapshot: Snapshot | None = None
        self.outline: Snapshot | None = None
        """While its parts are damaged: what the manifest says of doors, which is signed and whole."""
        self.counters = StoreCounters()

    @property
    def coming(self) -> tuple[int, int] | None:
        """Generation that is being collected, and how many of its parts are missing."""
        coming = self._coming
        return None if coming is None else (coming.told.generation, len(self._missing(coming)))

    @property
    def lacking(self) -> list[str]:
        """Channels that should have brought something by now, if the broker sent all that it retains."""
        coming = self._coming
        if coming is not None:
            return [f"{GATE_PART}/{index}" for index in self._missing(coming)]
        if self.snapshot is None or self._waiting or self._lost is not None:
            return [GATE_MANIFEST, GATE_DELTA]
        return [GATE_DELTA] if self.snapshot.n == 0 else []

    def load(self) -> None:
        """Take what an earlier start kept; what is damaged is told, and asked of the broker again."""
        try:
            payload = self._files.read(MANIFEST)
            if payload is None:
                return
            self._kept = self._manifest(payload)
            self._load_delta(self._kept.told.generation)
            self._parts = self._kept_parts(self._kept)
            self._swap()
        except OSError as error:
            self._disk_failed(error)
        except (GateError, ContractError) as error:
            self._refuse(error.why if isinstance(error, GateError) else "unreadable", f"kept on disk: {error}")
        if self._kept is not None and self.snapshot is None:
            self._coming, self._parts = self._kept, {}
            self.outline = make_snapshot(self._kept.told, {}, None)
            self._log.error("kept gate snapshot is damaged: exits are told as stale until the broker sends it again")

    def _load_delta(self, generation: int) -> None:
        """Take the kept delta; where it is gone or damaged, note what was lost, and hold the snapshot in doubt."""
        newest, damage = self._kept_counters(), ""
        try:
            payload = self._files.read(DELTA)
            if payload is not None:
                self._delta = self._verified_delta(payload)
        except (GateError, ContractError) as error:
            damage = str(error)
            newest = newest or (generation, 1)
        found = (0, 0) if self._delta is None else self._delta.counters
        newest = max(newest or found, found)
        if found[0] != generation:
            self._delta = None
        if newest[0] >= generation and (self._delta is None or found < newest):
            self._lost, self._delta = newest, None
            self._log.error(
                "last changes to the gate snapshot are lost on the disk: what it allows is told as stale until the "
                "broker sends them again",
                lost=list(newest),
                problem=damage or "the file is not what was kept last",
            )

    def _kept_counters(self) -> tuple[int, int] | None:
        """Return which delta was kept last, None for none; what can't be read says no more than that there was one."""
        payload = self._files.read(COUNTERS)
        if payload is None:
            return None
        numbers = payload.decode("ascii", "replace").split()
        if len(numbers) == _COUNTERS and all(one.isascii() and one.isdigit() and len(one) < _DIGITS for one in numbers):
            return int(numbers[0]), int(numbers[1])
        return (0, 0) if self._kept is None else (self._kept.told.generation, 1)

    def take(self, channel: str, payload: bytes) -> None:
        """Take a message; any bytes may come, and none raises."""
        try:
            check_size(channel, payload)
            if channel == GATE_MANIFEST:
                self._take_manifest(payload)
            elif channel == GATE_DELTA:
                self._take_delta(payload)
            else:
                self._take_part(_index(channel), payload)
        except GateError as error:
            self._refuse(error.why, str(error))
        except ContractError as error:
            self._refuse("unreadable", str(error))

    def refuse(self, why: Refusal, words: str, count: int) -> None:
        """Count messages that weren't even handed over; `words` are those of the first."""
        self._refuse(why, words, count)

    def _manifest(self, payload: bytes) -> _Manifest:
        self._verify(payload)
        told = decode_manifest(payload)
        self._check_address(told.gateway)
        if len({part.index for part in told.parts}) != len(told.parts):
            raise GateError("unreadable", f"gate manifest {told.generation} names a part twice")
        make_snapshot(told, {}, None)  # its instants must be some
        return _Manifest(told, payload)

    def _verified_delta(self, payload: bytes) -> _Delta:
        self._verify(payload)
        told = decode_delta(payload)
        self._check_address(told.gateway)
        return _Delta(told, payload)

    def _verify(self, payload: bytes) -> None:
        """Refuse what isn't signed before more is made of it: anybody may send as much as the network takes."""
        try:
            self._keyring.check(payload)
        except UnreadableError as error:
            raise GateError("unreadable", str(error)) from error
        except TrustError as error:
            raise GateError("untrusted", str(error)) from error

    def _check_address(self, gateway: str) -> None:
        if gateway != self._gateway:
            raise GateError("misaddressed", f"message is for gateway {gateway}, this is {self._gateway}")

    def _take_manifest(self, payload: bytes) -> None:
        new = self._manifest(payload)
        for known in (self._coming, self._kept):
            if known is not None and known.payload == payload:
                self.counters.redelivered += 1
                return
            if known is not None and new.told.generation <= known.told.generation:
                words = f"manifest of generation {new.told.generation}: {known.told.generation} was signed already"
                raise GateError("replayed", words)
        self._coming = new
        self._commit_if_whole()

    def _take_delta(self, payload: bytes) -> None:
        new = self._verified_delta(payload)
        if self._kept is not None and new.told.generation <= self._kept.told.generation:
            self._take_own_delta(new, self._kept)
            return
        if self._ahead is not None and not self._is_news(new, self._ahead):
            return
        make_snapshot(_EMPTY, {}, new.told)  # its instants must be some
        self._ahead = new

    def _take_own_delta(self, new: _Delta, kept: _Manifest) -> None:
        before = self._delta
        if new.told.generation < kept.told.generation:
            words = f"delta {new.told.n} of generation {new.told.generation}: {kept.told.generation} is held"
            raise GateError("replayed", words)
        if before is not None and not self._is_news(new, before):
            return
        if self._lost is not None and new.counters < self._lost:
            raise GateError("replayed", f"delta {new.counters}: {self._lost} was signed already")
        made = make_snapshot(kept.told, self._parts, new.told)
        self._delta, self._lost = new, None
        self._keep_delta(new)
        if self.snapshot is not None:
            self.snapshot = made
        self.counters.deltas += 1

    def _keep_delta(self, new: _Delta) -> None:
        if self._keep(DELTA, new.payload):
            self._keep(COUNTERS, "{} {}\n".format(*new.counters).encode())

    def _is_news(self, new: _Delta, before: _Delta) -> bool:
        if new.payload == before.payload:
            self.counters.redelivered += 1
            return False
        if new.counters <= before.counters:
            raise GateError("replayed", f"delta {new.counters}: {before.counters} was signed already")
        return True

    def _take_part(self, index: int, payload: bytes) -> None:
        if not payload:
            return  # a part without entries was taken back; the next manifest doesn't name it
        generation, digest = generation_of(index, payload), sha256(payload).hexdigest()
        wanted = self._wanted.get(index)
        held = self.snapshot is not None and self._digest(index) == digest
        if held or self._waiting.get(index, digest) is not None:
            self.counters.redelivered += 1
            return
        if digest != wanted and self._kept is not None and generation <= self._kept.told.generation:
            raise GateError("unwanted", f"gate part {index} of generation {generation} is not what a manifest names")
        self._waiting.put(index, digest, payload, self._wanted)
        self._commit_if_whole()

    def forget_strays(self) -> None:
        """Let go of parts that waited for their manifest since the last call; a true one is asked for again."""
        self._waiting.age(self._wanted)

    @property
    def _wanted(self) -> dict[int, str]:
        return {} if self._coming is None else self._coming.digests

    def _digest(self, index: int) -> str | None:
        return None if self._kept is None else self._kept.digests.get(index)

    def _missing(self, coming: _Manifest) -> list[int]:
        held = {} if self._kept is None or self.snapshot is None else self._kept.digests
        return [
            index
            for index, digest in coming.digests.items()
            if held.get(index) != digest and self._waiting.get(index, digest) is None
        ]

    def _commit_if_whole(self) -> None:
        """Hold the coming generation once all of it is there."""
        coming = self._coming
        if coming is None or self._missing(coming):
            return
        pieces: dict[int, Block] = {}
        for index, digest in sorted(coming.digests.items()):
            part = self._waiting.get(index, digest)
            pieces[index] = self._parts[index].data if part is None else part
        self._coming = None
        parts = self._block(coming, pieces)
        if self._kept is not coming:  # else it was kept all the time, and its delta with it
            self._delta = None
        if self._lost is not None and self._lost[0] < coming.told.generation:
            self._lost = None
        self._kept, self._parts = coming, parts
        deltas = self._take_what_was_ahead(coming.told.generation)
        self._waiting.held(coming.digests)
        self._swap()
        # Other threads read them: what is counted holds already.
        self.counters.generations += 1
        self.counters.deltas += deltas
        self._log.info("gate snapshot held", generation=coming.told.generation, parts=len(parts))

    def _take_what_was_ahead(self, generation: int) -> int:
        """Take the delta that came before its generation; return how many were."""
        ahead = self._ahead
        if ahead is None or ahead.told.generation > generation:
            return 0
        self._ahead = None
        if ahead.told.generation < generation:
            return 0
        self._delta, self._lost = ahead, None
        return 1

    def _block(self, coming: _Manifest, pieces: Mapping[int, Block]) -> dict[int, Part]:
        """Return a generation's parts as they lie on disk, or in memory where that takes nothing."""
        generation = coming.told.generation
        for index, piece in pieces.items():
            Part(index, memoryview(piece))  # one that can't be read must not displace what is held
        block: Block | None = None
        try:
            self._files.write_block(generation, pack_block(pieces))
            block = self._files.map_block(generation)
            # A delta that came ahead goes first: the manifest without it would allow what it takes back.
            if self._ahead is not None and self._ahead.told.generation == generation:
                self._keep_delta(self._ahead)
            self._files.write(MANIFEST, coming.payload)
            self._files.tidy(generation)
            self._disk_full = False
        except OSError as error:
            self._disk_failed(error)
        if block is None:
            block = b"".join(pack_block(pieces))
        return {index: Part(index, data) for index, data in cut_block(block).items()}

    def _kept_parts(self, kept: _Manifest) -> dict[int, Part]:
        block = self._files.map_block(kept.told.generation)
        found = {} if block is None else cut_block(block)
        told = {index: sha256(data).hexdigest() for index, data in found.items()}
        if told != kept.digests:
            raise GateError("unreadable", f"parts of generation {kept.told.generation} are not those that were signed")
        return {index: Part(index, data) for index, data in found.items()}

    def _swap(self) -> None:
        if self._kept is not None:
            delta = None if self._delta is None else self._delta.told
            lacks = self._lost is not None
            self.snapshot = make_snapshot(self._kept.told, self._parts, delta, lacks_delta=lacks)
            self.outline = None

    def _keep(self, name: str, payload: bytes) -> bool:
        """Write a file; what can't be written holds all the same, until the next start."""
        try:
            self._files.write(name, payload)
            self._disk_full = False
        except OSError as error:
            self._disk_failed(error)
            return False
        return True

    def _disk_failed(self, error: OSError) -> None:
        self.counters.disk_failures += 1
        if not self._disk_full:
            problem = f"{error.filename}: {error.strerror or error}"
            self._log.error("gate snapshot can't be kept on disk: it holds until the next start", problem=problem)
        self._disk_full = True

    def _refuse(self, why: Refusal, words: str, count: int = 1) -> None:
        before = self.counters.refused.get(why, 0)
        self.counters.refused[why] = before + count
        if not before:
            told = "".join(letter if letter.isprintable() else " " for letter in words)[:500]
            self._log.warning("gate message refused; more of this kind are only counted", why=why, problem=told)


def check_size(channel: str, payload: bytes) -> None:
    """Raise `GateError` for a message that is larger than its kind may be."""
    most = _MOST_BYTES.get(channel, MAX_PART_BYTES)
    if len(payload) > most:
        raise GateError("oversized", f"{channel[:40]} of {len(payload)} bytes: at most {most} are allowed")


_EMPTY: Final = GateManifest(
    v=1,
    gateway="none",
    generation=1,
    issued_at="2020-01-01T00:00:00.000000Z",
    expires_at="2020-01-01T00:00:00.000000Z",
    own_prefixes=[],
    parts=[],
)


def _index(channel: str) -> int:
    told = channel.removeprefix(f"{GATE_PART}/")
    if not (told.isascii() and told.isdigit() and len(told) <= len(str(BUCKETS)) and int(told) < BUCKETS):
        raise GateError("unreadable", f"{channel[:80]!r} is no topic of a gate part: 0 to {BUCKETS - 1}")
    return int(told)
