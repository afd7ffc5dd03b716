"""Requests behind one another on one connection."""

from __future__ import annotations

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
