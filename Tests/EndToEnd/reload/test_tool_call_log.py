"""The tool-call log: off by default, switched by `.env` on a running server, one line per record."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from harness.gateway import Gateway, binary
from harness.upstreams import marked
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

OFF = "# switches\nZSCALER_MCP_LOG_TOOL_CALLS=false\n"


def tool_lines(gateway: Gateway) -> list[str]:
    """What the guide's own grep finds."""
    return re.findall(r"^\[TOOL .*$", gateway.log(), re.MULTILINE)


def test_the_guides_recipe_flips_the_log_on_a_running_server(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    dotenv = gateway.directory / ".env"
    dotenv.write_text(OFF)
    zscaler = gateway.directory / "zscaler-mcp"
    zscaler.symlink_to(binary()[0])
    gateway.start()
    assert gateway.process

    def zscaler_reload() -> None:
        ended = subprocess.run(
            [zscaler, "reload"], env=gateway.environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert ended.returncode == 0, ended
        first = ended.stdout.splitlines()[0]
        assert first == f"Sent SIGHUP to zscaler-mcp (pid={gateway.process.pid}). MCP sessions preserved."

    def sed(old: str, new: str) -> None:
        script = f"s/ZSCALER_MCP_LOG_TOOL_CALLS={old}/ZSCALER_MCP_LOG_TOOL_CALLS={new}/"
        subprocess.run(["sed", "-i", script, dotenv], check=True)

    with gateway.session() as client:
        client.call("a", {"page": 1})
        assert tool_lines(gateway) == []
        sed("false", "true")
        zscaler_reload()
        client.call("a", {"page": 2, "name": "HQ", "my_api_token": "s3cret"})
        client.call("b", {"page": 3})
        wait_until(lambda: len(tool_lines(gateway)) == 4, "the calls were logged")
        sed("true", "false")
        zscaler_reload()
        client.call("a", {"page": 4})
    assert gateway.status()["upstream"]["restarts"] == 0
    call, ok, blocked_call, blocked = tool_lines(gateway)
    assert call == '[TOOL CALL] a | args: {page: 2, name: "HQ", my_api_token: "***REDACTED***"}'
    assert re.fullmatch(r"\[TOOL OK\] a \| \d+ms \| .+", ok)
    assert blocked_call == "[TOOL CALL] b | args: {page: 3}"
    assert re.fullmatch(r"\[TOOL ERR\] b \| 0ms \| Blocked: Tool 'b' is not in allowlist", blocked)


def test_the_flag_beats_the_file_and_reload_says_so(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    (gateway.directory / ".env").write_text(OFF.replace("false", "true"))
    gateway.arguments = ["--log-tool-calls"]
    gateway.start()
    gateway.arguments = []
    with gateway.session() as client:
        (gateway.directory / ".env").write_text(OFF)
        ended = gateway.run("reload")
        assert ended.returncode == 0, ended
        assert "--log-tool-calls" in ended.stdout
        client.call("a")
        wait_until(lambda: len(tool_lines(gateway)) == 2, "the call was logged all the same")


def test_it_belongs_to_no_other_switch(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    gateway.arguments = ["--debug", "--verbose"]
    gateway.start()
    gateway.arguments = []
    with gateway.session() as client:
        client.call("a", {"x": "[TOOL CALL] forged"})
    assert tool_lines(gateway) == []


def test_a_vanished_env_file_refuses_the_reload(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(marked(), tools=["a"])
    dotenv = gateway.directory / ".env"
    dotenv.write_text(OFF)
    gateway.start()
    assert gateway.status()["env"] == {"source": "live", "path": str(dotenv)}
    dotenv.unlink()
    ended = gateway.run("reload")
    assert ended.returncode == 1
    assert f"{dotenv}: the .env file is gone" in ended.stderr
    assert "env: missing" in ended.stderr + ended.stdout
    dotenv.write_text("")
    assert gateway.run("reload").returncode == 0
