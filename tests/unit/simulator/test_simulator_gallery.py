"""The gallery: each scenario holds what its name says, in truth and on the air."""

import re
from collections import Counter
from importlib import resources

import numpy as np
import pytest

from simulator.plotting.observed import all_reads
from simulator.runs.sources import cast
from simulator.scenarios.load import builtin_names, load
from tests.helpers import docs_scenarios, gallery

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


DOOR = "stockroom-door"
SHELF = [(DOOR, "out", [1]), (DOOR, "in", [2]), (DOOR, "turned_back", [3]), (DOOR, "near", [4])]
TWO_DOORS = [
    ("left-door", "out", [1]),
    ("right-door", "near", [1]),
    ("right-door", "in", [2]),
    ("left-door", "near", [2]),
    ("left-door", "out", [3]),
    ("right-door", "in", [3]),
]
TRUTH = {
    "arm-reach": [("counter", "out", [1]), ("counter", "in", [2]), ("counter", "turned_back", [3])],
    "backpack": [(DOOR, "out", [1]), (DOOR, "in", [2, 3])],
    "badge": [(DOOR, "out", [1, 2, 3, 4])],
    "beam-triggered": [(DOOR, "out", [1]), (DOOR, "in", [2])],
    "cart-of-40": [(DOOR, "out", range(1, 41)), (DOOR, "in", range(1, 41))],
    "door-propped": [(DOOR, "out", [1, 4]), (DOOR, "in", [2]), (DOOR, "near", [3])],
    "commissioning": [
        *[(DOOR, way, [1]) for way in ("out", "in") for _ in range(13)],
        *[(DOOR, way, range(2, 15)) for way in ("out", "in")],
        *[(DOOR, "near", [1])] * 2,
    ],
    "dragged": [(DOOR, "out", [1, 2])],
    "face-to-face": [(DOOR, "out", [1, 2]), (DOOR, "in", [3, 4, 5, 6])],
    "foil-bag": [(DOOR, "out", [1, 2])],
    "forklift-500": [("dock-door", "out", range(1, 501))],
    "hatch": [("hatch", "out", [1]), ("hatch", "in", [2])],
    "lift-beside": [
        (DOOR, "near", range(1, 13)),
        ("lift", "turned_back", range(1, 9)),
        ("lift", "out", [9, 10, 11, 12]),
    ],
    "motion-triggered": [(DOOR, "out", [1]), (DOOR, "near", [2])],
    "parked-an-hour": [(DOOR, "parked", [1, 2, 3]), (DOOR, "out", [4, 5])],
    "passing-inside": [(DOOR, "near", [1, 2])],
    "passing-outside": [(DOOR, "near", range(1, 8))],
    "peeled-tag": [(DOOR, "out", [1, 2])],
    "reader-faults": [(DOOR, "out", range(1, 13, 2)), (DOOR, "in", range(2, 13, 2))],
    "shelf-0": SHELF,
    "shelf-50": SHELF,
    "shelf-200": SHELF,
    "shelf-500": SHELF,
    "single-walk": [("stockroom-a-door", "out", [1])],
    "sprint": [(DOOR, "out", [1]), (DOOR, "in", [2])],
    "tailgating": [(DOOR, "out", [1, 2])],
    "thief-behind-trolley": [(DOOR, "out", range(1, 8))],
    "transfer-two-sites": [("hq-dock", "out", range(1, 13)), ("branch-dock", "in", range(1, 12))],
    "turning-back": [(DOOR, "turned_back", [1, 2, 3])],
    "two-doors-one-gateway": TWO_DOORS,
    "two-doors-two-gateways": TWO_DOORS,
    "two-people-crossing": [(DOOR, "out", [1]), (DOOR, "in", [2])],
    "two-portals-between-rooms": [
        (DOOR, "out", [1, 3]),
        ("office-door", "out", [1]),
        (DOOR, "in", [2, 3]),
        ("office-door", "in", [2]),
        ("office-door", "near", [3]),
    ],
}
"""What truly happens in each: portal, kind, and the tags that do it."""
UNTOLD = {"crowd", "office", "working-day"}
"""Load, cycles and a drawn day: what they hold is told by other tests."""
NEVER_READ = {"foil-bag": [1], "peeled-tag": [2]}


def crossings_of(name):
    """The true visits of a scenario, with the numbers of the tags in the place of EPCs."""
    scenario = load(name)
    source = cast(scenario).source
    numbers = {scenario.epc(number): number for number in range(1, scenario.tags.count + 1)}
    return [(numbers[one.epc], one) for one in source.take_crossings(source.ends_us)]


def test_each_scenario_has_its_truth_told():
    assert set(TRUTH) | UNTOLD == set(NAMES)


@pytest.mark.parametrize("name", TRUTH)
def test_truth_is_what_the_scenario_promises(name):
    """Who does what at which portal: no visit more, none less."""
    told = Counter((portal, kind, tag) for portal, kind, tags in TRUTH[name] for tag in tags)
    assert Counter((one.portal, one.kind, tag) for tag, one in crossings_of(name)) == told


@pytest.mark.parametrize("name", NEVER_READ)
def test_what_can_never_be_read_is_told_apart(name):
    states = {tag: one.tag for tag, one in crossings_of(name)}
    assert [tag for tag, state in states.items() if state != "ok"] == NEVER_READ[name]


def test_the_second_one_follows_before_the_door_has_shut():
    """Tailgater and thief cross within two seconds of who goes before them."""
    for name, last in (("tailgating", 2), ("thief-behind-trolley", 7)):
        crossed_us = {tag: one.crossed_us for tag, one in crossings_of(name)}
        assert 0.3e6 < crossed_us[last] - crossed_us[1] < 2e6


def test_two_people_are_in_the_doorway_at_one_time():
    (_, one), (_, other) = crossings_of("two-people-crossing")
    assert abs(one.crossed_us - other.crossed_us) < 300_000


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"crowd"}))
def test_every_reader_plays_the_first_seconds(name):
    """The world runs; reads come from the antennas that the scenario has, in time, and of tags that it has."""
    scenario = load(name)
    source = cast(scenario, seconds=60.0).source
    reads = all_reads(source, scenario, 3_000_000)
    assert set(reads) == {reader.id for reader in scenario.readers}
    for reader in scenario.readers:
        found = reads[reader.id]
        assert set(found.antenna.tolist()) <= {antenna.port for antenna in reader.antennas}
        assert ((found.at_us >= 0) & (found.at_us <= 3_000_000) & (found.tag < scenario.tags.count)).all()


@pytest.mark.parametrize("name", ["single-walk", "cart-of-40", "hatch", "sprint"])
def test_who_walks_through_is_heard_on_both_sides(name):
    """The first that crosses leaves reads at antennas of both sides."""
    scenario = load(name)
    first = np.array(scenario.walks[0].tags) - 1
    reads = all_reads(cast(scenario).source, scenario, 13_000_000)["r1"]
    ports = set(reads.antenna[np.isin(reads.tag, first)].tolist())
    assert {1, 2} & ports
    assert {3, 4} & ports


def test_the_page_of_pictures_shows_every_scenario_once():
    shown = [name for names in docs_scenarios.GROUPS.values() for name in names]
    assert sorted(shown) == sorted(NAMES)


@pytest.mark.parametrize("name", docs_scenarios.pictures())
def test_the_page_has_a_picture_of_it(name):
    """`make gallery` draws it: 900 pixels wide, and no heavier than a page bears."""
    content = (gallery.IMAGES / f"{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(content[16:20]) == 900
    assert len(content) <= gallery.LARGEST_BYTES
