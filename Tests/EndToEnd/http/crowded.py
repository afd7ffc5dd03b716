"""Gateways before the quick server of a crowd, whose answers prove whose they are, and what its clients say."""

from __future__ import annotations

from collections.abc import Callable

from harness.gateway import Gateway
from harness.http import HTTP, Answer, Connection
from harness.upstreams import crowd
from harness.waiting import wait_until

Make = Callable[..., Gateway]
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def gateway_over_http(make: Make, http: dict | None = None, **proxy: object) -> Gateway:
    """A gateway on a port of its own; not started. `http` is laid over `proxy.http`."""
    return make(crowd(), door="http", proxy={**proxy, "http": http or {}})


def work(nonce: str, request_id: object = 1, token: object = None, **arguments: object) -> dict:
    """A call of the crowd's tool: `steps`, `delay`, `ask` and `size` say what it does."""
    params: dict = {"name": "work", "arguments": {"nonce": nonce, **arguments}}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}


def nonce_of(message: dict) -> str:
    """Whose answer it is."""
    return message["result"]["structuredContent"]["nonce"]


def begin(gateway: Gateway, http: HTTP, key: str, call: dict) -> Connection:
    """A connection on which `call` is in flight. Its id has to be its own."""
    connection = http.connect()
    connection.send(http.post(call, Mcp_Session_Id=key))
    wait_until(lambda: gateway.audit.records("REQUEST", request_id=str(call["id"])), "it was admitted")
    return connection


def ping(http: HTTP, key: str) -> Answer:
    """Whether a session goes on: 200 when it does."""
    return http.ask(http.post(PING, Mcp_Session_Id=key))


def refused_reload(gateway: Gateway) -> str:
    """Writes the configuration and asks for it; what the refusal says."""
    gateway.write_configuration()
    ended = gateway.run("reload")
    assert ended.returncode == 1, ended
    return ended.stdout + ended.stderr
