"""What tools bring back, resources hold and prompts say, block by block."""

from __future__ import annotations

import json

import pytest

from eras.test_listing import tools
from features.test_calls import UNICODE
from harness.client import Refused, open_session
from harness.gateway import Gateway, is_passthrough
from harness.matrix import Cell

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV, "mimeType": "audio/wav"}


def text(said: str, **members: object) -> dict:
    return {"type": "text", "text": said, **members}


def embedded(uri: str, kind: str, **content: str) -> dict:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, **content}}


CONTENTS = [
    text("text", annotations={"audience": ["user"], "priority": 0.5}),
    IMAGE,
    AUDIO,
    embedded("test://embedded", "text/plain", text="embedded text"),
    embedded("test://embedded.bin", "application/octet-stream", blob="AAECAw=="),
    {"type": "resource_link", "uri": "test://static-text", "name": "link"},
]
MIXED = [
    text("Multiple content types test:"),
    IMAGE,
    embedded("test://mixed-content-resource", "application/json", text='{"test":"data","value":123}'),
]
CALLS = {
    "contents": CONTENTS,
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [AUDIO],
    "test_embedded_resource": [
        embedded("test://embedded-resource", "text/plain", text="This is an embedded resource content.")
    ],
    "test_multiple_content_types": MIXED,
    "test_reconnection": [text("Reconnection test completed")],
    "json_schema_2020_12_tool": [text("json_schema_2020_12_tool")],
    "pad_07": [text("pad 7")],
}
PROMPTS = {
    "test_simple_prompt": ({}, [text("This is a simple prompt for testing.")]),
    "test_prompt_with_arguments": ({"arg1": "ä", "arg2": "b"}, [text("Prompt with arguments: arg1='ä', arg2='b'")]),
    "test_prompt_with_embedded_resource": (
        {"resourceUri": "test://of-the-prompt"},
        [
            embedded("test://of-the-prompt", "text/plain", text="Embedded resource content for testing."),
            text("Please process the embedded resource above."),
        ],
    ),
    "test_prompt_with_image": ({}, [IMAGE, text("Please analyze the image above.")]),
}


async def test_a_call_brings_every_block_whole(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        came = {tool: (await session.call(tool))["content"] for tool in CALLS}
    assert came == CALLS


async def test_a_prompt_brings_every_block_whole(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        for name, (arguments, expected) in PROMPTS.items():
            prompt = await session.request("prompts/get", {"name": name, "arguments": arguments})
            assert [message["content"] for message in prompt["messages"]] == expected
            assert {message["role"] for message in prompt["messages"]} == {"user"}


async def test_a_tool_that_fails_has_a_result(gateway: Gateway, cell: Cell) -> None:
    async with open_session(gateway) as session:
        result = await session.call("test_error_handling")
    assert result["isError"] is True
    # The 2.x SDK tells clients that a tool failed, and not why.
    why = "intentionally returns an error" if cell.upstream == "everything1" else "test_error_handling"
    assert why in result["content"][0]["text"]


async def test_what_a_client_puts_beside_its_arguments_arrives(gateway: Gateway, cell: Cell) -> None:
    async with open_session(gateway) as session:
        said = (await session.call("meta_echo", meta={"fixture/ask": {"n": 7}}))["content"][0]["text"]
    arrived = json.loads(said)
    assert arrived["fixture/ask"] == {"n": 7}
    # The envelope is of the modern era only, whatever the client speaks.
    envelope = [key for key in arrived if key.startswith("io.modelcontextprotocol/")]
    assert bool(envelope) == (cell.upstream_era == "modern"), arrived


@pytest.mark.everything2
async def test_an_argument_that_goes_in_a_header_too_arrives(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        await tools(session)  # the SDK learns from the list which arguments those are
        for region in ("eu-central-1", "région ä"):
            said = await session.call("test_x_mcp_header", {"region": region})
            assert said["content"][0]["text"] == f"region={region}"
        # What is said without the argument looks like a tag, so it is sanitised.
        without = (await session.call("test_x_mcp_header"))["content"][0]["text"]
        assert without == ("region=<none>" if is_passthrough() else "region=")


async def test_every_resource_is_read(gateway: Gateway) -> None:
    async def read(uri: str) -> dict:
        (content,) = (await session.request("resources/read", {"uri": uri}))["contents"]
        assert content["uri"] == uri
        return content

    async with open_session(gateway) as session:
        assert (await read("test://static-text"))["text"] == "This is the content of the static text resource."
        binary = await read("test://static-binary")
        assert (binary["mimeType"], binary["blob"]) == ("image/png", PNG)
        assert (await read("test://watched-resource"))["text"].startswith("Watched resource content ")
        assert (await read("test://unicode"))["text"] == UNICODE
        made = await read("test://template/seven/data")
        assert made["mimeType"] == "application/json"
        assert json.loads(made["text"]) == {"id": "seven", "templateTest": True, "data": "Data for ID: seven"}


async def test_what_does_not_exist_is_the_upstreams_to_refuse(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        with pytest.raises(Refused, match="test://nowhere"):
            await session.request("resources/read", {"uri": "test://nowhere"})
        # The servers have different codes and words for a prompt.
        with pytest.raises(Refused):
            await session.request("prompts/get", {"name": "nobody"})
        assert (await session.call("echo", {"text": "still here"}))["content"] == [text("still here")]


async def test_completion_of_a_templates_variable(gateway: Gateway) -> None:
    asked = {
        "ref": {"type": "ref/resource", "uri": "test://template/{id}/data"},
        "argument": {"name": "id", "value": "ü"},
    }
    async with open_session(gateway) as session:
        found = (await session.request("completion/complete", asked))["completion"]
    assert (found["values"], found["total"], found["hasMore"]) == (["ünïcode"], 1, False)
