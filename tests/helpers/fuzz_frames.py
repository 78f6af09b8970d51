"""`python -m tests.helpers.fuzz_frames --frames N [--seed S]`: millions of damaged frames through kernel and twin.

Every frame goes through both: the same reads, value by value, and the same faults at the same places, or it is told
with its seed. The kernels read from memory that ends at a page which nobody may touch, so a byte read too far ends the
process by SIGSEGV; a chunk that takes a minute ends it by SIGALRM. Processes share the work, as the twin is what takes
the time.
"""

import ctypes
import mmap
import multiprocessing
import random
import signal
import struct
import time
from typing import Annotated

import numpy as np
import typer

from edge.llrp import kernels
from edge.llrp.framing import MAX_FRAME_BYTES, PlainCut
from edge.llrp.reports import CompiledReports
from edge.llrp.reports_plain import PlainState, TagRead, read_reports
from tests.helpers.llrp_messages import message, random_tag, report, tlv

FRAMES_A_CHUNK = 100
BASES = 40
"""Right frames that a chunk's damaged ones are made of."""
CHUNKS_A_CONNECTION = 5
"""So often last values are forgotten."""
HANG_S = 60
SPACE = 1 << 20
EXTREMES = bytes((0, 1, 4, 13, 0x7F, 0x80, 0x81, 0x82, 0x86, 0x89, 0x8D, 0xF0, 0xF1, 0xFF))


