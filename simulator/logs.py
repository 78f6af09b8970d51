"""What the simulator tells while it runs: lines on stderr in the field's one-line form."""

import logging
import sys

import structlog


def logger() -> structlog.typing.FilteringBoundLogger:
    """Return the logger; its settings are the process's."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger("simulator")
    return log
