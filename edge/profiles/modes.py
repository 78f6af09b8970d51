"""Which reader mode is set: by identifier, and only one that the reader itself lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModeChoice:
    """A reader mode, or None for the reader's own, and why."""

    mode_id: int | None
    why: str


def choose_mode(wanted: Sequence[int], listed: Iterable[int], *, names: Mapping[str, str]) -> ModeChoice:
    """Choose the first wanted mode that the reader lists: tables differ by model, firmware and region."""
    there = frozenset(listed)
    for mode_id in wanted:
        if mode_id in there:
            return ModeChoice(mode_id, f"mode {_named(mode_id, names)}")
    if not wanted:
        return ModeChoice(None, "the reader's own mode: the profile recommends none")
    hoped = ", ".join(_named(mode_id, names) for mode_id in wanted)
    return ModeChoice(None, f"the reader's own mode: it lists none of those that the profile recommends ({hoped})")


def _named(mode_id: int, names: Mapping[str, str]) -> str:
    words = names.get(str(mode_id))
    return f"{mode_id} ({words})" if words else str(mode_id)
