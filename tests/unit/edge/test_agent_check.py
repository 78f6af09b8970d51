"""`stockgate-edge check`: what is wrong, what power each antenna gets and why, and the exit code."""

import json
import re

import pytest
from typer.testing import CliRunner

from edge.agent.check import examine
from edge.agent.doctor import _config_faults
from edge.agent.secret_files import open_secrets
from edge.cli import app
from edge.config import document_of, parse
from tests.helpers.commands import KEY_LINE

HEAD = """
site = "hq"
gateway = "hq-east-1"
[mqtt]
url = "mqtts://broker.example:8883"
"""
TRUST = f'[trust]\ncentral_keys = ["{KEY_LINE}"]\n'
PORTAL = """
[[portals]]
id = "door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  { reader = "r1", port = 1, side = "inside", gain_dbi = 6.0, cable_db = 1.0 },
  { reader = "r1", port = 2, side = "outside", gain_dbi = 8.5, cable_db = 0.5 },
]
"""


@pytest.fixture
def check(tmp_path):
    """Write a configuration and check it."""

    def run(reader, portal=PORTAL, head=HEAD):
        path = tmp_path / "edge.toml"
        path.write_text(f'{head}\n{TRUST}\n[[readers]]\nid = "r1"\nhost = "192.0.2.10"\n{reader}\n{portal}')
        return examine(path)

    return run


def test_configuration_that_says_all_has_nothing_to_be_done(check):
    report = check('region = "us"\ntx_power_dbm = 27.0\nprofile = "impinj/speedway"')
    assert report.findings == ()
    assert report.exit_code == 0
    assert [(line.port, line.dbm, line.legal_dbm) for line in report.powers] == [(1, 27.0, 30.0), (2, 27.0, 28.0)]
    assert {line.why for line in report.powers} == {"tx_power_dbm = 27"}
    assert [line.eirp_dbm for line in report.powers] == [32.0, 35.0]
    assert [(line.id, line.address, line.profile) for line in report.readers] == [
        ("r1", "192.0.2.10:5084", "impinj/speedway")
    ]


def test_file_that_notepad_wrote_is_read(tmp_path):
    path = tmp_path / "edge.toml"
    path.write_text(
        f'{HEAD}\n{TRUST}\n[[readers]]\nid = "r1"\nhost = "192.0.2.10"\nregion = "us"\n{PORTAL}', "utf-8-sig"
    )
    assert examine(path).findings == ()


def test_power_of_one_antenna_is_shown_and_held_to_its_cap(check):
    lower = PORTAL.replace("gain_dbi = 6.0", "tx_power_dbm = 24.0, gain_dbi = 6.0")
    report = check('region = "us"\ntx_power_dbm = 27.0\nprofile = "impinj/speedway"', lower)
    assert [(line.asked_dbm, line.dbm, line.why) for line in report.powers] == [
        (24.0, 24.0, "tx_power_dbm = 24"),
        (27.0, 27.0, "tx_power_dbm = 27"),
    ]
    assert report.findings == ()
    higher = PORTAL.replace("gain_dbi = 8.5", "tx_power_dbm = 29.0, gain_dbi = 8.5")
    (finding,) = check('region = "us"\nprofile = "impinj/speedway"', higher).findings
    assert finding.key == "portals[0].antennas[1].tx_power_dbm"
    assert finding.what == "29 dBm is more than is legal: held down, port 2 to 28.00 dBm"


def test_power_is_held_to_the_cap_and_told_why(check):
    report = check('region = "us"\ntx_power_dbm = 31.5')
    assert [(line.port, line.dbm) for line in report.powers] == [(1, 30.0), (2, 28.0)]
    assert "30 dBm at the reader's connector" in report.powers[0].why
    assert "36 dBm EIRP: 36 EIRP - 8.5 dBi antenna + 0.5 dB cable" in report.powers[1].why
    (finding,) = report.findings
    assert (finding.severity, finding.key) == ("warning", "readers[0].tx_power_dbm")
    assert "port 1 to 30.00, port 2 to 28.00 dBm" in finding.what
    assert report.exit_code == 1


def test_antenna_of_which_nothing_is_said_counts_as_9_dbi_and_is_told(check):
    portal = PORTAL.replace(", gain_dbi = 8.5, cable_db = 0.5", "")
    report = check('region = "eu-lower"', portal)
    assert [line.dbm for line in report.powers] == [30.15, 26.15]
    (finding,) = report.findings
    assert finding.key == "portals[0].antennas[1]"
    assert "gain_dbi and cable_db not given: port 2 of reader r1 is held to 26.15 dBm" in finding.what


