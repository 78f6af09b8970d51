"""Laws over all regulatory regions, what is said about wrong ones, and which region a reader says that it is set to."""

import itertools
import json
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest

from edge.profiles import ProfileError, region_conflict, region_named, regions, regions_told
from edge.profiles.regions import parse_region

FOLDER = Path(str(resources.files("firmware_profiles"))) / "regions"
ALL = pytest.mark.parametrize("region", regions(), ids=lambda region: region.name)
LEAST = """
name = "r"
title = "R"
countries = { XX = 1 }
regulation = "A rule"
[band]
ranges_khz = [[902_000, 928_000]]
access = "hopping"
[limits]
radiated_dbm = 36.0
radiated_as = "eirp"
[evidence]
"regulation" = "x"
"band.ranges_khz" = "x"
"band.access" = "x"
"limits.radiated_dbm" = "x"
"limits.radiated_as" = "x"
"""


def test_countries_that_the_project_is_for_are_all_there():
    there = {region.name for region in regions()}
    assert {"us", "canada", "eu-lower", "eu-upper", "uk-lower", "uk-upper", "india", "indonesia", "australia"} <= there
    assert {"new-zealand", "japan", "singapore", "brazil", "china", "south-africa"} <= there


@ALL
def test_region_is_valid_by_the_committed_schema(region):
    text = (FOLDER / f"{region.name}.toml").read_text()
    jsonschema_rs.validate(json.loads((FOLDER / "schema.json").read_text()), tomllib.loads(text))


@ALL
def test_channels_lie_inside_the_band_with_their_width_and_once_each(region):
    band = region.band
    assert band.channels_khz == sorted(set(band.channels_khz))
    for khz in band.channels_khz:
        assert region.allows_khz(khz, half_width_khz=(band.channel_width_khz or 0) / 2)
    for low, high in band.ranges_khz:
        assert low < high
    if band.hops_min:
        assert len(band.channels_khz) >= band.hops_min


@ALL
def test_channels_do_not_overlap(region):
    channels, width = region.band.channels_khz, region.band.channel_width_khz or 0
    assert all(after - before >= width for before, after in itertools.pairwise(channels))


@ALL
def test_every_limit_has_a_source_and_a_relaxation_is_never_taken_on_trust(region):
    """A figure that nobody has read may stand as a limit, marked; as an allowance above a limit it may not."""
    assert "limits.radiated_dbm" in region.evidence
    if region.limits.circular_allowance_db:
        assert "limits.circular_allowance_db" not in region.unverified
    assert 25 <= region.limits.eirp_dbm <= 38.2, "no country allows more than 4 W ERP"


def test_dwell_has_a_window_or_stands_alone_for_hoppers_only():
    for region in regions():
        if region.band.dwell_max_ms:
            assert region.band.access == "hopping", region.name


@pytest.mark.shared
def test_channels_of_the_united_states_are_those_of_recorded_readers(shared):
    for file in ("SpeedwayR-12-34-FF", "fx96004a4a4a", "fx96008c8c8c"):
        told = json.loads((shared / "llrp" / "readers" / f"{file}.json").read_text())["ReaderCapabilities"]
        regulatory = told["RegulatoryCapabilities"]
        hops = regulatory["UHFBandCapabilities"]["FrequencyInformation"]["FrequencyHopTables"][0]["Frequencies"]
        assert sorted(hops) == region_named("us").band.channels_khz
        told_regions = regions_told(regulatory["CountryCode"], regulatory["CommunicationsStandard"])
        assert [region.name for region in told_regions] == ["us"]


@pytest.mark.parametrize(
    ("country", "standard", "names"),
    [
        (0, 0, []),
        (840, 0, ["us"]),
        (0, 1, ["us"]),
        (124, 1, ["canada"]),
        (276, 2, ["eu-lower", "eu-upper"]),
        (826, 0, ["uk-lower", "uk-upper"]),
        (356, 2, ["india"]),
        (0, 99, []),
        (999, 0, []),
    ],
)
def test_region_is_told_by_country_then_by_standard(country, standard, names):
    assert [region.name for region in regions_told(country, standard)] == names


def test_reader_that_is_set_to_another_region_is_told():
    us, eu, india = region_named("us"), region_named("eu-lower"), region_named("india")
    assert region_conflict(us, country=840, standard=1, frequencies_khz=(902750, 927250)) == ""
    assert region_conflict(us, country=0, standard=0) == "", "a reader that says nothing contradicts nothing"
    said = region_conflict(eu, country=840, standard=1, frequencies_khz=(902750, 927250))
    assert "902.75 to 927.25 MHz" in said
    assert "lie outside European Union" in said
    said = region_conflict(india, country=276, standard=2, frequencies_khz=(865700, 866900))
    assert said.startswith("the reader says that it is set to eu-lower, eu-upper, the configuration says india")


def test_channel_in_the_gap_of_brazil_is_outside():
    brazil = region_named("brazil")
    assert brazil.allows_khz(907_000)
    assert not brazil.allows_khz(910_250)
    assert "lie outside Brazil" in region_conflict(brazil, country=0, standard=0, frequencies_khz=(910_250,))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("access = ", "acces = "), "f: band.acces is no key of a region; the nearest is access"),
        (("[902_000, 928_000]", "[902_000]"), "f: band.ranges_khz.0"),
        (('"hopping"', '"hoping"'), "f: band.access: Input should be 'hopping'"),
        (('"band.access" = "x"\n', ""), "f: band.access has no source"),
        (('"regulation" = "x"\n', ""), "f: regulation has no source"),
        (("[evidence]", '[evidence]\n"limits.x" = "y"'), 'f: evidence."limits.x" is about no value'),
        (('access = "hopping"', 'access = "hopping"\nchannels_khz = [950_000]'), "channel 950000 kHz"),
        (("radiated_dbm", "gain_free_dbi = 6.0\nradiated_dbm"), "gain_free_dbi needs conducted_max_dbm"),
        (
            ("radiated_dbm", "gain_free_dbi = 6.0\nconducted_max_dbm = 29.0\nradiated_dbm"),
            "conducted_max_dbm + gain_free_dbi must be the radiated limit",
        ),
    ],
)
def test_wrong_region_is_told_by_file_and_key(change, words):
    assert parse_region(LEAST, file="f").name == "r"
    with pytest.raises(ProfileError) as caught:
        parse_region(LEAST.replace(*change, 1), file="f")
    assert words in str(caught.value)


def test_misspelt_region_is_told_with_the_nearest():
    with pytest.raises(ProfileError, match="no region 'austrlia'; the nearest is australia"):
        region_named("austrlia")
