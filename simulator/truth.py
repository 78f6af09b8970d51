"""What truly happened, as a file that others compare their findings with."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.contracts.times import instant
from simulator.world.values import Crossing


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a reader of it sees the old or the new content, never a part."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)  # noqa: PTH105 - os.replace says that an existing file is replaced, on every system


class Truth:
    """The truth of one run; crossings are encoded once, since a long run holds very many."""

    def __init__(self, scenario: str, seed: int | None, path: Path | None) -> None:
        self._scenario = scenario
        self._seed = seed
        self._path = path
        self._crossings: list[msgspec.Raw] = []
        self.done = False

    def add(self, crossings: Sequence[Crossing], begun_utc_us: int) -> None:
        """Take true visits, whose times count from `begun_utc_us`."""
        for crossing in crossings:
            crossed = crossing.crossed_us
            self._crossings.append(
                msgspec.Raw(
                    msgspec.json.encode(
                        {
                            "epc": crossing.epc.hex(),
                            "portal": crossing.portal,
                            "kind": crossing.kind,
                            "started_at": instant(begun_utc_us + crossing.started_us),
                            "crossed_at": None if crossed is None else instant(begun_utc_us + crossed),
                            "ended_at": instant(begun_utc_us + crossing.ended_us),
                        }
                    )
                )
            )

    def write(self, **counts: Any) -> None:
        """Write the file, where one is wanted."""
        if self._path is None:
            return
        content = {"scenario": self._scenario, "seed": self._seed, "done": self.done, **counts}
        write_atomically(self._path, msgspec.json.encode(content | {"crossings": self._crossings}))
