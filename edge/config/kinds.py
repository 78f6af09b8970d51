"""`[[readers]]` holds readers of three kinds, told apart by one key; each kind has its own section in the model.

Messages must name the place as it stands in the file, so what the model calls `serial_readers[0]` is called by its
place in `[[readers]]` again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

KINDS: Final[Mapping[str, str]] = {"serial": "serial_readers", "mqtt_topic": "smart_readers"}
"""Which section a reader with such a key belongs to; without any it is an LLRP reader, dialled by `host`."""
READERS: Final = "readers"
_PLACE: Final = re.compile(rf"\b({READERS}|{'|'.join(KINDS.values())})\[(\d+)\]")


def section_of(reader: object) -> str:
    """Return the section that a reader's table belongs to."""
    if isinstance(reader, Mapping):
        return next((section for key, section in KINDS.items() if key in reader), READERS)
    return READERS


def sort_readers(document: Any) -> Any:
    """Return a document whose readers stand in the sections of their kinds; anything odd is left for the model."""
    if not isinstance(document, Mapping) or not isinstance(document.get(READERS), list):
        return document
    sorted_out: dict[str, list[Any]] = {}
    for reader in document[READERS]:
        sorted_out.setdefault(section_of(reader), []).append(reader)
    rest = {key: value for key, value in document.items() if key != READERS}
    for section, readers in sorted_out.items():
        rest[section] = [*rest.get(section, []), *readers]
    return rest | ({} if READERS in rest else {READERS: []})


def foreign_sections(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each section of the model that a file may not have: there is one way to write a reader."""
    for section in KINDS.values():
        if section in document:
            yield f"{section}: unknown key; did you mean {READERS!r}?"


def named_as_written(line: str, document: Mapping[str, Any]) -> str:
    """Return a message with each reader's place as it stands in the document."""
    readers = document.get(READERS)
    if not isinstance(readers, Sequence):
        return line
    places: dict[str, list[int]] = {}
    for number, reader in enumerate(readers):
        places.setdefault(section_of(reader), []).append(number)

    def written(match: re.Match[str]) -> str:
        numbers, index = places.get(match[1], []), int(match[2])
        return f"{READERS}[{numbers[index]}]" if index < len(numbers) else match[0]

    return _PLACE.sub(written, line)
