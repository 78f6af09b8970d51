"""Ed25519 public keys by name, as `[trust] central_keys` lists them (two, for a rotation)."""

from base64 import b64decode
from collections.abc import Iterable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.contracts import ContractError, Signature, signed_bytes

KEY_BYTES: Final = 32
WHERE_FROM: Final = "take the line that `stockgate-central keys show` prints"


class TrustError(Exception):
    """A key line can't be used, or a message isn't signed by anybody we believe; the message says which and why."""


class UnreadableError(TrustError):
    """It isn't even a message that could be signed."""


class _Signed(msgspec.Struct):
    signature: Signature | None = None


class Keyring:
    """The keys that are believed.

    Args:
        keys: raw public keys of 32 bytes by name.
    """

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {name: Ed25519PublicKey.from_public_bytes(raw) for name, raw in keys.items()}

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Keyring":
        """Read lines `NAME:BASE64`; raise `TrustError` for what is no such line."""
        return cls(dict(map(parse_key_line, lines)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return tuple(self._keys)

    def check(self, payload: bytes) -> None:
        """Raise `TrustError` where a JSON message isn't signed by one of the keys over all of its bytes' content.

        `UnreadableError` where it is none.

        What names no key of ours costs a look at it, not the writing of its canonical bytes.
        """
        try:
            signature = msgspec.json.decode(payload, type=_Signed).signature
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableError(f"message can't be read: {error}") from error
        if signature is None:
            raise TrustError("message isn't signed")
        key = self._keys.get(signature.key)
        if key is None:
            known = ", ".join(self._keys) or "none"
            raise TrustError(f"message is signed by {signature.key}, which isn't among the central's keys ({known})")
        try:
            key.verify(b64decode(signature.value), signed_bytes(payload))
        except ContractError as error:
            raise UnreadableError(f"message can't be read: {error}") from error
        except InvalidSignature:
            raise TrustError(f"message says that {signature.key} signed it, which isn't so") from None


def parse_key_line(line: str) -> tuple[str, bytes]:
    """Return the name and the raw key of a line `NAME:BASE64`; raise `TrustError` for anything else."""
    name, colon, text = line.strip().partition(":")
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if not name or not colon or len(raw) != KEY_BYTES:
        raise TrustError(f"{line!r} is no public key NAME:BASE64: {WHERE_FROM}")
    return name, raw
