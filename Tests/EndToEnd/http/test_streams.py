"""Event streams: what begins one, what goes on it, and coming back to it."""

from __future__ import annotations

import pytest

from harness.http import HTTP, call
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def test_progress_makes_a_stream_that_ends_with_the_answer(http: HTTP) -> None:
    answer = http.ask(http.post(call(7, "progress", {"steps": 3}, token="t"), Mcp_Session_Id=http.open()))
    assert answer.is_stream
    assert answer.headers["x-accel-buffering"] == "no"
    first, *rest = answer.events
    assert first.id and first.data == ""
    assert [event.message.get("method") for event in rest] == ["notifications/progress"] * 3 + [None]
    assert [event.message["params"]["progressToken"] for event in rest[:3]] == ["t"] * 3
    assert rest[3].message["id"] == 7
    ids = [event.id for event in answer.events]
    assert len(set(ids)) == len(ids)


def test_older_revisions_get_no_priming_event(http: HTTP) -> None:
    answer = http.ask(http.post(call(7, "progress", {"steps": 1}, token=1), Mcp_Session_Id=http.open("2025-06-18")))
    assert all(event.data for event in answer.events)


def test_a_dropped_post_is_taken_up_again(http: HTTP) -> None:
    key = http.open()
    with http.connect() as connection:
        connection.send(http.post(call(1, "progress", {"steps": 5}, token="p"), Mcp_Session_Id=key))
        assert connection.head().headers["content-type"] == "text/event-stream"
        seen = connection.event()
        assert seen
    answer = http.ask(http.raw("GET", Mcp_Session_Id=key, Last_Event_ID=seen.id))
    assert [event.message.get("method") for event in answer.events] == ["notifications/progress"] * 5 + [None]
    again = http.ask(http.raw("GET", Mcp_Session_Id=key, Last_Event_ID=answer.events[-2].id))
    assert [event.message["id"] for event in again.events] == [1]


def test_a_dropped_post_does_not_cancel_its_call(gateway, http: HTTP) -> None:
    key = http.open()
    with http.connect() as connection:
        connection.send(http.post(call("dropped", "delay", {"i": 1, "ms": 200}), Mcp_Session_Id=key))
        wait_until(lambda: gateway.audit.records("REQUEST", request_id="dropped"), "it was admitted")
    wait_until(lambda: gateway.audit.records("RESPONSE", request_id="dropped"), "it was answered")
    (response,) = gateway.audit.records("RESPONSE", request_id="dropped")
    assert response["status"] == "success", response


def test_what_belongs_to_no_call_waits_for_a_stream(http: HTTP) -> None:
    key = http.open()
    changed = http.ask(http.post(call(1, "change_lists"), Mcp_Session_Id=key))
    assert changed.status == 200
    with http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().headers["content-type"] == "text/event-stream"
        prime, event = stream.event(), stream.event()
        assert prime and prime.data == "" and event
        assert event.message["method"].endswith("list_changed")


def test_an_unknown_event_id_begins_anew(http: HTTP) -> None:
    key = http.open()
    for last in ("nonsense", "0.99999", "7.7", "-1.2"):
        with http.connect() as stream:
            stream.send(http.raw("GET", Mcp_Session_Id=key, Last_Event_ID=last))
            assert stream.head().status == 200
            event = stream.event()
            assert event and event.data == ""


def test_a_cancelled_call_ends_its_post_without_an_answer(gateway, http: HTTP) -> None:
    key = http.open()
    with http.connect() as connection:
        connection.send(http.post(call("gone", "slow", {"seconds": 60}), Mcp_Session_Id=key))
        wait_until(lambda: gateway.audit.records("REQUEST", request_id="gone"), "it was admitted")
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "gone"}}
        assert http.ask(http.post(cancel, Mcp_Session_Id=key)).status == 202
        answer = connection.answer()
    assert answer.is_stream and not answer.events


def test_delete_ends_open_streams(http: HTTP) -> None:
    key = http.open()
    with http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().status == 200 and stream.event()
        assert http.ask(http.raw("DELETE", Mcp_Session_Id=key)).status == 200
        assert stream.event() is None


def test_a_session_has_so_many_streams(http: HTTP) -> None:
    key = http.open()
    streams = [http.connect() for _ in range(8)]
    for stream in streams:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().status == 200
    assert http.ask(http.raw("GET", Mcp_Session_Id=key)).status == 429
    for stream in streams:
        stream.socket.close()
