"""A certificate authority of a test's own: certificates for brokers and gateways, as files."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

UNUSED = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """Signs certificates; its own stands in `ca_file`."""

    def __init__(self, directory) -> None:
        self._dir, self._key = directory, ec.generate_private_key(ec.SECP256R1())
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self._signed("Test authority", self._key, days=30, ca=True))

    def pair(self, name, *, days=30.0, begin_days=-60.0, common_name="localhost"):
        """Write `name`.pem and `name`.key and return their paths; files there are replaced one after the other."""
        key = ec.generate_private_key(ec.SECP256R1())
        paths = self._dir / f"{name}.pem", self._dir / f"{name}.key"
        texts = self._signed(common_name, key, days=days, begin_days=begin_days), _key_pem(key)
        for path, text in zip(paths, texts, strict=True):
            beside = path.with_suffix(".new")
            beside.write_bytes(text)
            beside.replace(path)
        return paths

    def _signed(self, common_name, key, *, days, begin_days=-60.0, ca=False):
        now = datetime.now(UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        mine = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        usage = dict.fromkeys(UNUSED, False)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name("Test authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begin_days))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(mine, critical=False)
            .add_extension(signer, critical=False)
            .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, **usage), critical=True)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
