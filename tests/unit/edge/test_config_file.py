"""The agent's configuration: what is wrong is named with its place and its remedy."""

import copy
import tomllib

import pytest

from edge import config
from edge.config import ConfigError
from edge.outbox import OutboxSettings
from edge.readers import ReaderSettings
from edge.uplink import UplinkSettings
from edge.windows import PortalSettings

LEAST = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "192.0.2.10"
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
layout = "two-sided"
antennas = [
  { reader = "r1", port = 1, side = "inside" }, { reader = "r1", port = 2, side = "inside" },
  { reader = "r1", port = 3, side = "outside" }, { reader = "r1", port = 4, side = "outside" },
]
[mqtt]
url = "mqtts://broker.example:8883"
"""


@pytest.fixture
def document():
    """The least form as a document of its own."""
    return copy.deepcopy(tomllib.loads(LEAST))


def _problem(document):
    with pytest.raises(ConfigError) as caught:
        config.parse(document, source="edge.toml")
    return str(caught.value)


def test_least_form_of_the_contract_is_enough(document):
    """Everything else has a default, and every room gets its settings."""
    parsed = config.parse(document, source="edge.toml")
    (reader,) = config.reader_settings(parsed)
    assert (reader.id, reader.host, reader.antennas) == ("r1", "192.0.2.10", (1, 2, 3, 4))
    windows = config.windows_settings(parsed)
    assert [antenna.side for antenna in windows.portals[0].antennas] == ["inside", "inside", "outside", "outside"]
    assert config.outbox_settings(parsed) == OutboxSettings()


def test_defaults_are_those_of_the_rooms(document, tmp_path):
    """A default stands in one place: with nothing set each room works as it would by itself."""
    parsed = config.parse(document, source="edge.toml")
    (reader,) = config.reader_settings(parsed)
    assert reader == ReaderSettings(id="r1", host="192.0.2.10", antennas=(1, 2, 3, 4))
    assert config.uplink_settings(parsed, base=tmp_path) == UplinkSettings(url="mqtts://broker.example:8883")
    portals = config.windows_settings(parsed).portals
    joined = {"inside": parsed.portals[0].inside, "outside": parsed.portals[0].outside}
    assert portals[0] == PortalSettings("stockroom-a-door", "two-sided", portals[0].antennas, **joined)


def test_an_outbox_too_small_for_what_may_never_go_is_refused(document):
    document["outbox"] = {"max_mib": 15}
    with pytest.raises(config.ConfigError, match=r"outbox\.max_mib: .*greater than or equal to 16"):
        config.parse(document, source="edge.toml")


def test_every_setting_reaches_its_room(document, tmp_path):
    """What is written in the file is what the rooms get, in their units."""
    document["readers"][0] |= {"port": 5085, "max_frame_mib": 2, "gpis": [{"port": 1, "kind": "beam"}]}
    document["portals"][0] |= {"gap_ms": 1500, "provisional_confidence": 0.95}
    document["outbox"] = {"keep_acknowledged_days": 0.5, "max_mib": 16}
    document["mqtt"] |= {"username": "u", "password_file": "secret", "drain_s": 1}
    parsed = config.parse(document, source="edge.toml")
    (reader,) = config.reader_settings(parsed)
    assert (reader.port, reader.max_frame_bytes, reader.gpis[0].kind) == (5085, 2 * 1024 * 1024, "beam")
    portal = config.windows_settings(parsed).portals[0]
    assert (portal.gap_ms, portal.provisional_confidence) == (1500, 0.95)
    outbox = config.outbox_settings(parsed)
    assert (outbox.keep_acknowledged_s, outbox.max_bytes) == (43_200.0, 16 * 1024 * 1024)
    uplink = config.uplink_settings(parsed, base=tmp_path)
    assert (uplink.password_file, uplink.drain_s) == (tmp_path / "secret", 1.0)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["gatway"], "x", "edge.toml: gatway: unknown key; did you mean 'gateway'?"),
        (["readers", 0, "hots"], "x", "edge.toml: readers[0].hots: unknown key; did you mean 'host'?"),
        (["portals", 0, "antennas", 1, "prot"], 2, "portals[0].antennas[1].prot: unknown key; did you mean 'port'?"),
        (["mqtt", "zzz"], 2, "mqtt.zzz: unknown key; known here: url, username"),
        (["readers", 0, "port"], 70000, "readers[0].port: Input should be less than or equal to 65535, not 70000"),
        (["readers", 0, "port"], "5084", "readers[0].port: Input should be a valid integer, not '5084'"),
        (["portals", 0, "layout"], "twosided", "portals[0].layout: Input should be 'two-sided'"),
        (["portals", 0, "layout"], "beam", 'no light beam has side "inside": layout "beam" wants one'),
        (["readers", 0, "serial"], "/dev/ttyUSB0", "readers[0].host: a reader is dialled (`host`), on a serial line"),
        (["zones"], [{"id": "z", "location": "a"}], "zones[0].antennas: is missing. The antenna ports that serve"),
        (["gateway"], "HQ East", "gateway: String should match pattern"),
        (["readers", 0, "report_every_tags"], 20, "report_every_ms: is missing, since report_every_tags is 20"),
        (["readers"], [], "readers: there are 0 [[readers]]: an agent drives 1 to 8"),
        (["readers", 0, "profile"], "impinj/speedwai", "readers[0].profile: no reader profile 'impinj/speedwai'"),
        (["readers", 0, "region"], "indonezia", "readers[0].region: no region 'indonezia'; the nearest is indonesia"),
        (["readers", 0, "region"], "USA", "readers[0].region: no region 'USA'; the nearest is us;"),
        (["readers", 0, "region"], "fcc", "readers[0].region: no region 'fcc'; the nearest is us;"),
        (["readers", 0, "region"], "eu", "readers[0].region: no region 'eu'; the nearest is eu-lower or eu-upper;"),
        (["readers", 0, "region"], "JP", "readers[0].region: no region 'JP'; the nearest is japan;"),
        (["readers", 0, "region"], "Vietnam", "readers[0].region: no region 'Vietnam'; the nearest is vietnam;"),
        (["readers", 0, "profile"], "Impinj/R420", "no reader profile 'Impinj/R420'; the nearest is impinj/speedway;"),
        (["readers", 0, "profile"], "Impinj/R700", "no reader profile 'Impinj/R700'; the nearest is impinj/r700;"),
        (["readers", 0, "gpis"], [{"port": 1, "kind": "dor"}], "gpis[0].kind: Input should be 'beam', 'door',"),
        (["readers", 0, "gpis"], [{"port": 1, "kind": "dor"}], "not 'dor'; the nearest is 'door'."),
        (["portals", 0, "layout"], "twosided", "not 'twosided'; the nearest is 'two-sided'."),
        (["portals", 0, "antennas", 0, "gain_dbi"], 60.0, "portals[0].antennas[0].gain_dbi: Input should be less than"),
        (
            ["portals", 0, "antennas", 0, "polarisation"],
            "round",
            "polarisation: Input should be 'linear' or 'circular'",
        ),
        (["portals", 0, "antennas", 0, "cable_db"], -1.0, "cable_db: Input should be greater than or equal to 0"),
        (["mqtt", "url"], "http://x", "mqtt.url: broker URL 'http://x' begins with neither mqtt:// nor mqtts://"),
        (["mqtt", "password_file"], "p", "mqtt.username: is missing"),
        (["portals", 0, "inside"], "corridor", "inside and outside are both 'corridor'"),
        (["portals", 0, "antennas", 0, "reader"], "r11", "reader 'r11' is not among [[readers]]; did you mean 'r1'?"),
        (["portals", 0, "antennas", 0, "port"], 3, "port 3 of reader r1 already serves portals[0] (stockroom-a-door)"),
        (["portals", 0, "layout"], "single", "wants one antenna, without side"),
        (["portals", 0, "layout"], "two-readers", "wants two readers, each on its own side"),
    ],
)
def test_bad_key_or_value_is_named_with_its_place_and_remedy(document, path, value, said):
    """File, key path, what is wrong, what would be right."""
    spot = document
    for part in path[:-1]:
        spot = spot[part]
    spot[path[-1]] = value
    assert said in _problem(document)


def test_missing_key_is_named_with_what_it_is(document):
    """The description says what to write."""
    del document["portals"][0]["outside"]
    assert _problem(document) == "edge.toml: portals[0].outside: is missing. Location on the outer side."


def test_side_left_out_of_a_two_sided_portal_is_named(document):
    """Direction can't be told without it."""
    del document["portals"][0]["antennas"][2]["side"]
    assert "portals[0] (stockroom-a-door).antennas[2]: side is missing" in _problem(document)


