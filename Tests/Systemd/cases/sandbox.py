"""What the unit's sandbox allows, and what it costs upstreams."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support import machine, service
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
