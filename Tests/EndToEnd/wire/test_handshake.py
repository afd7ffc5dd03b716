"""The handshake, byte by byte. The gateway answers it from what the upstream told the gateway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import LATEST, initialize_params
from harness.upstreams import echo

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_a_known_version_is_agreed_to(make_gateway: Callable[..., Gateway], version: str) -> None:
    with make_gateway(echo()).start().connect() as client:
        assert client.handshake(version)["protocolVersion"] == version
        assert client.call("echo", {"version": version})["result"]["structuredContent"]["name"] == "echo"


@pytest.mark.parametrize("version", ["1999-01-01", "2099-01-01", "", "latest"])
def test_an_unknown_version_is_told_the_upstreams(make_gateway: Callable[..., Gateway], version: str) -> None:
    with make_gateway(echo()).start().connect() as client:
        assert client.handshake(version)["protocolVersion"] == LATEST


def test_the_result_is_the_upstreams_with_changing_tools(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().connect() as client:
        result = client.handshake()
        assert result["serverInfo"] == {"name": "echo", "version": "1"}
        assert result["capabilities"] == {"tools": {"listChanged": True}}


def test_a_second_initialize_is_refused_and_the_session_goes_on(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session() as client:
        assert client.request("initialize", initialize_params())["error"]["code"] == -32600
        assert "result" in client.call("echo")


def test_discover_is_answered_with_an_error_so_that_newer_clients_fall_back(
    make_gateway: Callable[..., Gateway],
) -> None:
    with make_gateway(echo()).start().connect() as client:
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
        answer = client.request("server/discover", {"_meta": meta})
        assert "error" in answer
        assert answer["error"]["code"] != -32022, "that code would mean a modern server"
        assert client.handshake()["protocolVersion"] == LATEST


def test_an_unknown_method_is_the_upstreams_to_refuse(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session() as client:
        assert client.request("no/such/method")["error"] == {"code": -32601, "message": "method not found"}


def test_the_handshake_and_the_client_are_in_the_audit(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    with gateway.session(name="the client") as client:
        client.call("echo", request_id="marked")
    gateway.stop()
    assert gateway.audit.records("SESSION_START")
    assert gateway.audit.records("REQUEST", method="initialize")
    (request,) = gateway.audit.records("REQUEST", request_id="marked")
    assert request["client_name"] == "the client"
    assert request["client_version"] == "1.0"
    assert request["server_name"] == "under-test"
    assert request["peer"].startswith("uid=")
    assert gateway.audit.records("SESSION_END", session_id=request["session_id"])
