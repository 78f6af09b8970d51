"""Examples of docs/serial-readers.md are configurations that the agent takes."""

import re
import tomllib

from edge import config
from tests.helpers.docs import ROOT

PAGE = ROOT / "docs" / "serial-readers.md"
REST = """
[[portals]]
id = "other-door"
inside = "a"
outside = "b"
antennas = [{ reader = "r2", port = 1, side = "inside" }, { reader = "r2", port = 2, side = "outside" }]
"""


def test_examples_of_serial_and_smart_readers_are_taken():
    """All of them together, with a portal for the reader that the page leaves without one."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 4
    parsed = config.parse(tomllib.loads("\n".join([blocks[0], *blocks[1:], REST])), source=str(PAGE))
    assert [reader.protocol for reader in parsed.serial_readers] == ["uhfreader288"]
    assert [reader.format for reader in parsed.smart_readers] == ["impinj-iot"]
    assert [board.protocol for board in parsed.boards] == ["lines", "modbus"]


def test_messages_that_the_page_explains_are_those_of_the_agent():
    """A page about words that nobody says any more helps nobody."""
    source = "".join(path.read_text("utf-8") for path in (ROOT / "edge" / "readers").rglob("*.py"))
    rows = re.findall(
        r"^\| (.*?) \|.*\|$", PAGE.read_text("utf-8").split("the agent says")[1].split("\n\n")[0], re.MULTILINE
    )
    said = [row for row in rows if row not in {"---", "do"}]
    assert len(said) == 6
    for words in said:
        stem = words.split(", asked")[0].removeprefix("does not answer who it is") or "does not answer"
        assert stem in source, words
