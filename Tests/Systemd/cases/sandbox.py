"""What the unit's sandbox allows, and what it costs upstreams."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from support import machine, service
from support.client import Client
from support.machine import Skip, run

WORST_SCORE = 1.3


def test_security_score_of_the_loaded_units() -> None:
    for unit in ("gatekit.service", "gatekit@one.service"):
        shown = run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
        match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", shown)
        assert match, shown
        print(f"# {unit}: {match[1]}")
        assert float(match[1]) <= WORST_SCORE, f"{unit}: {match[1]}"


def test_python_upstream() -> None:
    service.write()
    service.start()
    with service.connect() as client:
        assert client.call("do_python_things").startswith("3.")
    assert (service.STATE / "written").exists()


def test_node_upstream() -> None:
    if not Path("/payload/node").exists():
        raise Skip("no node on the host")
    service.write(upstream={"command": ["/payload/node", "/payload/upstreams/echo.mjs"]})
    service.start()
    with service.connect() as client:
        assert client.call("do_node_things").endswith("true hello")


def test_upstream_does_not_learn_what_systemd_told_the_gateway() -> None:
    service.write()
    service.start()
    with service.connect() as client:
        names = json.loads(client.call("environment"))
    told = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM"}
    assert not told & set(names), told & set(names)
    assert names["HOME"] == "/var/lib/gatekit"


def test_upstream_inherits_no_socket_of_the_gateway() -> None:
    service.write()
    service.start()
    with service.connect() as client:
        client.tools()
        upstream = [pid for pid, line in machine.processes_of("gatekit").items() if "echo.py" in line]
        assert len(upstream) == 1, machine.processes_of("gatekit")
        listeners = listening_inodes()
        held = {link.readlink().name for link in Path(f"/proc/{upstream[0]}/fd").iterdir()}
        assert not {f"socket:[{inode}]" for inode in listeners} & held, held


def listening_inodes() -> list[str]:
    """Inodes of the Unix sockets that listen: flag __SO_ACCEPTCON."""
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return [row[6] for row in rows if int(row[3], 16) & 0x10000]


def test_log_holds_only_what_the_gateway_and_its_upstream_say() -> None:
    service.write()
    before = machine.journal_end()
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        client.call("echo", text="x")
    run("systemctl", "reload", "gatekit.service")
    run("systemctl", "stop", "gatekit.service")
    run("journalctl", "--sync")
    entries = machine.journal("SYSLOG_IDENTIFIER=gatekit", after=before)
    # The reload command speaks there too, as people expect it of a command.
    own = [entry for entry in entries if entry.get("_PID") == str(pid)]
    assert own, f"nothing of process {pid} in {entries}"
    # Our own lines come by the native protocol, or on stderr with their level in brackets.
    by_stderr = [str(entry["MESSAGE"]) for entry in own if entry["_TRANSPORT"] == "stdout"]
    strange = [line for line in by_stderr if not line.startswith("[")]
    assert not strange, strange


def test_credentials_reach_the_upstream_as_a_file() -> None:
    secret = Path("/etc/gatekit/api-token")
    secret.write_text("s3cret-value")
    secret.chmod(0o600)
    shipped = Path("/usr/share/doc/gatekit/drop-ins/credentials.conf").read_text()
    machine.drop_in("gatekit.service", "credentials.conf", shipped)
    service.write(upstream={"env": {"API_TOKEN_FILE": "${CREDENTIALS_DIRECTORY}/api-token"}})
    service.start()
    with service.connect() as client:
        assert client.call("read_file_named_by", variable="API_TOKEN_FILE") == "s3cret-value"
        assert "s3cret-value" not in client.call("environment")


def test_zscaler_file_runs_as_an_instance_with_its_drop_in() -> None:
    documents = Path("/usr/share/doc/gatekit")
    for name, text, mode in [
        ("zscaler.yaml", (documents / "zscaler.yaml").read_text(), 0o640),
        ("zscaler.env", "ZSCALER_CLIENT_ID=of-the-env\n", 0o640),
        ("zscaler-client-secret", "s3cret-value\n", 0o600),
    ]:
        path = Path("/etc/gatekit", name)
        path.write_text(text)
        path.chmod(mode)
        shutil.chown(path, "root", "gatekit" if mode == 0o640 else "root")
    machine.drop_in("gatekit@zscaler.service", "zscaler.conf", (documents / "drop-ins/zscaler.conf").read_text())
    # Says in its directory how it was started; the real server is not in this machine.
    server = Path("/opt/zscaler-mcp/bin/zscaler-mcp")
    server.parent.mkdir(parents=True)
    server.write_text(
        '#!/bin/sh\nprintenv >environment; echo "$@" >options\nexec /usr/bin/python3 /payload/upstreams/echo.py\n')
    server.chmod(0o755)
    try:
        service.start("gatekit@zscaler.service")
        with Client("/run/gatekit-sockets/zscaler.sock") as client:
            assert client.tools() == []  # none of them lists or gets
        directory = Path("/var/lib/gatekit/zscaler")
        seen = set((directory / "environment").read_text().splitlines())
        wanted = {"ZSCALER_CLIENT_ID=of-the-env", "ZSCALER_CLIENT_SECRET=s3cret-value", "PYTHON_DOTENV_DISABLED=1"}
        assert wanted <= seen, seen
        assert not [line for line in seen if line.startswith("CREDENTIALS_DIRECTORY=")]
        assert (directory / "options").read_text() == "--no-entitlement-filter --pid-file server.pid\n"
        shown = machine.properties("gatekit@zscaler.service", "IPAddressDeny")
        assert shown["IPAddressDeny"] == "", shown
        audit = Path("/var/log/gatekit/zscaler/audit.log").read_text()
        assert '"TOOLS_FILTERED"' in audit and "s3cret-value" not in audit
        assert "s3cret-value" not in run("gatekit", "status", "--json", "--instance", "zscaler").stdout
        reloaded = run("zscaler-mcp", "reload").stdout
        assert reloaded.startswith("Sent SIGHUP to zscaler-mcp (pid="), reloaded
    finally:
        run("systemctl", "stop", "gatekit@zscaler.service", "gatekit@zscaler.socket")
        run("rm", "-rf", "/var/log/gatekit/zscaler", "/opt/zscaler-mcp")
