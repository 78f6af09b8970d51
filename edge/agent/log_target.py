"""Where log lines may not go: over the configuration, keys, or what the agent keeps itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.config import EdgeConfig


def log_problem(config: EdgeConfig, *, base: Path, own: Path | None = None, data_dir: Path | None = None) -> str:
    """Return why `log.file` can't be written to, in words; empty: it can.

    Args:
        config: the checked configuration.
        base: the folder where its relative paths start.
        own: the configuration's file, where it is one.
        data_dir: the data folder, where a command line says another than the configuration.
    """
    if config.log.file is None:
        return ""
    target = (base / config.log.file).resolve()
    folder = (data_dir or base / config.agent.data_dir).resolve()
    named = {(base / file).resolve(): f"{place} of it" for place, file in _files(config.model_dump(), "")}
    if own is not None:
        named[own.resolve()] = "the configuration itself"
    if target.is_relative_to(folder):
        return f"{target} lies in the data folder, whose files are the agent's own: give a file elsewhere"
    if target in named:
        return f"{target} is {named[target]}: give another file"
    if target.is_dir():
        return f"{target} is a folder: name a file in it"
    return "" if target.parent.is_dir() else f"there is no folder {target.parent}: make it"


def _files(section: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """Yield the place and the path of every file that a configuration names to be read."""
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _files(value, f"{place}{key}.")
        elif isinstance(value, list):
            for number, one in enumerate(value):
                if isinstance(one, Mapping):
                    yield from _files(one, f"{place}{key}[{number}].")
        elif key.endswith("_file") and isinstance(value, str):
            yield f"{place}{key}", value
