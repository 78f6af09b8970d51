"""Named queries from sql/queries/*.sql: each begins with `-- name:` and a line that describes it."""

from functools import cache
from importlib.resources import files
from typing import Final, LiteralString

_MARK: Final = "-- name: "


@cache
def query(name: str) -> LiteralString:
    """Return the text of `file.name`; a query that isn't there raises `KeyError`."""
    file, _, short = name.partition(".")
    return _load(file)[short]


@cache
def _load(file: str) -> dict[str, LiteralString]:
    text = files("central.storage").joinpath("sql", "queries", f"{file}.sql").read_text(encoding="utf-8")
    found: dict[str, LiteralString] = {}
    for part in text.split(_MARK)[1:]:
        head, _, body = part.partition("\n")
        name = head.strip()
        if name in found:
            raise KeyError(f"{file}.sql names {name!r} twice")
        if not body.startswith("-- "):
            raise KeyError(f"{file}.sql: describe {name!r} in a comment on the line after its name")
        found[name] = body
    return found
