"""Simulated models are what firmware_profiles says: the agent's own matcher is the judge."""

import json

import pytest
from sllurp.llrp import LLRPMessage

from edge.profiles import GENERIC, ProfileError, match_reader, profiles, region_conflict, region_named
from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import load, parse
from simulator.server.device import ReaderDevice
from simulator.server.model import ETSI_KHZ
from simulator.server.now import Now
from simulator.server.profiles import OCTANE_MODES, ZEBRA_MODES, model_of
from simulator.server.wire import Message

NOW = Now(1_700_000_000_000_000, 5_000_000)
NAMES = [profile.name for profile in profiles()]
BY_NAME_ONLY = {
    "zebra/fxr90": "zebra/fx7500",
    "csl/cs463": GENERIC,
    "kathrein/aru": GENERIC,
    "keonn/advanreader": GENERIC,
}
"""No source says how they name themselves, so that the matcher can't know them: what it takes them for."""


def capabilities(model):
    """What a reader of this model says of itself, as sllurp reads it."""
    device = ReaderDevice(model, b"\x02" * 8)
    device.connect(NOW)
    (answer,) = device.receive(Message(1, 5, b"\0"), NOW)
    return LLRPMessage(msgbytes=answer).msgdict["GET_READER_CAPABILITIES_RESPONSE"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("region", ["fcc", "etsi"])
def test_the_agent_takes_a_simulated_model_for_what_it_plays(name, region):
    said = capabilities(model_of(name, region))
    general, regulatory = said["GeneralDeviceCapabilities"], said["RegulatoryCapabilities"]
    itself = {
        "vendor": general["DeviceManufacturerName"],
        "model": general["ModelName"],
        "firmware": general["ReaderFirmwareVersion"].decode(),
    }
    matched = match_reader(**itself)
    assert matched.profile.name == BY_NAME_ONLY.get(name, name)
    profile = next(one for one in profiles() if one.name == name)
    if profile.gpio.inputs is not None:
        assert general["GPIOCapabilities"]["NumGPIs"] == profile.gpio.inputs
    listed = [mode["ModeIdentifier"] for mode in modes(regulatory)]
    assert len(set(listed)) == len(listed)
    if profile.modes.portal:
        assert set(profile.modes.portal) & set(listed)
    conflict = region_conflict(
        region_named({"fcc": "us", "etsi": "eu-lower"}[region]),
        country=regulatory["CountryCode"],
        standard=regulatory["CommunicationsStandard"],
    )
    assert conflict == ""


def modes(regulatory):
    table = regulatory["UHFBandCapabilities"]["UHFC1G2RFModeTable"]
    return table["UHFC1G2RFModeTableEntry"]


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("no reader profile 'zebra/fx9601'; the nearest is zebra/fx9600", lambda: model_of("zebra/fx9601")),
        ("no reader profile 'impinj/r420'; the nearest is impinj/speedway", lambda: model_of("impinj/r420")),
        ("at most 4 antenna ports, port 5 is in use", lambda: model_of("impinj/speedway", ports=5)),
        ("region thailand lists no channels", lambda: model_of("impinj/speedway", "thailand")),
    ],
)
def test_what_cannot_be_played_is_named_with_what_can(words, call):
    with pytest.raises(ProfileError) as caught:
        call()
    assert words in str(caught.value)


def test_a_scenario_says_which_model_it_means_before_it_runs():
    text = """
name = "wrong"
tags = { epc_prefix = "30" }
portals = [{ id = "door" }]
[[readers]]
id = "r1"
model = "zebra/fx9601"
antennas = [{ port = 1, portal = "door", position = [0, 0, 2], aim = [0, 0, 0] }]
"""
    with pytest.raises(
        ScenarioError, match=r"readers\.0: no reader profile 'zebra/fx9601'; the nearest is zebra/fx9600"
    ):
        parse(text, "here")
    assert parse(text.replace("9601", "9600"), "here").readers[0].model == "zebra/fx9600"
    assert model_of(load("single-walk").readers[0].model).model == 2_001_002


def test_more_ports_bring_the_bigger_reader_of_the_family():
    assert (model_of("zebra/fx9600").model, model_of("zebra/fx9600", ports=5).model) == (96004, 96008)


def test_fixed_channels_come_with_a_region_without_hopping():
    model = model_of("zebra/fx9600", "etsi")
    assert (model.hopping, model.frequencies_khz) == (False, ETSI_KHZ)


def test_traits_are_the_models():
    r420, r700, zebra = (model_of(name).traits for name in ("impinj/speedway", "impinj/r700", "zebra/fx9600"))
    assert (r420.sensitivity_dbm, r700.sensitivity_dbm) == (-84.0, -92.0)
    assert [(one.rssi_step_cdbm, one.half_turns) for one in (r420, r700, zebra)] == [
        (50, True),
        (50, True),
        (100, False),
    ]


def test_a_mode_is_timed_by_its_link_frequency():
    """Impinj lists that itself, Zebra the data rate: Miller 4 at 64 kbit/s is 256 kHz."""
    by_id = {mode.id: mode.timing for mode in OCTANE_MODES}
    assert (by_id[2].link_hz, by_id[2].miller, by_id[1000]) == (274_000, 4, by_id[2])
    zebra = {mode.id: mode.timing for mode in ZEBRA_MODES}
    assert (zebra[17].link_hz, zebra[17].miller, zebra[17].tari_us) == (256_000, 4, 25.0)
    assert zebra[0].link_hz > 0


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "name", "ports"),
    [
        ("SpeedwayR-12-34-FF", "impinj/speedway", 4),
        ("fx96004a4a4a", "zebra/fx9600", 4),
        ("fx96008c8c8c", "zebra/fx9600", 8),
    ],
)
def test_recorded_readers_said_the_same_of_modes_and_limits(shared, file, name, ports):
    recorded = json.loads((shared / "llrp" / "readers" / f"{file}.json").read_text())
    recorded = recorded.get("ReaderCapabilities", recorded)
    model = model_of(name, ports=ports)
    general, limits = recorded["GeneralDeviceCapabilities"], recorded["LLRPCapabilities"]
    assert (general["Model"], general["FirmwareVersion"]) == (model.model, model.firmware)
    assert general["MaxSupportedAntennas"] == model.antennas
    assert (limits["MaxROSpecs"], limits["MaxSpecsPerROSpec"]) == (model.max_rospecs, model.max_specs_a_rospec)
    assert limits["CanDoRFSurvey"] == model.surveys
    band = recorded["RegulatoryCapabilities"]["UHFBandCapabilities"]
    table = band["C1G2RFModes"]["UHFC1G2RFModeTableEntries"]
    assert {
        one["ModeID"]: (one["Modulation"], one["BackscatterDataRate"], one["PIERatio"], one["MinTariTime"])
        for one in table
        if one["MinTariTime"] == one["MaxTariTime"]
    }.items() <= {
        mode.id: (mode.modulation, mode.backscatter_hz, mode.pie_ratio, mode.tari_ns) for mode in model.modes
    }.items()
    assert {one["ModeID"] for one in table} == {mode.id for mode in model.modes}
    assert sorted(level["TransmitPowerValue"] for level in band["TransmitPowerLevels"]) == sorted(model.powers_cdbm)