class Guarded:
    """Memory that ends where the next byte can't be read."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, SPACE + mmap.PAGESIZE)
        place = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(place + SPACE), ctypes.c_size_t(mmap.PAGESIZE), 0) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
        self._bytes = np.frombuffer(self._map, np.uint8)

    def at_the_end(self, data):
        """Return a writable array of these bytes, whose last one is the last that may be read."""
        place = self._bytes[SPACE - len(data) : SPACE]
        place[:] = np.frombuffer(data, np.uint8)
        return place


def main(
    frames: Annotated[int, typer.Option(help="How many frames, over all processes.", min=1)] = 10_000_000,
    seed: Annotated[int, typer.Option(help="Seed of the first connection; each takes the next.")] = 1,
    workers: Annotated[int, typer.Option(help="How many processes.", min=1)] = 2,
) -> None:
    """Damage frames and compare what kernel and twin make of them; exit 1 at a difference, a crash or a hang."""
    context = multiprocessing.get_context("spawn")
    begin = time.monotonic()
    shared = [context.Array("q", 4) for _ in range(workers)]
    share = -(-frames // workers)
    crew = [
        context.Process(target=work, args=(seed + number, workers, share, shared[number])) for number in range(workers)
    ]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
    seconds = time.monotonic() - begin
    for process, (_, _, _, last) in zip(crew, shared, strict=True):
        if process.exitcode:
            typer.echo(f"fuzz: {meaning(process.exitcode)} in the connection of --seed {last} --workers 1")
    done, reads, faults = (sum(one[column] for one in shared) for column in range(3))
    typer.echo(
        f"fuzz: {done:,} frames through kernel and twin in {seconds:,.0f} s ({done / seconds:,.0f} a second): "
        f"{reads:,} reads and {faults:,} faults"
    )
    if any(process.exitcode for process in crew):
        raise typer.Exit(1)
    typer.echo("fuzz: no difference, no other exception, no over-read, no hang")


def meaning(code):
    """Say what the end of a process means."""
    known = {-signal.SIGSEGV: "a byte was read beyond the end", -signal.SIGALRM: f"a chunk took more than {HANG_S} s"}
    return known.get(code, f"a difference or an exception (exit {code}, told above)")


def work(seed, step, frames, tally):
    """Run connections until so many frames have been compared; `tally` is frames, reads, faults, the seed at work."""
    guarded = Guarded()
    while tally[0] < frames:
        tally[3] = seed
        for done in connection(random.Random(seed), guarded):
            for column, value in enumerate(done):
                tally[column] += value
        seed += step


def connection(rng, guarded):
    """Yield frames, reads and faults of each chunk of one connection, compared."""
    kernel, twin = CompiledReports(), PlainState()
    kernel._faults = np.empty((10_000, 3), np.int64)
    for _ in range(CHUNKS_A_CONNECTION):
        frames = damaged_frames(rng)
        data = b"".join(frames)
        signal.alarm(HANG_S)
        compare_cut(data, guarded)
        reads, faults = compare_reports(data, kernel, twin, guarded)
        signal.alarm(0)
        yield len(frames), reads, faults


def compare_cut(data, guarded):
    """Hold the compiled cut to the plain one."""
    others = np.empty(len(data) // 10 + 1, np.int64)
    end, messages, found, why = kernels.cut_messages(guarded.at_the_end(data), 0, len(data), MAX_FRAME_BYTES, others)
    plain = PlainCut().whole(data, 0, len(data), MAX_FRAME_BYTES)
    require((end, messages, others[:found].tolist(), why == 1) == tuple(plain), "the cuts differ")


def compare_reports(data, kernel, twin, guarded):
    """Hold the kernel's columns and faults to the twin's; return how many there were."""
    batch, _, count = kernel.read(memoryview(guarded.at_the_end(data)))
    reads, faults = read_reports(data, twin)
    require(kernel._faults[:count].tolist() == [list(map(int, fault)) for fault in faults], "the faults differ")
    columns = [getattr(batch, name).tolist() for name in TagRead._fields[1:]]
    require(list(zip(*columns, strict=True)) == [read[1:] for read in reads], "the reads differ")
    require(batch.epc.tobytes() == b"".join(read.epc.ljust(62, b"\0") for read in reads), "the EPCs differ")
    return len(reads), count


def damaged_frames(rng):
    """Return frames damaged within lengths that hold, so that each is reached; now and then the last one's don't."""
    bases = [base(rng) for _ in range(BASES)]
    frames = [damaged(rng, rng.choice(bases)) for _ in range(FRAMES_A_CHUNK)]
    if rng.random() < 0.3:
        last = bytearray(frames[-1])
        last[rng.randrange(10)] = rng.choice(EXTREMES)
        frames[-1] = bytes(last)[: rng.randrange(1, len(last) + 1)]
    return frames


def base(rng):
    """Return a right frame: mostly one tag report, as most that a reader sends."""
    kind = rng.random()
    if kind < 0.8:
        return report(random_tag(rng))
    if kind < 0.9:
        return report(random_tag(rng), tlv(242, rng.randbytes(9)), random_tag(rng))
    return rng.choice((report(), message(62), message(63, tlv(246, tlv(128, rng.randbytes(8))))))


def damaged(rng, frame):
    """Damage a frame behind its header: a byte changed, set to an extreme, left out, put in, or the end cut off."""
    body = bytearray(frame[10:])
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        if not body:
            break
        # Most damage lies inside a tag report, whose own length then still holds.
        at = rng.randrange(min(4, len(body) - 1), len(body)) if rng.random() < 0.8 else rng.randrange(len(body))
        match rng.randrange(6):
            case 0 | 1:
                body[at] = rng.randrange(256)
            case 2 | 3:
                body[at] = rng.choice(EXTREMES)
            case 4:
                del body[at : at + rng.choice((1, 2, 9))]
            case _:
                body[at:at] = rng.randbytes(rng.choice((1, 2, 9)))
    if len(body) >= 4 and body[:2] == b"\x00\xf0" and rng.random() < 0.5:
        body[2:4] = struct.pack("!H", min(len(body), 0xFFFF))
    return frame[:2] + struct.pack("!I", 10 + len(body)) + frame[6:10] + bytes(body)


def require(holds, words):
    """Fail in words."""
    if not holds:
        raise AssertionError(words)


if __name__ == "__main__":
    typer.run(main)
