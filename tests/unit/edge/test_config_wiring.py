"""What a reader is wired to: who dials whom, whom to trust, which tags are no assets."""

import copy
import tomllib

import pytest

from edge import config
from edge.config import ConfigError
from edge.readers import OutputSettings, ReferenceSettings, TriggerSettings
from tests.unit.edge.test_config_file import LEAST

PIN = "sha256:" + "ab" * 32
CERTIFIED = {"certificate_file": "own.pem", "ca_file": "ca.pem"}
REMOTE = {"host": "192.0.2.10", "listen": "192.0.2.1:5084"}


def parsed(**reader):
    document = copy.deepcopy(tomllib.loads(LEAST))
    document["readers"][0] |= reader
    return config.parse(document, source="edge.toml")


def problem(**reader):
    with pytest.raises(ConfigError) as caught:
        parsed(**reader)
    return str(caught.value)


def test_wiring_reaches_the_readers_settings(tmp_path):
    made = parsed(
        tls={"fingerprint": PIN, "ca_file": "ca.pem", "legacy": True},
        outputs=[{"output": 1}, {"output": 2, "inverted": True}],
        references=[{"port": 2, "epc": "e280"}],
        gpis=[{"port": 1, "kind": "door", "debounce_ms": 30}],
        select=["30", "e280"],
        session=1,
        quiet_above=50,
    )
    (reader,) = config.reader_settings(made, base=tmp_path)
    assert (reader.tls.fingerprint, reader.tls.ca_file, reader.tls.legacy) == (PIN, tmp_path / "ca.pem", True)
    assert reader.address == "192.0.2.10:5085"
    assert reader.outputs == (OutputSettings(output=1), OutputSettings(output=2, inverted=True))
    assert reader.references == (ReferenceSettings(port=2, epc="e280"),)
    assert reader.reference_epcs == {"e280"}
    assert reader.gpis[0].debounce_ms == 30
    assert (reader.select, reader.session, reader.quiet_above) == (("30", "e280"), 1, 50)
    (waiting,) = config.reader_settings(parsed(trigger={"gpi": 2}))
    assert waiting.trigger == TriggerSettings(gpi=2)


def test_hex_may_be_upper_case_as_labels_and_openssl_write_it():
    made = parsed(tls={"fingerprint": PIN.upper()}, references=[{"port": 2, "epc": "E280"}], select=["E2AB"])
    (reader,) = config.reader_settings(made)
    assert (reader.tls.fingerprint, reader.reference_epcs, reader.select) == (PIN, {"e280"}, ("e2ab",))


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (REMOTE, "nothing proves that it is the reader who dials"),
        (REMOTE | {"tls": {"fingerprint": PIN}}, "tls.certificate_file: is missing"),
        (REMOTE | {"tls": CERTIFIED | {"ca_file": None, "fingerprint": PIN}}, "tls.ca_file: is missing"),
        (REMOTE | {"listen": "5084"}, "is no address: write it like"),
        (REMOTE | {"listen": "127.0.0.1:99999"}, "readers[0].listen: '127.0.0.1:99999' has no port that exists"),
        (REMOTE | {"listen": "127.0.0.1:0"}, "readers[0].listen: port 0 is another one at each start"),
        (REMOTE | {"listen": "127.0.0.1:llrp"}, "readers[0].listen: '127.0.0.1:llrp' is no address"),
        ({"host": "127.0.0.1:5084"}, "readers[0].host: '127.0.0.1:5084' is no host name or IP address"),
        ({"host": "http://127.0.0.1"}, "a port goes to `port`"),
        ({"host": "  "}, "readers[0].host: '  ' is no host name"),
        ({"host": "[::1]"}, "readers[0].host: '[::1]' is no host name"),
        (REMOTE | {"listen": "myhost:5084"}, "must begin with an IP address of this machine"),
        (REMOTE | {"host": "reader.example", "trusted_network": True}, "the IP address that the reader dials from"),
        (REMOTE | {"port": 5084, "trusted_network": True}, "with listen the reader dials us"),
        ({"trusted_network": True}, "is about `listen`"),
        ({"tls": {"certificate_file": "own.pem"}}, "is for readers that dial us"),
        ({"tls": {"fingerprint": "sha256:AB"}}, "readers[0].tls.fingerprint"),
        ({"references": [{"port": 7, "epc": "e280"}]}, "no portal or zone has antenna 7 of reader r1"),
        ({"references": [{"port": 1, "epc": "e280"}, {"port": 1, "epc": "e281"}]}, "port 1 stands there 2 times"),
        ({"references": [{"port": 1, "epc": "e280"}, {"port": 2, "epc": "e280"}]}, "is also the tag of"),
        ({"references": [{"port": 1, "epc": "xyz"}]}, "readers[0].references[0].epc"),
        ({"references": [{"port": 1, "epc": "e280"}], "trigger": {"gpi": 1}}, "can't be judged while reading waits"),
        ({"outputs": [{"output": 1}, {"output": 1}]}, "output 1 stands there 2 times"),
        ({"select": ["3"]}, "readers[0].select"),
        ({"session": 4}, "readers[0].session"),
    ],
)
def test_what_can_not_work_is_named_with_its_remedy(reader, said):
    told = problem(**{key: value for key, value in reader.items() if value is not None} | _without_none(reader))
    assert said in told


