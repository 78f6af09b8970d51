"""`python -m tests.helpers.fuzz_messages --seconds N [--seed S]`: damaged messages against the message codec.

Each execution damages the payload of a drawn or recorded message. It must decode to a message that encodes to the same
bytes, within a second, or raise `LlrpError`; its JSON must be JSON. The seed of a failure repeats it.
"""

import json
import random
import sys
import time
import traceback
from typing import Annotated

import typer

from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame
from edge.llrp.messages import decode_message, encode_message
from edge.llrp.messages.plain import to_plain
from tests.conftest import SHARED
from tests.helpers import llrp_values
from tests.helpers.llrp_twins import frames

LONGEST_S = 1.0


def main(
    seconds: Annotated[float, typer.Option(help="How long to run.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the first execution; the next takes the next.")] = 1,
) -> None:
    """Damage messages and hold the codec to its promise."""
    base = [frame for path in sorted(SHARED.rglob("llrp/**/*.bin")) for frame in frames(path.read_bytes())]
    end = time.monotonic() + seconds
    executions = whole = 0
    while executions == 0 or time.monotonic() < end:
        try:
            whole += execute(random.Random(seed + executions), base)
        except Exception:  # noqa: BLE001 - any crash is what we look for
            typer.echo(traceback.format_exc())
            typer.echo(f"fuzz_messages: --seed {seed + executions} failed")
            sys.exit(1)
        executions += 1
    typer.echo(f"fuzz_messages: {executions} executions from seed {seed}, {whole} gave a message, no crash")


def execute(rng, base):
    """Decode one damaged message; return whether it still is one."""
    number, payload = draw(rng, base)
    damage(rng, payload)
    begin = time.perf_counter()
    try:
        message = decode_message(Frame(number, 1, 1, bytes(payload), 0))
    except LlrpError:
        return False
    finally:
        assert time.perf_counter() - begin < LONGEST_S
    assert encode_message(message, 1)[10:] == payload, payload.hex()
    json.dumps(to_plain(message))
    return True


def draw(rng, base):
    """Return a type and payload, of a recorded message or of any declared one."""
    if base and rng.random() < 0.5:
        frame = rng.choice(base)
        return frame.type, bytearray(frame.payload)
    data = encode_message(llrp_values.value(rng, rng.choice(llrp_values.DECLARED_MESSAGES)), 1)
    return int.from_bytes(data[:2], "big") & 0x3FF, bytearray(data[10:])


def damage(rng, payload):
    """Change, cut out, say twice or insert bytes."""
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(payload) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(payload):
            payload[at] = rng.randrange(256)
        elif kind == 1:
            del payload[at : at + rng.randint(1, 8)]
        elif kind == 2:
            payload[at:at] = payload[rng.randrange(len(payload) + 1) :][: rng.randint(1, 30)]
        else:
            payload[at:at] = rng.randbytes(rng.randint(1, 6))


if __name__ == "__main__":
    typer.run(main)
