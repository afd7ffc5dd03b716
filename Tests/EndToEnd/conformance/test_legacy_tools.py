"""The tools' scenarios of revision 2025-11-25, and those where a tool asks the client, behind servers of both eras; the
others are in `test_legacy.py`. A modern server's tools ask by an interim result; the gateway makes a request of it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Answer, call
from harness.upstreams import everything

pytestmark = pytest.mark.gateway

CAPABILITIES = {"sampling": {}, "elicitation": {}}
TITLED = [{"const": f"value{i}", "title": f"Option {i}"} for i in (1, 2, 3)]
PLAIN = ["option1", "option2", "option3"]
EMBEDDED = {
    "uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content."
}  # fmt: skip
MIXED = {"uri": "test://mixed-content-resource", "mimeType": "application/json", "text": '{"test":"data","value":123}'}


LEGACY, MODERN = "legacy", "modern"
UPSTREAMS = {
    "mcp1": (LEGACY, everything(1)), "mcp2": (LEGACY, [*everything(2), "--legacy-only"]),
    "modern": (MODERN, [*everything(2), "--modern-only"]),
}  # fmt: skip


@pytest.fixture(scope="module", params=UPSTREAMS)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """In front of servers of the same era, and of one of the other."""
    era, command = UPSTREAMS[request.param]
    gateway = Gateway(command, door="http", era=era, tools=["*"])
    gateway.upstream_name = era
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


@pytest.fixture(scope="module")
def asked(gateway: Gateway) -> str:
    """A session that can be asked, so with a process of its own."""
    return HTTP(gateway.port).open(capabilities=CAPABILITIES)


def tools(http: HTTP, key: str) -> list[dict]:
    """Those of every page."""
    found: list[dict] = []
    cursor: dict = {}
    while True:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": cursor}
        page = http.ask(http.post(body, Mcp_Session_Id=key)).message["result"]
        found += page["tools"]
        if not page.get("nextCursor"):
            return found
        cursor = {"cursor": page["nextCursor"]}


def test_every_tool_is_listed_with_a_schema(http: HTTP, key: str) -> None:
    found = tools(http, key)
    names = [tool["name"] for tool in found]
    assert len(set(names)) == len(names)
    assert {"test_simple_text", "test_error_handling", "test_sampling", "test_reconnection"} <= set(names)
    for tool in found:
        assert tool["description"] and tool["inputSchema"]["type"] == "object", tool


def test_no_keyword_of_a_schema_is_lost(http: HTTP, key: str) -> None:
    (schema,) = [tool["inputSchema"] for tool in tools(http, key) if tool["name"] == "json_schema_2020_12_tool"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["address"]["$anchor"] == "addressDef"
    assert schema["properties"]["address"] == {"$ref": "#/$defs/address"}
    assert schema["allOf"] == [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}]
    assert schema["if"]["properties"] == {"contactMethod": {"const": "phone"}}
    assert (schema["then"], schema["else"]) == ({"required": ["phone"]}, {"required": ["email"]})
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("test_simple_text", [{"type": "text", "text": "This is a simple text response for testing."}]),
        ("test_image_content", [{"type": "image", "mimeType": "image/png"}]),
        ("test_audio_content", [{"type": "audio", "mimeType": "audio/wav"}]),
        ("test_embedded_resource", [{"type": "resource", "resource": EMBEDDED}]),
        (
            "test_multiple_content_types",
            [{"type": "text", "text": "Multiple content types test:"}, {"type": "image", "mimeType": "image/png"},
             {"type": "resource", "resource": MIXED}],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_call_brings_each_kind_of_content(http: HTTP, key: str, tool: str, expected: list[dict]) -> None:
    answer = http.ask(http.post(call("c", tool), Mcp_Session_Id=key))
    assert (answer.status, answer.message["id"]) == (200, "c")
    assert not answer.message["result"].get("isError")
    for content, wanted in zip(answer.message["result"]["content"], expected, strict=True):
        data = content.pop("data", None)
        assert content == wanted
        if data is not None:
            magic = b"RIFF" if content["type"] == "audio" else b"\x89PNG"
            assert base64.b64decode(data, validate=True).startswith(magic)


def test_a_tools_own_error_is_a_result(http: HTTP, key: str) -> None:
    answer = http.ask(http.post(call(1, "test_error_handling"), Mcp_Session_Id=key))
    assert answer.status == 200 and answer.message["result"]["isError"] is True
    assert answer.message["result"]["content"][0]["text"].startswith("Error executing tool test_error_handling")


def test_log_messages_of_a_call_arrive(http: HTTP, key: str) -> None:
    level = {"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "info"}}
    assert http.ask(http.post(level, Mcp_Session_Id=key)).message["result"] == {}
    with http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().is_stream and stream.event()
        answer = http.ask(http.post(call(2, "test_tool_with_logging"), Mcp_Session_Id=key))
        said = [event.message for event in answer.events if event.data][:-1] if answer.is_stream else []
        while len(said) < 3:
            event = stream.event()
            assert event
            said.append(event.message)
    assert {message["method"] for message in said} == {"notifications/message"}
    assert [(message["params"]["level"], message["params"]["data"]) for message in said] == [
        ("info", "Tool execution started"), ("info", "Tool processing data"), ("info", "Tool execution completed")
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["text", 7], ids=["string", "number"])
def test_progress_comes_in_order_before_the_result(http: HTTP, key: str, token: object) -> None:
    answer = http.ask(http.post(call(3, "test_tool_with_progress", token=token), Mcp_Session_Id=key))
    *told, last = [event.message for event in answer.events if event.data]
    assert [(message["params"]["progress"], message["params"]["total"]) for message in told] == [
        (0, 100), (50, 100), (100, 100)
    ]  # fmt: skip
    assert [message["params"]["progressToken"] for message in told] == [token] * 3
    assert last["id"] == 3 and not last["result"].get("isError")


def asking(http: HTTP, key: str, tool: str, arguments: dict, reply: dict) -> tuple[dict, str]:
    """What the tool asked its client, and what it said after the reply."""
    with http.connect() as calling:
        calling.send(http.post(call("asks", tool, arguments), Mcp_Session_Id=key))
        assert calling.head().is_stream
        prime, question = calling.event(), calling.event()
        assert prime and question
        answer: Answer = http.ask(
            http.post({"jsonrpc": "2.0", "id": question.message["id"], "result": reply}, Mcp_Session_Id=key)
        )
        assert (answer.status, answer.body) == (202, b"")
        last = calling.event()
        assert last and last.message["id"] == "asks"
        assert calling.event() is None
    return question.message, last.message["result"]["content"][0]["text"]


def test_a_tool_samples_the_client_that_called(gateway: Gateway, http: HTTP, asked: str) -> None:
    tool, tokens, expected = {
        LEGACY: ("test_sampling", 100, "LLM response: an answer"),
        MODERN: ("sample", 50, "model=fixture text=an answer"),
    }[gateway.upstream_name]
    reply = {"role": "assistant", "content": {"type": "text", "text": "an answer"}, "model": "fixture"}
    question, said = asking(http, asked, tool, {"prompt": "a question"}, reply)
    assert question["method"] == "sampling/createMessage"
    assert question["params"]["maxTokens"] == tokens
    assert question["params"]["messages"][0]["content"]["text"] == "a question"
    assert said == expected


@pytest.mark.parametrize(
    ("action", "said"),
    [("accept", {LEGACY: 'User response: action=accept, content={"response": "yes"}', MODERN: "accept:yes:30"}),
     ("decline", {LEGACY: "User response: action=decline, content=null", MODERN: "decline"})],
    ids=["accept", "decline"],
)  # fmt: skip
def test_a_tool_asks_the_user(gateway: Gateway, http: HTTP, asked: str, action: str, said: dict) -> None:
    tool, field = {LEGACY: ("test_elicitation", "response"), MODERN: ("elicit", "name")}[gateway.upstream_name]
    reply = {"action": action} | ({"content": {field: "yes"}} if action == "accept" else {})
    question, answered = asking(http, asked, tool, {"message": "Well?"}, reply)
    assert question["method"] == "elicitation/create"
    assert question["params"]["message"] == "Well?"
    assert question["params"]["requestedSchema"]["required"] == [field]
    assert answered == said[gateway.upstream_name]


DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"}, "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5}, "verified": {"type": "boolean", "default": True},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
}  # fmt: skip
ENUMS = {
    "untitledSingle": {"type": "string", "enum": PLAIN}, "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": PLAIN}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}  # fmt: skip
FORM = {"name": {"type": "string", "description": "name"}, "age": {"type": "integer", "default": 30}}


# A modern server's tools cannot send the requests that the scenarios' own tools send.
@pytest.mark.parametrize(
    ("gateway", "tool", "properties"),
    [
        ("mcp1", "test_elicitation_sep1034_defaults", DEFAULTS), ("mcp1", "test_elicitation_sep1330_enums", ENUMS),
        ("mcp2", "test_elicitation_sep1034_defaults", DEFAULTS), ("mcp2", "test_elicitation_sep1330_enums", ENUMS),
        ("modern", "elicit", FORM),
    ],
    ids=["mcp1-SEP-1034", "mcp1-SEP-1330", "mcp2-SEP-1034", "mcp2-SEP-1330", "modern"],
    indirect=["gateway"],
)  # fmt: skip
def test_the_schema_of_a_question_arrives_whole(http: HTTP, asked: str, tool: str, properties: dict) -> None:
    arguments = {"message": "Well?"} if properties is FORM else {}
    question, said = asking(http, asked, tool, arguments, {"action": "decline"})
    assert question["params"]["requestedSchema"]["properties"] == properties
    assert "decline" in said
