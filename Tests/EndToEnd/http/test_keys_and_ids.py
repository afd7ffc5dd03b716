"""Sessions: their key, their ids, their end."""

from __future__ import annotations

import re
import string

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, call

pytestmark = pytest.mark.gateway

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def test_a_key_is_random_and_no_part_of_the_audit(gateway: Gateway, http: HTTP) -> None:
    first, second = http.open(), http.open()
    assert first != second
    assert len(first) == 32 and set(first) <= set(string.hexdigits)
    starts = gateway.audit.records("SESSION_START")
    assert all(re.fullmatch("[0-9a-f]{16}", record["session_id"]) for record in starts)
    written = gateway.audit.path.read_text() + gateway.log()
    assert first not in written and second not in written


def test_a_lone_answer_is_json_with_a_length(http: HTTP) -> None:
    key = http.open()
    answer = http.ask(http.post(call("a", "echo", {"text": "hi"}), Mcp_Session_Id=key))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.message["id"] == "a"
    assert answer.message["result"]["content"][0]["text"] == "hi"


def test_an_error_of_the_upstream_is_json_too(http: HTTP) -> None:
    answer = http.ask(http.post({"jsonrpc": "2.0", "id": 9, "method": "no/such"}, Mcp_Session_Id=http.open()))
    assert answer.status == 200 and answer.message["id"] == 9 and "error" in answer.message


def test_the_same_id_in_flight_many_times(http: HTTP) -> None:
    """As claude.ai does."""
    key = http.open()
    connections = [http.connect() for _ in range(20)]
    for number, connection in enumerate(connections):
        arguments = {"i": number, "ms": 300 - 10 * number}
        connection.send(http.post(call(1, "delay", arguments), Mcp_Session_Id=key))
    for number, connection in enumerate(connections):
        with connection:
            message = connection.answer().message
            assert (message["id"], message["result"]["content"][0]["text"]) == (1, f"delay {number}")


def test_a_body_over_several_lines_reaches_the_upstream_as_one(http: HTTP) -> None:
    body = b'{\r\n "jsonrpc": "2.0",\n\t"id": 5,\n "method": "tools/call",\r "params": {"name": "echo",\n'
    body += b' "arguments": {"text": "a"}}\n}\n'
    answer = http.ask(http.raw(body=body, Mcp_Session_Id=http.open()))
    assert answer.message["result"]["content"][0]["text"] == "a"


def test_a_batch_where_the_revision_has_them(http: HTTP) -> None:
    batch = [PING, {**PING, "id": 2}, {"jsonrpc": "2.0", "method": "notifications/x"}]
    answer = http.ask(http.post(batch, Mcp_Session_Id=http.open("2025-03-26")))
    assert answer.status == 200
    assert sorted(message["id"] for message in answer.message) == [1, 2]
    refused = http.ask(http.post(batch, Mcp_Session_Id=http.open("2025-06-18")))
    assert refused.message["error"]["code"] == -32600


def test_a_batch_of_notifications_is_accepted(http: HTTP) -> None:
    batch = [{"jsonrpc": "2.0", "method": "notifications/x"}]
    answer = http.ask(http.post(batch, Mcp_Session_Id=http.open("2025-03-26")))
    assert (answer.status, answer.body) == (202, b"")


def test_delete_ends_a_session(gateway: Gateway, http: HTTP) -> None:
    key = http.open()
    with http.connect() as slow:
        slow.send(http.post(call(1, "slow", {"seconds": 60}), Mcp_Session_Id=key))
        http.ask(http.post(PING, Mcp_Session_Id=key))
        assert http.ask(http.raw("DELETE", Mcp_Session_Id=key)).status == 200
        cancelled = slow.answer()
        assert cancelled.is_stream and not cancelled.events
    assert http.ask(http.post(PING, Mcp_Session_Id=key)).status == 404
    assert http.ask(http.raw("DELETE", Mcp_Session_Id=key)).status == 404


def test_a_refused_initialize_leaves_no_session(gateway: Gateway, http: HTTP) -> None:
    before = gateway.status()["sessions"] if "sessions" in gateway.status() else None
    answer = http.ask(http.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}))
    assert answer.message["error"]["code"] == -32602
    assert "mcp-session-id" not in answer.headers
    assert before is None or gateway.status()["sessions"] == before


def test_pipelined_requests_are_answered_in_order(http: HTTP) -> None:
    key = http.open()
    with http.connect() as connection:
        requests = [
            http.post(call(number, "delay", {"i": number, "ms": 20 - 5 * number}), Mcp_Session_Id=key)
            for number in range(4)
        ]
        connection.send(b"".join(requests))
        assert [connection.answer().message["id"] for _ in requests] == [0, 1, 2, 3]


def test_the_body_may_wait_for_leave(http: HTTP) -> None:
    request = http.post(PING, Mcp_Session_Id=http.open(), Expect="100-continue")
    head, body = request.split(b"\r\n\r\n", 1)
    with http.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.head().status == 100
        connection.send(body)
        assert connection.answer().message["result"] == {}


def test_a_chunked_body(http: HTTP) -> None:
    request = http.raw(
        Mcp_Session_Id=http.open(), Transfer_Encoding="chunked", Content_Type="application/json"
    )
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    chunks = b"".join(b"1\r\n" + body[at : at + 1] + b"\r\n" for at in range(len(body)))
    assert http.ask(request + chunks + b"0\r\n\r\n").message["result"] == {}


def test_health_and_readiness(http: HTTP) -> None:
    for path in ("/healthz", "/readyz"):
        assert http.ask(http.raw("GET", path)).status == 200
    assert http.ask(http.raw("POST", "/healthz", body=b"")).status == 405
