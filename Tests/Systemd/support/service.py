"""The installed service: its configuration, and how it stands at the beginning of a case."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .client import Client
from .machine import run

CONFIGURATION = Path("/etc/gatekit/gatekit.yaml")
ENVIRONMENT = Path("/etc/gatekit/gatekit.env")
SOCKET = "/run/gatekit-sockets/mcp.sock"
AUDIT = Path("/var/log/gatekit/audit.log")
STATE = Path("/var/lib/gatekit")
UPSTREAM = ["/usr/bin/python3", "/payload/upstreams/echo.py"]

_shipped: dict[Path, bytes] = {}


def remember_shipped_files() -> None:
    for path in (CONFIGURATION, ENVIRONMENT):
        _shipped[path] = path.read_bytes()


def reset() -> None:
    """Stops everything and puts back what the package installed."""
    stop = ["gatekit.socket", "gatekit.service", "gatekit@*.socket", "gatekit@*.service"]
    run("systemctl", "stop", *stop, timeout=90)
    for directory in Path("/etc/systemd/system").glob("gatekit*.d"):
        shutil.rmtree(directory)
    for path in Path("/etc/gatekit").iterdir():
        if path not in _shipped:
            path.unlink()
    for path, content in _shipped.items():
        path.write_bytes(content)
    for path in Path("/var/log/gatekit").iterdir():
        path.unlink()
    for path in STATE.iterdir():
        if path.name != "files":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed")


def write(
    path: Path = CONFIGURATION, *, upstream: dict | None = None, tools: list[str] | None = None, socket: str = SOCKET,
    proxy: dict | None = None, audit: Path = AUDIT,
) -> None:
    """Writes a configuration in place: JSON, which is YAML too. `upstream` and `proxy` are laid over the defaults;
    without `tools` all are allowed."""
    policy = {"mode": "allowlist", "tools": tools} if tools is not None else {"mode": "allow_all"}
    content = {
        "proxy": {
            "transport": "unix",
            "unix": {"path": socket},
            "upstream": {"name": "echo", "command": UPSTREAM, **(upstream or {})},
            **(proxy or {}),
        },
        "plugins": {
            "security": [{"policy": "tool_allowlist", "config": policy}],
            "auditing": [
                {"policy": "file_auditing", "config": {"output_file": str(audit)}},
                {"policy": "journal_auditing"},
            ],
        },
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    path.chmod(0o640)
    shutil.chown(path, "root", "gatekit")


def start(unit: str = "gatekit.service") -> None:
    run("systemctl", "start", unit)


def connect() -> Client:
    return Client(SOCKET)


def records(event: str | None = None) -> list[dict]:
    """The audit file."""
    parsed = [json.loads(line) for line in AUDIT.read_text().splitlines()]
    return [record for record in parsed if event in (None, record["event_type"])]
