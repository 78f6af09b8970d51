"""`replay --explain`: a first replay finds the passage, a second one gathers what it was decided on, and it is drawn.

matplotlib is no part of the agent at the door, so it is loaded here alone, and asked for in words where it is missing.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import structlog

from edge.agent.explain import ExplainError, Finder, Gatherer, brief
from edge.agent.replay import Replay
from edge.agent.replay_files import Source, tell
from edge.contracts import MovementRow
from edge.windows import WindowsSettings

FINE_BYTES: Final = 2048
FINE_READS: Final = 16
"""The second replay goes in small steps, so that it shows when each row was written."""


def check(wanted: str, picture: Path | None, source: Source) -> Finder:
    """Return what will look for a passage, once it is sure that it can be drawn.

    Raises:
        ExplainError: something that the user must change.
    """
    finder = Finder(wanted)
    if picture is None:
        raise ExplainError("--explain: say with --picture FILE.png where the picture goes")
    if picture.suffix.lower() != ".png":
        raise ExplainError(f"--picture {picture}: it becomes a PNG: give it a name that ends in .png")
    if not picture.parent.is_dir():
        raise ExplainError(
            f"--picture {picture}: cannot be written: there is no folder {picture.parent}: make it first"
        )
    for file in source.files:
        if not file.is_file():
            raise ExplainError(f"{file}: --explain reads it twice, and it is no regular file: save it in one first")
    if find_spec("matplotlib") is None:
        raise ExplainError(
            "--explain draws with matplotlib, which isn't installed: pip install 'stockgate[explain]', here or on any "
            "other machine that has the recording and the configuration"
        )
    return finder


def explain(source: Source, windows: WindowsSettings, finder: Finder, picture: Path) -> None:
    """Draw the passage that a first replay found.

    Raises:
        ExplainError: there is none, or the picture can't be written.
    """
    final = finder.choose()
    gatherer = Gatherer(final, windows)
    known = Replay(
        source.readers,
        windows,
        places=source.places,
        log=structlog.get_logger("explain"),
        provisionals=True,
        seen=gatherer.seen,
    )
    source.play(known, _dated(known, gatherer), slice_bytes=FINE_BYTES, reads=FINE_READS)
    from edge.agent.explain_picture import write  # noqa: PLC0415 - matplotlib takes a second that others keep

    try:
        write(gatherer.passage(), picture)
    except OSError as error:
        raise ExplainError(f"{picture}: cannot be written: {error.strerror or error}") from error
    tell(f"{picture}: {brief(final)}")
    for other in finder.rest():
        tell(f"another visit of that tag: {brief(other)}")


def _dated(known: Replay, gatherer: Gatherer) -> Callable[[Iterator[MovementRow]], None]:
    def take(rows: Iterator[MovementRow]) -> None:
        for row in rows:
            assert known.tally.now_us is not None  # noqa: S101 - no row comes before the first instant
            gatherer.called(row, known.tally.now_us)

    return take
