"""What can grow has a cap, and memory of a crowd does not stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Connection
from harness.upstreams import crowd
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
def crowded(make_gateway: Callable[..., Gateway]) -> HTTP:
    """One session and 66 connections."""
    proxy = {"limits": {"max_sessions": 1}, "http": {"max_connections": 66}}
    gateway = make_gateway(crowd(), door="http", proxy=proxy)
    return HTTP(gateway.start().ready().port)


def test_a_session_too_many(crowded: HTTP) -> None:
    key = crowded.open()
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "n", "version": "1"}}
    refused = crowded.ask(crowded.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))
    assert refused.status == 503
    assert "max_sessions is 1" in refused.message["error"]["message"]
    assert crowded.ask(crowded.post(PING, Mcp_Session_Id=key)).status == 200
    assert crowded.ask(crowded.raw("DELETE", Mcp_Session_Id=key)).status == 200
    wait_until(lambda: try_open(crowded), "there was room again")


def try_open(http: HTTP) -> bool:
    try:
        return bool(http.open())
    except AssertionError:
        return False


def test_connections_too_many(crowded: HTTP) -> None:
    key = crowded.open()
    open_ones = [crowded.connect() for _ in range(66)]
    # Those whose peers have just gone may still be counted, so only what is beyond the cap for sure is asked.
    refused = [crowded.connect() for _ in range(10)]
    for connection in refused:
        with connection:
            answer = connection.answer()
            assert answer.status == 503
            assert answer.message["error"]["code"] == -32603
            assert connection.ended()
    for connection in open_ones:
        connection.socket.close()
    wait_until(lambda: is_served(crowded, key), "there was room again")


def is_served(http: HTTP, key: str) -> bool:
    with Connection(http.port) as connection:
        connection.send(http.post(PING, Mcp_Session_Id=key))
        return connection.answer().status == 200
