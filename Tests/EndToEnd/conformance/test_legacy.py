"""The scenarios of revision 2025-11-25, behind servers of both eras; the tools' are in `test_legacy_tools.py`.
`scenarios.py` says which of them stands for which scenario.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, call
from harness.upstreams import everything
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

PNG = b"\x89PNG\r\n\x1a\n"
WATCHED = "test://watched-resource"
UPSTREAMS = {"legacy": everything(1), "modern": [*everything(2), "--modern-only"]}


@pytest.fixture(scope="module", params=UPSTREAMS)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """In front of a server of the same era, and of one of the other."""
    gateway = Gateway(UPSTREAMS[request.param], door="http", era=request.param, tools=["*"])
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


def ask(http: HTTP, key: str, method: str, **params: object) -> dict:
    """The whole answer to a request that is answered without a stream."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = http.ask(http.post(body, Mcp_Session_Id=key, MCP_Protocol_Version="2025-11-25"))
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/json"
    assert (answer.message["jsonrpc"], answer.message["id"]) == ("2.0", 1)
    return answer.message


def test_initialize_answers_with_the_revision_and_what_the_server_can_do(http: HTTP) -> None:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
    answer = http.ask(http.post({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": params}))
    assert (answer.status, answer.message["id"]) == (200, "i")
    result = answer.message["result"]
    assert result["protocolVersion"] == "2025-11-25"
    assert (result["serverInfo"]["name"][:-1], result["serverInfo"]["version"]) == ("everything-mcp", "1.2.3")
    assert {"tools", "prompts", "resources", "logging", "completions"} <= set(result["capabilities"])
    assert result["capabilities"]["resources"]["subscribe"] is True
    key = answer.headers["mcp-session-id"]
    assert key and all("!" <= character <= "~" for character in key), "visible ASCII only"


def test_ping_is_answered_with_an_empty_result(http: HTTP, key: str) -> None:
    assert ask(http, key, "ping")["result"] == {}


@pytest.mark.parametrize("level", ["debug", "info", "warning", "emergency"])
def test_a_log_level_is_taken(http: HTTP, key: str, level: str) -> None:
    assert ask(http, key, "logging/setLevel", level=level)["result"] == {}


def test_a_log_level_that_does_not_exist_is_refused(http: HTTP, key: str) -> None:
    assert ask(http, key, "logging/setLevel", level="loud")["error"]["code"] == -32602


def test_completion_proposes_values(http: HTTP, key: str) -> None:
    reference = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
    found = ask(http, key, "completion/complete", ref=reference, argument={"name": "arg1", "value": "py"})
    assert found["result"]["completion"] == {"values": ["python", "pytorch"], "total": 2, "hasMore": False}


def test_resources_are_listed(http: HTTP, key: str) -> None:
    resources = ask(http, key, "resources/list")["result"]["resources"]
    assert all(resource["uri"] and resource["name"] for resource in resources)
    kinds = {resource["uri"]: resource["mimeType"] for resource in resources}
    assert kinds["test://static-text"] == kinds[WATCHED] == "text/plain"
    assert kinds["test://static-binary"] == "image/png"


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_a_resource_is_read(http: HTTP, key: str, kind: str) -> None:
    (content,) = ask(http, key, "resources/read", uri=f"test://static-{kind}")["result"]["contents"]
    assert content["uri"] == f"test://static-{kind}"
    if kind == "text":
        assert content["text"] == "This is the content of the static text resource."
        assert content["mimeType"] == "text/plain"
    else:
        assert base64.b64decode(content["blob"], validate=True).startswith(PNG)
        assert content["mimeType"] == "image/png"


def test_templates_are_listed_and_read(http: HTTP, key: str) -> None:
    (template,) = ask(http, key, "resources/templates/list")["result"]["resourceTemplates"]
    assert template["uriTemplate"] == "test://template/{id}/data"
    (content,) = ask(http, key, "resources/read", uri="test://template/123/data")["result"]["contents"]
    assert content["uri"] == "test://template/123/data"
    assert json.loads(content["text"]) == {"id": "123", "templateTest": True, "data": "Data for ID: 123"}


def test_updates_come_from_subscribing_to_unsubscribing(http: HTTP, key: str) -> None:
    def touch() -> None:
        ask(http, key, "tools/call", name="touch", arguments={"uri": WATCHED})

    with http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().is_stream and stream.event()
        touch()
        assert ask(http, key, "resources/subscribe", uri=WATCHED)["result"] == {}
        touch()
        updated = stream.event()
        assert updated and updated.message["method"] == "notifications/resources/updated"
        assert updated.message["params"]["uri"] == WATCHED
        assert ask(http, key, "resources/unsubscribe", uri=WATCHED)["result"] == {}
        touch()
        ask(http, key, "tools/call", name="change_lists", arguments={})
        after = stream.event()
        assert after and after.message["method"].endswith("list_changed"), "the update is the only one"


def test_prompts_are_listed_with_their_arguments(http: HTTP, key: str) -> None:
    prompts = {prompt["name"]: prompt for prompt in ask(http, key, "prompts/list")["result"]["prompts"]}
    assert all(prompt["description"] for prompt in prompts.values())
    required = [(each["name"], each["required"]) for each in prompts["test_prompt_with_arguments"]["arguments"]]
    assert required == [("arg1", True), ("arg2", True)]


@pytest.mark.parametrize(
    ("name", "arguments", "kinds", "said"),
    [
        ("test_simple_prompt", {}, ["text"], "This is a simple prompt for testing."),
        (
            "test_prompt_with_arguments", {"arg1": "a", "arg2": "b"}, ["text"],
            "Prompt with arguments: arg1='a', arg2='b'",
        ),
        ("test_prompt_with_embedded_resource", {"resourceUri": "test://given"}, ["resource", "text"], "test://given"),
        ("test_prompt_with_image", {}, ["image", "text"], "image/png"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("test_") else "",
)  # fmt: skip
def test_a_prompt_is_got(http: HTTP, key: str, name: str, arguments: dict, kinds: list[str], said: str) -> None:
    messages = ask(http, key, "prompts/get", name=name, arguments=arguments)["result"]["messages"]
    assert [message["role"] for message in messages] == ["user"] * len(kinds)
    assert [message["content"]["type"] for message in messages] == kinds
    first = messages[0]["content"]
    assert said in (first.get("text"), first.get("mimeType"), first.get("resource", {}).get("uri"))


def test_streams_at_once_each_end_with_their_own_answer(http: HTTP, key: str) -> None:
    streams = [http.connect() for _ in range(3)]
    for number, stream in enumerate(streams):
        body = call(number, "test_tool_with_progress", token=f"token {number}")
        stream.send(http.post(body, Mcp_Session_Id=key))
    for number, stream in enumerate(streams):
        with stream:
            answer = stream.answer()
        assert answer.is_stream
        messages = [event.message for event in answer.events if event.data]
        assert {message["params"]["progressToken"] for message in messages[:-1]} == {f"token {number}"}
        assert messages[-1]["id"] == number and "result" in messages[-1]


def test_a_stream_is_taken_up_after_the_last_event_that_was_seen(gateway: Gateway, http: HTTP, key: str) -> None:
    with http.connect() as stream:
        stream.send(http.post(call("dropped", "test_tool_with_progress", token="t"), Mcp_Session_Id=key))
        assert stream.head().is_stream
        primed = stream.event()
        assert primed and primed.id and primed.data == "", "an id to come back with, before there is a message"
    wait_until(lambda: gateway.audit.records("RESPONSE", request_id="dropped"), "it was answered meanwhile")
    answer = http.ask(http.raw("GET", Mcp_Session_Id=key, Last_Event_ID=primed.id))
    came = [event.message for event in answer.events]
    assert [message["params"]["progress"] for message in came[:-1]] == [0, 50, 100]
    assert came[-1]["id"] == "dropped" and "result" in came[-1]
    assert len({event.id for event in answer.events} | {primed.id}) == len(came) + 1


def test_a_call_whose_server_wants_its_client_to_poll_is_answered(http: HTTP, key: str) -> None:
    result = ask(http, key, "tools/call", name="test_reconnection", arguments={})["result"]
    assert result["content"][0]["text"] == "Reconnection test completed"


def test_a_session_ends_when_its_client_says_so(http: HTTP) -> None:
    key = http.open()
    assert ask(http, key, "ping")["result"] == {}
    assert http.ask(http.raw("DELETE", Mcp_Session_Id=key, MCP_Protocol_Version="2025-11-25")).status == 200
    for method in ("tools/list", "ping"):
        body = {"jsonrpc": "2.0", "id": 1, "method": method}
        assert http.ask(http.post(body, Mcp_Session_Id=key, MCP_Protocol_Version="2025-11-25")).status == 404
    assert http.ask(http.raw("GET", Mcp_Session_Id=key)).status == 404


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_only_our_own_names_are_served(http: HTTP, key: str, name: str) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    own = f"{name}:{http.port}"
    assert http.ask(http.post(ping, Mcp_Session_Id=key, Host=own, Origin=f"http://{own}")).status == 200
    for foreign in ({"Host": "evil.example.com"}, {"Host": own, "Origin": "http://evil.example.com"}):
        assert http.ask(http.post(ping, Mcp_Session_Id=key, **foreign)).status == 403
        assert http.ask(http.raw("GET", Mcp_Session_Id=key, **foreign)).status == 403
