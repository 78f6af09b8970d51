"""From a TOML file to a checked configuration.

Errors: `ConfigError`, the room's one error.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from edge.config.checks import cross_problems
from edge.config.explain import explain
from edge.config.kinds import foreign_sections, named_as_written
from edge.config.model import EdgeConfig

MAX_PROBLEMS: Final = 50
"""One mistake in a generator makes a thousand of them; nobody reads on."""


class ConfigError(ValueError):
    """The configuration can't be used; the message says where and what would be right.

    Args:
        message: a line a problem.
        more: how many problems aren't told, for they are too many.
    """

    def __init__(self, message: str, *, more: int = 0) -> None:
        super().__init__(message)
        self.more = more


def load(path: Path) -> EdgeConfig:
    """Read and check a configuration file; its problems are told at once in one `ConfigError`."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(document_of(text, source=str(path)), source=str(path))


def document_of(text: bytes, *, source: str) -> dict[str, Any]:
    """Return the document in a file's bytes, unchecked; `ConfigError` where they are no TOML."""
    try:
        # Notepad begins its files with a byte order mark, which is no TOML.
        return tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: cannot be read: it is not UTF-8 text") from error
    except RecursionError as error:
        raise ConfigError(f"{source}: is not a configuration: it is nested too deep") from error
    except ValueError as error:  # tomllib's own, and Python's for a number of thousands of digits
        raise ConfigError(f"{source}: is not TOML: {error}") from error


def parse(document: Mapping[str, Any], *, source: str) -> EdgeConfig:
    """Check a document that was read from `source`."""
    problems: list[str] = list(foreign_sections(document))
    try:
        config = EdgeConfig.model_validate(document)
    except ValidationError as error:
        problems += [explain(detail) for detail in error.errors(include_url=False)]
    else:
        problems += cross_problems(config)
        if not problems:
            return config
    more = max(len(problems) - MAX_PROBLEMS, 0)
    told = [named_as_written(one, document) for one in problems[:MAX_PROBLEMS]]
    told += [f"and {more:,} more problems"] if more else []
    raise ConfigError("\n".join(f"{source}: {one}" for one in told), more=more) from None
