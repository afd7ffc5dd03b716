"""Certificates of the day, made by openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path


def openssl(directory: Path, *words: str) -> None:
    program = shutil.which("openssl")
    assert program, "no openssl: install the package 'openssl'"
    subprocess.run([program, *words], cwd=directory, check=True, capture_output=True, timeout=30)


class Authority:
    """Signs certificates for localhost, and vouches for them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "authority.pem"
        openssl(
            directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
            "-keyout", "authority.key", "-out", "authority.pem", "-days", "30", "-subj", "/CN=authority",
            "-addext", "keyUsage=critical,keyCertSign",
        )  # fmt: skip

    def issue(self, name: str, into: Path) -> None:
        """`chain.pem` and `key.pem` in `into`; `name` is the certificate's subject."""
        openssl(
            self.directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj", f"/CN={name}",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-CA", "authority.pem", "-CAkey", "authority.key",
        )  # fmt: skip
        shutil.copy(self.directory / f"{name}.pem", into / "chain.pem")
        shutil.copy(self.directory / f"{name}.key", into / "key.pem")
        (into / "key.pem").chmod(0o600)

    def trusted(self) -> ssl.SSLContext:
        """What a client that trusts it connects with."""
        return ssl.create_default_context(cafile=str(self.path))


def subject(connection: ssl.SSLSocket) -> str:
    """Whose certificate the peer has shown."""
    return dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"]  # type: ignore[index]
