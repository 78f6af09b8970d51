"""What a commissioning's walks teach of each antenna's level."""

import msgspec
import pytest

from edge import config
from edge.contracts import AntennaEvidence, Clock, Evidence, MovementRow, instant
from edge.windows.levels import doorway_levels

AT = instant(1_700_000_000_000_000)


def row(kind, peaks, *, final=True):
    """A movement row whose antennas peaked at `peaks`, by port; None is an antenna heard without RSSI."""
    antennas = [
        AntennaEvidence(reader="r1", port=port, reads=5, peak_rssi_cdbm=peak) for port, peak in sorted(peaks.items())
    ]
    return MovementRow(
        seq=1, id=f"{'0' * 32}-1", passage="0" * 32, rev=1, final=final, at=AT, portal="door", epc="00", kind=kind,
        confidence=1.0, started_at=AT, reads=10, evidence=Evidence(antennas=antennas), clock=Clock(source="reader"),
    )  # fmt: skip


def test_level_is_the_median_of_the_peaks():
    walks = [row("in", {1: -4000, 2: -5000}), row("out", {1: -4400, 2: -5200}), row("out", {1: -6000, 2: -5100})]
    assert doorway_levels(walks) == {("r1", 1): -4400, ("r1", 2): -5100}


def test_only_final_crossings_teach():
    walks = [row("in", {1: -4000}), row("turned_back", {1: -3000}), row("out", {1: -2000}, final=False)]
    assert doorway_levels(walks) == {("r1", 1): -4000}


def test_antenna_heard_in_fewer_than_half_of_the_walks_has_none():
    """Half is enough; a peak without RSSI is no hearing."""
    walks = [row("in", {1: -4000, 2: -5000}), row("out", {1: -4000, 3: -6000}), row("in", {3: None}), row("in", {1: 0})]
    assert doorway_levels(walks) == {("r1", 1): -4000}
    assert doorway_levels(walks[:2]) == {("r1", 1): -4000, ("r1", 2): -5000, ("r1", 3): -6000}


def test_no_walk_no_level():
    assert doorway_levels([]) == {}


def test_order_of_rows_changes_nothing():
    walks = [row("in", {1: -4000 - 10 * n, 2: -5000 + 7 * n}) for n in range(5)]
    assert doorway_levels(walks) == doorway_levels(reversed(walks))
    assert msgspec.json.encode(list(doorway_levels(walks).items())) == b'[[["r1",1],-4020],[["r1",2],-4986]]'


@pytest.mark.parametrize("level", [None, -4350])
def test_level_that_is_configured_reaches_the_windows(level):
    antennas = [{"reader": "r1", "port": port, "side": side} for port, side in ((1, "inside"), (2, "outside"))]
    if level is not None:
        antennas[0]["doorway_cdbm"] = level
    document = {
        "site": "hq", "gateway": "hq-1", "readers": [{"id": "r1", "host": "192.0.2.10"}],
        "portals": [{"id": "door", "inside": "a", "outside": "b", "antennas": antennas}],
        "mqtt": {"url": "mqtt://127.0.0.1"},
    }  # fmt: skip
    (portal,) = config.windows_settings(config.parse(document, source="edge.toml")).portals
    assert [antenna.doorway_cdbm for antenna in portal.antennas] == [level, None]
