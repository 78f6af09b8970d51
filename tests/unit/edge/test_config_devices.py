"""Serial readers, smart readers and boards in the configuration: what reaches the rooms, and what is refused where."""

import copy
import tomllib

import pytest
import structlog

from edge import config
from edge.agent.devices import device_ports, devices
from edge.agent.health import Identity, birth
from edge.config import ConfigError
from edge.readers import GpiSettings
from edge.readers.serial import BoardSettings, SerialSettings
from edge.readers.smart import SmartSettings

MIXED = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "s1"
serial = "/dev/ttyUSB0"
protocol = "uhfreader288"
[[readers]]
id = "r1"
host = "192.0.2.10"
[[readers]]
id = "m1"
mqtt_topic = "doors/east/reads"
format = "impinj-iot"
[[boards]]
id = "b1"
serial = "/dev/ttyUSB1"
protocol = "modbus"
outputs = 8
gpis = [{ port = 2, kind = "beam", debounce_ms = 50 }]
[[portals]]
id = "door"
inside = "a"
outside = "b"
antennas = [
  { reader = "s1", port = 1, side = "inside" }, { reader = "s1", port = 3, side = "outside" },
  { reader = "r1", port = 1, side = "inside" }, { reader = "m1", port = 1, side = "outside" },
]
[mqtt]
url = "mqtts://broker.example:8883"
username = "edge"
password_file = "secret"
"""


@pytest.fixture
def document():
    """All kinds in one document."""
    return copy.deepcopy(tomllib.loads(MIXED))


def _problem(document):
    with pytest.raises(ConfigError) as caught:
        config.parse(document, source="edge.toml")
    return str(caught.value)


def test_each_kind_of_reader_gets_its_settings_with_the_rooms_defaults(document, tmp_path):
    parsed = config.parse(document, source="edge.toml")
    assert [reader.id for reader in config.reader_settings(parsed)] == ["r1"]
    assert config.serial_settings(parsed) == (
        SerialSettings(id="s1", serial="/dev/ttyUSB0", protocol="uhfreader288", antennas=(1, 3)),
    )
    (smart,) = config.smart_settings(parsed, base=tmp_path)
    assert smart == SmartSettings(
        id="m1", topic="doors/east/reads", format="impinj-iot", broker_host="broker.example", broker_port=8883,
        tls=True, username="edge", password_file=tmp_path / "secret", client_id="hq-east-1-m1-reads", antennas=(1,),
    )  # fmt: skip
    gpi = GpiSettings(port=2, kind="beam", debounce_ms=50)
    assert config.board_settings(parsed) == (
        BoardSettings(id="b1", serial="/dev/ttyUSB1", protocol="modbus", outputs=8, gpis=(gpi,)),
    )


def test_a_region_brings_channels_and_the_strictest_cap(document):
    document["readers"][0] |= {"region": "eu-lower", "tx_power_dbm": 26}
    document["portals"][0]["antennas"][0]["gain_dbi"] = 12.0
    (serial,) = config.serial_settings(config.parse(document, source="edge.toml"))
    assert serial.channels_khz == (865_700, 866_300, 866_900, 867_500)
    assert serial.power_cap_cdbm == 3300 + 215 - 1200


def test_one_power_serves_all_antennas_of_a_serial_reader(document):
    document["readers"][0]["tx_power_dbm"] = 26.0
    document["portals"][0]["antennas"][0]["tx_power_dbm"] = 22.0
    (serial,) = config.serial_settings(config.parse(document, source="edge.toml"))
    assert serial.tx_power_dbm == 22.0


def test_power_of_a_reader_that_publishes_by_itself_is_refused(document):
    place = next(n for n, one in enumerate(document["portals"][0]["antennas"]) if one["reader"] == "m1")
    document["portals"][0]["antennas"][place]["tx_power_dbm"] = 22.0
    with pytest.raises(ConfigError, match=rf"antennas\[{place}\]\.tx_power_dbm: .* set its power there"):
        config.parse(document, source="edge.toml")


def test_a_broker_of_its_own_gets_no_password_of_ours(document, tmp_path):
    document["readers"][2]["mqtt_url"] = "mqtt://127.0.0.1:1884"
    (smart,) = config.smart_settings(config.parse(document, source="edge.toml"), base=tmp_path)
    assert (smart.broker_host, smart.broker_port, smart.tls) == ("127.0.0.1", 1884, False)
    assert (smart.username, smart.password_file) == (None, None)


def test_the_agent_runs_them_all_and_says_who_they_are(document, tmp_path):
    parsed = config.parse(document, source="edge.toml")
    ports = device_ports(parsed, base=tmp_path)
    assert {name: tuple(listed) for name, listed in ports.items()} == {"s1": (1, 3), "m1": (1,), "b1": ()}
    me = Identity("hq-east-1", "0" * 32, "1", 0)
    assert {one.id: one.profile for one in birth(parsed, me).readers} == {
        "r1": "auto",
        "s1": "serial/uhfreader288",
        "m1": "mqtt/impinj-iot",
    }


def test_devices_are_built_without_opening_anything(document, tmp_path):
    parsed = config.parse(document, source="edge.toml")
    built = devices(parsed, base=tmp_path, sink=None, now_us=lambda: 0, log=structlog.get_logger())
    assert [one.health().id for one in built] == ["s1", "m1", "b1"]
    assert {one.health().state for one in built} == {"connecting"}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["readers", 0, "protcol"], 1, "readers[0].protcol: unknown key; did you mean 'protocol'?"),
        (["readers", 0, "protocol"], "r2000", "readers[0].protocol: Input should be 'r200'"),
        (["readers", 0, "host"], "x", "readers[0].host: a reader is dialled (`host`), on a serial line (`serial`)"),
        (["readers", 0, "baud"], 300, "readers[0].baud: Input should be greater than or equal to 1200"),
        (["readers", 0, "protocol"], "r200", "readers[0]: a portal names antenna port 3, but reader s1 has 1"),
        (["readers", 0, "antenna_ports"], 1, "reader s1 has 1: see antenna_ports"),
        (["readers", 0, "region"], "mars", "readers[0].region: no region 'mars'"),
        (
            ["readers", 0, "gpis"],
            [{"port": 5, "kind": "door"}],
            "readers[0].gpis[0].port: a serial port's inputs are 1 (CTS)",
        ),
        (["readers", 0, "gpis"], [{"port": 1, "kind": "door"}] * 2, "readers[0].gpis: port 1 stands there 2 times"),
        (["readers", 1, "hots"], "x", "readers[1].hots: unknown key; did you mean 'host'?"),
        (["readers", 1, "profile"], "impinj/x", "readers[1].profile: no reader profile"),
        (["readers", 2, "mqtt_topic"], "doors/+/reads", "readers[2].mqtt_topic: String should match pattern"),
        (["readers", 2, "mqtt_url"], "http://x", "readers[2].mqtt_url: broker URL 'http://x' begins with neither"),
        (["readers", 2, "serial"], "/dev/x", "readers[2].mqtt_topic: a reader is dialled"),
        (["readers", 2, "id"], "s1", "readers[2].id: 's1' is also the id of readers[0]"),
        (["boards", 0, "id"], "s1", "boards[0].id: 's1' is also the id of readers[0]"),
        (["boards", 0, "serial"], "/dev/ttyUSB0", "boards[0] (b1).serial: /dev/ttyUSB0 is already that of readers[0]"),
        (
            ["readers", 0, "serial"],
            "foo://x",
            "readers[0].serial: 'foo://x' can't be opened: give a device, or rfc2217://",
        ),
        (["boards", 0, "serial"], "socket://x", "boards[0] (b1).serial: 'socket://x' can't be opened"),
        (["readers", 0, "serial"], "  ", "readers[0].serial: '  ' is no device"),
        (["boards", 0, "protocol"], "lcus", "boards[0] (b1).gpis: an `lcus` board has no inputs"),
        (["boards", 0, "protocol"], "lines", "boards[0] (b1).outputs: a serial port's control lines are inputs here"),
        (
            ["portals", 0, "antennas"],
            [{"reader": "r1", "port": 1}],
            "readers[0] (s1): no portal or zone has an antenna on it",
        ),
    ],
)
def test_bad_key_or_value_is_named_with_its_place_in_the_file(document, path, value, said):
    """Whatever section the model keeps a reader in, messages speak of `[[readers]]` as it was written."""
    spot = document
    for part in path[:-1]:
        spot = spot[part]
    spot[path[-1]] = value
    assert said in _problem(document)


@pytest.mark.parametrize("url", ["rfc2217://192.0.2.20:4001?logging=debug", "socket://host:9", "COM3"])
def test_device_servers_and_devices_are_taken(document, url):
    document["readers"][0]["serial"] = url
    assert config.parse(document, source="edge.toml")


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"protocol": "lcus", "outputs": 0}, "has neither outputs nor gpis"),
        ({"protocol": "lcus", "unit": 3, "outputs": 1}, "(b2).unit: is for `modbus` boards"),
        ({"protocol": "lcus", "timed_outputs": True, "outputs": 1}, "(b2).timed_outputs: is for `modbus` boards"),
        ({"protocol": "lines", "gpis": [{"port": 9, "kind": "beam"}]}, "(b2).gpis[0].port: a serial port's inputs are"),
    ],
)
def test_boards_that_can_not_be_as_they_are_described_are_named(document, knobs, said):
    document["boards"].append({"id": "b2", "serial": "/dev/ttyUSB2"} | knobs)
    assert said in _problem(document)


def test_a_region_that_a_reader_has_no_channel_of_is_named(document):
    document["readers"][0] |= {"protocol": "uhfreader18", "region": "japan"}
    assert "readers[0].region: an uhfreader18 has none of the channels of Japan" in _problem(document)


def test_sections_of_the_model_are_no_keys_of_the_file(document):
    """There is one way to write a reader."""
    document["serial_readers"] = [document["readers"].pop(0)]
    assert "edge.toml: serial_readers: unknown key; did you mean 'readers'?" in _problem(document)


def test_an_agent_with_serial_readers_alone_is_enough(document):
    document["readers"] = document["readers"][:1]
    document["portals"][0]["antennas"] = document["portals"][0]["antennas"][:2]
    parsed = config.parse(document, source="edge.toml")
    assert config.reader_settings(parsed) == ()
    assert len(config.serial_settings(parsed)) == 1
