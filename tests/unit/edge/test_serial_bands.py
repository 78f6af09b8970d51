"""A region's channels on readers that know bands of their own: never one that the region hasn't got."""

import pytest

from edge.profiles import region_named
from edge.readers.serial import bands
from edge.readers.serial.bands import Plan, plan_channels
from tests.helpers.docs import ROOT

REGIONS = sorted(path.stem for path in (ROOT / "firmware_profiles" / "regions").glob("*.toml"))


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("protocol", ["r200", "uhfreader18", "uhfreader288"])
def test_channels_that_are_set_are_the_regions(name, protocol):
    channels_khz = region_named(name).band.channels_khz or ()
    rasters = {"r200": bands.R200_RASTERS, "uhfreader18": bands.UHFREADER18_RASTERS}.get(
        protocol, bands.UHFREADER288_RASTERS
    )
    plan = plan_channels(protocol, channels_khz)
    if plan is None:
        return
    (raster,) = [raster for raster in rasters if raster.code == plan.code]
    used = plan.channels if protocol == "r200" else range(plan.channels[0], plan.channels[-1] + 1)
    assert {raster.first_khz + raster.step_khz * index for index in used} <= set(channels_khz)
    assert len(plan.channels) + plan.left_out == len(channels_khz)


@pytest.mark.parametrize(
    ("protocol", "region", "plan"),
    [
        ("r200", "us", Plan(2, tuple(range(1, 51)))),
        ("r200", "eu-lower", Plan(3, (3, 6, 9, 12))),
        ("r200", "eu-upper", Plan(6, (2, 8), 1)),
        ("uhfreader288", "us", Plan(2, tuple(range(50)))),
        ("uhfreader288", "eu-lower", Plan(9, (0, 1, 2, 3))),
        ("uhfreader18", "eu-lower", Plan(4, (3,), 3)),
        ("uhfreader18", "eu-upper", Plan(3, (2,), 2)),
        ("uhfreader18", "japan", None),
    ],
)
def test_known_regions_are_set_so(protocol, region, plan):
    assert plan_channels(protocol, region_named(region).band.channels_khz or ()) == plan
