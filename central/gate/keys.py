"""The central's Ed25519 keys: one 0600 file in the state directory, a successor in it during a rotation."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.contracts import Signature, key_line

KEYS_FILE: Final = "gate-keys.json"
NAME_DIGITS: Final = 12
"""Hex digits of a key's digest in its name: names never collide by chance, and tell nothing of the private part."""


class KeyFileError(Exception):
    """The key file can't be used; the message says why and what to do."""


class SigningKey:
    """One key; its name follows from its public part. It never shows its private part."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()
        self.name = f"central-{sha256(self.public).hexdigest()[:NAME_DIGITS]}"

    @property
    def line(self) -> str:
        """The public key as the agent's `central_keys` takes it."""
        return key_line(self.name, self.public)

    def sign(self, message: bytes) -> Signature:
        """Return the signature over a message's bytes."""
        return Signature(key=self.name, value=b64encode(self._private.sign(message)).decode())

    def verifies(self, message: bytes, signature: Signature) -> bool:
        """Tell whether this key made the signature over the message."""
        try:
            self._private.public_key().verify(b64decode(signature.value), message)
        except InvalidSignature:
            return False
        return True


class KeyRing:
    """The keys in a file, made at first use; another process may rotate them, so the file is looked at again."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / KEYS_FILE
        self._stamp: tuple[int, int] | None = None
        self._keys: tuple[SigningKey, ...] = ()

    @property
    def signing(self) -> SigningKey:
        """The key that signs now."""
        return self.keys[0]

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The key that signs and, during a rotation, the one that will."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():
                self._make()
            there = self._file.stat()
        except OSError as error:
            raise KeyFileError(f"can't use the key file {self._file}: {error.strerror}") from error
        if self._stamp != (there.st_mtime_ns, there.st_ino):
            if there.st_mode & 0o077:
                raise KeyFileError(f"the key file {self._file} is open to others: chmod 600 it, then rotate twice")
            self._keys = tuple(SigningKey(seed) for seed in self._read())
            self._stamp = (there.st_mtime_ns, there.st_ino)
        return self._keys

    def verifies(self, message: bytes, signature: Signature) -> bool:
        """Tell whether one of the keys made the signature over the message."""
        return any(key.name == signature.key and key.verifies(message, signature) for key in self.keys)

    def rotate(self) -> tuple[SigningKey, ...]:
        """Take one step of a rotation: add the successor, or where there is one let it sign and forget the old key."""
        self.keys  # noqa: B018 (makes or checks the file)
        seeds = self._read()
        seeds = seeds[1:] if len(seeds) > 1 else [*seeds, os.urandom(32)]
        partial = self._file.with_name(f"{self._file.name}.partial")
        try:
            partial.unlink(missing_ok=True)
            _write(partial, seeds)
            partial.replace(self._file)
        except OSError as error:
            raise KeyFileError(f"can't write the key file {self._file}: {error.strerror}") from error
        return self.keys

    def _make(self) -> None:
        try:
            _write(self._file, [os.urandom(32)])
        except FileExistsError:
            return  # another process was faster

    def _read(self) -> list[bytes]:
        try:
            told = json.loads(self._file.read_text(encoding="ascii"))
            seeds = [b64decode(text, validate=True) for text in told["ed25519"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyFileError(f"can't read the key file {self._file}: restore it from a backup") from error
        if not 1 <= len(seeds) <= 2 or any(len(seed) != 32 for seed in seeds):  # noqa: PLR2004 (an Ed25519 seed's bytes)
            raise KeyFileError(f"the key file {self._file} holds no one or two keys: restore it from a backup")
        return seeds


def _write(file: Path, seeds: Sequence[bytes]) -> None:
    """Write a new file that nobody else can read, in full or, seen from outside, not at all."""
    told = json.dumps({"ed25519": [b64encode(seed).decode() for seed in seeds]}) + "\n"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(told)
        stream.flush()
        os.fsync(stream.fileno())
