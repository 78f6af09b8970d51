"""`stockgate-edge profiles list | show | lint | match`."""

import json
import shutil
import struct
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from edge.agent.told import ToldError, read_capabilities
from edge.cli import app
from edge.profiles import profiles
from tests.helpers import fake_reader as fake

FOLDER = Path(str(resources.files("firmware_profiles")))


def _run(*args):
    return CliRunner().invoke(app, ["profiles", *args])


def test_list_names_every_profile_in_the_order_of_trying():
    shown = _run("list")
    assert shown.exit_code == 0
    assert all(profile.name in shown.stdout for profile in profiles())
    listed = json.loads(_run("list", "--json").stdout)
    assert [one["name"] for one in listed] == [profile.name for profile in profiles()]


def test_show_gives_each_value_with_its_source():
    shown = _run("show", "impinj/speedway")
    assert "gpio.output_max_ma" in shown.stdout
    assert "Speedway Revolution Installation and Operations" in shown.stdout
    document = json.loads(_run("show", "impinj/speedway", "--json").stdout)
    assert document["gpio"]["output_max_ma"] == 200
    wrong = _run("show", "impinj/speedwy")
    assert wrong.exit_code == 2
    assert "the nearest is impinj/speedway" in wrong.stderr


def test_lint_finds_no_fault_in_what_is_shipped():
    shown = _run("lint")
    assert shown.exit_code == 0
    assert "no faults" in shown.stdout


def test_lint_of_files_tells_each_fault_by_file_and_key(tmp_path):
    """A copy of a shipped file passes, a changed one is told; regions are known by their folder."""
    for folder in ("impinj", "regions", "templates"):
        shutil.copytree(FOLDER / folder, tmp_path / folder)
    good = [str(tmp_path / file) for file in ("impinj/speedway.toml", "regions/us.toml", "templates/octane.toml")]
    assert _run("lint", *good).exit_code == 0
    profile = tmp_path / "impinj" / "speedway.toml"
    profile.write_text(profile.read_text().replace("outputs = 4", "outputs = 400"))
    region = tmp_path / "regions" / "us.toml"
    region.write_text(region.read_text().replace("927_250,", "928_250,"))
    moved = tmp_path / "impinj" / "r420.toml"
    shutil.copy(FOLDER / "impinj" / "r700.toml", moved)
    told = _run("lint", *good, str(moved), str(tmp_path / "nowhere.toml"))
    assert told.exit_code == 1
    assert f"{profile}: gpio.outputs: Input should be less than or equal to 64" in told.stderr
    assert "channel 928250 kHz" in told.stderr
    assert "name is 'impinj/r700'; the file's place in firmware_profiles says 'impinj/r420'" in told.stderr
    assert "cannot be read" in told.stderr


def test_match_by_numbers_tells_the_profile_and_its_distance():
    known = _run("match", "--vendor", "25882", "--model", "2001002", "--firmware", "5.14.0.240", "--json")
    assert known.exit_code == 0
    assert json.loads(known.stdout)["profile"] == "impinj/speedway"
    old = json.loads(_run("match", "--vendor", "25882", "--model", "2001002", "--firmware", "4.8", "--json").stdout)
    assert old["profile"] == "generic/llrp"
    assert "holds for firmware from 5.0 only" in old["notes"][0]
    unknown = _run("match", "--vendor", "1", "--model", "2")
    assert unknown.exit_code == 1
    assert "no profile knows this reader" in unknown.stdout
    assert _run("match").exit_code == 2
    assert _run("match", "--vendor", "1").exit_code == 2


def test_match_of_recorded_bytes_with_and_without_header(tmp_path):
    """A recording may begin with other messages; a payload has no header to tell it by."""
    frames = tmp_path / "reader.bin"
    body = fake.status() + fake.capabilities()
    frames.write_bytes(fake.attempt() + fake.message(11, 7, body))
    payload = tmp_path / "reader.bytes"
    payload.write_bytes(body)
    for file in (frames, payload):
        told = json.loads(_run("match", str(file), "--json").stdout)
        assert told["profile"] == "impinj/speedway"
        assert (told["product"], told["regions"], told["antenna_ports"]) == ("Speedway R420", ["us"], 4)
        assert told["power_dbm"] == [10.0, 30.0]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.json", b"{", "is not JSON"),
        ("a.json", b"[]", "has no GeneralDeviceCapabilities"),
        ("a.json", b'{"GeneralDeviceCapabilities": {"Model": 1}}', "lacks what a reader must say"),
        ("a.json", b'{"GeneralDeviceCapabilities": 7}', "lacks what a reader must say"),
        ("a.bytes", b"", "a.bytes: "),
        ("a.bytes", b"\xff" * 40, "a.bytes: "),
        ("a.bin", struct.pack("!HII", 1 << 10 | 61, 10, 1), "a.bin: "),
    ],
)
def test_file_that_holds_no_capabilities_is_told(tmp_path, name, data, words):
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(ToldError) as caught:
        read_capabilities(file)
    assert words in str(caught.value)
    assert _run("match", str(file)).exit_code == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
GENERAL = st.fixed_dictionaries(
    dict.fromkeys(("DeviceManufacturer", "Model", "FirmwareVersion"), JSON), optional={"GPIOCapabilities": JSON}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=60)
    | st.fixed_dictionaries({"GeneralDeviceCapabilities": JSON | GENERAL}, optional={"RegulatoryCapabilities": JSON})
)
def test_any_file_is_read_or_refused_in_words(tmp_path, data):
    """Either capabilities, or the one documented error."""
    file = tmp_path / ("x.bin" if isinstance(data, bytes) else "x.json")
    file.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    said = str(file)
    try:
        read_capabilities(file)
    except ToldError as error:
        said = str(error)
    assert said.startswith(str(file))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "profile", "mode"),
    [
        ("readers/SpeedwayR-12-34-FF.json", "impinj/speedway", "mode 1000 (AutoSet dense reader)"),
        ("edgex/GetReaderCapabilitiesResponse-000.bytes", "impinj/speedway", "mode 1000 (AutoSet dense reader)"),
        ("readers/fx96008c8c8c.json", "zebra/fx9600", "mode 0 (the reader's own choice)"),
        ("ltk/dx101_a.bin", "generic/llrp", "the reader's own mode: the profile recommends none"),
    ],
)
def test_recorded_readers_are_matched(shared, file, profile, mode):
    told = json.loads(_run("match", str(shared / "llrp" / file), "--json").stdout)
    assert (told["profile"], told["mode_portal"], told["regions"]) == (profile, mode, ["us"])


@pytest.mark.shared
def test_same_reader_is_the_same_in_bytes_and_in_json(shared):
    """EdgeX recorded one reader's capabilities in both forms."""
    stem = shared / "llrp" / "edgex" / "GetReaderCapabilitiesResponse-000"
    assert read_capabilities(stem.with_suffix(".bytes")) == read_capabilities(stem.with_suffix(".json"))
