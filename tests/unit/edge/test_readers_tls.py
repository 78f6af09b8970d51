"""LLRP over TLS: certificates pinned by fingerprint or CA, and what is said when they don't fit."""

import contextlib
import shutil
import ssl
import subprocess
import warnings

import pytest

from edge.readers import ReaderSettings, TlsSettings
from edge.readers.tls import fingerprint
from tests.helpers.fake_reader import FakeReader, report, tag
from tests.helpers.supervised import agent_of

pytestmark = pytest.mark.system("openssl")


def make_certificate(folder, name, *, host="reader.example", issuer=None, bits=2048):
    """Make a key and a certificate, self-signed or signed by `issuer`; return the path without suffix."""
    path = folder / name
    request = ["openssl", "req", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", f"{path}.key", "-subj", f"/CN={host}"]
    extension = [] if issuer is None and host == "ca" else ["-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1"]
    if issuer is None:
        run([*request, "-x509", "-days", "2", "-out", f"{path}.pem", *extension])
        return path
    run([*request, "-out", f"{path}.csr"])
    sign = ["openssl", "x509", "-req", "-in", f"{path}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
    extensions = folder / "san.txt"
    extensions.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
    run([*sign, "-CAcreateserial", "-days", "2", "-out", f"{path}.pem", "-extfile", str(extensions)])
    return path


def run(command):
    subprocess.run(command, check=True, capture_output=True)


def der_fingerprint(path):
    return fingerprint(ssl.PEM_cert_to_DER_cert((path.with_name(path.name + ".pem")).read_text()))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("system program 'openssl', which makes the certificates, is not installed: make system-deps")
    folder = tmp_path_factory.mktemp("certificates")
    authority = make_certificate(folder, "ca", host="ca")
    return {
        "ca": authority,
        "own": make_certificate(folder, "own"),
        "signed": make_certificate(folder, "signed", issuer=authority),
    }


def server_side(path, **changes):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{path}.pem", f"{path}.key")
    for key, value in changes.items():
        setattr(context, key, value)
    return context


@contextlib.asynccontextmanager
async def tls_agent(certificate, tls, **changes):
    async with (
        FakeReader(ssl=server_side(certificate, **changes), on_start=(report(tag()),)) as reader,
        agent_of(reader.port, tls=tls) as agent,
    ):
        yield reader, agent


@pytest.mark.parametrize("link", ["whole", "bytes"])
async def test_a_pinned_certificate_is_trusted_whatever_its_name(certificates, link):
    pin = TlsSettings(fingerprint=der_fingerprint(certificates["own"]))
    async with tls_agent(certificates["own"], pin) as (reader, agent):
        reader.link = link
        await agent.until(lambda agent: agent.supervisor.counters.reads == 1)
        assert agent.supervisor.health().problem == ""


async def test_another_certificate_is_refused_with_the_one_seen(certificates):
    pin = TlsSettings(fingerprint="sha256:" + "0" * 64)
    async with tls_agent(certificates["own"], pin) as (reader, agent):
        problem = (await agent.until_state("lost")).problem
        assert der_fingerprint(certificates["own"]) in problem
        assert "if the reader was replaced or got a new certificate, pin that one" in problem
        assert reader.received == [], "nothing was asked of a stranger"


async def test_a_certificate_that_nothing_vouches_for_is_told_with_what_to_write(certificates):
    async with tls_agent(certificates["own"], TlsSettings()) as (_, agent):
        problem = (await agent.until_state("lost")).problem
        seen = der_fingerprint(certificates["own"])
        assert f'write tls = {{ fingerprint = "{seen}" }}' in problem


async def test_a_certificate_of_the_sites_own_ca_is_trusted(certificates):
    trust = TlsSettings(ca_file=certificates["ca"].with_name("ca.pem"))
    async with tls_agent(certificates["signed"], trust) as (_, agent):
        await agent.until_state("connected")
    async with tls_agent(certificates["own"], trust) as (_, agent):
        assert "ca.pem doesn't vouch for" in (await agent.until_state("lost")).problem


async def test_old_protocols_are_spoken_only_where_the_settings_say_so(certificates):
    pin = TlsSettings(fingerprint=der_fingerprint(certificates["own"]))
    context = server_side(certificates["own"])
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():  # that the standard library warns of TLS 1.0 is the point
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1
    async with FakeReader(ssl=context) as reader:
        async with agent_of(reader.port, tls=pin) as agent:
            problem = (await agent.until_state("lost")).problem
            assert "fails in the TLS handshake" in problem
            assert "if its firmware is old, try legacy = true" in problem
        legacy = TlsSettings(fingerprint=pin.fingerprint, legacy=True)
        async with agent_of(reader.port, tls=legacy) as agent:
            await agent.until_state("connected")


async def test_a_plain_port_is_told_from_a_tls_one(certificates):
    pin = TlsSettings(fingerprint=der_fingerprint(certificates["own"]))
    async with FakeReader() as reader, agent_of(reader.port, tls=pin, connect_timeout_s=3.0) as agent:
        assert "it seems to speak without TLS there" in (await agent.until_state("lost")).problem


async def test_a_tls_port_that_is_dialled_plainly_says_so(certificates):
    async with (
        FakeReader(ssl=server_side(certificates["own"])) as reader,
        agent_of(reader.port, connect_timeout_s=0.3) as agent,
    ):
        assert "sends no LLRP greeting" in (await agent.until_state("lost")).problem


async def test_files_that_are_not_there_are_named(tmp_path):
    async with agent_of(1, tls=TlsSettings(ca_file=tmp_path / "gone.pem")) as agent:
        problem = (await agent.until_state("lost")).problem
        assert "tls.ca_file" in problem
        assert "gone.pem" in problem


def test_a_fingerprint_is_what_openssl_says(certificates):
    path = certificates["own"].with_name("own.pem")
    said = subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.split("=")[1].strip().replace(":", "").lower() == der_fingerprint(certificates["own"])[7:]


def test_settings_choose_the_port():
    assert ReaderSettings(id="r", host="h", antennas=()).tcp_port == 5084
    assert ReaderSettings(id="r", host="h", antennas=(), tls=TlsSettings()).tcp_port == 5085