def test_portal_with_all_antennas_on_one_side_is_named(document):
    """So that nobody wonders why everything is near."""
    document["portals"][0]["antennas"] = document["portals"][0]["antennas"][:2]
    assert 'no antenna has side "outside"' in _problem(document)


def test_antenna_claimed_by_two_portals_is_named(document):
    """One antenna can't tell at which of two doors a tag was."""
    document["portals"].append(copy.deepcopy(document["portals"][0]) | {"id": "other"})
    said = _problem(document)
    assert "portals[1] (other).antennas[0]: port 1 of reader r1 already serves portals[0] (stockroom-a-door)" in said


def test_double_ids_are_named(document):
    """Readers and portals are told apart by their ids."""
    document["readers"].append(dict(document["readers"][0]))
    document["portals"].append(dict(document["portals"][0]))
    said = _problem(document)
    assert "readers[1].id: 'r1' is also the id of readers[0]" in said
    assert "portals[1].id: 'stockroom-a-door' is also the id of portals[0]" in said


def test_reader_without_a_portal_is_named(document):
    """It would be inventoried for nothing."""
    document["readers"].append({"id": "r2", "host": "192.0.2.11"})
    assert "readers[1] (r2): no portal or zone has an antenna on it" in _problem(document)


def test_all_problems_are_told_at_once(document):
    """One line each, so that one edit is enough."""
    document["readers"][0]["hots"] = 1
    document["mqtt"]["ulr"] = 1
    assert len(_problem(document).splitlines()) == 2


