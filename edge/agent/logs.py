"""Log lines on stderr: for people on a terminal, JSON elsewhere."""

import logging
import sys
from typing import Any

import structlog


def configure() -> None:
    """Send structlog's lines to stderr; called once by the command."""
    human = sys.stderr.isatty()
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
