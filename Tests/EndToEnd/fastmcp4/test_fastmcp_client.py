"""The FastMCP client over every door, in front of both everything servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types
import pytest
from fastmcp import Client
from fastmcp.client.transports import ClientTransport, StdioTransport, StreamableHttpTransport
from mcp import ClientSession
from mcp.shared.message import SessionMessage

from harness.client import unix_transport
from harness.gateway import Gateway
from harness.upstreams import everything

pytestmark = pytest.mark.gateway


@pytest.fixture(scope="module", params=["stdio", "unix", "http"])
def door(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=[1, 2], ids=["everything1", "everything2"])
def gateway(request: pytest.FixtureRequest, door: str) -> Iterator[Gateway]:
    """Over stdio every client starts a gateway of its own."""
    gateway = Gateway(everything(request.param), door=door)
    try:
        yield gateway if door == "stdio" else gateway.start()
    finally:
        gateway.close()


class UnixTransport(ClientTransport):
    """The framing of stdio over a Unix socket, which FastMCP has no transport for."""

    def __init__(self, gateway: Gateway) -> None:
        self.path = gateway.socket_path

    @asynccontextmanager
    async def connect_session(self, *_: Any, **arguments: Any) -> AsyncIterator[ClientSession]:
        arguments.pop("transport_options", None)
        async with (
            unix_transport(
                self.path,
                lambda line: SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False)),
                lambda outgoing: outgoing.message.model_dump_json(by_alias=True, exclude_unset=True),
            ) as (read, write),
            ClientSession(read, write, **arguments) as session,
        ):
            yield session


def transport(gateway: Gateway) -> ClientTransport:
    if gateway.door == "http":
        return StreamableHttpTransport(gateway.url)
    if gateway.door == "unix":
        return UnixTransport(gateway)
    program, *arguments = gateway.command
    return StdioTransport(
        program, arguments, env=gateway.environment, keep_alive=False, log_file=gateway.log_path
    )


@asynccontextmanager
async def client(gateway: Gateway, **options: Any) -> AsyncIterator[Client]:
    with anyio.fail_after(60):
        async with Client(transport(gateway), **options) as opened:
            yield opened


async def text(opened: Client, tool: str, **arguments: object) -> str:
    return (await opened.call_tool(tool, arguments)).content[0].text


async def test_tools_resources_and_prompts(gateway: Gateway) -> None:
    async with client(gateway) as opened:
        assert {"echo", "progress", "sample"} <= {tool.name for tool in await opened.list_tools()}
        assert await text(opened, "echo", text="grüße") == "grüße"
        resources = await opened.list_resources()
        assert resources and (await opened.read_resource(resources[0].uri))
        prompts = await opened.list_prompts()
        assert prompts
        large = await opened.call_tool("big", {"size": 5 << 20})
        assert len(large.content[0].text) >= 5 << 20


async def test_a_call_with_progress(gateway: Gateway) -> None:
    steps: list[float] = []

    async def note(done: float, _total: float | None, _message: str | None) -> None:
        steps.append(done)

    async with client(gateway) as opened:
        await opened.call_tool("progress", {"steps": 5}, progress_handler=note)
    assert len(steps) == 5 and steps == sorted(steps)


async def test_sampling_and_elicitation(gateway: Gateway) -> None:
    async def sample(messages: list, _params: object, _context: object) -> str:
        content = messages[0].content
        return f"{(content[0] if isinstance(content, list) else content).text} sampled"

    async def elicit(_message: str, _kind: object, _params: object, _context: object) -> dict:
        return {"name": "Ada", "age": 36}

    async with client(gateway, sampling_handler=sample, elicitation_handler=elicit) as opened:
        assert "ping sampled" in await text(opened, "sample", prompt="ping")
        assert await text(opened, "elicit", message="who?") == "accept:Ada:36"


async def test_fifty_calls_at_once(gateway: Gateway) -> None:
    answers: dict[int, str] = {}
    async with client(gateway) as opened, anyio.create_task_group() as tasks:

        async def ask(number: int) -> None:
            answers[number] = await text(opened, "delay", i=number, ms=50 - number)

        for number in range(50):
            tasks.start_soon(ask, number)
    assert answers == {number: f"delay {number}" for number in range(50)}
