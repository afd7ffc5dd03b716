"""Requests behind one another on one connection."""

from __future__ import annotations

import select

import pytest

from harness.http import HTTP, call

pytestmark = pytest.mark.gateway


def test_requests_behind_an_answer_are_answered_in_order(http: HTTP) -> None:
    key = http.open()
    requests = []
    for number in range(1, 41):
        # What the gateway answers itself is let in from within the flush of the answer before it.
        ping = {"jsonrpc": "2.0", "id": number, "method": "ping"}
        requests.append(ping if number % 4 else call(number, "echo", {"text": "x"}))
    with http.connect() as connection:
        connection.send(b"".join(http.post(request, Mcp_Session_Id=key) for request in requests))
        assert [connection.answer().message["id"] for _ in requests] == list(range(1, 41))


def test_what_is_pipelined_during_an_answer_waits_outside(http: HTTP) -> None:
    key = http.open()
    flood = http.post({"jsonrpc": "2.0", "id": 2, "method": "ping"}, Mcp_Session_Id=key) * 4000
    most = 64 << 20
    with http.connect() as connection:
        connection.send(http.post(call(1, "slow", {"seconds": 60}), Mcp_Session_Id=key))
        connection.socket.setblocking(False)
        sent = 0
        # The kernel keeps some megabytes for both ends.
        while sent < most and select.select([], [connection.socket], [], 3)[1]:
            try:
                sent += connection.socket.send(flood)
            except BlockingIOError:
                continue  # writable, but not for as much
        assert sent < most