def test_single_layout_takes_one_antenna_without_side(document):
    """The layout of issue 2's replay."""
    document["portals"][0] |= {"layout": "single", "antennas": [{"reader": "r1", "port": 1}]}
    assert config.parse(document, source="edge.toml").portals[0].antennas[0].side is None


def test_digest_changes_with_the_configuration_alone(document):
    """The birth message carries it: same meaning, same digest, whatever the order of keys."""
    one = config.digest(config.parse(document, source="a"))
    assert config.digest(config.parse(dict(reversed(document.items())), source="b")) == one
    document["portals"][0]["gap_ms"] = 1999
    assert config.digest(config.parse(document, source="a")) != one


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"site = ", "is not TOML: "),
        (b"\xff", "not UTF-8"),
        (LEAST.encode(), None),
    ],
)
def test_file_that_is_absent_or_no_toml_is_told(tmp_path, content, said):
    """The message begins with the file's name."""
    path = tmp_path / "edge.toml"
    if content is not None:
        path.write_bytes(content)
    if said is None:
        assert config.load(path).gateway == "hq-east-1"
    else:
        with pytest.raises(ConfigError, match=said) as caught:
            config.load(path)
        assert str(caught.value).startswith(str(path))


def test_legal_caps_reach_the_reader_by_region_antenna_and_cable(document):
    """Each antenna has its own cap, one that nobody has described the cap of 9 dBi without cable."""
    document["readers"][0] |= {"region": "us", "tx_power_dbm": 30.0}
    document["portals"][0]["antennas"][0] |= {"gain_dbi": 6.0, "polarisation": "circular", "cable_db": 1.0}
    document["portals"][0]["antennas"][1] |= {"gain_dbi": 12.0, "cable_db": 0.5}
    parsed = config.parse(document, source="edge.toml")
    (reader,) = config.reader_settings(parsed)
    assert (reader.region, reader.tx_power_dbm) == ("us", 30.0)
    assert reader.power_caps_cdbm == ((1, 3000), (2, 2450), (3, 2700), (4, 2700))
    windows = config.windows_settings(parsed)
    assert [antenna.port for antenna in windows.portals[0].antennas] == [1, 2, 3, 4]


def test_power_of_one_antenna_goes_below_its_readers_and_never_above(document):
    document["readers"][0]["tx_power_dbm"] = 27.0
    document["portals"][0]["antennas"][1]["tx_power_dbm"] = 24.0
    document["portals"][0]["antennas"][2]["tx_power_dbm"] = 30.0
    (reader,) = config.reader_settings(config.parse(document, source="edge.toml"))
    assert [reader.asked_dbm(port) for port in (1, 2, 3, 4)] == [27.0, 24.0, 27.0, 27.0]


def test_without_a_region_no_cap_is_made_up(document):
    document["portals"][0]["antennas"][0]["gain_dbi"] = 12.0
    (reader,) = config.reader_settings(config.parse(document, source="edge.toml"))
    assert (reader.region, reader.power_caps_cdbm) == (None, ())


KEY_LINE = "central-1:" + "A" * 43 + "="


def test_whom_the_agent_believes_is_read_as_the_central_prints_it(document):
    """One line a key, two during a rotation; without any it believes nobody."""
    assert config.parse(document, source="edge.toml").trust.keyring().names == ()
    document["trust"] = {"central_keys": [KEY_LINE, KEY_LINE.replace("central-1", "central-2")]}
    assert config.parse(document, source="edge.toml").trust.keyring().names == ("central-1", "central-2")


def test_what_is_no_key_is_named_with_its_place_and_where_to_find_one(document):
    """A key that was cut off when it was copied must not look like an agent that believes nobody."""
    document["trust"] = {"central_keys": [KEY_LINE, "central-2:AAAA"]}
    told = _problem(document)
    assert "trust.central_keys[1]" in told
    assert "stockgate-central keys show" in told
