"""Loading and matching of reader profiles, and what is said about wrong ones."""

from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.profiles import GENERIC, ProfileError, match_profile, match_reader, parse_profile, profile_named
from edge.profiles.regions import parse_region
from edge.profiles.store import check_template

FOLDER = Path(str(resources.files("firmware_profiles")))
SHIPPED = sorted(FOLDER.glob("*/*.toml"))
HEAD = 'name = "a/b"\ntitle = "T"\n'


def test_unknown_reader_gets_the_generic_profile():
    assert match_profile(vendor=1, model=2, firmware="").name == GENERIC
    assert match_profile(vendor=25882, model=999, firmware="5.1").name == GENERIC
    assert match_profile(vendor=25882, model=2001002, firmware="4.8.3").name == GENERIC


@pytest.mark.parametrize(
    ("firmware", "fits"),
    [("2", False), ("2.9", False), ("2.10", True), ("2.10.1b", True), ("3.0", False), ("x", False)],
)
def test_firmware_range_compares_numbers_and_excludes_its_end(firmware, fits):
    text = HEAD + '[match]\nfirmware_min = "2.10"\nfirmware_below = "3"\n'
    text += '[evidence]\n"match.firmware_min" = "x"\n"match.firmware_below" = "x"\n'
    assert parse_profile(text, file="f").fits(vendor=1, model=1, firmware=firmware) is fits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "f: not TOML"),
        (HEAD + "titel = 1\n", "titel is no key of a profile; the nearest is title"),
        (
            HEAD + '[extensions]\nhandshaek = "none"\n',
            "extensions.handshaek is no key of a profile; the nearest is handshake",
        ),
        (HEAD + '[extensions]\nhandshake = "zebra"\n', "extensions.handshake: Input should be 'none' or 'impinj'"),
        (HEAD + "[inventory]\nsession = 4\n", "inventory.session"),
        (HEAD + "[inventory]\nsession = 1\n", "inventory.session has no source"),
        (HEAD + '[evidence]\n"inventory.session" = "x"\n', "about no value in this file"),
        (HEAD + "[reports]\nevery_tags = 8\n", "needs every_ms above 0"),
    ],
)
def test_wrong_profile_is_told_by_file_and_key(text, words):
    with pytest.raises(ProfileError, match=r"^f: ") as caught:
        parse_profile(text, file="f")
    assert words in str(caught.value)


def test_misspelt_profile_name_is_told_with_the_nearest():
    with pytest.raises(ProfileError, match="no reader profile 'impinj/speedwy'; the nearest is impinj/speedway"):
        profile_named("impinj/speedwy")


TEMPLATE = """
[match]
vendor = 7
[inventory]
session = 1
tag_population = 9
[[quirks]]
id = "odd"
what = "It does what no other does."
so = "We do something about it."
evidence = "seen"
[[quirks]]
id = "even"
what = "It does what every other does."
so = "We do nothing about it."
evidence = "seen"
[evidence]
"match.vendor" = "from the template"
"inventory.session" = "from the template"
"inventory.tag_population" = "from the template"
"""
CHILD = (
    HEAD
    + """extends = "templates/t"
[inventory]
session = 2
[[quirks]]
id = "odd"
what = "It does it only on Sundays."
so = "We do something on Sundays."
evidence = "seen again"
[evidence]
"inventory.session" = "from the child"
"""
)


def test_profile_takes_from_its_template_what_it_does_not_say():
    profile = parse_profile(CHILD, file="f", template=lambda _: TEMPLATE)
    assert (profile.match.vendor, profile.inventory.session, profile.inventory.tag_population) == (7, 2, 9)
    assert profile.evidence["inventory.session"] == "from the child"
    assert profile.evidence["inventory.tag_population"] == "from the template"
    assert [(quirk.id, quirk.evidence) for quirk in profile.quirks] == [("even", "seen"), ("odd", "seen again")]


def test_value_over_a_template_needs_a_source_of_its_own():
    """The template's source is about the template's value."""
    silent = CHILD.replace('"inventory.session" = "from the child"\n', "")
    with pytest.raises(ProfileError, match=r"^f: inventory.session has no source"):
        parse_profile(silent, file="f", template=lambda _: TEMPLATE)


def test_fault_of_a_template_is_told_by_the_template_s_name():
    with pytest.raises(ProfileError, match=r"^templates/t.toml: match.vendor has no source"):
        parse_profile(
            CHILD, file="f", template=lambda _: TEMPLATE.replace('"match.vendor" = "from the template"\n', "")
        )


def test_templates_that_go_in_a_circle_or_elsewhere_are_refused():
    circle = 'extends = "templates/t"\n'
    with pytest.raises(ProfileError, match="goes in a circle: templates/t > templates/t"):
        parse_profile(HEAD + circle, file="f", template=lambda _: circle)
    with pytest.raises(ProfileError, match="only templates/… can be extended"):
        parse_profile(HEAD + 'extends = "impinj/speedway"\n', file="f")
    with pytest.raises(ProfileError, match=r"firmware_profiles/templates/nowhere.toml can't be read"):
        parse_profile(HEAD + 'extends = "templates/nowhere"\n', file="f")


@pytest.mark.parametrize(
    ("vendor", "model", "firmware", "name", "words"),
    [
        (25882, 2001002, "5.14.0.240", "impinj/speedway", ""),
        (25882, 2001002, "7.6.1", "impinj/speedway", "firmware 7.6.1 is not among those that impinj/speedway"),
        (25882, 2001002, "4.8.3", GENERIC, "impinj/speedway knows this reader (vendor 25882, model 2001002"),
        (25882, 2001002, "", GENERIC, "but holds for firmware from 5.0 only"),
        (25882, 2001054, "8.0", GENERIC, "no profile knows this reader"),
        (161, 75004, "3.0", "zebra/fx7500", "model 75004 is not known by its number"),
        (17996, 1, "19.10", "alien/alr-f800", "it is taken for a relative of Alien ALR-F800"),
        (53048, 1, "1", GENERIC, "no profile knows this reader"),
        (0, 0, "", GENERIC, "no profile knows this reader (vendor 0, model 0, firmware )"),
    ],
)
def test_distance_from_what_is_known_is_said(vendor, model, firmware, name, words):
    """An unknown reader or firmware degrades visibly: to what, and why."""
    matched = match_reader(vendor=vendor, model=model, firmware=firmware)
    assert matched.profile.name == name
    assert words in matched.words
    assert bool(words) is bool(matched.words)


def test_template_with_a_name_of_its_own_is_refused():
    check_template(TEMPLATE, file="t")
    with pytest.raises(ProfileError, match="t: title has no place in a template"):
        check_template('title = "T"\n' + TEMPLATE, file="t")


@given(st.sampled_from(SHIPPED), st.data())
def test_damaged_file_is_parsed_or_refused_in_words_and_nothing_else(path, data):
    """Lines lost, doubled or cut, values exchanged: either a profile or region, or the one documented error."""
    lines = path.read_text("utf-8").splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        other = data.draw(st.sampled_from(["", line, line[:cut], "1", '"x"', "[1]", "true"]))
        key, equals, _ = line.partition(" = ")
        lines[at] = f"{key} = {other}" if equals and other in {"1", '"x"', "[1]", "true"} else other
        if data.draw(st.booleans()):
            lines.insert(at, line)
    parse = {"regions": parse_region, "templates": check_template}.get(path.parent.name, parse_profile)
    said = "f: "
    try:
        parse("\n".join(lines), file="f")
    except ProfileError as error:
        said = str(error)
    assert said.startswith(("f: ", "templates/"))
