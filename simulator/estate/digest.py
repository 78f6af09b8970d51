"""The hash of an estate: scenario, registry, all that arrives and the truth; kept beside the scenario files."""

import json
from dataclasses import asdict
from hashlib import sha256
from importlib import resources
from pathlib import Path

from simulator.estate.estate import Estate
from simulator.estate.model import EstateError
from simulator.estate.values import Act, Item

HASH_FILE = Path(str(resources.files("simulator.estate").joinpath("estates.sha256")))


class Digest:
    """SHA-256 of an estate; fed with the items while they are played."""

    def __init__(self, estate: Estate) -> None:
        self._hash = sha256(estate.scenario.model_dump_json().encode())
        self._add(estate.sheets)
        truth = estate.truth
        self._add([truth.stays, truth.down, truth.offline, truth.dead])
        for record in truth.records:
            self._add(asdict(record))

    def feed(self, item: Item) -> None:
        """Take in one item."""
        if isinstance(item, Act):
            self._add(asdict(item))
        else:
            self._hash.update(f"{item.at_us} {item.site} {item.gateway} ".encode() + item.payload + b"\n")

    def hex(self) -> str:
        """Return the hash."""
        return self._hash.hexdigest()

    def _add(self, value: object) -> None:
        self._hash.update(json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def digest(estate: Estate) -> str:
    """Return the hash of an estate, in hex."""
    found = Digest(estate)
    for item in estate.items():
        found.feed(item)
    return found.hex()


def committed(name: str) -> str:
    """Return the hash that is kept of an estate.

    Raises:
        EstateError: none is.
    """
    for line in HASH_FILE.read_text("utf-8").splitlines():
        kept, _, title = line.partition("  ")
        if title == name:
            return kept
    raise EstateError(f"{HASH_FILE.name} keeps no hash of {name}: python -m simulator.estate --write")
