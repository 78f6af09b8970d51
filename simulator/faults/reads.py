"""Reads that a reader makes up or gets wrong: ghosts and flipped bits, drawn from the reads themselves.

What befalls a read depends on the reader, its time and its antenna alone, so that the same scenario gives the same
bytes however its time is cut.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.faults.model import Faults
from simulator.world.values import NO_TAG, Reads

Words = NDArray[np.uint64]
GHOST_BYTES: Final = 12
"""A ghost's EPC is of the usual length, 96 bits."""
_FLIP, _GHOST, _BIT = 1, 2, 3
_STEP: Final = 0x9E3779B97F4A7C15
_MIX: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""SplitMix64, Steele et al., "Fast splittable pseudorandom number generators", 2014."""


def disturbed(reads: Reads, faults: Faults, identity: bytes) -> Reads:
    """Reads as a reader with these faults reports them; `identity` is the reader's own."""
    if not len(reads) or not (faults.bit_flip_share or faults.ghost_share):
        return reads
    seed = int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest())
    draws = _mixed(_mixed(reads.at_us.astype(np.uint64) ^ np.uint64(seed)) + reads.antenna.astype(np.uint64))
    flipped = _chosen(draws, _FLIP, faults.bit_flip_share)
    ghosts = np.flatnonzero(_chosen(draws, _GHOST, faults.ghost_share))
    return _with_ghosts(_flipped(reads, draws, flipped), draws, ghosts)


def _flipped(reads: Reads, draws: Words, flipped: NDArray[np.bool_]) -> Reads:
    rows = np.flatnonzero(flipped & (reads.epc_bytes > 0))
    if not len(rows):
        return reads
    bits = (_mixed(draws[rows] + np.uint64(_BIT)) % (8 * reads.epc_bytes[rows]).astype(np.uint64)).astype(np.int64)
    epc = reads.epc.copy()
    epc[rows, bits // 8] ^= (0x80 >> (bits % 8)).astype(np.uint8)
    columns = {name: getattr(reads, name) for name in Reads.__slots__}
    return Reads(**{**columns, "epc": epc})


def _with_ghosts(reads: Reads, draws: Words, after: NDArray[np.intp]) -> Reads:
    """The same with a ghost after each of these reads: a read like it, of an EPC that no tag has."""
    if not len(after):
        return reads
    order = np.sort(np.concatenate([np.arange(len(reads)), after]), kind="stable")
    found = reads.at(order)
    ghosts = after + np.arange(1, len(after) + 1)
    width = max(GHOST_BYTES, reads.epc.shape[1])
    epc = np.zeros((len(order), width), dtype=np.uint8)
    epc[:, : reads.epc.shape[1]] = found.epc
    epc[ghosts] = 0
    words = np.stack([_mixed(draws[after] + np.uint64(0x100 + word)) for word in range(2)], axis=1)
    epc[ghosts, :GHOST_BYTES] = words.astype(">u8").view(np.uint8).reshape(len(after), 16)[:, :GHOST_BYTES]
    epc_bytes, tag = found.epc_bytes.copy(), found.tag.copy()
    epc_bytes[ghosts], tag[ghosts] = GHOST_BYTES, NO_TAG
    columns = {name: getattr(found, name) for name in Reads.__slots__}
    return Reads(**{**columns, "epc": epc, "epc_bytes": epc_bytes, "tag": tag})


def _chosen(draws: Words, purpose: int, share: float) -> NDArray[np.bool_]:
    return (_mixed(draws ^ np.uint64(purpose << 32)) >> np.uint64(11)).astype(np.float64) < share * 2.0**53


def _mixed(words: Words) -> Words:
    """SplitMix64's finaliser of each."""
    mixed = words + np.uint64(_STEP)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX[0])
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX[1])
    return mixed ^ (mixed >> np.uint64(31))
