"""The commands that find, ask, end and restart a running gateway."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.upstreams import marked
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def test_status_says_how_it_is(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    assert gateway.process
    with gateway.session() as client:
        client.call("a")
        status = gateway.status()
        assert status["pid"] == gateway.process.pid
        assert status["state"] == "running"
        assert status["sessions"] == 1
        assert status["config"]["generation"] == 1
        assert status["config_path"] == str(gateway.config_path)
        assert status["upstream"]["state"] == "ready"
        assert Path(f"/proc/{status['upstream']['pid']}").exists()
        assert status["env"] == {"source": "none", "path": None}
        (sink,) = status["audit"]
        assert sink["name"] == str(gateway.audit.path)
        assert sink["records"] == len(gateway.audit.lines())
        text = gateway.run("status")
        assert text.returncode == 0
        assert str(gateway.process.pid) in text.stdout
    control = gateway.directory / "gatekit.control"
    assert stat.S_IMODE(control.stat().st_mode) == 0o600


@pytest.mark.parametrize("command", ["reload", "status", "stop", "restart"])
def test_without_a_daemon_every_command_says_where_it_looked(
    make_gateway: Callable[..., Gateway], command: str
) -> None:
    gateway = make_gateway(marked())
    gateway.killed = gateway.closed = True  # nothing was started
    ended = gateway.run(command)
    assert ended.returncode == 3, ended
    assert f"{gateway.directory}/gatekit.pid" in ended.stderr


def test_stop_waits_for_the_clean_end(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    process, gateway.process = gateway.process, None
    assert process
    ended = gateway.run("stop")
    assert ended.returncode == 0, ended
    assert process.wait(5) == 0
    assert not (gateway.directory / "gatekit.pid").exists()
    assert gateway.audit.records("AUDIT_STOP")


def test_restart_keeps_the_pid_and_takes_a_new_program_image(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    assert gateway.process
    before = gateway.status()
    with gateway.session() as client:
        ended = gateway.run("restart")
        assert ended.returncode == 0, ended
        assert client.receive() is None, "sessions end cleanly"
    after = gateway.status()
    assert after["pid"] == before["pid"] == gateway.process.pid
    assert after["started_at"] > before["started_at"]
    assert after["upstream"]["pid"] != before["upstream"]["pid"]
    with gateway.session() as client:
        assert "result" in client.call("a")
    assert len({record["run"] for record in gateway.audit.records()}) == 2
    # The lock came along: a second daemon is still refused.
    second = subprocess.run(
        gateway.command, env=gateway.environment, cwd=gateway.directory, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert f"pid {gateway.process.pid}" in second.stderr


def test_a_restart_that_could_not_start_is_refused(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    assert gateway.process
    with gateway.session() as client:
        gateway.config_path.write_text("proxy: {\n")
        gateway.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: "restart refused" in gateway.log(), "the refusal was logged")
        assert "result" in client.call("a")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "{}",
        json.dumps({"pid": 1}),
        json.dumps({"pid": os.getpid(), "start_time": 1}),
        '{"pid": 999999999, "start_time": 1}',
    ],
)
def test_a_pid_file_that_lies_is_never_believed(make_gateway: Callable[..., Gateway], content: str) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    (gateway.directory / "gatekit.pid").write_text(content)
    for command in ("reload", "stop", "restart", "status"):
        ended = gateway.run(command)
        assert ended.returncode in (1, 3), ended
        assert "gatekit.pid" in ended.stderr
    # And a start replaces it.
    gateway.start()
    wait_until(lambda: gateway.run("status").returncode == 0, "the new PID file is true")


def test_a_named_file_that_is_no_pid_file_is_never_touched(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    notes = gateway.directory / "notes.txt"
    notes.write_text("important")
    ended = gateway.run("--config", str(gateway.config_path), "--pid-file", str(notes))
    assert ended.returncode == 1
    assert f"--pid-file {notes} exists and is no PID file" in ended.stderr
    assert notes.read_text() == "important"
    gateway.killed = gateway.closed = True  # it never served


def test_a_killed_daemon_leaves_a_pid_file_that_nobody_believes(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    gateway.kill()
    assert (gateway.directory / "gatekit.pid").exists()
    assert gateway.run("status").returncode == 3
    gateway.start()
    assert gateway.status()["state"] == "running"


def test_a_stdio_gateway_can_be_reloaded_too(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), door="stdio", tools=["a"])
    with gateway.stdio() as client:
        client.handshake()
        assert client.call("b")["error"]["code"] == -32000
        gateway.configuration["plugins"]["security"][0]["config"]["tools"] = ["b"]
        gateway.write_configuration()
        ended = gateway.run("reload")
        assert ended.returncode == 0, ended
        assert "result" in client.call("b")


def test_two_stdio_gateways_are_listed_and_chosen_by_their_configuration(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), door="stdio", tools=["a"])
    with gateway.stdio() as first, gateway.stdio() as second:
        first.handshake()
        second.handshake()
        ended = gateway.run("status")
        assert ended.returncode == 1, ended
        assert "--pid-file" in ended.stderr
        (one, _other) = sorted(gateway.directory.glob("*.pid"))
        assert gateway.run("status", "--pid-file", str(one)).returncode == 0


def test_a_restart_that_is_refused_says_why_at_once(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start().ready()
    with gateway.session() as client:
        gateway.config_path.write_text("proxy: {\n")
        ended = gateway.run("restart")
        assert ended.returncode == 1, ended
        assert "restart refused" in ended.stderr
        assert "gatekit.yaml:" in ended.stderr
        assert "result" in client.call("a")


def test_a_termination_during_a_restart_wins(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start().ready()
    assert gateway.process
    with gateway.session() as client:
        client.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                     "params": {"name": "a", "arguments": {"delay": 2}}})  # fmt: skip
        wait_until(lambda: gateway.audit.records("REQUEST", method="tools/call"), "the call was admitted")
        gateway.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: "Restarting" in gateway.log(), "the restart began")
        gateway.process.send_signal(signal.SIGTERM)
        assert "result" in client.answer_to(1)
    assert gateway.process.wait(20) == 0
    gateway.process = None


def test_a_restart_follows_a_pid_file_that_moved(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    old, new = gateway.directory / "old.pid", gateway.directory / "new.pid"
    dotenv = gateway.directory / ".env"
    dotenv.write_text(f"ZSCALER_MCP_PID_FILE={old}\n")
    gateway.process = gateway.spawn(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    pid = gateway.process.pid

    def status(place: Path) -> dict | None:
        ended = gateway.run("status", "--json", "--pid-file", str(place))
        return json.loads(ended.stdout) if ended.returncode == 0 else None

    wait_until(lambda: (found := status(old)) and found["upstream"]["state"] == "ready", "it was up")
    dotenv.write_text(f"ZSCALER_MCP_PID_FILE={new}\n")
    reloaded = gateway.run("reload", "--pid-file", str(old))
    assert reloaded.returncode == 0, reloaded
    assert "ZSCALER_MCP_PID_FILE" in reloaded.stdout
    gateway.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: status(new), "the new image was at the new place")
    assert status(new)["pid"] == pid
    assert not old.exists()
