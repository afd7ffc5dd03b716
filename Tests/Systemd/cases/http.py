"""Streamable HTTP from within the unit's sandbox: who is let in, and from where."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import shutil
import socket
import struct
from pathlib import Path

from support import service
from support.machine import run

PORT = 8080
TOKENS = Path("/etc/gatekit/tokens")
ADDRESS = "10.99.0.1"
DROP_IN = Path("/usr/share/doc/gatekit/drop-ins/http-clients.conf")


def write(**http_settings: object) -> None:
    tokens("alice", "bob")
    settings = {"port": PORT, "tokens_file": str(TOKENS), **http_settings}
    service.write(proxy={"transport": ["unix", "http"], "http": settings})


def tokens(*names: str) -> None:
    """A file with a token of each name: the name itself, doubled."""
    lines = [f"{name}:{hashlib.sha256((name * 2).encode()).hexdigest()}\n" for name in names]
    TOKENS.write_text("".join(lines))
    TOKENS.chmod(0o640)
    shutil.chown(TOKENS, "root", "gatekit")


def ask(
    message: dict, name: str | None, *, session: str | None = None, host: str = "127.0.0.1"
) -> tuple[int, dict, str | None]:
    """Status, body and session of a POST."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if name:
        headers["Authorization"] = f"Bearer {name * 2}"
    if session:
        headers["Mcp-Session-Id"] = session
    connection = http.client.HTTPConnection(host, PORT, timeout=5)
    try:
        connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", **message}), headers)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body else {}, answer.getheader("Mcp-Session-Id")
    finally:
        connection.close()


def initialize(name: str | None, host: str = "127.0.0.1") -> tuple[int, dict, str | None]:
    info = {"name": "systemd tests", "version": "1"}
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info}
    return ask({"id": 1, "method": "initialize", "params": params}, name, host=host)


def tools(name: str, session: str) -> int:
    return ask({"id": 2, "method": "tools/list"}, name, session=session)[0]


def add_address() -> None:
    """Gives this machine an address that is not 127.0.0.1. netdevice(7), SIOCSIFADDR."""
    address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8916, struct.pack("16s", b"lo:1") + address)


def test_tokens_are_reloaded_with_everything_else() -> None:
    write()
    service.start()
    sessions = {}
    for name in ("alice", "bob"):
        status, _, session = initialize(name)
        assert status == 200 and session, (name, status)
        sessions[name] = session
    assert initialize("mallory")[0] == 401
    assert initialize(None)[0] == 401
    assert tools("alice", sessions["bob"]) == 404
    tokens("alice")
    run("systemctl", "reload", "gatekit")
    assert tools("alice", sessions["alice"]) == 200
    assert tools("bob", sessions["bob"]) == 401
    assert initialize("bob")[0] == 401
    blocks = [record["plugin"] for record in service.records("SECURITY_BLOCK")]
    assert set(blocks) == {"http_guard"}, blocks
    assert "alicealice" not in service.AUDIT.read_text()


def test_a_broken_tokens_file_refuses_the_reload() -> None:
    write()
    service.start()
    TOKENS.write_text("alice:nonsense\n")
    refused = run("systemctl", "reload", "gatekit", check=False)
    assert refused.returncode != 0
    assert f"{TOKENS}:1" in run("journalctl", "-u", "gatekit", "--no-pager").stdout
    assert initialize("alice")[0] == 200


def test_beyond_loopback_with_its_drop_in() -> None:
    add_address()
    directory = Path("/etc/systemd/system/gatekit.service.d")
    directory.mkdir()
    shutil.copy(DROP_IN, directory)
    run("systemctl", "daemon-reload")
    write(host="0.0.0.0", allowed_hosts=[ADDRESS])
    service.start()
    status, _, session = initialize("alice", host=ADDRESS)
    assert status == 200 and session
    # Nobody is let in by a name that nobody named.
    write(host="0.0.0.0")
    run("systemctl", "reload", "gatekit")
    assert initialize("alice", host=ADDRESS)[0] == 403
