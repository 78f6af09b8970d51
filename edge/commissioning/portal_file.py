"""Writes what a commissioning found into the agent's TOML, key by key: comments and all else stay as they are."""

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edge.commissioning.errors import CommissioningError

Values = Mapping[str, float | int]
_HEADER: Final = re.compile(r"\[(\[?)\s*([^\[\]]+?)\s*\]")
_ANTENNAS: Final = re.compile(r"antennas\s*=\s*")
_QUOTES: Final = ('"""', "'''", '"', "'")
_OPENS: Final = "[{"
_CLOSES: Final = "]}"


@dataclass(frozen=True, slots=True)
class _Span:
    """Where an antenna's keys stand; `inline` in braces, else line by line."""

    begin: int
    end: int
    inline: bool


def with_antennas(text: str, portal: str, changes: Sequence[Values | None]) -> str:
    """Return a configuration with keys of one portal's antennas set.

    Args:
        text: the configuration's TOML.
        portal: the portal's id.
        changes: for each of its antennas, in their order, the keys to set; None or empty leaves one as it is.

    Raises:
        CommissioningError: it is written in a way that can't be edited so that nothing else changes.
    """
    document = tomllib.loads(text)
    number = next((n for n, one in enumerate(document.get("portals", [])) if one.get("id") == portal), None)
    if number is None:
        raise CommissioningError(f"the configuration has no portal {portal!r}")
    wanted = _wanted(document, number, changes)
    spans = list(_antenna_spans(text, number))
    edited = text
    if len(spans) == len(wanted["portals"][number]["antennas"]):
        for span, values in sorted(zip(spans, changes, strict=False), key=lambda pair: -pair[0].begin):
            if values:
                edited = edited[: span.begin] + _set(edited, span, values) + edited[span.end :]
    if _parsed(edited) != wanted:
        raise CommissioningError(
            f"portal {portal!r} is written in a way that can't be edited without touching the rest: write each "
            "antenna as { … } within `antennas = [ … ]`, or as a table [[portals.antennas]]"
        )
    return edited


def antennas_toml(antennas: Sequence[Mapping[str, Any]]) -> str:
    """Return antennas as the lines of `antennas = [ … ]`."""
    lines = ["antennas = ["]
    for antenna in antennas:
        keys = ", ".join(f"{key} = {_value(value)}" for key, value in antenna.items())
        lines.append(f"  {{ {keys} }},")
    return "\n".join([*lines, "]", ""])


def _wanted(document: Mapping[str, Any], number: int, changes: Sequence[Values | None]) -> dict[str, Any]:
    wanted = copy.deepcopy(dict(document))
    antennas = wanted["portals"][number]["antennas"]
    if len(changes) != len(antennas):
        raise CommissioningError(f"the portal has {len(antennas)} antennas, not {len(changes)}")
    for antenna, values in zip(antennas, changes, strict=True):
        antenna |= dict(values or {})
    return wanted


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def _structure(text: str) -> Iterator[tuple[int, str]]:
    """Yield brackets and ends of lines with their places, none of a string or a comment."""
    at = 0
    while at < len(text):
        quote = next((one for one in _QUOTES if text.startswith(one, at)), None)
        if quote is not None:
            at = _after_string(text, at, quote)
        elif text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        else:
            if text[at] in "[]{}\n":
                yield at, text[at]
            at += 1


def _after_string(text: str, at: int, quote: str) -> int:
    at += len(quote)
    while at < len(text) and not text.startswith(quote, at):
        at += 2 if text[at] == "\\" and quote[0] == '"' else 1
    return at + len(quote)


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each line or header at the outermost level begins and ends, its nested lines included."""
    begin, depth = 0, 0
    for at, mark in _structure(text):
        if mark in _OPENS:
            depth += 1
        elif mark in _CLOSES:
            depth -= 1
        elif depth == 0:
            yield begin, at
            begin = at + 1
    yield begin, len(text)


def _antenna_spans(text: str, number: int) -> Iterator[_Span]:
    """Yield where each antenna of the portal of that number stands."""
    portal, table, open_at = -1, "", 0
    for begin, end in _statements(text):
        line = text[begin:end]
        header = _HEADER.match(line.strip())
        if header is not None:
            if table == "portals.antennas" and portal == number:
                yield _Span(open_at, begin, inline=False)
            table, open_at = header.group(2).replace(" ", ""), end
            portal += table == "portals" and bool(header.group(1))
        elif portal == number and table == "portals":
            key = _ANTENNAS.match(line.lstrip())
            if key is not None:
                yield from _inline_spans(text, begin + len(line) - len(line.lstrip()) + key.end(), end)
    if table == "portals.antennas" and portal == number:
        yield _Span(open_at, len(text), inline=False)


def _inline_spans(text: str, begin: int, end: int) -> Iterator[_Span]:
    """Yield the tables of an array."""
    depth, open_at = 0, 0
    for at, mark in _structure(text[begin:end]):
        if mark in _OPENS:
            depth += 1
            if mark == "{" and depth == 2:  # noqa: PLR2004 (the array and the table)
                open_at = at
        elif mark in _CLOSES:
            if mark == "}" and depth == 2:  # noqa: PLR2004 (as above)
                yield _Span(begin + open_at, begin + at + 1, inline=True)
            depth -= 1


def _set(text: str, span: _Span, values: Values) -> str:
    part = text[span.begin : span.end]
    for key, value in values.items():
        bare = _bare(part)
        known = re.search(rf"\b{key}\s*=\s*([^,\s}}]+)", bare)
        if known is not None:
            part = f"{part[: known.start(1)]}{value}{part[known.end(1) :]}"
        elif span.inline:
            part = f"{part[:-1].rstrip()}, {key} = {value} }}"
        else:
            part = _with_line(part, bare, f"{key} = {value}")
    return part


def _with_line(part: str, bare: str, line: str) -> str:
    """Return a table with a line after its last key, before comments that are the next table's."""
    last = len(bare.rstrip())
    begin = bare.rfind("\n", 0, last) + 1
    indent = part[begin : begin + len(part[begin:]) - len(part[begin:].lstrip(" \t"))]
    end = part.find("\n", last)
    end = len(part) if end < 0 else end
    carriage = "\r" if part[:end].endswith("\r") else ""
    return f"{part[:end]}\n{indent}{line}{carriage}{part[end:]}"


def _bare(part: str) -> str:
    """Return a part of the same length in which nothing stands within comments and strings."""
    bare, at = list(part), 0
    while at < len(part):
        quote = next((one for one in _QUOTES if part.startswith(one, at)), None)
        if quote is not None:
            end = _after_string(part, at, quote)
            bare[at:end] = ["'"] * (min(end, len(part)) - at)
        elif part[at] == "#":
            found = part.find("\n", at)
            end = len(part) if found < 0 else found
            bare[at:end] = [" "] * (end - at)
        else:
            end = at + 1
        at = end
    return "".join(bare)
