"""Requests of revision 2026-07-28 over HTTP: the envelope in the body, and the headers that repeat it."""

from __future__ import annotations

from .http import HTTP, Answer, Connection

VERSION = "2026-07-28"
META = "io.modelcontextprotocol/"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The member of the parameters that `Mcp-Name` repeats."""


def request(
    method: str, identifier: object = 1, capabilities: dict | None = None, meta: dict | None = None, **params: object
) -> dict:
    """A request with its envelope; `meta` is laid over it, and `None` takes a field out. Without an identifier it is a
    notification."""
    envelope = {
        META + "protocolVersion": VERSION, META + "clientCapabilities": capabilities or {},
        META + "clientInfo": {"name": "raw", "version": "1"},
    }  # fmt: skip
    envelope = {name: value for name, value in (envelope | (meta or {})).items() if value is not None}
    body = {"jsonrpc": "2.0", "method": method, "params": {**params, "_meta": envelope}}
    return body if identifier is None else {**body, "id": identifier}


def headers(body: dict) -> dict[str, str]:
    """Those that a body demands."""
    fields = {"MCP-Protocol-Version": VERSION, "Mcp-Method": body["method"]}
    if name := NAMED.get(body["method"]):
        fields["Mcp-Name"] = body["params"][name]
    return fields


def ask(http: HTTP, body: dict, **changes: str | None) -> Answer:
    """One request on a connection of its own; `changes` are laid over its headers."""
    return http.ask(http.post(body, **(headers(body) | changes)))


def result(http: HTTP, method: str, **members: object) -> dict:
    """The result of a request, whether it came alone or at the end of a stream."""
    answer = ask(http, request(method, **members))  # type: ignore[arg-type]
    assert answer.status == 200, answer
    return (answer.events[-1] if answer.is_stream else answer).message["result"]


def begin(http: HTTP, body: dict) -> Connection:
    """Sends a request and leaves it open."""
    connection = http.connect()
    connection.send(http.post(body, **headers(body)))
    return connection
