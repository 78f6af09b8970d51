"""A look at what is no reader: a wrong port, a wrong cable, or a reader that is only half there."""

import ssl
import subprocess
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest

from edge.readers.errors import NotAnLlrpReaderError, ReaderClosedError, ReaderSilentError, ReaderUnreachableError
from edge.readers.probe import ProbeSettings, probe
from tests.helpers.fake_reader import attempt
from tests.helpers.supervised import port_that


async def look_at(port, timeout_s=5.0):
    """Look at a port of this machine."""
    return await probe(ProbeSettings(host="127.0.0.1", port=port, timeout_s=timeout_s), now_us=lambda: 0)


@asynccontextmanager
async def stranger(greeting=b"", answer=b"", tls=None, *, hang_up=False):
    """A port that no LLRP reader serves."""

    async def serve(stream, writer):
        writer.write(greeting)
        if not hang_up and await stream.read(100):
            writer.write(answer)
            await stream.read(100)
        writer.close()
        await writer.wait_closed()

    async with port_that(serve, tls=tls) as port:
        yield port


def tls_context(folder):
    """A server's context with a throw-away certificate."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=reader"]
    subprocess.run(
        ["openssl", "req", "-x509", *words, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"answer": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "speaks HTTP"),
        ({"greeting": b"SSH-2.0-dropbear\r\n"}, "speaks SSH"),
        ({"greeting": b"\xff\xfb\x01"}, "speaks Telnet"),
        ({"greeting": bytes.fromhex("a55a00098d01")}, "something that begins with a5 5a 00 09 8d 01"),
        ({}, "sends no LLRP greeting within 0.2 s"),
        ({"hang_up": True}, "before it greeted us: does it serve another client"),
    ],
)
async def test_what_is_no_reader_is_said_to_be_what_it_is(how, words):
    """A wrong port or cable."""
    async with stranger(**how) as other:
        with pytest.raises(NotAnLlrpReaderError if "hang_up" not in how else Exception, match=words):
            await look_at(other, timeout_s=0.2)


@pytest.mark.parametrize("hang_up", [False, True])
@pytest.mark.parametrize(("bytes_sent", "length"), [(15, "32"), (4, "at least 10")])
async def test_half_a_greeting_is_llrp_all_the_same(hang_up, bytes_sent, length):
    """A network that loses packets, or a reader that is starting."""
    async with stranger(attempt()[:bytes_sent], hang_up=hang_up) as other:
        words = f"began an LLRP message of {length} bytes and stopped after {bytes_sent}: network or reader?"
        with pytest.raises(ReaderClosedError if hang_up else ReaderSilentError, match=words):
            await look_at(other, timeout_s=0.2)


@pytest.mark.system("openssl")
async def test_tls_port_is_named(tmp_path):
    """LLRP over TLS, or any other TLS."""
    async with stranger(tls=tls_context(tmp_path)) as other:
        with pytest.raises(NotAnLlrpReaderError, match="speaks TLS, which probe does not") as told:
            await look_at(other, timeout_s=1.0)
    certificate = ssl.PEM_cert_to_DER_cert((tmp_path / "certificate.pem").read_text())
    assert f'write tls = {{ fingerprint = "sha256:{sha256(certificate).hexdigest()}" }}' in str(told.value)


async def test_nobody_at_the_address_is_said_so():
    """Refused by the host."""
    with pytest.raises(ReaderUnreachableError, match="check power, cable, address and port"):
        await look_at(1)
