"""The gallery: each scenario holds what its name says, in truth and on the air."""

import re
from importlib import resources

import pytest

from simulator.scenarios.load import builtin_names, load

NAMES = builtin_names()


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_called_as_its_file_and_says_what_it_shows(name):
    scenario = load(name)
    assert scenario.name == name
    assert scenario.description.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_begins_with_a_comment_for_its_reader(name):
    text = resources.files("simulator.scenarios").joinpath(f"{name}.toml").read_text("utf-8")
    assert re.match(r"# [A-Z].{20,}\n", text)


def test_both_regions_and_every_layout_appear():
    scenarios = [load(name) for name in NAMES]
    assert {reader.region for one in scenarios for reader in one.readers} == {"fcc", "etsi"}
    layouts = {portal.layout for one in scenarios for portal in one.portals}
    assert layouts == {"two-sided", "one-sided", "overhead", "corners", "two-readers", "beam", "single"}
