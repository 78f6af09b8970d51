"""EPC bytes and their one written form: lower-case hex, as contracts and database keep it."""

from typing import Final

MAX_EPC_BYTES: Final = 62
"""Longest EPC that Gen2 memory can state: 31 words (EPC Gen2 v2, PC length field of 5 bits)."""


class EpcError(ValueError):
    """An EPC or TID that can't be one; the message says what is wrong with it."""


def epc_hex(epc: bytes) -> str:
    """Return the lower-case hex of EPC bytes (0 to 62 bytes)."""
    if len(epc) > MAX_EPC_BYTES:
        raise EpcError(f"an EPC has at most {MAX_EPC_BYTES} bytes, this one has {len(epc)}")
    return epc.hex()


def epc_bytes(text: str) -> bytes:
    """Return the bytes of a written EPC; spaces, dashes and upper case are accepted as people write them."""
    compact = text.strip().replace(" ", "").replace("-", "")
    try:
        epc = bytes.fromhex(compact)
    except ValueError:
        raise EpcError(f"EPC {text!r} is not hexadecimal: write two of 0-9 and a-f for each byte") from None
    if not epc:
        raise EpcError("the EPC is empty")
    if len(epc) > MAX_EPC_BYTES:
        raise EpcError(f"EPC {text!r} has {len(epc)} bytes, at most {MAX_EPC_BYTES} fit a tag")
    return epc
