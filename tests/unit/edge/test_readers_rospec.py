"""What the session asks of a reader."""

import dataclasses
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp import control
from edge.profiles import profile_named
from edge.readers.errors import ReaderRefusedError
from edge.readers.model import GpiSettings, ReaderSettings
from edge.readers.rospec import choose_power, choose_powers, reader_config, rospec, usable_antennas

SEEN = control.Capabilities(
    vendor=1,
    model=2,
    firmware="1",
    antennas=4,
    has_utc_clock=True,
    gpis=4,
    max_rospecs=1,
    holds_events=True,
    warns_of_buffer=True,
    hopping=True,
    hop_table_ids=(1,),
    power_levels=(),
)
GENERIC = profile_named("generic/llrp")
IMPINJ = profile_named("impinj/speedway")
READER = ReaderSettings(id="r1", host="h", antennas=(1, 2))


def levels(*pairs):
    return tuple(control.PowerLevel(*pair) for pair in pairs)


@given(st.permutations([(0, 1000), (1, 1010), (10, 1100), (200, 3000), (7, 2990)]))
def test_power_is_chosen_by_value_however_the_table_is_sorted(table):
    seen = dataclasses.replace(SEEN, power_levels=levels(*table))
    assert choose_power("r1", 29.95, seen, GENERIC).index == 7
    assert choose_power("r1", 99.0, seen, GENERIC).index == 200
    assert choose_power("r1", 10.0, seen, GENERIC).index == 0


def test_power_below_the_lowest_is_refused_with_what_there_is():
    with pytest.raises(ReaderRefusedError, match=r"tx_power_dbm = 9.5 can't be set, its lowest is 10.00 dBm"):
        choose_power("r1", 9.5, dataclasses.replace(SEEN, power_levels=levels((1, 1000))), GENERIC)
    with pytest.raises(ReaderRefusedError, match="lists no powers"):
        choose_power("r1", 9.5, SEEN, GENERIC)


def test_channel_and_hop_table_follow_region_and_profile():
    seen = dataclasses.replace(SEEN, power_levels=levels((1, 1000)))
    hopping = choose_power("r1", 10, seen, IMPINJ)
    assert (hopping.hop_table_id, hopping.channel_index) == (1, 0)
    fixed = choose_power("r1", 10, dataclasses.replace(seen, hopping=False, hop_table_ids=()), IMPINJ)
    assert (fixed.hop_table_id, fixed.channel_index) == (0, 1)


@pytest.mark.shared
@pytest.mark.parametrize("file", ["SpeedwayR-12-34-FF", "fx96004a4a4a", "fx96008c8c8c"])
def test_recorded_power_tables_give_the_asked_power(shared, file):
    told = json.loads((shared / "llrp" / "readers" / f"{file}.json").read_text())
    band = told["ReaderCapabilities"]["RegulatoryCapabilities"]["UHFBandCapabilities"]
    table = [(level["Index"], level["TransmitPowerValue"]) for level in band["TransmitPowerLevels"]]
    choice = choose_power("r1", 27.5, dataclasses.replace(SEEN, power_levels=levels(*table)), GENERIC)
    assert choice.cdbm == 2750
    assert (choice.index, 2750) in table


def test_ports_that_the_reader_lacks_are_left_out_and_told():
    wanted = dataclasses.replace(READER, antennas=(1, 7))
    assert usable_antennas("reader r1", wanted, SEEN) == (
        (1,),
        "reader r1 has antenna ports 1 to 4, the configuration wants 7: correct the portals",
    )
    with pytest.raises(ReaderRefusedError, match="wants 7, 9"):
        usable_antennas("reader r1", dataclasses.replace(READER, antennas=(7, 9)), SEEN)


def test_vendor_parameters_are_sent_only_with_extensions_on():
    for extensions in (False, True):
        fields = {"ROSpec": rospec((1, 2), IMPINJ, None, extensions=extensions, every_tags=1)}
        config = reader_config(READER, IMPINJ, SEEN, extensions=extensions)
        sent = control.encode("ADD_ROSPEC", fields, message_id=1) + control.encode(
            "SET_READER_CONFIG", config, message_id=2
        )
        assert (struct.pack("!I", 25882) in sent) is extensions