def test_missing_region_and_unread_regulation_are_told(check):
    report = check("")
    (finding,) = report.findings
    assert finding.key == "readers[0].region"
    assert "no power of reader r1 is held to what is legal" in finding.what
    assert [line.dbm for line in report.powers] == [None, None]
    report = check('region = "australia"')
    (finding,) = report.findings
    assert "limits.radiated_dbm" in finding.what
    assert "which wasn't read" in finding.what


def test_what_the_named_profile_can_not_do_is_told(check):
    portal = PORTAL.replace("port = 2", "port = 7")
    knobs = 'region = "us"\nprofile = "impinj/speedway"\ngpis = [{ port = 5, kind = "beam" }]'
    keys = {finding.key: finding.what for finding in check(knobs, portal).findings}
    assert (
        "no reader of Impinj Speedway Revolution (R120, R220, R420) has more than 4"
        in keys["portals[0].antennas[1].port"]
    )
    assert "input 5" in keys["readers[0].gpis[0].port"]


def test_profile_of_unknown_ports_says_nothing_about_ports(check):
    portal = PORTAL.replace("port = 2", "port = 30")
    assert check('region = "us"\nprofile = "csl/cs463"', portal).findings == ()


def test_every_problem_of_an_unusable_file_is_told_with_its_key(check):
    report = check('region = "uss"\nprofile = "impinj/r421"')
    assert report.exit_code == 2
    assert [(finding.severity, finding.key) for finding in report.findings] == [
        ("error", "readers[0].profile"),
        ("error", "readers[0].region"),
    ]
    report = check("prot = 5084\nregion = 7")
    assert {finding.key for finding in report.findings} == {"readers[0].prot", "readers[0].region"}
    assert report.powers == ()


def test_very_many_mistakes_and_very_long_values_are_told_in_few_words(check):
    """A generator made them: the first ones are named, the others counted, and no value fills the screen."""
    portals = "".join(f'[[portals]]\nid = "d{n}"\ninside = 5\noutside = 6\nside = 7\n' for n in range(30))
    report = check("", portals)
    assert report.exit_code == 2
    assert len(report.findings) == 51
    assert re.fullmatch(r"and [\d,]+ more problems", report.findings[-1].what)
    report = check("", "".join(f'[[portals]]\nid = "d{n}"\n' for n in range(1000)))
    assert max(len(one.what) for one in report.findings) < 400


@pytest.mark.parametrize("level", [5000, -12_001, 1])
def test_level_that_no_tag_has_is_refused(check, level):
    """Hundredths of dBm: +50 dBm is more than any reader sends."""
    report = check("", PORTAL.replace("cable_db = 1.0", f"doorway_cdbm = {level}"))
    assert report.exit_code == 2
    assert "doorway_cdbm" in report.findings[0].key


def test_password_file_that_is_not_there_is_an_error(check):
    report = check('region = "us"', head=HEAD + 'username = "u"\npassword_file = "nowhere"\n')
    assert (report.exit_code, report.findings[0].key) == (2, "mqtt.password_file")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("edge.toml", "is the configuration itself"),
        ("stockgate-edge-data/outbox.db", "lies in the data folder"),
        ("", "should have at least 1 character"),
        ("a\\u0000b", "should match pattern"),
        (".", "is a folder"),
        ("gone/edge.log", "there is no folder"),
        ("secret.txt", "is mqtt.password_file of it"),
    ],
)
def test_a_log_file_that_would_spoil_another_is_an_error(check, tmp_path, file, why):
    """A pushed one with `file = "edge.toml"` was called well, and the agent never started again."""
    (tmp_path / "secret.txt").write_text("x")
    head = HEAD + f'username = "u"\npassword_file = "secret.txt"\n[log]\nfile = "{file}"\n'
    findings = check("", head=head).findings
    assert [why in one.what for one in findings if one.key == "log.file"] == [True], findings


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_ca_file_that_is_not_there_or_no_pem_is_an_error(check, tmp_path, text):
    """It is looked for where the configuration is."""
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    report = check('region = "us"\ntls = { ca_file = "ca.pem" }')
    (finding,) = report.findings
    assert (report.exit_code, finding.key) == (2, "readers[0].tls.ca_file")
    assert finding.what.startswith(f"{tmp_path / 'ca.pem'}: can't be used: ")


