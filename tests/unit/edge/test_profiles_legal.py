"""What power is legal: against figures reckoned by hand, and properties over all regions and antennas."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.profiles import AntennaRadio, legal_power, region_named, regions

GAINS = st.none() | st.floats(-20, 20)
ANTENNAS = st.builds(
    AntennaRadio,
    gain_dbi=GAINS,
    polarisation=st.sampled_from([None, "linear", "circular"]),
    cable_db=st.none() | st.floats(0, 20),
)


@pytest.mark.parametrize(
    ("region", "antenna", "cap_dbm"),
    [
        # 4 W EIRP less 9 dBi.
        ("us", AntennaRadio(), 27.0),
        # 1 W at the connector, however small the antenna.
        ("us", AntennaRadio(gain_dbi=2.0, cable_db=0.0), 30.0),
        ("us", AntennaRadio(gain_dbi=6.0, cable_db=3.0), 30.0),
        # Above 6 dBi one dB less for each dB, given back by the cable.
        ("us", AntennaRadio(gain_dbi=8.5, cable_db=1.0), 28.5),
        # The rule doesn't say that a circular antenna may have more.
        ("us", AntennaRadio(gain_dbi=9.0, polarisation="circular"), 27.0),
        # 2 W ERP are 35.15 dBm EIRP.
        ("eu-lower", AntennaRadio(), 26.15),
        ("eu-lower", AntennaRadio(gain_dbi=5.5, cable_db=0.5), 30.15),
        # 4 W ERP are 38.15 dBm EIRP; India wants no more than 1 W at the connector.
        ("eu-upper", AntennaRadio(), 29.15),
        ("india", AntennaRadio(gain_dbi=6.0), 30.0),
        ("india", AntennaRadio(), 29.15),
        # 400 mW EIRP.
        ("indonesia", AntennaRadio(), 17.02),
        # Brazil's reckoning gives a circular antenna 3 dB.
        ("brazil", AntennaRadio(gain_dbi=9.0, polarisation="circular"), 30.0),
        ("brazil", AntennaRadio(gain_dbi=9.0, polarisation="linear"), 27.0),
    ],
)
def test_cap_is_as_reckoned_by_hand(region, antenna, cap_dbm):
    assert legal_power(region_named(region), antenna).cap_cdbm == round(cap_dbm * 100)


@given(st.sampled_from(regions()), ANTENNAS)
def test_cap_never_exceeds_a_limit(region, antenna):
    """Whatever is known of an antenna, it radiates at most the limit, and the connector carries at most its own."""
    legal = legal_power(region, antenna)
    gain = 9.0 if antenna.gain_dbi is None else antenna.gain_dbi
    loss = antenna.cable_db or 0.0
    allowance = region.limits.circular_allowance_db if antenna.polarisation == "circular" else 0.0
    assert legal.cap_cdbm / 100 + gain - loss <= region.limits.eirp_dbm + allowance + 1e-6
    if region.limits.conducted_max_dbm is not None:
        assert legal.cap_cdbm / 100 <= region.limits.conducted_max_dbm
    assert legal.net_gain_db == gain - loss
    assert region.title in legal.why


@given(st.sampled_from(regions()), ANTENNAS, st.floats(0, 5))
def test_more_gain_never_gives_more_power_and_more_cable_never_less(region, antenna, more_db):
    known = dataclasses.replace(antenna, gain_dbi=antenna.gain_dbi or 0.0, cable_db=antenna.cable_db or 0.0)
    cap = legal_power(region, known).cap_cdbm
    assert legal_power(region, dataclasses.replace(known, gain_dbi=known.gain_dbi + more_db)).cap_cdbm <= cap
    assert legal_power(region, dataclasses.replace(known, cable_db=known.cable_db + more_db)).cap_cdbm >= cap


@given(st.sampled_from(regions()), st.floats(-20, 9), st.sampled_from([None, "linear", "circular"]))
def test_saying_more_about_a_usual_antenna_never_costs_power(region, gain_dbi, polarisation):
    """Leaving a key out errs downwards for every antenna up to 9 dBi, so that nobody gains by keeping silent."""
    known = AntennaRadio(gain_dbi=gain_dbi, polarisation=polarisation, cable_db=0.0)
    assert legal_power(region, AntennaRadio()).cap_cdbm <= legal_power(region, known).cap_cdbm


def test_what_was_assumed_is_told_by_its_key():
    assert legal_power(region_named("us"), AntennaRadio()).assumed == ("gain_dbi", "cable_db")
    assert legal_power(region_named("us"), AntennaRadio(gain_dbi=6.0)).assumed == ("cable_db",)
    assert legal_power(region_named("us"), AntennaRadio(gain_dbi=6.0, cable_db=0.0)).assumed == ()