def test_rospec_asks_for_all_that_windows_read():
    fields = rospec((1, 2), GENERIC, None, extensions=False, every_tags=1)
    asked = fields["ROReportSpec"]["TagReportContentSelector"]
    assert all(asked[f"Enable{name}"] for name in ("AntennaID", "PeakRSSI", "FirstSeenTimestamp", "TagSeenCount"))
    assert fields["ROReportSpec"]["N"] == 1, "N = 0 would send nothing before the ROSpec's end"


def test_only_supported_and_wired_things_are_configured():
    bare = dataclasses.replace(SEEN, holds_events=False, warns_of_buffer=False)
    config = reader_config(READER, GENERIC, bare, extensions=False)
    assert "EventsAndReports" not in config
    assert "GPIPortCurrentState" not in config
    states = config["ReaderEventNotificationSpec"]["EventNotificationState"]
    assert not states["ReportBufferFillWarning"]
    assert not states["GPIEvent"]
    wired = dataclasses.replace(READER, gpis=(GpiSettings(port=2, kind="beam"),))
    config = reader_config(wired, GENERIC, bare, extensions=False)
    assert config["GPIPortCurrentState"] == [{"GPIPortNum": 2, "GPIConfig": True, "GPIState": 0}]


TABLE = dataclasses.replace(SEEN, power_levels=levels(*((n, 1000 + 25 * n) for n in range(81))))


def test_no_antenna_gets_more_than_its_legal_cap():
    """The lower of what is asked and what is legal; without either the reader's own power is left."""
    capped = dataclasses.replace(READER, power_caps_cdbm=((1, 2710),))
    chosen = choose_powers("r1", capped, (1, 2), TABLE, GENERIC)
    assert {port: power.cdbm for port, power in chosen.items()} == {1: 2700}
    asked = dataclasses.replace(capped, tx_power_dbm=29.0)
    assert {port: power.cdbm for port, power in choose_powers("r1", asked, (1, 2), TABLE, GENERIC).items()} == {
        1: 2700,
        2: 2900,
    }
    less = dataclasses.replace(capped, tx_power_dbm=20.0)
    assert {power.cdbm for power in choose_powers("r1", less, (1, 2), TABLE, GENERIC).values()} == {2000}
    assert choose_powers("r1", READER, (1, 2), TABLE, GENERIC) == {}


def test_cap_below_the_lowest_power_is_refused_with_its_reason():
    """Transmitting too strongly is no fall-back."""
    capped = dataclasses.replace(READER, power_caps_cdbm=((2, 700),), tx_power_dbm=20.0)
    with pytest.raises(ReaderRefusedError, match=r"antenna port 2 may legally get 7 dBm, which this reader can't set"):
        choose_powers("r1", capped, (1, 2), TABLE, GENERIC)
    with pytest.raises(ReaderRefusedError, match=r"tx_power_dbm = 5 can't be set"):
        choose_powers("r1", dataclasses.replace(capped, tx_power_dbm=5.0), (1, 2), TABLE, GENERIC)


def test_power_and_mode_stand_at_each_antenna():
    powers = choose_powers("r1", dataclasses.replace(READER, power_caps_cdbm=((1, 2710),)), (1, 2), TABLE, GENERIC)
    spec = rospec((1, 2), GENERIC, powers, extensions=False, every_tags=1, mode_id=4)
    first, second = spec["AISpec"][0]["InventoryParameterSpec"][0]["AntennaConfiguration"]
    assert first["RFTransmitter"]["TransmitPower"] == powers[1].index
    assert "RFTransmitter" not in second
    assert first["C1G2InventoryCommand"][0]["C1G2RFControl"] == {"ModeIndex": 4, "Tari": 0}
    sent = control.encode("ADD_ROSPEC", {"ROSpec": spec}, message_id=1)
    assert sent.count(struct.pack("!HHHH", 335, 8, 4, 0)) == 2
