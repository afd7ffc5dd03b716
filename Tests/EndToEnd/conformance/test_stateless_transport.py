"""The scenarios of revision 2026-07-28 that are about the transport: headers that repeat the body, a status for each
error, nothing but POST, cancelling by closing. Streams of changes are in `test_stateless_listen.py`.
"""

from __future__ import annotations

import base64
import json

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Answer
from harness.stateless import META, VERSION, ask, begin, headers, request, result
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

READ = request("resources/read", uri="test://static-text")
PROMPT = request("prompts/get", name="test_simple_prompt")
CALL = request("tools/call", name="test_simple_text", arguments={})
LIST = request("tools/list")


def refused(answer: Answer, status: int, code: int, identifier: object = 1) -> None:
    assert (answer.status, answer.message["error"]["code"]) == (status, code), answer
    assert answer.message["id"] == identifier, answer
    assert answer.headers["content-type"] == "application/json"


def encoded(value: str) -> str:
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="


@pytest.mark.parametrize("body", [READ, PROMPT, CALL, LIST], ids=lambda body: body["method"])
def test_headers_of_every_kind_of_request(http: HTTP, body: dict) -> None:
    assert "result" in ask(http, body).message
    for name, value in headers(body).items():
        refused(ask(http, body, **{name: None}), 400, -32020)
        refused(ask(http, body, **{name: value + "x"}), 400, -32020)
        others = {other: text for other, text in headers(body).items() if other != name}
        for spelling in (name.lower(), name.upper()):
            assert http.ask(http.post(body, **others, **{spelling: value})).status == 200, "names have no case"


@pytest.mark.parametrize(
    ("body", "change"),
    [(LIST, {"Mcp-Method": "TOOLS/LIST"}), (CALL, {"Mcp-Name": "TEST_SIMPLE_TEXT"}),
     (CALL, {"Mcp-Name": "=?BASE64?dGVzdF9zaW1wbGVfdGV4dA==?="}), (LIST, {"Mcp-Method": encoded("tools/list")}),
     (CALL, {"Mcp-Method": "prompts/get"}), (READ, {"Mcp-Name": "test://static-binary"})],
    ids=["method", "name", "marker", "a method is never encoded", "another method", "another resource"],
)  # fmt: skip
def test_header_values_are_compared_exactly(http: HTTP, body: dict, change: dict) -> None:
    refused(ask(http, body, **change), 400, -32020)


@pytest.mark.parametrize("body", [READ, PROMPT, CALL, LIST], ids=lambda body: body["method"])
def test_blanks_around_a_value_are_no_part_of_it(http: HTTP, body: dict) -> None:
    for name, value in headers(body).items():
        assert ask(http, body, **{name: f" \t{value} \t"}).status == 200, name


def test_bytes_beyond_ascii_are_in_no_header(http: HTTP) -> None:
    body = request("tools/call", name="größe", arguments={})
    refused(ask(http, body), 400, -32020)
    refused(ask(http, LIST, **{"Mcp-Method": "tools/list\u00a0"}), 400, -32020)


@pytest.mark.parametrize(
    ("header", "envelope", "code"),
    [(VERSION, "2025-11-25", -32020), ("2025-11-25", VERSION, -32020), ("2025-11-25", "2025-11-25", -32022),
     ("2099-01-01", VERSION, -32020), (VERSION, "2099-01-01", -32020)],
)  # fmt: skip
def test_versions_that_disagree_or_have_no_envelope(http: HTTP, header: str, envelope: str, code: int) -> None:
    body = request("tools/list", meta={META + "protocolVersion": envelope})
    refused(ask(http, body, **{"MCP-Protocol-Version": header}), 400, code)


def test_what_sessions_and_streams_had_in_headers_means_nothing(http: HTTP) -> None:
    answer = ask(http, LIST, **{"Mcp-Session-Id": "0" * 32, "Last-Event-ID": "7"})
    assert (answer.status, answer.message["result"]["resultType"]) == (200, "complete")
    assert not {"mcp-session-id", "last-event-id"} & set(answer.headers)


@pytest.mark.parametrize("body", [READ, PROMPT, CALL], ids=lambda body: body["method"])
def test_an_encoded_name_is_decoded_before_it_is_compared(http: HTTP, body: dict) -> None:
    name = headers(body)["Mcp-Name"]
    assert ask(http, body, **{"Mcp-Name": encoded(name)}).status == 200
    refused(ask(http, body, **{"Mcp-Name": encoded(name + "x")}), 400, -32020)
    refused(ask(http, body, **{"Mcp-Name": "=?base64?%%%?="}), 400, -32020)


