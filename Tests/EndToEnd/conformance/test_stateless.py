"""The scenarios of revision 2026-07-28, behind servers of both eras: what requests bring.

`scenarios.py` has their names. `http/test_modern.py` has some already; those of asking the client are in
`test_stateless_input.py`, those of headers, statuses and streams in `test_stateless_transport.py`.
"""

from __future__ import annotations

import pytest

from harness.http import HTTP
from harness.stateless import META, VERSION, ask, request, result

pytestmark = pytest.mark.gateway

LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
PROMPT = {
    "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}, "argument": {"name": "arg1", "value": "py"}
}  # fmt: skip


def test_discover_tells_what_is_spoken_and_offered(http: HTTP) -> None:
    found = result(http, "server/discover")
    assert found["supportedVersions"] == [VERSION]
    assert {"tools", "prompts", "resources", "completions", "logging"} <= set(found["capabilities"])
    assert found["instructions"] == "Everything server (SDK 2.x)."
    assert found["_meta"][META + "serverInfo"] == {"name": "everything-mcp2", "version": "1.2.3"}


@pytest.mark.parametrize("method", ["tools/list", "resources/list", "prompts/list", "server/discover"])
def test_nothing_has_to_come_first(http: HTTP, method: str) -> None:
    assert result(http, method, meta={META + "clientInfo": None})


@pytest.mark.parametrize("identifier", ["text", "", 0, -1, 2**53 - 1], ids=repr)
def test_an_id_comes_back_as_it_was_sent(http: HTTP, identifier: object) -> None:
    for method in ("server/discover", "tools/list"):
        assert ask(http, request(method, identifier)).message["id"] == identifier


