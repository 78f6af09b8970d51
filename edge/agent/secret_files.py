"""Keys and passwords that a configuration names, and whom their files' modes let read them."""

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from edge.config import EdgeConfig, access_settings, reader_settings, uplink_settings

KEY_MARK: Final = b"PRIVATE KEY-----"
LARGEST: Final = 256 * 1024
"""Bytes of a certificate's file that are looked through for a key: more than any chain has."""


class OpenFile(NamedTuple):
    """A secret that others can read or change: its key in the model, what is wrong, and the command that mends it."""

    key: str
    what: str
    do: str


def open_secrets(config: EdgeConfig, *, base: Path) -> Iterator[OpenFile]:
    """Yield each file with a secret that every user of this machine can read or write; relative paths start at `base`.

    The access controller's token is no matter of this: the agent refuses it, and `edge.access` says so. Who is in the
    file's group is not looked at: root's files are read by the agent's group.
    """
    for key, path in _secrets(config, base):
        with suppress(OSError):  # one that isn't there or can't be read is told where it is loaded
            mode = stat.S_IMODE(path.stat().st_mode)
            may = [word for bit, word in ((stat.S_IROTH, "read"), (stat.S_IWOTH, "change")) if mode & bit]
            if may:
                closed = mode & ~stat.S_IRWXO
                what = f"{path} has mode {mode:03o}: every user of this machine can {' and '.join(may)} it"
                yield OpenFile(key, what, f"chmod {closed:03o} {path}")


def _secrets(config: EdgeConfig, base: Path) -> Iterator[tuple[str, Path]]:
    broker = uplink_settings(config, base=base)
    if broker.password_file is not None:
        yield "mqtt.password_file", broker.password_file
    yield from _key("mqtt", broker.certificate_file, broker.key_file)
    for number, reader in enumerate(reader_settings(config, base=base)):
        if reader.tls is not None:
            yield from _key(f"readers[{number}].tls", reader.tls.certificate_file, reader.tls.key_file)
    http, _ = access_settings(config, base=base)
    if http is not None:
        yield from _key("access.http", http.certificate_file, http.key_file)


def _key(place: str, certificate: Path | None, key: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield the file that holds a certificate's key, which is the certificate's own where none is named."""
    if key is not None:
        yield f"{place}.key_file", key
    elif certificate is not None and _holds_key(certificate):
        yield f"{place}.certificate_file", certificate


def _holds_key(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return KEY_MARK in stream.read(LARGEST)
    except OSError:
        return False
