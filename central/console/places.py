"""Locations as the board shows them: a tree in reading order, each with what is in it and below it. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One location; `total` counts everything below it too."""

    id: str
    name: str
    depth: int
    total: int
    holds_others: bool
    guarded: bool


def place_lines(locations: list[dict[str, Any]]) -> list[PlaceLine]:
    """Order locations as a tree; one whose parent isn't listed stands at the top."""
    known = {item["id"] for item in locations}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for item in locations:
        parent = item["parent"] if item["parent"] in known else None
        children.setdefault(parent, []).append(item)
    lines: list[PlaceLine] = []
    _walk(children, None, 0, lines)
    return lines


def _walk(
    children: dict[str | None, list[dict[str, Any]]], parent: str | None, depth: int, lines: list[PlaceLine]
) -> int:
    """Append a parent's children and theirs; returns how many assets they hold."""
    sum_here = 0
    for item in children.get(parent, []):
        position = len(lines)
        total = item["count"] + _walk(children, item["id"], depth + 1, lines)
        line = PlaceLine(item["id"], item["name"], depth, total, item["id"] in children, item["guarded"])
        lines.insert(position, line)
        sum_here += total
    return sum_here
