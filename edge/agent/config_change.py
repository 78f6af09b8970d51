"""What differs between two configurations, and which differences no running agent takes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edge.config import EdgeConfig
from edge.trust.keyring import parse_key_line

FIXED: Final = ("site", "gateway", "agent.data_dir")
"""What says whose events lie where; it changes with a new start of the agent, by somebody who stands there."""
KINDS: Final = {"serial_readers": "readers", "smart_readers": "readers"}
"""Lists of the model that stand in one list in the file."""
LONGEST_VALUE: Final = 60
MOST_TOLD: Final = 20
NOTHING: Final = "nothing"


def fixed_problems(before: EdgeConfig, after: EdgeConfig) -> list[str]:
    """Return what a running agent can't change, in words."""
    old, new = _flat(before), _flat(after)
    return [
        f"{key} is {new[key]}, this agent runs with {old[key]}: that changes only where it is started anew by hand"
        for key in FIXED
        if old[key] != new[key]
    ]


def trust_problem(before: EdgeConfig, after: EdgeConfig, signer: str) -> str:
    """Return what is wrong with `[trust]` of a configuration that `signer` has signed, or nothing."""
    keys = dict(map(parse_key_line, before.trust.central_keys))
    if dict(map(parse_key_line, after.trust.central_keys)).get(signer) == keys.get(signer):
        return ""
    return f"trust.central_keys lacks {signer} as it is, which has signed this: it would shut out whoever sends it"


def changes(before: EdgeConfig, after: EdgeConfig) -> list[str]:
    """Return each key whose value differs as `key: old -> new`, in the order of the model."""
    old, new = _flat(before), _flat(after)
    return [
        f"{key}: {_words(old.get(key))} -> {_words(new.get(key))}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def changes_in_words(found: list[str]) -> str:
    """Return differences as one short text."""
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return "; ".join(found[:MOST_TOLD]) + more if found else NOTHING


def _flat(config: EdgeConfig) -> dict[str, Any]:
    return dict(_leaves("", config.model_dump()))


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each value that is no table by its place; what has an id is named by it, for its number may change."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            name = key if place else KINDS.get(str(key), str(key))
            yield from _leaves(f"{place}.{name}" if place else str(name), one)
    elif isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value):
            yield from _leaves(f"{place}[{one.get('id', number)}]", one)
    elif not isinstance(value, list | tuple) or value:  # an empty list is as good as none
        yield place, value


def _words(value: Any) -> str:
    text = "none" if value is None else str(value)
    text = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
    return "".join(letter if letter.isprintable() else " " for letter in text)
