"""Start, status, restart and stop."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from support import machine, service
from support.client import Client, Gone, Refused
from support.machine import properties, run, show, wait_until

PID_FILE = Path("/run/gatekit/gatekit.pid")


def test_active_only_when_the_upstream_has_answered() -> None:
    go = service.STATE / "go"
    service.write(upstream={"command": [*service.UPSTREAM, "--wait-for", str(go)]})
    run("systemctl", "start", "--no-block", "gatekit.service")
    wait_until(lambda: Path(f"{go}.waiting").exists(), "the upstream was asked to initialize")
    assert show("gatekit.service", "ActiveState") == "activating"
    go.touch()
    wait_until(lambda: show("gatekit.service", "ActiveState") == "active", "active")
    with service.connect() as client:
        assert client.call("echo", text="hello") == "hello"


def test_start_fails_visibly_when_the_upstream_cannot_be_started() -> None:
    service.write(upstream={"command": ["/usr/bin/no-such-server"]})
    machine.drop_in("gatekit.service", "once.conf", "[Service]\nRestart=no\n")
    before = machine.journal_end()
    assert run("systemctl", "start", "gatekit.service", check=False).returncode != 0
    assert show("gatekit.service", "ActiveState") == "failed"
    text = " ".join(str(entry["MESSAGE"]) for entry in machine.journal("-u", "gatekit.service", after=before))
    assert "/usr/bin/no-such-server" in text, text


def test_start_fails_visibly_with_the_line_of_a_mistake() -> None:
    service.write()
    text = service.CONFIGURATION.read_text().replace('"transport"', '"transprot"')
    service.CONFIGURATION.write_text(text)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "transprot" in row)
    machine.drop_in("gatekit.service", "once.conf", "[Service]\nRestart=no\n")
    assert run("systemctl", "start", "gatekit.service", check=False).returncode != 0
    status = run("systemctl", "status", "--full", "gatekit.service", check=False).stdout
    assert f"gatekit.yaml:{line}:" in status, status


def test_status_text_says_how_things_stand() -> None:
    service.write()
    service.start()
    text = show("gatekit.service", "StatusText")
    print(f"# {text}")
    assert len(text) > 10, text
    assert "upstream" in text.lower() or "session" in text.lower(), text


def test_status_command_agrees_with_systemd() -> None:
    service.write()
    assert run("gatekit", "status", check=False).returncode == 3
    service.start()
    status = json.loads(run("gatekit", "status", "--json").stdout)
    assert status["pid"] == machine.main_pid(), status
    assert json.loads(PID_FILE.read_text())["pid"] == machine.main_pid()


def test_restart_keeps_the_process_and_renews_the_program() -> None:
    service.write()
    service.start()
    pid = machine.main_pid()
    born, before = machine.start_time(pid), json.loads(PID_FILE.read_text())
    run("zscaler-mcp", "restart")
    assert machine.main_pid() == pid
    assert machine.start_time(pid) == born, "another process has the same id"
    wait_until(lambda: json.loads(PID_FILE.read_text())["started_at"] != before["started_at"], "a new start on record")
    wait_until(lambda: show("gatekit.service", "ActiveState") == "active", "ready again")
    assert show("gatekit.service", "NRestarts") == "0"
    with service.connect() as client:
        assert client.call("echo", text="again") == "again"
    run("systemctl", "reload", "gatekit.service")


def test_stop_answers_what_is_under_way_and_leaves_nothing() -> None:
    service.write()
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        client.call("spawn_stubborn")
        slow = client.begin("tools/call", {"name": "pause", "arguments": {"seconds": 0.5}})
        wait_until(lambda: len(service.records("REQUEST")) >= 3, "the slow call was admitted")
        began = time.monotonic()
        run("systemctl", "stop", "gatekit.service")
        assert time.monotonic() - began < 20
        try:
            client.answer(slow)
        except Refused as refusal:
            assert refusal.code == -32603, refusal
        try:
            client.tools()
            raise AssertionError("the session outlived the service")
        except Gone:
            pass
    shown = properties("gatekit.service", "Result", "ActiveState", "ExecMainStatus")
    assert shown == {"Result": "success", "ActiveState": "inactive", "ExecMainStatus": "0"}, shown
    assert not machine.processes_of("gatekit"), machine.processes_of("gatekit")
    assert not Path(f"/proc/{pid}").exists()
    assert not PID_FILE.exists()
    records = service.records()
    assert records[-1]["event_type"] == "AUDIT_STOP", records[-1]
    assert len(service.records("REQUEST")) == len(service.records("RESPONSE"))


def test_kill_nine_leaves_no_process_and_the_service_comes_back() -> None:
    service.write()
    service.start()
    with service.connect() as client:
        client.call("spawn_stubborn")
    old, pid = set(machine.processes_of("gatekit")), machine.main_pid()
    machine.signal_process(pid, signal.SIGKILL)
    wait_until(lambda: show("gatekit.service", "NRestarts") == "1", "restarted")
    wait_until(lambda: show("gatekit.service", "ActiveState") == "active", "active again")
    assert machine.main_pid() != pid
    assert not old & set(machine.processes_of("gatekit")), machine.processes_of("gatekit")
    with Client(service.SOCKET) as client:
        assert client.call("echo", text="back") == "back"
