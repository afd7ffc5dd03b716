"""Lists, page by page."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from features.conftest import ALLOWED
from harness.client import Refused, Session, open_session
from harness.gateway import Gateway, is_passthrough

PAGE = 10


async def all_pages(session: Session) -> list[list[str]]:
    """The names on each page of the tools, to the end."""
    pages, cursor = [], None
    while True:
        page = await session.request("tools/list", {"cursor": cursor} if cursor else None)
        pages.append([tool["name"] for tool in page["tools"]])
        cursor = page.get("nextCursor")
        if cursor is None:
            return pages


async def test_every_page_of_the_tools_arrives_in_order(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        pages = await all_pages(session)
        assert len(pages) >= 4
        names = [name for page in pages for name in page]
        assert len(names) == len(set(names))
        assert {"echo", "slow", "uni", "pad_00", "pad_09"} <= set(names)
        pads = [name for name in names if name.startswith("pad_")]
        assert pads == sorted(pads)
        assert all(len(page) <= PAGE for page in pages)


@pytest.mark.gateway
async def test_only_permitted_tools_are_listed(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        names = [name for page in await all_pages(session) for name in page]
    assert all(any(fnmatchcase(name, pattern) for pattern in ALLOWED) for name in names), names
    assert {name for name in names if name.startswith("pad_")} == {f"pad_{n:02}" for n in range(10)}
    filtered = gateway.audit.records("TOOLS_FILTERED", method="tools/list", plugin="tool_allowlist")
    assert filtered
    assert all(record["plugin_metadata"]["filtered_count"] > 0 for record in filtered)


async def test_a_bad_cursor_is_the_upstreams_to_refuse(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        with pytest.raises(Refused) as refused:
            await session.request("tools/list", {"cursor": "nowhere"})
        assert refused.value.code == -32602


async def test_resources_templates_and_prompts_are_listed_and_read(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        resources = await session.request("resources/list")
        assert {"test://static-text", "test://unicode"} <= {resource["uri"] for resource in resources["resources"]}
        templates = await session.request("resources/templates/list")
        assert [template["uriTemplate"] for template in templates["resourceTemplates"]] == ["test://template/{id}/data"]
        read = await session.request("resources/read", {"uri": "test://static-text"})
        assert read["contents"][0]["text"] == "This is the content of the static text resource."
        binary = await session.request("resources/read", {"uri": "test://static-binary"})
        assert binary["contents"][0]["blob"].startswith("iVBORw0KGgo")
        prompts = await session.request("prompts/list")
        assert "test_simple_prompt" in {prompt["name"] for prompt in prompts["prompts"]}
        prompt = await session.request(
            "prompts/get", {"name": "test_prompt_with_arguments", "arguments": {"arg1": "ä", "arg2": "b"}}
        )
        assert prompt["messages"][0]["content"]["text"] == "Prompt with arguments: arg1='ä', arg2='b'"


async def test_the_session_is_told_the_upstreams_name_and_that_tools_may_change(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        assert session.opened["serverInfo"]["name"].startswith("everything-mcp")
        assert session.opened["protocolVersion"] == "2025-11-25"
        assert session.opened["instructions"].startswith("Everything server")
        if not is_passthrough():
            assert session.opened["capabilities"]["tools"]["listChanged"] is True
