"""The real zscaler-mcp behind a gateway, and what its log says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from harness.gateway import Gateway, binary
from harness.processes import MARK
from harness.upstreams import REPOSITORY, program
from harness.waiting import wait_until

START = 120
"""Seconds that the start of the server may take on a busy machine."""

SECRET = "s3cret-of-the-tenant"

ON = "ZSCALER_MCP_LOG_TOOL_CALLS=true\n"
OFF = "ZSCALER_MCP_LOG_TOOL_CALLS=false\n"

CREDENTIALS = f"""\
ZSCALER_CLIENT_ID=client
ZSCALER_CLIENT_SECRET={SECRET}
ZSCALER_VANITY_DOMAIN=example
ZSCALER_CUSTOMER_ID=1
"""
"""Of a tenant that is not there."""

SHIPPED = REPOSITORY / "etc" / "zscaler.yaml"


def tool_lines(gateway: Gateway) -> list[str]:
    """What the guide's own grep finds on stderr."""
    return re.findall(r"^\[TOOL .*$", gateway.log(), re.MULTILINE)


def settled_lines(gateway: Gateway) -> list[str]:
    """The same, once each call on record has its two lines, where the log has been on from the start."""
    calls = len(gateway.audit.records("REQUEST", method="tools/call"))
    wait_until(lambda: len(tool_lines(gateway)) == 2 * calls, f"{calls} calls were logged")
    return tool_lines(gateway)


def reload_as_zscaler(gateway: Gateway) -> None:
    """`zscaler-mcp reload`, by the link of that name."""
    link = gateway.directory / "zscaler-mcp"
    if not link.exists():
        link.symlink_to(binary()[0])
    ended = subprocess.run(
        [link, "reload"], env=gateway.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended
    assert gateway.process
    first = ended.stdout.splitlines()[0]
    assert first == f"Sent SIGHUP to zscaler-mcp (pid={gateway.process.pid}). MCP sessions preserved."


def shipped_text(gateway: Gateway) -> str:
    """etc/zscaler.yaml, with the paths of an installation turned to this gateway's directory and environment."""
    text = SHIPPED.read_text()
    (gateway.directory / "empty").mkdir(exist_ok=True)
    for there, here in [
        ("/opt/zscaler-mcp/bin/zscaler-mcp", program("zscaler", "zscaler-mcp")),
        ("/run/gatekit-sockets/zscaler.sock", str(gateway.socket_path)),
        ("cwd: /var/lib/gatekit/zscaler", f"cwd: {gateway.directory / 'empty'}"),
        ("/var/log/gatekit/zscaler/", f"{gateway.directory}/"),
        ('PYTHON_DOTENV_DISABLED: "1"', f'PYTHON_DOTENV_DISABLED: "1"\n      {MARK}: "{gateway.mark}"'),
        ("connection_timeout: 60", f"connection_timeout: {START}"),
    ]:
        assert there in text, f"{SHIPPED} has no {there}"
        text = text.replace(there, here)
    return text


@contextmanager
def shipped() -> Iterator[Gateway]:
    """The real server as the shipped file runs it, without a tenant; the tool-call log is off."""
    gateway = Gateway([])
    gateway.write_configuration(shipped_text(gateway))
    (gateway.directory / ".env").write_text(OFF)
    try:
        yield gateway.start(START).ready(START)
    finally:
        gateway.close()
