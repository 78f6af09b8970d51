"""Certificates of simulated readers: self-signed, made anew for each run."""

import ssl
import subprocess
import warnings
from hashlib import sha256


class Certificate:
    """A self-signed certificate with its key, in files of a folder."""

    def __init__(self, folder, name) -> None:
        self.file, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", self.key, "-out", self.file]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command = ["openssl", "req", "-x509", *curve, "-nodes", "-days", "2", *names, *files]
        subprocess.run([str(word) for word in command], check=True, capture_output=True)

    @property
    def fingerprint(self):
        """As it stands in configurations."""
        return "sha256:" + sha256(ssl.PEM_cert_to_DER_cert(self.file.read_text())).hexdigest()

    def server(self):
        """A context for a reader that is dialled."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def old_server(self):
        """A context for a reader whose firmware knows TLS 1.0 alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = ssl.TLSVersion.TLSv1
        context.load_cert_chain(self.file, self.key)
        return context

    def client(self):
        """A context for a reader that dials, shows this certificate and asks nobody for theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(self.file, self.key)
        return context
