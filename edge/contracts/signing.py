"""What is signed: canonical JSON bytes (RFC 8785) of a message without its `signature`.

The verifier takes the bytes as received, not the decoded value, so that a field which a newer central adds is covered
by the signature although this version ignores it.
"""

from base64 import b64encode
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from edge.contracts.errors import ContractError
from edge.contracts.rows import Name

_SAFE_INTEGER: Final = 2**53 - 1
_canonical: Final = msgspec.json.Encoder(order="sorted")


class Signature(Struct, frozen=True, kw_only=True):
    """Ed25519 over the canonical bytes; `key` names which of the central's keys made it."""

    key: Name
    value: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{86}==$(?!\n)", description="64 bytes, base64")]


def canonical(value: Any) -> bytes:
    """Return RFC 8785 JSON of text, integers, booleans, null, lists and objects with ASCII keys; no floats."""
    _check(value, "$")
    return _canonical.encode(value)


def key_line(name: str, public: bytes) -> str:
    """Return how an Ed25519 public key of 32 bytes stands in the agent's `central_keys`: NAME:BASE64."""
    return f"{name}:{b64encode(public).decode()}"


def signed_bytes(payload: bytes) -> bytes:
    """Return the bytes that the signature of a JSON message covers: all of it but `signature`."""
    try:
        message = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"signed message: {error}") from error
    if not isinstance(message, dict):
        raise ContractError(f"signed message is a JSON {type(message).__name__}: it must be an object")
    message.pop("signature", None)
    return canonical(message)


def _check(value: Any, path: str) -> None:
    """Refuse what JSON writers spell in different ways: floats, integers beyond 2^53 - 1, keys beyond ASCII."""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > _SAFE_INTEGER):
        raise ContractError(f"signed message: {path} is {value!r}: write integers to 2^53 - 1, or text")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not key.isascii():
                raise ContractError(f"signed message: key {key!r} at {path} is not ASCII")
            _check(item, f"{path}.{key}")