@pytest.mark.parametrize(
    ("method", "params", "cached"),
    [
        ("server/discover", {}, True), ("tools/list", {}, True), ("prompts/list", {}, True),
        ("resources/list", {}, True), ("resources/templates/list", {}, True),
        ("resources/read", {"uri": "test://static-text"}, True),
        ("prompts/get", {"name": "test_simple_prompt"}, False), ("completion/complete", PROMPT, False),
        ("tools/call", {"name": "test_simple_text", "arguments": {}}, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_result_has_its_type_and_no_session(http: HTTP, method: str, params: dict, cached: bool) -> None:
    answer = ask(http, request(method, **params))
    found = answer.message["result"]
    assert found["resultType"] == "complete"
    assert "mcp-session-id" not in answer.headers
    assert ("ttlMs" in found, "cacheScope" in found) == (cached, cached)
    if cached:
        assert isinstance(found["ttlMs"], int) and found["ttlMs"] >= 0
        assert found["cacheScope"] in ("public", "private")


@pytest.mark.parametrize(
    ("capability", "method", "params"),
    [("tools", "tools/list", {}), ("prompts", "prompts/list", {}), ("resources", "resources/list", {}),
     ("resources", "resources/templates/list", {}), ("completions", "completion/complete", PROMPT)],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_offered_is_there(http: HTTP, capability: str, method: str, params: dict) -> None:
    assert capability in result(http, "server/discover")["capabilities"]
    assert result(http, method, **params)["resultType"] == "complete"


def test_a_cursor_that_nobody_gave_is_refused(http: HTTP) -> None:
    answer = ask(http, request("tools/list", "c", cursor="none"))
    assert (answer.message["id"], answer.message["error"]["code"]) == ("c", -32602)


def test_every_page_of_the_tools(http: HTTP) -> None:
    tools: list[dict] = []
    cursor: dict = {}
    scopes = set()
    while page := result(http, "tools/list", **cursor):
        tools += page["tools"]
        scopes.add(page["cacheScope"])
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}
    schemas = {tool["name"]: tool["inputSchema"] for tool in tools}
    assert len(schemas) == len(tools) > 40
    assert len(scopes) == 1, "all pages may be kept by the same caches"
    assert schemas["test_x_mcp_header"]["properties"]["region"]["x-mcp-header"] == "Region"
    schema = schemas["json_schema_2020_12_tool"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["address"]["$anchor"] == "addressDef"
    assert {"allOf", "if", "then", "else"} <= set(schema) and schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("tool", "kinds"),
    [("test_simple_text", ["text"]), ("test_image_content", ["image"]), ("test_audio_content", ["audio"]),
     ("test_embedded_resource", ["resource"]), ("test_multiple_content_types", ["text", "image", "resource"])],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_call_brings_each_kind_of_content(http: HTTP, tool: str, kinds: list[str]) -> None:
    found = result(http, "tools/call", name=tool, arguments={})
    assert not found.get("isError")
    assert [content["type"] for content in found["content"]] == kinds
    for content in found["content"]:
        assert content.get("text") or content.get("data") or content["resource"]["text"]


def test_a_tools_own_error_is_a_complete_result(http: HTTP) -> None:
    found = result(http, "tools/call", name="test_error_handling", arguments={})
    assert (found["isError"], found["resultType"]) == (True, "complete")


@pytest.mark.parametrize("token", ["text", 7], ids=["string", "number"])
def test_progress_comes_in_order_on_the_posts_own_stream(http: HTTP, token: object) -> None:
    body = request("tools/call", 3, meta={"progressToken": token}, name="test_tool_with_progress", arguments={})
    answer = ask(http, body)
    assert answer.is_stream and answer.headers["x-accel-buffering"] == "no"
    *told, last = [event.message for event in answer.events]
    assert [message["params"]["progress"] for message in told] == [0, 50, 100]
    assert [message["params"]["progressToken"] for message in told] == [token] * 3
    assert (last["id"], last["result"]["resultType"]) == (3, "complete")


@pytest.mark.parametrize("level", [None, "debug", "error", "emergency"])
def test_a_call_logs_from_the_level_that_it_asks_for(http: HTTP, level: str | None) -> None:
    answer = ask(http, request("tools/call", meta={META + "logLevel": level}, name="logs", arguments={"message": "m"}))
    if level is None:
        assert not answer.is_stream, "nobody asked for messages"
        return
    *told, last = [event.message for event in answer.events]
    assert {message["method"] for message in told} == {"notifications/message"}
    assert [message["params"]["level"] for message in told] == LEVELS[LEVELS.index(level) :]
    assert last["result"]["content"][0]["text"] == "logged"


@pytest.mark.parametrize("level", ["loud", "", 5], ids=repr)
def test_a_log_level_that_does_not_exist_is_refused(http: HTTP, level: object) -> None:
    body = request("tools/call", meta={META + "logLevel": level}, name="logs", arguments={"message": "m"})
    assert ask(http, body).message["error"]["code"] == -32602


def test_a_capability_that_is_needed_and_not_declared(http: HTTP) -> None:
    answer = ask(http, request("tools/call", "m", name="test_missing_capability", arguments={}))
    assert (answer.status, answer.message["id"]) == (400, "m")
    assert answer.message["error"]["code"] == -32021
    assert answer.message["error"]["data"]["requiredCapabilities"] == {"sampling": {}}


def test_completion_proposes_values(http: HTTP) -> None:
    assert result(http, "completion/complete", **PROMPT)["completion"]["values"] == ["python", "pytorch"]


@pytest.mark.parametrize(
    ("uri", "member", "said"),
    [("test://static-text", "text", "This is the content of the static text resource."),
     ("test://static-binary", "blob", "iVBORw0KGgo"), ("test://template/9/data", "text", "Data for ID: 9")],
)  # fmt: skip
def test_a_resource_is_read(http: HTTP, uri: str, member: str, said: str) -> None:
    (content,) = result(http, "resources/read", uri=uri)["contents"]
    assert content["uri"] == uri and said in content[member]


def test_a_resource_that_does_not_exist(http: HTTP) -> None:
    error = ask(http, request("resources/read", uri="test://none")).message["error"]
    assert (error["code"], error["data"]["uri"]) == (-32602, "test://none")


def test_resources_and_templates_are_listed(http: HTTP) -> None:
    uris = {resource["uri"] for resource in result(http, "resources/list")["resources"]}
    assert {"test://static-text", "test://static-binary", "test://watched-resource"} <= uris
    (template,) = result(http, "resources/templates/list")["resourceTemplates"]
    assert template["uriTemplate"] == "test://template/{id}/data"


@pytest.mark.parametrize(
    ("name", "arguments", "kinds"),
    [("test_simple_prompt", {}, ["text"]), ("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"}, ["text"]),
     ("test_prompt_with_embedded_resource", {"resourceUri": "test://given"}, ["resource", "text"]),
     ("test_prompt_with_image", {}, ["image", "text"])],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_prompt_is_got(http: HTTP, name: str, arguments: dict, kinds: list[str]) -> None:
    assert name in {prompt["name"] for prompt in result(http, "prompts/list")["prompts"]}
    messages = result(http, "prompts/get", name=name, arguments=arguments)["messages"]
    assert [message["content"]["type"] for message in messages] == kinds
