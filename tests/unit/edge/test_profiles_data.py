"""Laws over all reader profiles and templates in firmware_profiles."""

import itertools
import json
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest

from edge.profiles import GENERIC, match_profile, parse_profile, profile_named, profiles, region_named, schema_text
from edge.profiles.model import ReaderProfile, version_numbers
from edge.profiles.store import check_template

FOLDER = Path(str(resources.files("firmware_profiles")))
OTHERS = {"templates", "regions"}
FILES = sorted(path for path in FOLDER.glob("*/*.toml") if path.parent.name not in OTHERS)
TEMPLATES = sorted(FOLDER.glob("templates/*.toml"))
ALL = pytest.mark.parametrize("profile", profiles(), ids=lambda profile: profile.name)


def test_index_lists_every_file_and_ends_with_the_generic_one():
    assert sorted(f"{path.parent.name}/{path.stem}" for path in FILES) == sorted(one.name for one in profiles())
    assert profiles()[-1].name == GENERIC


def test_readers_that_the_issue_names_are_all_there():
    named = {product.name.partition("-")[0] for profile in profiles() for product in profile.products}
    wanted = {"Speedway R420", "Speedway R220", "Speedway R120", "R700", "R720", "FX7500", "FX9600", "FXR90"}
    assert wanted | {"ALR", "Sargas", "IZAR", "CS463", "ARU4", "AdvanReader"} <= named


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_profile_is_valid_by_its_model_and_by_the_committed_schema(path):
    text = path.read_text()
    profile = parse_profile(text, file=path.name)
    assert profile.name == f"{path.parent.name}/{path.stem}"
    schema = json.loads((FOLDER / "schema.json").read_text())
    jsonschema_rs.validate(schema, tomllib.loads(text))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_is_sound_by_itself_and_used(path):
    """A template is a profile without a name; one that nobody extends is in the way."""
    check_template(path.read_text(), file=path.name)
    assert any(profile.extends == f"templates/{path.stem}" for profile in profiles())


def test_committed_schema_is_current():
    assert (FOLDER / "schema.json").read_text() == schema_text(), "run make docs"


@ALL
def test_every_value_that_differs_from_the_default_has_its_source(profile):
    for name, field in ReaderProfile.model_fields.items():
        table = getattr(profile, name)
        if not hasattr(table, "model_fields_set") or name == "evidence":
            continue
        for key in table.model_fields_set:
            if getattr(table, key) != getattr(field.default, key):
                assert profile.evidence.get(f"{name}.{key}"), f"{profile.name}: {name}.{key}"


@ALL
def test_products_and_match_say_the_same_models(profile):
    """A number that a product has is one that the profile is matched by, and the other way round."""
    numbers = [product.model for product in profile.products if product.model is not None]
    assert sorted(numbers) == sorted(profile.match.models)
    assert len({product.name for product in profile.products}) == len(profile.products)
    if profile.match.by_name_only:
        assert not numbers, "who knows its number may match it"


@ALL
def test_firmware_range_and_seen_firmwares_agree(profile):
    rule = profile.match
    if rule.firmware_min and rule.firmware_below:
        assert version_numbers(rule.firmware_min) < version_numbers(rule.firmware_below)
    assert all(profile.fits_firmware(firmware) for firmware in rule.firmware_seen)


@ALL
def test_modes_powers_and_outputs_are_consistent(profile):
    power, modes, gpio = profile.power, profile.modes, profile.gpio
    if power.min_dbm is not None and power.max_dbm is not None:
        assert power.min_dbm < power.max_dbm
        steps = (power.max_dbm - power.min_dbm) / (power.step_db or 1)
        assert steps == pytest.approx(round(steps)), "the table goes from its lowest to its highest in whole steps"
    for wanted in (modes.portal, modes.count):
        assert len(set(wanted)) == len(wanted)
        assert all(str(mode) in modes.names for mode in wanted), "a recommended mode is called by its vendor's words"
    if gpio.output_max_ma or gpio.output_sinks is not None or gpio.pulse != "none":
        assert gpio.outputs != 0
    if profile.inventory.search_mode is not None or profile.count.search_mode is not None:
        assert profile.extensions.handshake == "impinj", "search modes are a parameter of Impinj's"
    if profile.extensions.phase == "impinj":
        assert profile.extensions.handshake == "impinj"


@ALL
def test_hardware_variants_name_regions_that_exist(profile):
    for names in profile.hardware.variants.values():
        assert names
        for name in names:
            region_named(name)


@ALL
def test_quirks_are_told_apart_and_each_has_a_source(profile):
    assert len({quirk.id for quirk in profile.quirks}) == len(profile.quirks)
    assert all(source.strip() for source in profile.sources.values())
    assert set(profile.unverified) <= set(profile.sources)


def test_no_profile_hides_a_later_one():
    """First match wins: an earlier profile may take only what the later one doesn't need to be reached."""
    for first, later in itertools.combinations(profiles(), 2):
        a, b = first.match, later.match
        if a.by_name_only or b.by_name_only or a.vendor != b.vendor:
            continue
        assert a.models, f"{first.name} takes every model of its vendor, so {later.name} is never reached"
        both = set(a.models) & set(b.models)
        apart = (
            a.firmware_below and b.firmware_min and version_numbers(a.firmware_below) <= version_numbers(b.firmware_min)
        )
        assert not both or apart, f"{first.name} and {later.name} both hold for models {both}"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SpeedwayR-12-34-FF", "impinj/speedway"),
        ("fx96004a4a4a", "zebra/fx9600"),
        ("fx96008c8c8c", "zebra/fx9600"),
    ],
)
def test_recorded_readers_get_their_profile_and_are_as_it_says(shared, file, name):
    """What a profile says of ports, inputs, powers and modes is what the recorded reader says of itself."""
    told = json.loads((shared / "llrp" / "readers" / f"{file}.json").read_text())["ReaderCapabilities"]
    general = told["GeneralDeviceCapabilities"]
    band = told["RegulatoryCapabilities"]["UHFBandCapabilities"]
    matched = match_profile(
        vendor=general["DeviceManufacturer"], model=general["Model"], firmware=general["FirmwareVersion"]
    )
    assert matched.name == name
    assert general["FirmwareVersion"] in matched.match.firmware_seen
    assert matched.product(general["Model"]).antenna_ports == general["MaxSupportedAntennas"]
    assert matched.gpio.inputs == general["GPIOCapabilities"]["NumGPIs"]
    powers_dbm = sorted(level["TransmitPowerValue"] / 100 for level in band["TransmitPowerLevels"])
    assert (powers_dbm[0], powers_dbm[-1]) == (matched.power.min_dbm, matched.power.max_dbm)
    assert len(powers_dbm) == round((powers_dbm[-1] - powers_dbm[0]) / matched.power.step_db) + 1
    listed = {mode["ModeID"] for mode in band["C1G2RFModes"]["UHFC1G2RFModeTableEntries"]}
    assert matched.mode("portal", listed).mode_id == matched.modes.portal[0]
    assert matched.mode("count", listed).mode_id == matched.modes.count[0]


def test_mode_that_the_reader_does_not_list_is_not_set():
    speedway = profile_named("impinj/speedway")
    assert speedway.mode("portal", [0, 2]).mode_id == 2
    left = speedway.mode("portal", [0, 1])
    assert left.mode_id is None
    assert "1000 (AutoSet dense reader)" in left.why
    assert profile_named(GENERIC).mode("count", [0, 1, 2]).mode_id is None
