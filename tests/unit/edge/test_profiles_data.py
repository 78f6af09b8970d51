"""Laws over all reader profiles in firmware_profiles."""

import json
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest

from edge.profiles import GENERIC, match_profile, parse_profile, profiles, schema_text

FOLDER = Path(str(resources.files("firmware_profiles")))
FILES = sorted(path for path in FOLDER.glob("*/*.toml"))


def test_index_lists_every_file_and_ends_with_the_generic_one():
    assert sorted(f"{path.parent.name}/{path.stem}" for path in FILES) == sorted(one.name for one in profiles())
    assert profiles()[-1].name == GENERIC


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_profile_is_valid_by_its_model_and_by_the_committed_schema(path):
    text = path.read_text()
    profile = parse_profile(text, file=path.name)
    assert profile.name == f"{path.parent.name}/{path.stem}"
    schema = json.loads((FOLDER / "schema.json").read_text())
    jsonschema_rs.validate(schema, tomllib.loads(text))


def test_committed_schema_is_current():
    assert (FOLDER / "schema.json").read_text() == schema_text(), "run make docs"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SpeedwayR-12-34-FF", "impinj/speedway"),
        ("fx96004a4a4a", "zebra/fx9600"),
        ("fx96008c8c8c", "zebra/fx9600"),
    ],
)
def test_recorded_readers_get_their_profile(shared, file, name):
    told = json.loads((shared / "llrp" / "readers" / f"{file}.json").read_text())
    general = told["ReaderCapabilities"]["GeneralDeviceCapabilities"]
    matched = match_profile(
        vendor=general["DeviceManufacturer"], model=general["Model"], firmware=general["FirmwareVersion"]
    )
    assert matched.name == name
