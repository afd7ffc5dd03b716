"""Tool calls and what they bring back."""

from __future__ import annotations

import hashlib

import anyio
import pytest

from harness.client import Refused, Session, open_session
from harness.gateway import Gateway

MEGABYTES = 5 << 20
UNICODE = "Grüße, 世界 — שלום 👩‍👩‍👧‍👦 \u2028\u2029 \ud7ff \U0001f600 \"quoted\" \\back\\ \t tab \x7f"


async def text(session: Session, tool: str, **arguments: object) -> str:
    """The first text of a call's result."""
    return (await session.call(tool, arguments))["content"][0]["text"]


async def test_a_call_returns_what_the_tool_said(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        assert await text(session, "echo", text="hello") == "hello"


@pytest.mark.gateway
async def test_text_of_every_script_arrives_without_what_nobody_sees(gateway: Gateway) -> None:
    seen = "".join(c for c in UNICODE if c not in "\u200d\x7f\ud7ff")
    assert seen != UNICODE
    async with open_session(gateway) as session:
        assert await text(session, "echo", text=UNICODE) == seen
        result = await session.call("uni")
        assert result["content"][0]["text"] == seen
        assert result["structuredContent"] == {"ключ": seen}


async def test_structured_output_arrives_beside_the_text(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        result = await session.call("add", {"a": 20, "b": 22})
        assert result["structuredContent"] == {"result": 42}


async def test_every_kind_of_content_and_the_results_meta_pass(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        result = await session.call("contents")
        kinds = [block["type"] for block in result["content"]]
        assert kinds == ["text", "image", "audio", "resource", "resource", "resource_link"]
        assert result["_meta"]["fixture/result"] == {"n": 7}


async def test_a_tools_own_error_is_a_result_and_no_protocol_error(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        result = await session.call("fail", {"message": "broken on purpose"})
        assert result["isError"] is True
        assert "broken on purpose" in result["content"][0]["text"]


async def test_an_unknown_tool_is_the_upstreams_to_refuse(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        try:
            result = await session.call("pad_0_unknown")
        except Refused as refused:
            assert refused.code == -32602
        else:
            assert result["isError"] is True


@pytest.mark.gateway
async def test_a_blocked_tool_is_refused_with_the_reason_and_the_policy(gateway: Gateway) -> None:
    async with open_session(gateway, name="blocked") as session:
        with pytest.raises(Refused) as refused:
            await session.call("pad_10")
    reason = "Tool 'pad_10' is not in allowlist"
    assert refused.value.code == -32000
    assert refused.value.message == reason
    assert refused.value.data == {"reason": reason, "plugin": "tool_allowlist"}
    block = gateway.audit.records("SECURITY_BLOCK", client_name="blocked")[-1]
    assert (block["tool"], block["reason"], block["plugin"]) == ("pad_10", reason, "tool_allowlist")
    assert not gateway.audit.records("REQUEST", tool="pad_10")


async def test_five_megabytes_come_back(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        answer = await text(session, "big", size=MEGABYTES)
        assert len(answer) == MEGABYTES
        assert answer == ("0123456789abcdef" * (MEGABYTES // 16))


async def test_five_megabytes_go_out(gateway: Gateway) -> None:
    blob = "ünïcode " * (MEGABYTES // 10)
    async with open_session(gateway) as session:
        digest = hashlib.sha256(blob.encode()).hexdigest()
        assert await text(session, "digest", blob=blob) == f"{len(blob)} {digest}"


async def test_fifty_concurrent_calls_each_get_their_own_answer(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        answers: dict[int, str] = {}

        async def one(i: int) -> None:
            answers[i] = await text(session, "delay", i=i, ms=(i * 7) % 50)

        async with anyio.create_task_group() as tasks:
            for i in range(50):
                tasks.start_soon(one, i)
        assert answers == {i: f"delay {i}" for i in range(50)}


async def test_a_slow_call_holds_up_no_other(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        order: list[str] = []

        async def slow() -> None:
            await text(session, "delay", i=1, ms=1500)
            order.append("slow")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(slow)
            for _ in range(5):
                await text(session, "echo", text="quick")
                order.append("quick")
        assert order == ["quick"] * 5 + ["slow"]
