"""What revision 2026-07-28 demands of a server that a legacy server would not do by itself: the gateway sees to it.

The server behind it answers whatever it is told to.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Answer
from harness.stateless import META, ask, begin, request, result
from harness.upstreams import stranger

pytestmark = pytest.mark.gateway

DECLARED = {"sampling": {}, "elicitation": {}, "roots": {}}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    gateway = Gateway(stranger(), door="http", tools=["*"])
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


def say(http: HTTP, headers: dict | None = None, **arguments: object) -> Answer:
    """Has the server do what the arguments say; the call asks for log messages of every level."""
    level = {META + "logLevel": "debug"}
    body = request("tools/call", "s", DECLARED, level, name="say", arguments=arguments)
    return ask(http, body, **(headers or {}))


@pytest.mark.parametrize(("sent", "code"), [(-32002, -32602), (-32042, -32603), (-32001, -32001), (0, 0)])
def test_codes_that_are_no_more_are_not_sent(http: HTTP, sent: int, code: int) -> None:
    error = {"code": sent, "message": "said", "data": {"uri": "test://none"}}
    answer = say(http, error=error)
    assert (answer.status, answer.message["id"]) == (200, "s")
    assert answer.message["error"] == {**error, "code": code}


@pytest.mark.parametrize(
    ("method", "params"),
    [("notifications/cancelled", {"requestId": "x"}), ("notifications/elicitation/complete", {"elicitationId": "x"})],
)
def test_notifications_that_servers_may_not_send_do_not_come(http: HTTP, method: str, params: dict) -> None:
    answer = say(http, first=[{"jsonrpc": "2.0", "method": method, "params": params}])
    assert not answer.is_stream and answer.message["result"]["content"] == []


@pytest.mark.parametrize("method", ["ping", "custom/request"])
def test_no_request_comes_on_the_stream_of_a_call(http: HTTP, method: str) -> None:
    told = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "told"}}
    answer = say(http, first=[{"jsonrpc": "2.0", "id": "mine", "method": method}, told])
    first, last = [event.message for event in answer.events]
    assert (first["method"], first["params"]["data"]) == ("notifications/message", "told")
    assert (last["id"], last["result"]["resultType"]) == ("s", "complete")


@pytest.mark.parametrize("said", [{}, {"isError": True}, {"resultType": "x"}], ids=str)
def test_every_result_is_complete_and_names_the_server(http: HTTP, said: dict) -> None:
    found = say(http, result={**said, "content": []}).message["result"]
    assert found["resultType"] == "complete"
    assert found["_meta"][META + "serverInfo"] == {"name": "stranger", "version": "1"}
    assert found.get("isError") == said.get("isError")


def test_what_is_not_in_the_capabilities_is_not_found(http: HTTP) -> None:
    assert list(result(http, "server/discover")["capabilities"]) == ["tools"]
    for method in ("prompts/list", "resources/list", "resources/templates/list"):
        answer = ask(http, request(method, "none"))
        assert (answer.status, answer.message["error"]["code"], answer.message["id"]) == (404, -32601, "none")


def test_only_what_the_server_can_tell_is_acknowledged(http: HTTP) -> None:
    asked = {"toolsListChanged": True, "promptsListChanged": True, "resourceSubscriptions": ["test://x"]}
    with begin(http, request("subscriptions/listen", 9, notifications=asked)) as stream:
        assert stream.head().status == 200
        acknowledged = stream.event()
    assert acknowledged and acknowledged.message["params"]["notifications"] == {"toolsListChanged": True}


@pytest.mark.parametrize(
    ("arguments", "headers", "fine"),
    [
        ({"count": 42}, {"Mcp-Param-Count": "42"}, True), ({"count": 42}, {"Mcp-Param-Count": "42.0"}, True),
        ({"count": -7}, {"mcp-param-count": "-7"}, True), ({"count": 42}, {"Mcp-Param-Count": "43"}, False),
        ({"count": 42}, {}, False), ({"count": 42}, {"Mcp-Param-Count": "x"}, False),
        ({"wet": True}, {"Mcp-Param-Wet": "true"}, True), ({"wet": False}, {"Mcp-Param-Wet": "false"}, True),
        ({"wet": True}, {"Mcp-Param-Wet": "True"}, False), ({"wet": True}, {"Mcp-Param-Wet": "1"}, False),
        ({"place": {"name": "Köln"}}, {"Mcp-Param-Place-Name": "=?base64?S8O2bG4=?="}, True),
        ({"place": {"name": "Köln"}}, {}, False), ({"place": {}}, {}, True), ({}, {}, True),
        ({"region": None, "count": None, "wet": None}, {}, True), ({"region": None}, {"Mcp-Param-Region": "x"}, False),
        ({"region": "eu", "count": 1}, {"Mcp-Param-Region": "eu", "Mcp-Param-Count": "2"}, False),
    ],
    ids=repr,
)  # fmt: skip
def test_arguments_of_each_kind_in_headers(http: HTTP, arguments: dict, headers: dict, fine: bool) -> None:
    answer = say(http, headers, **arguments)
    if fine:
        assert (answer.status, "result" in answer.message) == (200, True), answer
    else:
        assert (answer.status, answer.message["error"]["code"], answer.message["id"]) == (400, -32020, "s"), answer
