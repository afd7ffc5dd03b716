"""systemctl reload, zscaler-mcp reload, SIGHUP."""

from __future__ import annotations

import os
import signal

from support import machine, service
from support.client import Refused
from support.machine import properties, run, wait_until

UNIT = "gatekit.service"


def test_allowlist_edit_is_seen_by_a_client_that_stays_connected() -> None:
    service.write(tools=["echo", "pause"])
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        upstream = machine.children(pid)
        assert client.tools() == ["echo", "pause"]
        service.write(tools=["echo"])
        run("systemctl", "reload", UNIT)
        assert client.tools() == ["echo"]
        try:
            client.call("pause", seconds=0)
            raise AssertionError("the tool that was removed is still allowed")
        except Refused as refusal:
            assert refusal.code == -32000, refusal
        assert machine.children(pid) == upstream, "the upstream was exchanged"
    assert properties(UNIT, "ActiveState", "MainPID", "ReloadResult") == {
        "ActiveState": "active", "MainPID": str(pid), "ReloadResult": "success"}  # fmt: skip


def test_refused_reload_fails_with_the_line_and_changes_nothing() -> None:
    service.write(tools=["echo"])
    service.start()
    good = service.CONFIGURATION.read_text()
    bad = good.replace('"allowlist"', '"allow-list"').replace('"echo"\n', '"pause"\n')
    line = next(number for number, row in enumerate(bad.splitlines(), 1) if "allow-list" in row)
    with service.connect() as client:
        service.CONFIGURATION.write_text(bad)
        assert run("systemctl", "reload", UNIT, check=False).returncode != 0
        status = run("systemctl", "status", "--full", UNIT, check=False).stdout
        assert f"gatekit.yaml:{line}:" in status, status
        shown = properties(UNIT, "ActiveState", "ReloadResult", "StatusErrno", "StatusText")
        assert shown["ActiveState"] == "active", shown
        assert shown["ReloadResult"] == "exit-code", shown
        assert shown["StatusErrno"] != "0", shown
        assert f"gatekit.yaml:{line}:" in shown["StatusText"], shown
        assert client.tools() == ["echo"]
        refused = run("zscaler-mcp", "reload", check=False)
        assert refused.returncode == 1 and f"gatekit.yaml:{line}:" in refused.stdout + refused.stderr, refused
        service.CONFIGURATION.write_text(good)
        run("systemctl", "reload", UNIT)
        assert properties(UNIT, "StatusErrno")["StatusErrno"] == "0"
        assert client.tools() == ["echo"]
    results = [record["status"] for record in service.records("CONFIG_RELOAD")]
    assert results == ["error", "error", "success"], results


def test_reload_without_a_change_does_nothing() -> None:
    service.write()
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        before = machine.children(pid)
        for _ in range(3):
            run("systemctl", "reload", UNIT)
        assert machine.main_pid() == pid and machine.children(pid) == before
        assert client.call("echo", text="still here") == "still here"
    assert len(service.records("CONFIG_RELOAD")) == 3


def edit_as_the_guide_says(old: str, new: str) -> None:
    switch = "ZSCALER_MCP_LOG_TOOL_CALLS"
    run("sed", "-i", f"s/{switch}={old}/{switch}={new}/", str(service.ENVIRONMENT))


def test_tool_call_log_is_switched_on_as_the_guide_says() -> None:
    service.write()
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        start = machine.journal_end()
        client.call("echo", text="unlogged")
        edit_as_the_guide_says("false", "true")
        first = run("zscaler-mcp", "reload").stdout.splitlines()[0]
        assert first == f"Sent SIGHUP to zscaler-mcp (pid={pid}). MCP sessions preserved.", first
        client.call("echo", text="logged", api_token="hush")

        def tool_lines() -> list[str]:
            entries = machine.journal("SYSLOG_IDENTIFIER=gatekit-audit", "MCP_LOG=tool", after=start)
            return [str(entry["MESSAGE"]) for entry in entries]

        wait_until(lambda: len(tool_lines()) >= 2, "both lines of the call are in the journal")
        call, outcome = tool_lines()
        assert call == '[TOOL CALL] echo | args: {text: "logged", api_token: "***REDACTED***"}', call
        assert outcome.startswith("[TOOL OK] echo | "), outcome
        edit_as_the_guide_says("true", "false")
        run("zscaler-mcp", "reload")
        off = machine.journal_end()
        client.call("echo", text="unlogged again")
        # The mirror's own record of that call says when the journal has caught up.
        wait_until(lambda: machine.journal("MCP_EVENT=RESPONSE", "MCP_TOOL=echo", after=off), "the call was recorded")
        assert not machine.journal("MCP_LOG=tool", after=off)
    assert machine.main_pid() == pid


def test_environment_file_with_a_mistake_is_refused_with_its_line() -> None:
    service.write()
    service.start()
    with service.ENVIRONMENT.open("a") as file:
        file.write("ZSCALER_MCP_LOG_TOOL_CALLS=perhaps\n")
    line = len(service.ENVIRONMENT.read_text().splitlines())
    refused = run("zscaler-mcp", "reload", check=False)
    assert refused.returncode == 1, refused
    assert f"gatekit.env:{line}:" in refused.stdout + refused.stderr, refused


def test_after_a_storm_of_signals_the_last_edit_is_in_force() -> None:
    service.write(tools=["echo"])
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        for number in range(1000):
            if number % 100 == 0:
                service.write(tools=["echo", f"tool-{number}"])
            os.kill(pid, signal.SIGHUP)
        service.write(tools=["pause"])
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: client.tools() == ["pause"], "the last edit is in force")
    run("systemctl", "reload", UNIT)
    assert properties(UNIT, "ActiveState", "MainPID", "NRestarts") == {
        "ActiveState": "active", "MainPID": str(pid), "NRestarts": "0"}  # fmt: skip


def test_changed_variable_exchanges_the_upstream_and_keeps_the_sessions() -> None:
    service.write()
    service.start()
    pid = machine.main_pid()
    with service.connect() as client:
        client.tools()
        before = machine.children(pid)
        with service.ENVIRONMENT.open("a") as file:
            file.write("GREETING=hello\n")
        run("systemctl", "reload", UNIT)
        assert '"GREETING": "hello"' in client.call("environment")
        wait_until(lambda: not set(before[-1:]) & set(machine.children(pid)), "the old upstream has ended")
