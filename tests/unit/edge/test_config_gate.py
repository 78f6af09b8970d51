"""Lights and sirens in the configuration: what reaches the signals, and what is refused, where and with what to do."""

import copy
import tomllib

import pytest

from edge import config
from edge.config import ConfigError
from edge.signals import OutputRule, QuietHours

TEXT = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "192.0.2.10"
outputs = [{ output = 1 }, { output = 2, inverted = true }]
[[readers]]
id = "s1"
serial = "/dev/ttyUSB0"
protocol = "uhfreader288"
[[boards]]
id = "b1"
serial = "/dev/ttyUSB1"
protocol = "modbus"
outputs = 4
timed_outputs = true
[[boards]]
id = "b2"
serial = "/dev/ttyUSB2"
protocol = "lcus"
outputs = 2
[[portals]]
id = "door"
inside = "a"
outside = "b"
antennas = [{ reader = "r1", port = 1, side = "inside" }, { reader = "s1", port = 1, side = "outside" }]
[mqtt]
url = "mqtt://broker.example:1883"
[[gate.outputs]]
portal = "door"
device = "r1"
output = 1
kind = "light"
pattern = "blink"
[[gate.outputs]]
portal = "door"
device = "b1"
output = 1
kind = "siren"
seconds = 30
verdicts = ["refuse", "stale"]
quiet_hours = ["22:00-06:00"]
"""


@pytest.fixture
def document():
    """A light at the reader, a siren at the board."""
    return copy.deepcopy(tomllib.loads(TEXT))


def test_outputs_become_rules_with_what_is_usual(document):
    light, siren = config.output_rules(config.parse(document, source="edge.toml"))
    assert light == OutputRule(
        portal="door",
        device="r1",
        output=1,
        kind="light",
        pattern="blink",
        verdicts=frozenset({"refuse", "carried"}),
    )
    assert (siren.seconds, siren.verdicts, siren.quiet) == (30, {"refuse", "stale"}, (QuietHours(22 * 60, 6 * 60),))


REFUSED = [
    ({"kind": "door-lock"}, "gate.outputs[1].kind: Stockgate never holds a door shut nor opens one"),
    ({"kind": "Strike"}, "gate.outputs[1].kind: Stockgate never holds a door shut"),
    ({"kind": "maglock"}, "leave this output out"),
    ({"kind": "sirene"}, "gate.outputs[1].kind: Input should be 'light', 'siren', 'alive' or 'gone', not 'sirene'"),
    ({"device": "r1", "output": 1}, "gate.outputs[1].output: output 1 of r1 is already that of gate.outputs[0]"),
    ({"portal": "dor"}, "gate.outputs[1].portal: 'dor' is not among [[portals]]; did you mean 'door'?"),
    ({"device": "b9"}, "gate.outputs[1].device: 'b9' is not known: name an LLRP reader or a board; did you mean"),
    ({"device": "s1"}, "gate.outputs[1].device: 's1' is a reader without outputs"),
    ({"device": "r1", "output": 3}, "output 3 is not among the outputs of reader r1: add { output = 3 } to them"),
    ({"output": 5}, "gate.outputs[1].output: board b1 has 4 outputs (`outputs`): there is no 5"),
    ({"verdicts": ["allow"]}, "gate.outputs[1].verdicts: a siren does not sound for allow: take a light for it"),
    ({"verdicts": []}, "gate.outputs[1].verdicts: List should have at least 1 item"),
    ({"seconds": 181}, "gate.outputs[1].seconds: what sounds does so for 180 s at most, not 181"),
    ({"seconds": 0}, "gate.outputs[1].seconds: Input should be greater than or equal to 0.5"),
    ({"quiet_hours": ["10pm-6am"]}, "'10pm-6am' is no span of a day: write it like 22:00-06:00"),
    ({"kind": "light"}, "gate.outputs[1].quiet_hours: mute what sounds, and a light makes no noise: leave it out"),
    ({"kind": "gone"}, "gate.outputs[1].verdicts: are for light and siren: leave it out, `gone` follows no verdict"),
    ({"kind": "gone", "device": "r1"}, "gate.outputs[1].device: 'r1' is no board: `gone` tells that a reader is lost"),
    ({"kind": "alive"}, "gate.outputs[1].seconds: a lamp that is alive is lit as long as its portal is watched"),
    (
        {"kind": "alive", "device": "b2"},
        "board b2 ends no pulse by itself, so a lamp there would stay lit if the agent",
    ),
    ({"kind": "alive", "device": "r1", "output": 2}, "gate.outputs[1].output: is on while low (`inverted`)"),
    ({"patern": "blink"}, "gate.outputs[1].patern: unknown key; did you mean 'pattern'?"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=[words[:60] for _, words in REFUSED])
def test_what_cannot_be_meant_is_refused_by_place_and_remedy(document, change, words):
    document["gate"]["outputs"][1] |= change
    with pytest.raises(ConfigError) as caught:
        config.parse(document, source="edge.toml")
    assert words in str(caught.value)


ACCESS = [
    ({"http": {"listen": "0.0.0.0:8077", "token_file": "t"}}, "access.http.listen: 0.0.0.0:8077 can be reached from"),
    ({"http": {"listen": "127.0.0.1", "token_file": "t"}}, "access.http.listen: '127.0.0.1' is no address"),
    ({"http": {"listen": "door:8077", "token_file": "t"}}, "write it like 127.0.0.1:8077"),
    ({"http": {"listen": "127.0.0.1:0", "token_file": "t"}}, "port 0 is another one at each start"),
    ({"http": {"listen": "127.0.0.1:8077"}}, "access.http.token_file: is missing."),
    ({"http": {"listen": "127.0.0.1:80", "token_file": "t", "key_file": "k"}}, "since key_file is set: set both or"),
    ({"mqtt": {"topic": "doors/#"}}, "access.mqtt.topic: String should match pattern"),
    ({"mqtt": {"topic": "doors/a+/events"}}, "access.mqtt.topic: String should match pattern"),
    ({"mqtt": {"topic": "doors", "url": "http://x"}}, "access.mqtt.url: broker URL 'http://x' begins with neither"),
]


@pytest.mark.parametrize(("access", "words"), ACCESS, ids=[words[:50] for _, words in ACCESS])
def test_an_access_controller_that_anybody_could_play_is_not_let_in(document, access, words):
    with pytest.raises(ConfigError) as caught:
        config.parse(document | {"access": access}, source="edge.toml")
    assert words in str(caught.value)


def test_beyond_this_machine_a_controller_is_let_in_under_tls_and_files_start_at_the_configuration(document, tmp_path):
    http = {"listen": "0.0.0.0:8077", "token_file": "token", "certificate_file": "door.pem"}
    document["access"] = {"http": http, "mqtt": {"topic": "doors/+"}}
    posted, published = config.access_settings(config.parse(document, source="edge.toml"), base=tmp_path)
    assert (posted.token_file, posted.certificate_file) == (tmp_path / "token", tmp_path / "door.pem")
    assert (published.topic, published.broker_host) == ("doors/+", "broker.example")


FIRE = {"port": 2, "kind": "fire", "active_high": False}


def test_fire_and_forced_doors_are_alarm_inputs_and_no_evidence_of_passages(document):
    document["boards"][0]["gpis"] = [FIRE, {"port": 3, "kind": "forced", "portal": "door"}]
    parsed = config.parse(document, source="edge.toml")
    assert config.alarm_inputs(parsed) == {
        ("b1", 2): config.AlarmInput("fire", None, active_high=False),
        ("b1", 3): config.AlarmInput("forced", "door", active_high=True),
    }
    assert config.windows_settings(parsed).sensors == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"portal": "door"}, "gpis[0].portal: a fire alarm is the whole gateway's: leave it out"),
        ({"side": "inside"}, "gpis[0].side: is for light beams, whose order tells the way: leave it out at `fire`"),
    ],
)
def test_a_fire_alarm_is_of_no_portal_and_no_side(document, change, words):
    document["boards"][0]["gpis"] = [FIRE | change]
    with pytest.raises(ConfigError) as caught:
        config.parse(document, source="edge.toml")
    assert words in str(caught.value)


def test_nothing_else_is_called_as_the_access_controller(document):
    document["boards"][1]["id"] = "access"
    with pytest.raises(ConfigError, match=r"boards\[1\].id: 'access' is what the access controller is called"):
        config.parse(document, source="edge.toml")


def test_a_lamp_that_is_alive_on_a_board_that_times_its_relays_is_taken(document):
    document["gate"]["outputs"] = [{"portal": "door", "device": "b1", "output": 1, "kind": "alive"}]
    (rule,) = config.output_rules(config.parse(document, source="edge.toml"))
    assert (rule.kind, rule.verdicts) == ("alive", frozenset())
