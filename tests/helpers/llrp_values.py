"""Any value of any declared LLRP message or parameter, drawn from a seeded generator: fast, and the seed repeats it."""

import string
from random import Random

from hypothesis import strategies as st

from edge.llrp.messages.base import Custom, CustomMessage
from edge.llrp.messages.element import Leftover, VendorParameter
from edge.llrp.messages.plan import Block, key_of, plan_of
from edge.llrp.messages.registry import MESSAGES, PARAMETERS, VENDOR_MESSAGES
from edge.llrp.messages.wire_types import Array, BitArray, Bits, Octets, Rest, Scalar

DEEP = 4
"""From here on only what must be there is drawn."""
LETTERS = string.ascii_letters + "äé\0漢🏷"
VENDORS_OWN = [cls for cls in PARAMETERS.values() if cls.VENDOR and issubclass(cls, VendorParameter)]
DECLARED_MESSAGES = [*MESSAGES.values(), *VENDOR_MESSAGES.values()]


def messages():
    """Draw a message of any class."""
    return st.builds(
        lambda seed, cls: value(Random(seed), cls), st.integers(0, 1 << 32), st.sampled_from(DECLARED_MESSAGES)
    )


def value(rng, cls, depth=0, *, vendors=True):
    """Return an element of a class, with vendors' parameters at its extension points or without."""
    plan = plan_of(cls)
    flags = {part.field for step in plan.steps if isinstance(step, Block) for part in step.parts if part.boolean}
    drawn = {ours: rng.random() < 0.5 if ours in flags else _field(rng, spec) for ours, spec in plan.specs.items()}
    if cls in {Custom, CustomMessage}:
        drawn["vendor_identifier"] = rng.randint(1_000_000, 0xFFFFFFFF)  # None that we know.
    for slot in plan.slots:
        most = slot.least if depth >= DEEP else 2 if slot.repeated else 1
        most = 0 if slot.field == "custom" and not vendors else most
        kinds = [_kind(rng, plan, slot, depth, vendors=vendors) for _ in range(rng.randint(slot.least, most))]
        found = tuple(value(rng, kind, depth + 1, vendors=vendors) for kind in kinds)
        drawn[slot.field] = found if slot.repeated else found[0] if found else None
    bits = sum(pad.mask.bit_length() for step in plan.steps if isinstance(step, Block) for pad in step.pads)
    if bits and rng.random() < 0.2:
        drawn["leftover"] = Leftover(reserved=rng.randint(1, (1 << bits) - 1))
    return cls(**drawn)


def _kind(rng, plan, slot, depth, *, vendors):
    """Choose a class for a slot: at an extension point a vendor's, unless it has a place of its own there."""
    cls = rng.choice([kind for kind in slot.types if vendors or kind is not VendorParameter])
    if cls is not VendorParameter:
        return cls
    own = rng.choice(VENDORS_OWN)
    return Custom if depth >= DEEP - 1 or key_of(own) in plan.by_key else own


def _field(rng, spec):
    if isinstance(spec, Scalar):
        low = -(1 << spec.bits - 1) if spec.signed else 0
        high = low + (1 << spec.bits) - 1
        return rng.choice((low, high, rng.randint(low, high)))
    if isinstance(spec, Octets):
        return rng.randbytes(spec.count)
    if isinstance(spec, BitArray):
        count = rng.randint(0, 40)
        return Bits(count, rng.randbytes((count + 7) // 8))
    if isinstance(spec, Array):
        items = tuple(rng.randrange(1 << spec.bits) for _ in range(rng.randint(0, 3)))
        return bytes(items) if spec.bits == 8 and spec.enum is None else items
    if isinstance(spec, Rest):
        return rng.randbytes(rng.randint(0, 5))
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 4)))
