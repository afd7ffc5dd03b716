"""What FastMCP's client makes of the protocol by methods of its own."""

from __future__ import annotations

import pytest
from fastmcp.exceptions import ToolError

from eras.test_listing import TOOLS
from harness.client import open_session
from harness.gateway import Gateway


async def test_its_list_is_that_of_all_pages(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        assert TOOLS <= {tool.name for tool in await session.client.list_tools()}


async def test_a_result_is_read_by_its_tools_schema(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        assert (await session.client.call_tool("add", {"a": 20, "b": 22})).data.result == 42


async def test_a_tools_own_error_is_raised(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        with pytest.raises(ToolError, match="broken on purpose"):
            await session.client.call_tool("fail", {"message": "broken on purpose"})


async def test_what_resources_and_prompts_hold(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        (content,) = await session.client.read_resource("test://static-text")
        assert content.text == "This is the content of the static text resource."
        prompt = await session.client.get_prompt("test_simple_prompt")
        assert prompt.messages[0].content.text == "This is a simple prompt for testing."
