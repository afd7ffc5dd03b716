"""What the program says when it starts, and what `--verbose` and `--debug` add."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from harness.gateway import Gateway, binary
from harness.upstreams import echo

pytestmark = pytest.mark.gateway

SECRET = "hunter2-do-not-print"


def served(gateway: Gateway, *arguments: str) -> str:
    """The log of a start with one call whose argument is a secret by its name."""
    gateway.configuration["proxy"]["upstream"]["env"]["SERVICE_PASSWORD"] = SECRET
    gateway.write_configuration()
    gateway.arguments = list(arguments)
    with gateway.stdio() as client:
        client.handshake()
        answer = client.call("echo", {"path": "visible-value", "api_token": SECRET})
        assert "result" in answer, answer
    return gateway.log()


def test_the_start_prints_the_lines_that_the_tutorial_shows(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), door="stdio", tools=["echo"])
    lines = served(gateway).splitlines()
    expected = [
        f"[INFO] gatekit.main: Loading configuration from {gateway.config_path}",
        "[INFO] gatekit.main: Starting Gatekit MCP Gateway",
        "[INFO] gatekit.plugins.manager: Loaded auditing plugin: file_auditing",
        f"[INFO] gatekit.audit: Writing audit records to {gateway.audit.path} (json)",
        "[INFO] gatekit.plugins.manager: Loaded security plugin: tool_allowlist",
        "[INFO] gatekit.proxy.server: Connected to upstream server",
        "[INFO] gatekit.proxy.server: MCPProxy now accepting client connections",
    ]
    assert [line for line in lines if line in expected] == expected, lines
    assert not [line for line in lines if "DEBUG" in line]


def test_verbose_shows_the_resolved_settings_and_no_secret(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), door="stdio", tools=["echo"])
    log = served(gateway, "--verbose")
    assert "[DEBUG] gatekit.config: limits.max_message_bytes: 16777216" in log
    assert re.search(r"^\[DEBUG\] gatekit\.config: upstream\.env: .*SERVICE_PASSWORD", log, re.MULTILINE)
    assert SECRET not in log
    assert "visible-value" not in log, "messages belong to --debug"


def test_debug_shows_every_message_redacted_and_is_no_tool_call_log(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), door="stdio", tools=["echo"])
    log = served(gateway, "--debug")
    assert "not for production" in log
    client = "client [0-9a-f]{16}"
    for way in [f"{client} -> gateway", "gateway -> upstream 0", "upstream 0 -> gateway", f"gateway -> {client}"]:
        assert re.search(rf"^\[DEBUG\] gatekit\.proxy\.server: {way} .*visible-value", log, re.MULTILINE), way
    assert '"api_token": "***REDACTED***"' in log
    assert SECRET not in log
    assert not re.search(r"^\[TOOL ", log, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--version"], 0, r"^\d+\.\d+\.\d+\n$"),
        (["--help"], 0, r"--config <file>(.|\n)*--verbose(.|\n)*check"),
        (["check", "--help"], 0, r"USAGE: gatekit check"),
        (["--confg", "x"], 2, r"Unknown option '--confg'"),
        (["frobnicate"], 2, r"frobnicate"),
        (["--config"], 2, r"--config"),
        (["--config", "/does/not/exist.yaml"], 1, r"/does/not/exist\.yaml: .*no such file"),
        (["--config", "/does/not/exist.yaml", "check"], 1, r"/does/not/exist\.yaml: .*no such file"),
        (["--transport", "pigeon"], 2, r"unknown transport 'pigeon' \(valid: stdio, unix, http\)"),
    ],
)
def test_exit_codes_are_those_of_the_manual(arguments: list[str], code: int, text: str) -> None:
    ended = subprocess.run(
        [*binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == code, ended
    assert re.search(text, ended.stdout if code == 0 else ended.stderr), ended
    assert not (ended.stderr if code == 0 else ended.stdout), "the other stream stays empty"
