"""An edited configuration is taken over as a whole, without ending a session, or refused as a whole."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.lines import Lines
from harness.upstreams import marked
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def allow(gateway: Gateway, *tools: str) -> None:
    gateway.configuration["plugins"]["security"][0]["config"]["tools"] = list(tools)


def tools_of(client: Lines) -> list[str]:
    return [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]


def notification(client: Lines, method: str) -> dict:
    """The next notification of a method; other messages are put aside."""
    while True:
        message = client.receive()
        assert isinstance(message, dict)
        if message.get("method") == method:
            return message


def has_news(client: Lines) -> bool:
    """Whether a notification came before the answer to a ping that is sent now."""
    answer = client.request("ping")
    assert "result" in answer
    return any("method" in message for message in client.aside)


def test_an_edit_of_the_allowlist_reaches_connected_clients(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    with gateway.session() as client:
        assert tools_of(client) == ["a"]
        assert client.call("b")["error"]["code"] == -32000
        allow(gateway, "a", "b")
        ended = gateway.reload()
        assert ended.stdout.startswith(f"Sent SIGHUP to gatekit (pid={gateway.process.pid}). MCP sessions preserved.\n")
        assert "allowlist: a; priority 50 -> allowlist: a, b; priority 50" in ended.stdout
        notification(client, "notifications/tools/list_changed")
        assert "result" in client.call("b")
        assert tools_of(client) == ["a", "b"]
    (record,) = gateway.audit.records("CONFIG_RELOAD")
    assert record["status"] == "success"
    assert record["config"].startswith("2:")


def test_a_client_whose_tools_stay_the_same_is_told_nothing(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    with gateway.session() as client:
        tools_of(client)
        gateway.configuration["proxy"]["limits"] = {"max_pending_per_session": 7}
        gateway.reload()
        assert not has_news(client)


def test_a_reload_that_finds_nothing_changed_says_so_and_leaves_a_record(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    ended = gateway.run("reload")
    assert ended.returncode == 0
    assert "nothing changed" in ended.stdout
    status = gateway.status()
    assert status["config"]["generation"] == 1
    assert status["last_reload"]["result"] == "unchanged"
    assert len(gateway.audit.records("CONFIG_RELOAD", status="success")) == 1


def broken(gateway: Gateway, how: str) -> None:
    """Makes a mistake in the configuration on disk."""
    path, text = gateway.config_path, gateway.config_path.read_text()
    upstream = gateway.configuration["proxy"]["upstream"]
    match how:
        case "unknown key":
            path.write_text(text.replace('"proxy"', '"bogus": 1, "proxy"', 1))
        case "duplicate key":
            path.write_text(text.replace('"transport"', '"transport": "unix", "transport"', 1))
        case "wrong type":
            gateway.configuration["proxy"]["limits"] = {"max_depth": "deep"}
            gateway.write_configuration()
        case "half written":
            path.write_text(text[: len(text) // 2])
        case "empty":
            path.write_text("")
        case "missing":
            path.unlink()
        case "a directory":
            path.unlink()
            path.mkdir()
        case "binary":
            path.write_bytes(bytes(range(256)) * 8)
        case "huge":
            path.write_text(text + "#" * 2_000_000)
        case "malformed .env":
            (gateway.directory / ".env").write_text("GOOD=1\n=nothing\n")
        case "a switch that is neither on nor off":
            (gateway.directory / ".env").write_text("\nZSCALER_MCP_LOG_TOOL_CALLS=maybe\n")
        case "no such upstream":
            upstream["command"] = ["/does/not/exist"]
            gateway.write_configuration()
        case "an upstream that exits":
            upstream["env"]["MARKED"] = "broken"
            gateway.write_configuration()
        case "an upstream that never answers":
            gateway.configuration["proxy"]["timeouts"] = {"connection_timeout": 1}
            upstream["env"]["MARKED"] = "mute"
            gateway.write_configuration()
        case "a sink that is a directory":
            gateway.configuration["plugins"]["auditing"][0]["config"]["output_file"] = str(gateway.directory)
            gateway.write_configuration()
        case "a socket in no directory":
            gateway.configuration["proxy"]["unix"]["path"] = "/proc/no/such.sock"
            gateway.write_configuration()
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("unknown key", r"gatekit.yaml:2:\d+: unknown key 'bogus'"),
        ("duplicate key", r"gatekit.yaml:\d+:\d+: .*transport"),
        ("wrong type", r"gatekit.yaml:\d+:\d+: .*max_depth"),
        ("half written", r"gatekit.yaml:\d+:\d+: "),
        ("empty", r"gatekit.yaml.*the file is empty"),
        ("missing", r"gatekit.yaml: the configuration file cannot be opened: no such file"),
        ("a directory", r"gatekit.yaml: the configuration file is a directory"),
        ("binary", r"gatekit.yaml"),
        ("huge", r"gatekit.yaml: the configuration file is longer than \d+ bytes"),
        ("malformed .env", r"\.env:2: "),
        ("a switch that is neither on nor off", r"\.env:2: ZSCALER_MCP_LOG_TOOL_CALLS is neither on nor off"),
        ("no such upstream", r"gatekit.yaml:\d+:\d+: .*'/does/not/exist'"),
        ("an upstream that exits", r"upstream: exited with exit 7"),
        ("an upstream that never answers", r"upstream: no handshake within connection_timeout"),
        ("a sink that is a directory", r"audit file .*directory"),
        ("a socket in no directory", r"/proc/no"),
    ],
)
def test_a_mistake_is_refused_as_a_whole(make_gateway: Callable[..., Gateway], how: str, reason: str) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    (gateway.directory / ".env").write_text("")
    gateway.start()
    with gateway.session() as client:
        before = client.call("a")["result"]["structuredContent"]["pid"]
        good = gateway.config_path.read_text()
        allow(gateway, "a", "b")
        gateway.write_configuration()
        broken(gateway, how)
        ended = gateway.run("reload")
        assert ended.returncode == 1, ended
        assert "reload refused, still enforcing generation 1" in ended.stderr
        assert re.search(reason, ended.stderr), ended.stderr
        # The whole edit is refused, the good half of it too.
        assert client.call("b")["error"]["code"] == -32000
        assert client.call("a")["result"]["structuredContent"]["pid"] == before
        assert gateway.status()["last_reload"]["result"] == "refused"
        (record,) = gateway.audit.records("CONFIG_RELOAD")
        assert record["status"] == "error"
        assert record["config"].startswith("1:")
        # And the next good edit is taken.
        if gateway.config_path.is_dir():
            gateway.config_path.rmdir()
        (gateway.directory / ".env").write_text("")
        gateway.config_path.write_text(good.replace('"a"', '"b"'))
        assert gateway.run("reload").returncode == 0
        assert "result" in client.call("b")


def test_a_changed_environment_swaps_the_upstream_behind_living_sessions(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    (gateway.directory / ".env").write_text("MARKED=old\n")
    gateway.start()
    with gateway.session() as client, gateway.session() as other:
        old = client.call("a")["result"]["structuredContent"]
        assert old["marked"] == "old"
        client.send({"jsonrpc": "2.0", "id": "slow", "method": "tools/call",
                     "params": {"name": "a", "arguments": {"delay": 2}}})  # fmt: skip
        wait_until(lambda: gateway.audit.records("REQUEST", request_id="slow"), "the slow call was admitted")
        (gateway.directory / ".env").write_text("MARKED=new\n")
        ended = gateway.run("reload")
        assert ended.returncode == 0, ended
        assert "upstream environment: MARKED" in ended.stdout
        assert "new" not in ended.stdout, "values are never shown"
        for session in (client, other):
            new = session.call("a")["result"]["structuredContent"]
            assert new["marked"] == "new"
            assert new["pid"] != old["pid"]
        slow = client.answer_to("slow")["result"]["structuredContent"]
        assert (slow["marked"], slow["pid"]) == ("old", old["pid"])
        wait_until(lambda: not Path(f"/proc/{old['pid']}").exists(), "the old process ended after its last call")
        # A key that is removed from .env is gone.
        (gateway.directory / ".env").write_text("")
        assert gateway.run("reload").returncode == 0
        assert client.call("a")["result"]["structuredContent"]["marked"] == ""


def test_a_session_with_a_process_of_its_own_gets_the_new_one(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    (gateway.directory / ".env").write_text("MARKED=old\n")
    gateway.start()
    with gateway.session(capabilities={"sampling": {}}) as client:
        old = client.call("a")["result"]["structuredContent"]
        assert old["pid"] != gateway.status()["upstream"]["pid"]
        (gateway.directory / ".env").write_text("MARKED=new\n")
        assert gateway.run("reload").returncode == 0

        def marked_value() -> str:
            return client.call("a")["result"]["structuredContent"]["marked"]

        wait_until(lambda: marked_value() == "new", "the session's own process was replaced")


def test_turning_the_audit_off_leaves_a_record_and_on_again_goes_on_counting(
    make_gateway: Callable[..., Gateway],
) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    sinks = gateway.configuration["plugins"]["auditing"]
    with gateway.session() as client:
        assert "result" in client.call("a", request_id="first")
        gateway.configuration["plugins"]["auditing"] = []
        gateway.reload()
        assert "result" in client.call("a", request_id="unrecorded")
        wait_until(lambda: gateway.audit.records("AUDIT_STOP"), "the sink was closed")
        gateway.configuration["plugins"]["auditing"] = sinks
        gateway.reload()
        assert "result" in client.call("a", request_id="last")
    records = gateway.audit.records()
    assert [r["config"].split(":")[0] for r in gateway.audit.records("CONFIG_RELOAD")] == ["2", "3"]
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    assert set(gateway.audit.requests()) >= {"first", "last"}
    assert "unrecorded" not in gateway.audit.requests()


def test_a_sink_whose_place_was_taken_refuses_the_reload(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    gateway.audit.path.rename(gateway.directory / "moved.log")
    gateway.audit.path.mkdir()
    ended = gateway.run("reload")
    assert ended.returncode == 1, ended
    assert f"audit file {gateway.audit.path}: it is a directory" in ended.stderr
    gateway.audit.path.rmdir()
    assert gateway.run("reload").returncode == 0
    with gateway.session() as client:
        wait_until(lambda: "result" in client.call("a"), "the gate opened again")
    gateway.close(verify=False)


def test_another_format_begins_another_file(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"], audit={"backup_count": 3}).start()
    with gateway.session() as client:
        assert "result" in client.call("a", request_id="in json")
        gateway.configuration["plugins"]["auditing"][0]["config"]["format"] = "line"
        gateway.reload()
        assert "result" in client.call("a", request_id="in line")
    rotated = Path(f"{gateway.audit.path}.1")
    assert rotated.exists()
    assert " - REQUEST: tools/call - a - ALLOWED" in gateway.audit.path.read_text()
    assert '"request_id": "in json"' in rotated.read_text()
    gateway.close(verify=False)


def test_a_new_door_opens_and_sessions_of_the_old_one_live_on(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    with gateway.session() as client:
        old = gateway.socket_path
        gateway.socket_path = gateway.directory / "other.sock"
        gateway.configuration["proxy"]["unix"]["path"] = str(gateway.socket_path)
        gateway.reload()
        assert not old.exists()
        with gateway.session() as newcomer:
            assert "result" in newcomer.call("a")
        assert "result" in client.call("a")


def test_after_a_storm_of_signals_the_last_edit_is_in_force(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    assert gateway.process
    with gateway.session() as client:
        for number in range(1000):
            if number % 100 == 0:
                allow(gateway, "a", "b") if number % 200 else allow(gateway, "a")
                gateway.write_configuration()
            gateway.process.send_signal(signal.SIGHUP)
        allow(gateway, "b")
        gateway.write_configuration()
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "result" in client.call("b"), "the last edit was in force")
        wait_until(lambda: gateway.status()["state"] == "running", "the storm was over")
        assert client.call("a")["error"]["code"] == -32000
    assert len(gateway.audit.records("CONFIG_RELOAD")) <= 1001


def test_a_signal_during_the_start_is_served_after_it(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    gateway.process = gateway.spawn(stdin=-3, stdout=-3)
    control = gateway.directory / "gatekit.pid"
    wait_until(control.exists, "commands can find it")
    allow(gateway, "a", "b")
    gateway.write_configuration()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.status()["last_reload"], "the reload came after the start")
    assert gateway.status()["config"]["generation"] == 2


def test_a_signal_during_the_end_does_not_disturb_it(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    assert gateway.process
    with gateway.session() as client:
        client.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                     "params": {"name": "a", "arguments": {"delay": 1}}})  # fmt: skip
        wait_until(lambda: gateway.audit.records("REQUEST", method="tools/call"), "the call was admitted")
        gateway.process.send_signal(signal.SIGTERM)
        for _ in range(20):
            gateway.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        assert "result" in client.answer_to(1)
    assert gateway.process.wait(20) == 0
    gateway.process = None


def test_a_refused_reload_rotates_nothing(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"], audit={"backup_count": 2}).start()
    sinks = gateway.configuration["plugins"]["auditing"]
    with gateway.session() as client:
        client.call("a", request_id="kept")
        for _ in range(4):
            sinks[0]["config"]["format"] = "line"
            sinks[1:] = [{"policy": "file_auditing", "config": {"output_file": "/proc/no/audit.log"}}]
            gateway.write_configuration()
            assert gateway.run("reload").returncode == 1
    assert not Path(f"{gateway.audit.path}.1").exists()
    assert "kept" in gateway.audit.requests()


def test_nobody_comes_in_through_a_door_that_a_reload_did_not_bring(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    gateway.configuration["proxy"]["timeouts"] = {"connection_timeout": 2}
    gateway.write_configuration()
    gateway.start().ready()
    other = gateway.directory / "other.sock"
    gateway.configuration["proxy"]["unix"]["path"] = str(other)
    gateway.configuration["proxy"]["upstream"]["env"]["MARKED"] = "mute"
    gateway.write_configuration()
    assert gateway.process
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(other.exists, "the reload took the new path")
    with pytest.raises(ConnectionRefusedError):
        Lines.over_unix(other)
    wait_until(lambda: (gateway.status()["last_reload"] or {}).get("result") == "refused", "it was refused")
    assert not other.exists()
    with gateway.session() as client:
        assert "result" in client.call("a")


def test_the_last_door_is_never_closed(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"]).start()
    gateway.configuration["proxy"]["transport"] = "stdio"
    gateway.write_configuration()
    ended = gateway.run("reload")
    assert ended.returncode == 1
    assert "no door would be left" in ended.stderr
    with gateway.session() as client:
        assert "result" in client.call("a")
