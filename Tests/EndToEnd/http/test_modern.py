"""The modern era over HTTP: no sessions, headers that repeat the body, and a status for each error of the protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Answer
from harness.stateless import META, VERSION, ask, headers, request
from harness.upstreams import everything
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

@pytest.fixture(scope="module", params=["modern", "legacy"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """In front of a server of either era: what a client sees is the same."""
    upstream = [*everything(2), f"--{request.param}-only"]
    gateway = Gateway(upstream, door="http", era="auto", tools=["*"])
    gateway.upstream_name = request.param
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


@pytest.fixture
def http(gateway: Gateway) -> HTTP:
    return HTTP(gateway.port)


def refused(answer: Answer, status: int, code: int, identifier: object = 1) -> dict:
    assert (answer.status, answer.message["error"]["code"]) == (status, code), answer
    assert answer.message["id"] == identifier, answer
    return answer.message["error"]


def test_discover_and_a_call_without_any_handshake(http: HTTP) -> None:
    found = ask(http, request("server/discover")).message["result"]
    assert VERSION in found["supportedVersions"], found
    answer = ask(http, request("tools/call", 7, name="echo", arguments={"text": "hello"}))
    assert answer.status == 200
    assert answer.message["id"] == 7
    assert answer.message["result"]["content"][0]["text"] == "hello"
    assert answer.message["result"]["resultType"] == "complete"
    assert "mcp-session-id" not in answer.headers


@pytest.mark.parametrize(
    ("change", "code"),
    [({"Mcp-Method": "tools/list"}, -32020), ({"Mcp-Method": None}, -32020), ({"Mcp-Name": "other"}, -32020),
     ({"Mcp-Name": None}, -32020), ({"MCP-Protocol-Version": None}, -32020),
     ({"MCP-Protocol-Version": "2025-11-25"}, -32020)],
    ids=str,
)  # fmt: skip
def test_headers_have_to_agree_with_the_body(gateway: Gateway, http: HTTP, change: dict, code: int) -> None:
    body = request("tools/call", "a", name="echo", arguments={"text": "x"})
    refused(http.ask(http.post(body, **(headers(body) | change))), 400, code, "a")
    wait_until(
        lambda: any("header_mismatch" in str(record) for record in gateway.audit.records("SECURITY_BLOCK")),
        "http_guard told of it",
    )


def test_a_name_may_be_encoded(http: HTTP) -> None:
    body = request("tools/call", name="echo", arguments={"text": "x"})
    assert ask(http, body, Mcp_Name="=?base64?ZWNobw==?=").status == 200
    refused(ask(http, body, Mcp_Name="=?base64?b3RoZXI=?="), 400, -32020)
    refused(ask(http, body, Mcp_Name="=?base64?!?="), 400, -32020)


@pytest.mark.parametrize("field", ["protocolVersion", "clientCapabilities"])
def test_an_envelope_has_to_be_complete(http: HTTP, field: str) -> None:
    refused(ask(http, request("tools/list", meta={META + field: None})), 400, -32602)


def test_an_unknown_version_is_told_what_is_spoken(http: HTTP) -> None:
    body = request("tools/list", meta={META + "protocolVersion": "2099-01-01"})
    error = refused(ask(http, body, MCP_Protocol_Version="2099-01-01"), 400, -32022)
    assert error["data"]["supported"] == [VERSION]
    assert error["data"]["requested"] == "2099-01-01"
    bare = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    refused(http.ask(http.post(bare, MCP_Protocol_Version="2099-01-01")), 400, -32022)


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe", "no/such"])
def test_methods_that_the_era_lacks(http: HTTP, method: str) -> None:
    refused(ask(http, request(method, uri="test://static-text", level="info")), 404, -32601)


def test_an_initialize_with_an_envelope_opens_no_session_for_others(http: HTTP) -> None:
    anew = {META + "clientInfo": {"name": "fresh", "version": "1"}}
    client = {"name": "x", "version": "1"}
    params = {"protocolVersion": "2025-11-25", "capabilities": {"sampling": {}}, "clientInfo": client}
    refused(ask(http, request("initialize", 1, meta=anew, **params)), 404, -32601)
    assert ask(http, request("tools/call", 2, meta=anew, name="echo", arguments={"text": "x"})).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nothing_but_post(http: HTTP, method: str) -> None:
    answer = http.ask(http.raw(method, MCP_Protocol_Version=VERSION))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_session_id_means_nothing(http: HTTP) -> None:
    assert ask(http, request("tools/list"), Mcp_Session_Id="0" * 32).status == 200


def test_the_same_id_at_once_on_many_connections(http: HTTP) -> None:
    body = [request("tools/call", 1, name="echo", arguments={"text": str(n)}) for n in range(20)]
    connections = [http.connect() for _ in body]
    for connection, one in zip(connections, body, strict=True):
        connection.send(http.post(one, **headers(one)))
    for n, connection in enumerate(connections):
        with connection:
            assert connection.answer().message["result"]["content"][0]["text"] == str(n)


def test_a_legacy_client_beside_it(http: HTTP) -> None:
    key = http.open()
    answer = http.ask(http.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Mcp_Session_Id=key))
    assert answer.message["result"] == {}


def test_records_name_peer_and_client_and_no_session(gateway: Gateway, http: HTTP) -> None:
    body = request("tools/call", "who", name="echo", arguments={"text": "x"})
    assert ask(http, body).status == 200
    records = [record for record in gateway.audit.records() if record.get("request_id") == "who"]
    assert [record["event_type"] for record in records] == ["REQUEST", "RESPONSE"], records
    for record in records:
        assert "session_id" not in record or record["session_id"] is None, record
        assert record["client_name"] == "raw"
        assert record["peer"].startswith("127.0.0.1")


def test_a_notification_is_accepted(http: HTTP) -> None:
    answer = ask(http, request("notifications/cancelled", None, requestId=1))
    assert (answer.status, answer.body) == (202, b"")


def test_progress_comes_before_the_result_on_the_posts_own_stream(http: HTTP) -> None:
    body = request("tools/call", 5, meta={"progressToken": "p"}, name="progress", arguments={"steps": 3})
    answer = ask(http, body)
    assert answer.is_stream
    events = [event.message for event in answer.events]
    assert [event.id for event in answer.events] == [None] * len(events)
    assert {event["params"]["progressToken"] for event in events[:-1]} == {"p"}
    assert len(events) > 1
    assert events[-1]["id"] == 5


def test_a_closed_connection_cancels_its_call(gateway: Gateway, http: HTTP) -> None:
    body = request("tools/call", "gone", name="slow", arguments={"seconds": 30})
    with http.connect() as connection:
        connection.send(http.post(body, **headers(body)))
        wait_until(lambda: gateway.audit.records("REQUEST", request_id="gone"), "the call was admitted")
    responses = wait_until(lambda: gateway.audit.records("RESPONSE", request_id="gone"), "the call was cancelled")
    assert responses[0]["status"] == "error", responses


def test_a_subscription_streams_what_was_asked_for(http: HTTP) -> None:
    listen = request("subscriptions/listen", "s", notifications={"toolsListChanged": True})
    with http.connect() as connection:
        connection.send(http.post(listen, **headers(listen)))
        assert connection.head().headers["content-type"] == "text/event-stream"
        assert connection.event().message["method"] == "notifications/subscriptions/acknowledged"
        assert ask(http, request("tools/call", name="change_lists", arguments={})).status == 200
        changed = connection.event().message
        assert changed["method"] == "notifications/tools/list_changed"
        assert changed["params"]["_meta"][META + "subscriptionId"] == "s"


def test_arguments_that_the_schema_has_in_headers_must_agree(gateway: Gateway, http: HTTP) -> None:
    if gateway.upstream_name == "legacy":
        pytest.skip("a legacy server's schemas have no such annotation")
    body = request("tools/call", name="test_x_mcp_header", arguments={"region": "eu"})
    assert ask(http, body, Mcp_Param_Region="eu").message["result"]["content"][0]["text"] == "region=eu"
    refused(ask(http, body, Mcp_Param_Region="us"), 400, -32020)
    refused(ask(http, body), 400, -32020)


def question(http: HTTP) -> tuple[dict, dict]:
    """The body of a call that asks its client, and what it was answered."""
    body = request(
        "tools/call", "q", {"sampling": {}}, name="sample", arguments={"prompt": "why"})
    result = ask(http, body).message["result"]
    assert result["resultType"] == "input_required", result
    return body, result


def retry(body: dict, result: dict, state: str | None = None) -> dict:
    """The same call with an answer to each question."""
    reply = {"role": "assistant", "content": {"type": "text", "text": "because"}, "model": "fixture"}
    params = {
        **body["params"], "inputResponses": {key: reply for key in result["inputRequests"]},
        "requestState": result["requestState"] if state is None else state,
    }  # fmt: skip
    return {**body, "id": "r", "params": params}


def test_a_call_that_asks_its_client_goes_on_with_the_retry(http: HTTP) -> None:
    body, result = question(http)
    answer = ask(http, retry(body, result))
    assert answer.message["result"]["content"][0]["text"].startswith("model=fixture text=because"), answer
    assert answer.message["id"] == "r"


def test_a_request_state_is_good_once_for_whom_it_was_made(gateway: Gateway, http: HTTP) -> None:
    if gateway.upstream_name == "modern":
        pytest.skip("a modern server makes and checks its own")
    body, result = question(http)
    state = result["requestState"]
    forged = state[:-2] + ("AA" if state[-2:] != "AA" else "BB")
    for wrong in (forged, "", "x" * 5000, state + "A"):
        assert ask(http, retry(body, result, wrong)).message["error"]["code"] == -32602
    other = retry(body, result)
    other["params"] = {**other["params"], "name": "echo", "arguments": {"text": "x"}}
    assert ask(http, other).message["error"]["code"] == -32602
    other["params"] = {**body["params"], **retry(body, result)["params"], "arguments": {"prompt": "why not"}}
    assert ask(http, other).message["error"]["code"] == -32602
    stranger = retry(body, result)
    envelope = {**stranger["params"]["_meta"], META + "clientInfo": {"name": "stranger", "version": "1"}}
    stranger["params"] = {**stranger["params"], "_meta": envelope}
    assert ask(http, stranger).message["error"]["code"] == -32602
    assert "result" in ask(http, retry(body, result)).message
    assert ask(http, retry(body, result)).message["error"]["code"] == -32602


def test_a_process_serves_only_calls_that_declare_what_it_was_told(gateway: Gateway, http: HTTP) -> None:
    def declares(capabilities: dict) -> bool:
        anew = {META + "clientInfo": {"name": "declaring", "version": "1"}}
        body = request("tools/call", 1, capabilities, meta=anew, name="test_missing_capability", arguments={})
        return ask(http, body).status == 200

    assert not declares({"elicitation": {}})
    assert declares({"sampling": {}})
    assert declares({"sampling": {}}), "the first process was not told of it"
    assert not declares({"elicitation": {}}), "the second one was told of more"
