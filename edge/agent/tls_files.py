"""Certificates and keys that a configuration names must be there and be PEM before a reader is dialled."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge.config import EdgeConfig, reader_settings
from edge.readers import ReaderError, try_files
from edge.uplink import UplinkSettings, parse_url, tls_context


class TlsFileProblem(NamedTuple):
    """A file that can't be used: the reader's place in the model and its id, the key below, and what is wrong."""

    place: str
    reader: str
    key: str
    what: str


def try_broker_files(settings: UplinkSettings) -> None:
    """Read the password, certificates and key for the broker; an unusable one raises `UplinkSettingsError`."""
    settings.password()
    if parse_url(settings.url).tls:
        tls_context(settings)


def tls_file_problems(config: EdgeConfig, *, base: Path) -> Iterator[TlsFileProblem]:
    """Yield the first unusable file of each reader; relative paths start at `base`."""
    for number, reader in enumerate(reader_settings(config, base=base)):
        if reader.tls is None:
            continue
        try:
            try_files(reader.tls, listens=reader.listen is not None)
        except ReaderError as error:
            key, _, what = str(error).partition(" ")
            remedy = "give a PEM file that the agent may read"
            yield TlsFileProblem(f"readers[{number}]", reader.id, key, f"{what}: {remedy}")
