"""What the everything servers say about their tools, resources and prompts."""

from __future__ import annotations

from harness.client import Session, open_session
from harness.gateway import Gateway, is_passthrough
from harness.matrix import Cell

TOOLS = {
    "add", "big", "change_lists", "contents", "delay", "digest", "echo", "elicit", "fail", "json_schema_2020_12_tool",
    "logs", "meta_echo", "ping_client", "progress", "roots", "sample", "slow", "state", "test_audio_content",
    "test_elicitation", "test_elicitation_sep1034_defaults", "test_elicitation_sep1330_enums",
    "test_embedded_resource", "test_error_handling", "test_image_content", "test_multiple_content_types",
    "test_reconnection", "test_sampling", "test_simple_text", "test_tool_with_logging", "test_tool_with_progress",
    "touch", "uni", *(f"pad_{number:02}" for number in range(10)),
}  # fmt: skip
"""What both servers have and the allowlist permits. Each of them is called by a test of this folder."""

TOOLS_OF_2 = TOOLS | {
    "test_input_required_result_capabilities", "test_input_required_result_elicitation",
    "test_input_required_result_list_roots", "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs", "test_input_required_result_request_state",
    "test_input_required_result_sampling", "test_input_required_result_tampered_state", "test_missing_capability",
    "test_trigger_prompt_change", "test_trigger_tool_change", "test_x_mcp_header",
}  # fmt: skip

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


async def tools(session: Session) -> dict[str, dict]:
    """Those of every page, by name."""
    found: dict[str, dict] = {}
    cursor = None
    while True:
        page = await session.request("tools/list", {"cursor": cursor} if cursor else None)
        found |= {tool["name"]: tool for tool in page["tools"]}
        cursor = page.get("nextCursor")
        if cursor is None:
            return found


async def test_every_tool_is_listed_with_all_that_is_said_about_it(gateway: Gateway, cell: Cell) -> None:
    async with open_session(gateway) as session:
        found = await tools(session)
    blocked = {f"pad_{number}" for number in range(10, 15)} if is_passthrough() else set()
    assert set(found) == (TOOLS if cell.upstream == "everything1" else TOOLS_OF_2) | blocked
    echo = found["echo"]
    assert (echo["title"], echo["description"]) == ("Echo", "Echoes text")
    assert echo["annotations"] == {"title": "Echo it", "readOnlyHint": True}
    assert echo["inputSchema"]["required"] == ["text"]
    assert found["add"]["outputSchema"]["properties"]["result"]["type"] == "integer"
    assert found["json_schema_2020_12_tool"]["inputSchema"] == SCHEMA
    if "test_x_mcp_header" in found:
        assert found["test_x_mcp_header"]["inputSchema"]["properties"]["region"]["x-mcp-header"] == "Region"


async def test_every_resource_template_and_prompt_is_listed(gateway: Gateway, cell: Cell) -> None:
    async with open_session(gateway) as session:
        resources = (await session.request("resources/list"))["resources"]
        templates = (await session.request("resources/templates/list"))["resourceTemplates"]
        prompts = (await session.request("prompts/list"))["prompts"]
    assert {resource["uri"]: resource["mimeType"] for resource in resources} == {
        "test://static-text": "text/plain",
        "test://static-binary": "image/png",
        "test://watched-resource": "text/plain",
        "test://unicode": "text/plain",
    }
    assert [(template["uriTemplate"], template["mimeType"]) for template in templates] == [
        ("test://template/{id}/data", "application/json")
    ]
    arguments = {
        prompt["name"]: [(argument["name"], argument["required"]) for argument in prompt.get("arguments", [])]
        for prompt in prompts
    }
    asking = {} if cell.upstream == "everything1" else {"test_input_required_result_prompt": []}
    assert arguments == asking | {
        "test_simple_prompt": [],
        "test_prompt_with_arguments": [("arg1", True), ("arg2", True)],
        "test_prompt_with_embedded_resource": [("resourceUri", True)],
        "test_prompt_with_image": [],
    }