def _without_none(reader):
    return {"tls": {k: v for k, v in reader["tls"].items() if v is not None}} if "tls" in reader else {}


@pytest.mark.parametrize(
    "reader",
    [
        REMOTE | {"trusted_network": True},
        REMOTE | {"tls": CERTIFIED},
        {"host": "127.0.0.1", "listen": "127.0.0.1:5084"},
        {"host": "::1", "listen": "[::1]:5084"},
        {"tls": {}},
    ],
)
def test_listeners_that_prove_or_stay_at_home_are_allowed(reader):
    """`tls = {}` is allowed too: the session then refuses, and prints the fingerprint to write."""
    assert parsed(**reader)


def two_readers(**changes):
    document = copy.deepcopy(tomllib.loads(LEAST))
    document["readers"].append({"id": "r2", "host": "192.0.2.11"})
    for antenna in document["portals"][0]["antennas"][2:]:
        antenna["reader"] = "r2"
    for reader in document["readers"]:
        reader.update(changes.get(reader["id"], {}))
    return document


def test_two_readers_that_would_dial_one_address_are_refused():
    """A reader serves one client; another port, or TLS with its own, is another reader."""
    with pytest.raises(ConfigError, match=r"readers\[1\].host: 192.0.2.10:5084 is reader r1 already"):
        config.parse(two_readers(r2={"host": "192.0.2.10", "port": 5084}), source="edge.toml")
    assert config.parse(two_readers(r2={"host": "192.0.2.10", "port": 5086}), source="edge.toml")
    assert config.parse(two_readers(r2={"host": "192.0.2.10", "tls": {}}), source="edge.toml")


def test_one_address_in_two_spellings_is_one():
    for one, other in (("localhost", "127.0.0.1"), ("Reader.example.", "reader.example"), ("::1", "0:0::1")):
        with pytest.raises(ConfigError, match=r"is reader r1 already"):
            config.parse(two_readers(r1={"host": one}, r2={"host": other}), source="edge.toml")


def test_readers_of_one_address_are_told_apart_by_theirs_and_share_a_certificate():
    mine = {"listen": "127.0.0.1:5084", "host": "127.0.0.1"}
    with pytest.raises(ConfigError, match=r"r1 dials 127.0.0.1:5084 from 127.0.0.1 too: who is who\?"):
        config.parse(two_readers(r1=mine, r2=mine), source="edge.toml")
    other = mine | {"host": "127.0.0.2", "tls": CERTIFIED}
    with pytest.raises(ConfigError, match=r"one certificate serves 127\.0\.0\.1:5084"):
        config.parse(two_readers(r1=mine, r2=other), source="edge.toml")


def test_readers_of_one_portal_take_different_sessions_and_know_all_reference_tags():
    made = config.parse(
        two_readers(r1={"references": [{"port": 1, "epc": "e280"}]}, r2={"references": [{"port": 3, "epc": "e281"}]}),
        source="edge.toml",
    )
    first, second = config.reader_settings(made)
    assert first.session_slot != second.session_slot
    assert first.reference_epcs == second.reference_epcs == {"e280", "e281"}
