"""The audit's lines as a log reader sees them."""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.upstreams import echo, everything

pytestmark = pytest.mark.gateway

FIRST_KEYS = {
    "REQUEST": ["timestamp", "event_type", "method", "tool", "status", "request_id", "plugin"],
    "RESPONSE": ["timestamp", "event_type", "status", "request_id", "duration_ms"],
    "SECURITY_BLOCK": [
        "timestamp", "event_type", "method", "tool", "reason", "request_id", "plugin", "plugin_metadata",
    ],
    "TOOLS_FILTERED": ["timestamp", "event_type", "method", "reason", "plugin", "request_id", "plugin_metadata"],
}  # fmt: skip


def test_the_tutorials_keys_come_first_in_its_order(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), tools=["echo"]).start()
    with gateway.session() as client:
        client.call("echo", request_id="called")
        client.call("danger", request_id="blocked")
        client.request("tools/list", request_id="listed")
    gateway.stop()
    chosen = {"REQUEST": "called", "RESPONSE": "called", "SECURITY_BLOCK": "blocked", "TOOLS_FILTERED": "listed"}
    for event, request_id in chosen.items():
        (record,) = gateway.audit.records(event, request_id=request_id)
        assert list(record)[: len(FIRST_KEYS[event])] == FIRST_KEYS[event]
        assert record["config"].startswith("1:")
        assert len(record["session_id"]) == 16
    (block,) = gateway.audit.records("SECURITY_BLOCK")
    assert block["status"] == "BLOCKED"
    assert block["plugin_metadata"] == {"mode": "allowlist"}
    (filtered,) = gateway.audit.records("TOOLS_FILTERED")
    assert filtered["reason"] == "Filtered 1 tools from response"
    assert filtered["plugin_metadata"] == {"filtered_count": 1}


def test_every_line_has_the_separators_of_the_tutorial(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), tools=["echo"]).start()
    with gateway.session() as client:
        client.call("echo")
    gateway.stop()
    for line in gateway.audit.lines():
        assert line.startswith(b'{"timestamp": "')
        assert b'", "event_type": "' in line


def test_the_file_is_private(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    assert stat.S_IMODE(gateway.audit.path.stat().st_mode) == 0o600


def test_a_tools_own_error_is_recorded_as_an_error(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with gateway.session() as client:
        client.call("fail", {"message": "broken"}, "failed")
        client.request("no/such/method", request_id="unknown")
    gateway.stop()
    (failed,) = gateway.audit.records("RESPONSE", request_id="failed")
    assert failed["status"] == "error"
    assert "broken" in failed["error_message"]
    (unknown,) = gateway.audit.records("RESPONSE", request_id="unknown")
    assert unknown["status"] == "error"
    assert isinstance(unknown["error_code"], int)


def test_secrets_in_arguments_are_redacted_at_every_depth(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), audit={"include_request_body": True}).start()
    arguments = {"user": "ada", "Api_Token": "s3cret-1", "deep": [{"monkey": ["s3cret-2"]}],
                 "nested": '{"password": "s3cret-3"}'}  # fmt: skip
    with gateway.session() as client:
        client.call("echo", arguments, "secret")
    gateway.stop()
    (request,) = gateway.audit.records("REQUEST", request_id="secret")
    assert request["params"]["arguments"]["user"] == "ada"
    everywhere = gateway.audit.path.read_text() + gateway.log()
    assert "s3cret" not in everywhere
    assert "***REDACTED***" in everywhere


@pytest.mark.parametrize("name", ['x\n{"event_type": "FORGED"}', "\u2028", "\u0085", "\x1b[31m", "\u202e", "\r"])
def test_a_clients_text_cannot_forge_a_line(make_gateway: Callable[..., Gateway], name: str) -> None:
    gateway = make_gateway(echo(), tools=["echo"]).start()
    with gateway.session(name=name) as client:
        client.call(name, request_id=name)
    gateway.stop()
    assert not gateway.audit.records("FORGED")
    raw = gateway.audit.path.read_text()
    assert not any(forbidden in raw for forbidden in ("\u2028", "\u0085", "\x1b", "\u202e", "\r"))
    assert gateway.audit.records("SECURITY_BLOCK", tool=name, request_id=name, client_name=name)
