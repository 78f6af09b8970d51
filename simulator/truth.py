"""What truly happened, as a file that others compare their findings with.

Errors: `TruthError`, for a file that can't be read as a truth.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.contracts.times import Instant, instant
from simulator.scenarios.model import Scenario
from simulator.world.values import Crossing, Kind, TagState


class TruthError(Exception):
    """A truth file can't be used; the message says which, and what to do."""


class TruePortal(msgspec.Struct, frozen=True):
    """A doorway; one that isn't monitored is an opening without antennas."""

    id: str
    gateway: str
    site: str
    layout: str
    inside: str
    outside: str
    monitored: bool = True


class TrueBadge(msgspec.Struct, frozen=True):
    """Somebody showed a badge: the scenario's plan, `at_s` in seconds of the scenario or of its cycle."""

    at_s: float
    portal: str
    person: str


class TrueVisit(msgspec.Struct, frozen=True):
    """One asset's visit to a doorway; see `Crossing`."""

    epc: str
    portal: str
    kind: Kind
    started_at: Instant
    crossed_at: Instant | None
    ended_at: Instant
    group: str = ""
    reads: int = 0
    tag: TagState = "ok"
    monitored: bool = True


class TruthFile(msgspec.Struct, frozen=True):
    """The file's content.

    Attributes:
        done: whether the scenario came to its end.
        authorised: EPCs that may leave.
        residents: EPCs of tags in range that never moved.
    """

    scenario: str
    seed: int | None
    done: bool
    crossings: list[TrueVisit]
    portals: list[TruePortal] = []
    authorised: list[str] = []
    badges: list[TrueBadge] = []
    residents: list[str] = []


def read_truth(path: Path) -> TruthFile:
    """Read a truth file.

    Raises:
        TruthError: it can't be read, or isn't one.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=TruthFile)
    except OSError as error:
        raise TruthError(f"{path}: can't be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TruthError(f"{path}: is no truth file: {error}; write one with `stockgate-sim run --truth`") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a reader of it sees the old or the new content; no part stays where that fails."""
    if path.exists() and not path.is_file():
        path.write_bytes(content)  # a terminal or a pipe is written to, not replaced; a folder is refused
        return
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)  # noqa: PTH105 - os.replace says that an existing file is replaced, on every system
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


class Truth:
    """The truth of one run; crossings are encoded once, since a long run holds very many."""

    def __init__(self, scenario: str, seed: int | None, path: Path | None, *, place: Scenario | None = None) -> None:
        self._scenario = scenario
        self._seed = seed
        self._path = path
        self._place = {} if place is None else _place(place)
        self._crossings: list[msgspec.Raw] = []
        self.done = False

    def add(self, crossings: Sequence[Crossing], begun_utc_us: int) -> None:
        """Take true visits, whose times count from `begun_utc_us`."""
        self._crossings += (msgspec.Raw(msgspec.json.encode(_visit(one, begun_utc_us))) for one in crossings)

    def check(self) -> None:
        """See that the file can be written, before anything is played.

        Raises:
            TruthError: it can't.
        """
        if self._path is None or (self._path.exists() and not self._path.is_dir()):
            return
        try:
            write_atomically(self._path, b"")
            self._path.unlink()
        except OSError as error:
            raise self._refused(error) from error

    def write(self, **counts: Any) -> None:
        """Write the file, where one is wanted.

        Raises:
            TruthError: it can't be written.
        """
        if self._path is None:
            return
        content = {"scenario": self._scenario, "seed": self._seed, "done": self.done, **counts, **self._place}
        try:
            write_atomically(self._path, msgspec.json.encode(content | {"crossings": self._crossings}))
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> TruthError:
        return TruthError(f"--truth {self._path}: can't be written: {error.strerror or error}: name another file")


def _visit(crossing: Crossing, begun_utc_us: int) -> TrueVisit:
    crossed_us = crossing.crossed_us
    return TrueVisit(
        epc=crossing.epc.hex(),
        portal=crossing.portal,
        kind=crossing.kind,
        started_at=instant(begun_utc_us + crossing.started_us),
        crossed_at=None if crossed_us is None else instant(begun_utc_us + crossed_us),
        ended_at=instant(begun_utc_us + crossing.ended_us),
        group=crossing.group,
        reads=crossing.reads,
        tag=crossing.tag,
        monitored=crossing.monitored,
    )


def _place(scenario: Scenario) -> dict[str, Any]:
    """What a judge of findings wants to know of the place."""
    return {
        "portals": list(_portals(scenario)),
        "authorised": [scenario.epc(number).hex() for number in scenario.tags.authorised],
        "badges": [TrueBadge(badge.at_s, badge.portal, badge.person) for badge in scenario.badges],
    }


def _portals(scenario: Scenario) -> Iterator[TruePortal]:
    for portal in scenario.portals:
        reader = next(
            (one for one in scenario.readers if any(antenna.portal == portal.id for antenna in one.antennas)),
            scenario.readers[0],
        )
        gateway = scenario.gateway_of(reader)
        yield TruePortal(portal.id, gateway.id, gateway.site, portal.layout, portal.inside, portal.outside)
    for opening in scenario.openings:
        yield TruePortal(opening.id, "", "", "", opening.inside, opening.outside, monitored=False)
