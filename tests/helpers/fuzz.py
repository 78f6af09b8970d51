"""`python -m tests.helpers.fuzz --seconds N [--seed S]`: damaged LLRP against frames, both decoders and the dump.

Each execution damages a few messages and checks, on the same bytes:

- framing: the same messages and fault however the stream is cut, and no error but `LlrpError`;
- the compiled walk equals its plain twin in every column, fault and count, over a connection of several chunks;
- the compiled walk reads nothing beyond its chunk: other bytes behind it change nothing;
- the dump gives tag reports and faults and nothing else.

On a difference or a crash the input is saved under build/ and the exit code is 1.
"""

import random
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edge.llrp import FrameBuffer, LlrpError, ReportDecoder, TagBatch
from edge.llrp.dump import Tally, decode
from edge.llrp.reports import CompiledReports, PlainReports
from edge.llrp.tag_report import TagReport
from edge.llrp.wire import Message
from tests.helpers.llrp_messages import cut_whole, damaged_tags, mutated, pieces, random_chunk

CHUNKS = 3
"""Chunks of one connection, so that what is filled in is compared too."""


def main(
    seconds: Annotated[float, typer.Option(help="How long to run.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the first execution; the next takes the next.")] = 1,
) -> None:
    """Damage LLRP messages and compare what every decoder makes of them."""
    end = time.monotonic() + seconds
    executions = 0
    while executions == 0 or time.monotonic() < end:
        rng = random.Random(seed + executions)
        chunks = inputs(rng)
        try:
            execute(rng, chunks)
        except Exception:  # noqa: BLE001 - any crash is what we look for
            place = save(seed + executions, chunks)
            typer.echo(traceback.format_exc())
            typer.echo(f"fuzz: execution {executions + 1} failed (--seed {seed + executions}); its input is {place}")
            sys.exit(1)
        executions += 1
    typer.echo(f"fuzz: {executions} executions in {seconds:g} s from seed {seed}, no difference and no crash")


def inputs(rng):
    """Return chunks of one connection, damaged on the outside, inside one whole message, or inside tag reports."""
    kinds = (
        lambda: mutated(rng, random_chunk(rng)),
        lambda: cut_whole(mutated(rng, random_chunk(rng))),
        lambda: damaged_tags(rng) + damaged_tags(rng),
    )
    return [rng.choice(kinds)() for _ in range(CHUNKS)]


def execute(rng, chunks):
    """Run every check on the chunks of one connection."""
    compare_framings(rng, b"".join(chunks))
    compare_walks(chunks)
    for chunk in chunks:
        check_dump(chunk, None)
        check_dump(chunk[10:], Message.RO_ACCESS_REPORT)


def compare_framings(rng, stream):
    """Feed a stream whole and in pieces."""
    whole, cut = framed([stream]), framed(pieces(rng, stream))
    require(whole == cut, f"framing differs: {whole} whole, {cut} in pieces")


def framed(parts):
    """Return the messages' bytes, where the fault stands, and how many bytes wait."""
    buffer = FrameBuffer(capacity_bytes=64, max_frame_bytes=1 << 20)
    data = b""
    for part in parts:
        buffer.feed(part)
        chunk = buffer.take()
        data += bytes(chunk.data)
        if chunk.fault is not None:
            return data, chunk.fault.offset, None
    return data, None, buffer.pending


def compare_walks(chunks):
    """Decode with kernel and twin, and with the kernel once more before other bytes."""
    kernel, twin, shifted = (ReportDecoder(walk()) for walk in (CompiledReports, PlainReports, CompiledReports))
    for chunk in chunks:
        expected = twin.decode(chunk)
        padded = memoryview(bytearray(b"\x55" * 8 + chunk + b"\xf0\x00\x8d\x04\x3d" * 8))[8 : 8 + len(chunk)]
        for decoder, data in ((kernel, chunk), (shifted, padded)):
            batch = decoder.decode(data)
            for name in TagBatch.__slots__:
                same = np.array_equal(getattr(batch, name), getattr(expected, name))
                require(same, f"{name} differs: {getattr(batch, name)} kernel, {getattr(expected, name)} twin")
            require(list(map(str, decoder.faults)) == list(map(str, twin.faults)), "faults differ")
            require(decoder.fault_count == twin.fault_count, "fault counts differ")


def check_dump(data, payload):
    """Decode all fields."""
    for item in decode(data, payload, Tally()):
        require(isinstance(item, TagReport | LlrpError), f"the dump gave a {type(item)}")


def require(holds, words):
    """Fail in words."""
    if not holds:
        raise AssertionError(words)


def save(seed, chunks):
    """Keep an input that failed, as length-led chunks."""
    place = Path("build") / f"fuzz-{seed}.bin"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"".join(len(chunk).to_bytes(4, "big") + chunk for chunk in chunks))
    return place


if __name__ == "__main__":
    typer.run(main)