def test_own_certificate_that_is_not_there_is_an_error(check):
    own = 'region = "us"\nlisten = "192.0.2.1:5084"\ntls = { certificate_file = "own.pem", ca_file = "ca.pem" }'
    report = check(own)
    assert [finding.key for finding in report.findings] == ["readers[0].tls.certificate_file"]


def test_tls_that_trusts_nobody_yet_is_a_warning(check):
    (finding,) = check('region = "us"\ntls = {}').findings
    assert (finding.severity, finding.key) == ("warning", "readers[0].tls")
    assert "the agent will refuse the reader until fingerprint or ca_file is given" in finding.what


def test_command_prints_tables_or_json_and_exits_with_the_worst(check, tmp_path):
    check('region = "us"\ntx_power_dbm = 30.0')
    path = str(tmp_path / "edge.toml")
    shown = CliRunner().invoke(app, ["check", "--config", path])
    assert shown.exit_code == 1
    assert "0 errors, 1 warning\n" in shown.stdout
    assert "28.00" in shown.stdout
    told = CliRunner().invoke(app, ["check", "--config", path, "--json"])
    document = json.loads(told.stdout)
    assert (told.exit_code, document["exit_code"]) == (1, 1)
    assert [power["dbm"] for power in document["powers"]] == [30.0, 28.0]
    absent = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "no.toml"), "--json"])
    assert absent.exit_code == 2
    assert "cannot be read" in json.loads(absent.stdout)["findings"][0]["what"]


def test_readers_of_all_kinds_stand_in_the_table_at_their_places(check):
    """One power serves all antennas of a serial reader, and its place is that in the file."""
    more = """
[[readers]]
id = "s1"
serial = "/dev/ttyUSB0"
protocol = "uhfreader288"
region = "us"
[[readers]]
id = "m1"
mqtt_topic = "doors/reads"
format = "zebra-iotc"
[[boards]]
id = "b1"
serial = "/dev/ttyUSB1"
protocol = "lcus"
outputs = 1
[[portals]]
id = "north"
inside = "stockroom-a"
outside = "yard"
antennas = [
  { reader = "s1", port = 1, side = "inside", gain_dbi = 8.0, cable_db = 0.0 },
  { reader = "s1", port = 2, side = "outside" },
  { reader = "m1", port = 1, side = "inside" },
]
"""
    report = check('region = "us"\ntx_power_dbm = 27.0\nprofile = "impinj/speedway"', PORTAL + more)
    assert [(line.id, line.profile) for line in report.readers][1:] == [
        ("s1", "serial/uhfreader288"),
        ("m1", "mqtt/zebra-iotc"),
        ("b1", "board/lcus"),
    ]
    powers = [(line.port, line.legal_dbm, line.dbm) for line in report.powers if line.reader == "s1"]
    assert powers == [(1, 28.0, 27.0), (2, 27.0, 27.0)]
    (finding,) = report.findings
    assert finding.key == "portals[1].antennas[1]"


def test_serial_device_that_is_a_file_is_told(check):
    board = '[[boards]]\nid = "b1"\nserial = "/etc/passwd"\nprotocol = "lcus"\noutputs = 1\n'
    report = check('region = "us"', PORTAL + board)
    (finding,) = report.findings
    assert (finding.severity, finding.key) == ("warning", "boards[0] (b1).serial")
    assert "/etc/passwd is no serial device" in finding.what


