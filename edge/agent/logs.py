"""Log lines on stderr, for people on a terminal and as JSON elsewhere; or as JSON in a file within a disk budget."""

import logging
import sys
from pathlib import Path
from typing import Any

import structlog

from edge.agent.log_file import BoundedFile


def configure(file: Path | None = None, max_bytes: int = 0) -> BoundedFile | None:
    """Send structlog's lines to stderr, or to a file, which is returned.

    Args:
        file: the newest part of the log; None for stderr.
        max_bytes: what all parts of the file may take together.

    Raises:
        OSError: the file can't be written.
    """
    human = file is None and sys.stderr.isatty()
    bounded = None if file is None else BoundedFile(file, max_bytes=max_bytes)
    out: Any = sys.stderr if bounded is None else bounded
    last: Any = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    if not human:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    return bounded
