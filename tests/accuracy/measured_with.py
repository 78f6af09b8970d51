"""With which weights kept figures were measured: a page whose weights are no longer in use says so itself.

Figures take up to an hour and are kept in files; weights are fitted anew in between. What was measured with which is
noted in `measured_with.json`, by the names of `make accuracy ONLY=…`, whenever figures are kept.
"""

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Final

from edge.windows.model.trees import FILE

NOTES: Final = Path(__file__).with_name("measured_with.json")


def in_use() -> str:
    """Return the SHA-256, in hex, of the weights that decide now."""
    return hashlib.sha256(files("edge.windows.model").joinpath(FILE).read_bytes()).hexdigest()


def note(part: str) -> None:
    """Note that figures were measured with the weights in use."""
    noted = _noted() | {part: in_use()}
    NOTES.write_text(json.dumps(noted, indent=1, sort_keys=True) + "\n", "utf-8")


def stale(part: str) -> list[str]:
    """Return lines that say that figures are not of the weights in use; none where they are."""
    noted, now = _noted().get(part), in_use()
    if noted == now:
        return []
    others = "weights that nobody noted" if noted is None else f"other weights (SHA-256 `{noted[:12]}…`)"
    text = f"""
**Measured with {others} than those in use (`{now[:12]}…`): what is said of ours is
no figure to quote until `make accuracy ONLY={part}` has measured anew.**"""
    return text.splitlines()


def _noted() -> dict[str, str]:
    found: dict[str, str] = json.loads(NOTES.read_text("utf-8")) if NOTES.exists() else {}
    return found
