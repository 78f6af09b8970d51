"""Zones in the configuration: what is refused, and what rooms are built of them."""

import copy
import tomllib

import pytest

from edge import config
from edge.config import ConfigError
from edge.config.radio import antenna_powers
from edge.presence import Antenna, DoorSensor, Place, PresenceSettings, SweepSettings

TEXT = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "192.0.2.10"
region = "us"
[[readers]]
id = "r2"
host = "192.0.2.11"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
antennas = [{ reader = "r1", port = 1, side = "inside" }, { reader = "r1", port = 2, side = "outside" }]
[[zones]]
id = "shelf"
location = "room"
antennas = [{ reader = "r1", port = 3, gain_dbi = 6.0, cable_db = 0.0 }, { reader = "r2", port = 1 }]
[mqtt]
url = "mqtt://localhost"
"""


@pytest.fixture
def document():
    return copy.deepcopy(tomllib.loads(TEXT))


def problem(document):
    with pytest.raises(ConfigError) as caught:
        config.parse(document, source="edge.toml")
    return str(caught.value)


def test_a_zone_makes_its_reader_ask_its_ports_and_presence_tell_of_it(document):
    parsed = config.parse(document, source="edge.toml")
    first, second = config.reader_settings(parsed)
    assert (first.antennas, second.antennas) == ((1, 2, 3), (1,))
    shelf = Place("shelf", "zone", (Antenna("r1", 3), Antenna("r2", 1)))
    assert config.presence_settings(parsed) == PresenceSettings((shelf,))
    assert config.windows_settings(parsed).portals[0].id == "door"


def test_a_reader_without_portal_never_keeps_tags_quiet(document):
    document["readers"][1]["quiet_above"] = 50
    first, second = config.reader_settings(config.parse(document, source="edge.toml"))
    assert (first.quiet_above, second.quiet_above) == (30, 0)


def test_a_zones_antenna_is_held_to_what_is_legal(document):
    parsed = config.parse(document, source="edge.toml")
    power = {one.port: one for one in antenna_powers(parsed, parsed.readers[0])}[3]
    assert (power.place, power.serves) == ("zones[0].antennas[0]", "shelf")
    assert dict(config.reader_settings(parsed)[0].power_caps_cdbm)[3] == power.legal.cap_cdbm == 3000


def test_portals_are_told_of_where_that_is_wanted(document):
    document["presence"] = {"portals": True, "span_s": 300, "max_tags": 1000}
    made = config.presence_settings(config.parse(document, source="edge.toml"))
    assert [(one.name, one.mode) for one in made.places] == [("shelf", "zone"), ("door", "portal")]
    assert (made.span_s, made.max_tags) == (300, 1000)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["zones", 0, "antennas", 0, "port"], 1, "zones[0] (shelf).antennas[0]: port 1 of reader r1 already serves"),
        (["zones", 0, "antennas", 0, "reader"], "r9", "zones[0] (shelf).antennas[0]: reader 'r9' is not among"),
        (["zones", 0, "id"], "door", "zones[0].id: 'door' is also the id of portals[0]"),
        (["zones", 0, "antennas", 0, "side"], "inside", "zones[0].antennas[0].side: unknown key; known here: reader"),
        (["zones", 0, "antenas"], [], "zones[0].antenas: unknown key; did you mean 'antennas'?"),
        (["readers", 1, "trigger"], {"gpi": 1}, "zones[0] (shelf).antennas[1]: reader r2 reads only after an input"),
        (["presence"], {"span_s": 700}, "presence.span_s: 700 does not divide an hour"),
        (["presence"], {"spans_s": 700}, "presence.spans_s: unknown key; did you mean 'span_s'?"),
    ],
)
def test_what_no_zone_can_be_is_named_with_its_place_and_remedy(document, path, value, said):
    spot = document
    for part in path[:-1]:
        spot = spot[part]
    spot[path[-1]] = value
    assert said in problem(document)


SWEEP = {"id": "room-sweep", "location": "room", "antennas": [{"reader": "r1", "port": 1}], "at": ["20:00", "06:30"]}


def test_a_sweep_is_built_with_its_times_and_what_is_loud_in_the_doorway(document):
    document["portals"][0]["antennas"][0]["doorway_cdbm"] = -5200
    document["sweeps"] = [SWEEP | {"airtime_s": 40, "quiet_s": 7, "within_min": 9, "every_min": 90}]
    (made,) = config.sweep_settings(config.parse(document, source="edge.toml"))
    assert made == SweepSettings(
        place=Place("room-sweep", "sweep", (Antenna("r1", 1),)),
        at_min=(1200, 390),
        every_min=90,
        airtime_s=40,
        quiet_s=7,
        within_min=9,
        doorway_cdbm=((1, -6200), (2, -32768)),
    )
    assert (made.reader, made.ports) == ("r1", (1,))


def test_door_contacts_and_beams_say_who_is_at_a_door(document):
    document["readers"][0]["gpis"] = [{"port": 1, "kind": "door", "active_high": False}, {"port": 2, "kind": "fire"}]
    parsed = config.parse(document, source="edge.toml")
    assert config.door_sensors(parsed) == {("r1", 1): DoorSensor("door", "door", active_high=False)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"at": []}, "sweeps[0] (room-sweep): never begins"),
        ({"at": ["8:00"]}, "sweeps[0].at[0]: String should match pattern"),
        ({"at": ["24:00"]}, "sweeps[0].at[0]: String should match pattern"),
        ({"id": "shelf"}, "sweeps[0].id: 'shelf' is also the id of zones[0]"),
        ({"id": "door"}, "sweeps[0].id: 'door' is also the id of portals[0]"),
        ({"antennas": [{"reader": "r1", "port": 4}]}, "port 4 of reader r1 serves no portal or zone"),
        ({"antennas": [{"reader": "r9", "port": 1}]}, "reader 'r9' is not among [[readers]]"),
        ({"antennas": [{"reader": "r1", "port": 1}, {"reader": "r2", "port": 1}]}, "are of several readers"),
        ({"antennas": [{"reader": "r1", "port": 1}, {"reader": "r1", "port": 1}]}, "stands there twice"),
    ],
)
def test_what_no_sweep_can_be_is_named_with_its_place_and_remedy(document, changes, said):
    document["sweeps"] = [SWEEP | changes]
    assert said in problem(document)


def test_two_sweeps_have_names_of_their_own_and_only_a_reader_that_asks_all_the_time_sweeps(document):
    document["sweeps"] = [SWEEP, SWEEP]
    assert "sweeps[1].id: 'room-sweep' is also the id of sweeps[0]" in problem(document)
    document["sweeps"] = [SWEEP]
    document["readers"][0]["trigger"] = {"gpi": 1}
    del document["zones"]
    document["readers"].pop()
    assert "sweeps[0] (room-sweep).antennas[0]: reader r1 reads only after an input calls" in problem(document)


def test_two_zones_share_neither_name_nor_antenna(document):
    document["zones"].append(copy.deepcopy(document["zones"][0]))
    told = problem(document)
    assert "zones[1].id: 'shelf' is also the id of zones[0]" in told
    assert "zones[1] (shelf).antennas[0]: port 3 of reader r1 already serves zones[0] (shelf)" in told