def test_a_name_beyond_ascii_is_found_when_it_is_encoded(http: HTTP) -> None:
    body = request("tools/call", name="größe", arguments={})
    found = ask(http, body, **{"Mcp-Name": encoded("größe")}).message["result"]
    assert (found["isError"], found["content"][0]["text"]) == (True, "Unknown tool: größe")


@pytest.mark.parametrize(
    ("arguments", "header", "fine"),
    [({"region": "eu"}, "eu", True), ({"region": "eu"}, "  eu ", True), ({"region": "eu"}, encoded("eu"), True),
     ({"region": " padded "}, encoded(" padded "), True), ({"region": "two\nlines"}, encoded("two\nlines"), True),
     ({"region": "=?base64?literal?="}, encoded("=?base64?literal?="), True), ({"region": "世界"}, encoded("世界"), True),
     ({}, None, True), ({"region": "eu"}, "EU", False), ({"region": "eu"}, None, False), ({"region": "eu"}, "", False),
     ({"region": "eu"}, encoded("us"), False), ({"region": "eu"}, "=?base64?%?=", False),
     ({"region": "Hello"}, "=?base64?SGVsbG8=?=", True), ({"region": "Hello"}, "=?base64?SGVsbG8?=", False),
     ({"region": "Hello"}, "=?base64?SGVs!!!bG8=?=", False), ({"region": "SGVsbG8="}, "SGVsbG8=", True),
     ({"region": "=?base64?SGVsbG8="}, "=?base64?SGVsbG8=", True), ({"region": "SGVsbG8=?="}, "SGVsbG8=?=", True)],
    ids=repr,
)  # fmt: skip
def test_arguments_in_headers(http: HTTP, arguments: dict, header: str | None, fine: bool) -> None:
    body = request("tools/call", name="test_x_mcp_header", arguments=arguments)
    answer = ask(http, body, **{"Mcp-Param-Region": header, "mcp-param-other": "ignored"})
    if fine:
        assert (answer.status, answer.message["result"].get("isError", False)) == (200, False), answer
    else:
        refused(answer, 400, -32020)


@pytest.mark.parametrize(
    "params",
    [None, {}, {"_meta": {}}, {"_meta": {META + "protocolVersion": VERSION}}, {"_meta": []}],
    ids=json.dumps,
)
def test_requests_without_an_envelope(http: HTTP, params: dict | None) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"} | ({} if params is None else {"params": params})
    refused(ask(http, body), 400, -32602)


@pytest.mark.parametrize(
    "method",
    ["resources/unsubscribe", "roots/list", "sampling/createMessage", "elicitation/create", "tools/none", "none"],
)
def test_methods_that_are_no_more(http: HTTP, method: str) -> None:
    refused(ask(http, request(method, uri="test://static-text")), 404, -32601)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", -32700), (b"", -32700), (b"\xff", -32700), (b"[]", -32600), (json.dumps([LIST]).encode(), -32600),
     (json.dumps({**LIST, "jsonrpc": "1.0"}).encode(), -32600), (json.dumps({**LIST, "id": None}).encode(), -32600),
     (json.dumps({**LIST, "id": {}}).encode(), -32600)],
    ids=repr,
)  # fmt: skip
def test_bodies_that_are_no_request(http: HTTP, body: bytes, code: int) -> None:
    answer = http.ask(http.raw(body=body, **headers(LIST)))
    assert (answer.status, answer.message["error"]["code"]) == (400, code), answer


def test_responses_are_not_for_clients_to_send(http: HTTP) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert http.ask(http.post(body, **{"MCP-Protocol-Version": VERSION})).status == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [({"Accept": "application/json"}, 406), ({"Accept": "text/html"}, 406), ({"Content-Type": "text/plain"}, 415)],
    ids=str,
)
def test_both_kinds_of_answer_have_to_be_accepted(http: HTTP, change: dict, status: int) -> None:
    assert ask(http, LIST, **change).status == status


def test_foreign_names_are_refused(http: HTTP) -> None:
    for foreign in ({"Host": "evil.example.com"}, {"Origin": "http://evil.example.com"}, {"Origin": "null"}):
        assert ask(http, LIST, **foreign).status == 403
    assert ask(http, LIST, Origin=f"http://127.0.0.1:{http.port}").status == 200


def test_closing_the_stream_cancels_in_the_server(gateway: Gateway, http: HTTP) -> None:
    def counted(what: str) -> int:
        return json.loads(result(http, "tools/call", name="state", arguments={})["content"][0]["text"])[what]

    started, cancelled = counted("started"), counted("cancelled")
    with begin(http, request("tools/call", "closed", name="slow", arguments={"seconds": 60})):
        wait_until(lambda: counted("started") == started + 1, "the server had begun")
    wait_until(lambda: counted("cancelled") == cancelled + 1, "the server had been told")
    assert [record["status"] for record in gateway.audit.records("RESPONSE", request_id="closed")] == ["error"]
