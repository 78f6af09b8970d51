"""The outbox's SQL, read from sql/: the schema, and queries by name (`-- name: what it does` stands above each)."""

import re
from importlib.resources import files
from typing import Final

SCHEMA_VERSION: Final = 1


def _named(text: str) -> dict[str, str]:
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)[1:]
    return {name: query.strip().removesuffix(";") for name, query in zip(parts[::2], parts[1::2], strict=True)}


_SQL: Final = files("edge.outbox").joinpath("sql")
SCHEMA: Final = _SQL.joinpath("schema.sql").read_text(encoding="utf-8")
QUERIES: Final = _named(_SQL.joinpath("queries.sql").read_text(encoding="utf-8"))
