"""The pages made from code are current: `make docs` writes them anew. Examples in hand-written ones hold."""

import re
import textwrap
import tomllib

import pytest

from edge import config
from edge.config import EdgeConfig
from edge.contracts.schema import asyncapi
from edge.profiles import parse_profile
from tests.helpers import docs


@pytest.mark.parametrize("path", docs.pages())
def test_generated_page_is_current(path):
    """A change of code that changes a page wants `make docs`."""
    committed = docs.ROOT / path
    assert committed.is_file(), f"{path} is missing: run make docs"
    assert committed.read_text("utf-8") == docs.pages()[path](), f"{path} is stale: run make docs"


def test_every_knob_of_the_agent_is_documented():
    """Each key of each section stands in the reference with its words."""
    page = docs.edge_config_page()
    for _, section in docs._sections("", EdgeConfig):
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name} has no description"
            assert any(line.startswith(f"| `{name}` |") and line.endswith(" |") for line in page.splitlines()), name


def test_asyncapi_references_lead_somewhere():
    """Every local reference resolves, every schema file is one that is written, every placeholder is explained."""
    document = asyncapi()
    for reference in _references(document):
        if reference.startswith("#/"):
            target = document
            for part in reference[2:].split("/"):
                target = target[part]
        else:
            assert f"docs/contracts/{reference.removeprefix('./')}" in docs.pages()
    for channel in document["channels"].values():
        assert set(channel["parameters"]) == {part[1:-1] for part in channel["address"].split("/") if part[0] == "{"}


def _example(page):
    """Return the first TOML block of a page."""
    text = (docs.ROOT / page).read_text("utf-8")
    return textwrap.dedent(re.search(r"```toml\n(.*?)```", text, re.DOTALL).group(1))


def test_configuration_that_facilities_copy_is_right():
    parsed = config.parse(tomllib.loads(_example("docs/facilities.md")), source="docs/facilities.md")
    (reader,) = config.reader_settings(parsed)
    assert dict(reader.power_caps_cdbm) == dict.fromkeys((1, 2, 3, 4), 2870)


def test_profile_of_the_style_guide_is_right():
    assert parse_profile(_example("firmware_profiles/README.md"), file="README").name == "acme/portal-9"


def _references(node):
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