def test_a_gateway_that_believes_no_central_is_told_what_it_lacks(tmp_path):
    path = tmp_path / "edge.toml"
    path.write_text(f'{HEAD}\n[[readers]]\nid = "r1"\nhost = "192.0.2.10"\n{PORTAL}')
    (found,) = [one for one in examine(path).findings if one.key == "trust.central_keys"]
    assert found.severity == "warning"
    assert "judges no exit" in found.what


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o644, "has mode 644: every user of this machine can read it"),
        (0o646, "has mode 646: every user of this machine can read and change it"),
        (0o640, None),
        (0o600, None),
    ],
)
def test_key_or_password_that_others_can_read_is_warned_of_and_not_refused(tmp_path, mode, said):
    for name in ("password", "door.pem"):
        (tmp_path / name).write_text("-----BEGIN PRIVATE KEY-----\n")
        (tmp_path / name).chmod(mode)
    (tmp_path / "alone.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "alone.pem").chmod(0o644)
    text = f"""{HEAD}
username = "gw"
password_file = "password"
{TRUST}
[access.http]
listen = "127.0.0.1:8099"
token_file = "token"
certificate_file = "alone.pem"
key_file = "door.pem"
[[readers]]
id = "r1"
host = "192.0.2.10"
listen = "127.0.0.1:5084"
region = "us"
tls = {{ certificate_file = "door.pem", ca_file = "alone.pem" }}
{PORTAL}"""
    (tmp_path / "edge.toml").write_text(text)
    config = parse(document_of(text.encode(), source="edge.toml"), source="edge.toml")
    opened = list(open_secrets(config, base=tmp_path))
    found = {one.key: one.what for one in opened}
    secret = {"mqtt.password_file", "readers[0].tls.certificate_file", "access.http.key_file"}
    assert set(found) == (secret if said else set()), "a certificate without a key is nobody's secret"
    assert all(said in one.what and one.do.startswith(f"chmod 640 {tmp_path}") for one in opened)
    advised = [fault.do for fault in _config_faults(tmp_path / "edge.toml")]
    assert {one.do for one in opened} <= set(advised), "doctor doesn't advise to change edge.toml for it"
    report = examine(tmp_path / "edge.toml")
    warned = {one.key for one in report.findings if one.severity == "warning"}
    assert (secret & warned) == (secret if said else set())
    assert not [one for one in report.findings if one.severity == "error" and "mode" in one.what]


def test_very_many_warnings_are_counted_and_the_first_ones_told(tmp_path):
    """64 antennas of which nobody said what gain they have; the summary counts all of them."""
    readers = "".join(f'[[readers]]\nid = "r{n}"\nhost = "192.0.2.{n}"\nregion = "us"\n' for n in range(1, 9))
    doors = ""
    for n in range(1, 9):
        sides = [(port, "inside" if port < 5 else "outside") for port in range(1, 9)]
        listed = ", ".join(f'{{ reader = "r{n}", port = {port}, side = "{side}" }}' for port, side in sides)
        doors += f'[[portals]]\nid = "door-{n}"\ninside = "a"\noutside = "b"\nantennas = [{listed}]\n'
    path = tmp_path / "edge.toml"
    path.write_text(f"{HEAD}\n{TRUST}\n{readers}\n{doors}")
    report = examine(path)
    assert (len(report.findings), report.more_warnings, report.exit_code) == (51, 14, 1)
    assert report.findings[-1].what == "and 14 more warnings"
    told = CliRunner().invoke(app, ["check", "--config", str(path)])
    assert f"{path}: 0 errors, 64 warnings" in told.stdout.replace("\n", "")


def test_errors_that_are_left_out_are_counted(check, tmp_path):
    check("", "".join(f'[[portals]]\nid = "d{n}"\ninside = 5\noutside = 6\nside = 7\n' for n in range(30)))
    told = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "edge.toml")]).stdout
    more, count = (int(re.search(words, told)[1]) for words in (r"and (\d+) more problems", r"(\d+) errors"))
    assert count == 50 + more


LIGHT = """
[[boards]]
id = "{board}"
serial = "/dev/serial/by-id/usb-board"
protocol = "lcus"
outputs = 1
[[gate.outputs]]
portal = "door"
device = "{board}"
output = 1
kind = "light"
"""


@pytest.mark.parametrize(
    ("board", "word"),
    [("exit-door-lock", "lock"), ("Maglock2", "maglock"), ("door-lights", ""), ("block-a", ""), ("clock_lamp", "")],
)
def test_an_output_of_a_board_that_is_named_as_a_lock_is_told(check, board, word):
    """`kind` can say light, and a lock be wired there all the same."""
    report = check(
        'region = "us"\ntx_power_dbm = 27.0\nprofile = "impinj/speedway"', PORTAL + LIGHT.format(board=board)
    )
    said = [(one.key, one.what) for one in report.findings if "named as a" in one.what]
    assert [key for key, _ in said] == ["gate.outputs[0].device"] * bool(word)
    assert all(f"{board} is named as a {word}: Stockgate never holds a door shut" in what for _, what in said)
    assert report.exit_code == bool(word)
