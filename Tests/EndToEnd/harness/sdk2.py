"""The 2.x SDK behind the common face, in whichever era the gateway object says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TextIO

import anyio
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from pydantic import BaseModel, TypeAdapter

from .client import Answers, Inbox, refusals, subscribed, unix_transport
from .gateway import Gateway

JSON = {"by_alias": True, "mode": "json", "exclude_none": True}
REQUEST = TypeAdapter(types.ClientRequest)
RESULTS: dict[str, type[BaseModel]] = {
    "completion/complete": types.CompleteResult,
    "logging/setLevel": types.EmptyResult,
    "ping": types.EmptyResult,
    "prompts/list": types.ListPromptsResult,
    "resources/list": types.ListResourcesResult,
    "resources/read": types.ReadResourceResult,
    "resources/subscribe": types.EmptyResult,
    "resources/templates/list": types.ListResourceTemplatesResult,
    "resources/unsubscribe": types.EmptyResult,
    "tools/list": types.ListToolsResult,
}
"""What the SDK reads each answer as."""


class Session2:
    """`Client` of the 2.x SDK."""

    def __init__(self, client: Client, inbox: Inbox) -> None:
        self.client = client
        discovered = client.session.discover_result
        self.is_modern = client.session.initialize_result is None
        opened = discovered if self.is_modern else client.session.initialize_result
        assert opened, "neither discovered nor initialized"
        self.opened = opened.model_dump(**JSON)
        self.inbox = inbox

    async def request(self, method: str, params: dict | None = None) -> dict:
        if self.is_modern and method == "ping":
            # Gone in this era. What it is used for here is an answer that comes after all that was sent before.
            await self.call("echo", {"text": "ping"})
            return {}
        if self.is_modern and method == "logging/setLevel":
            # Each request carries its level; this makes the SDK put it there.
            self.client.session._log_level = (params or {})["level"]
            self.client.session.adopt(self.client.session.discover_result)
            return {}
        with refusals(MCPError):
            if method == "prompts/get":
                # A prompt may ask the client first, and it is the client object that answers and asks again.
                result: BaseModel = await self.client.get_prompt(**(params or {}))
            else:
                built = REQUEST.validate_python({"method": method, "params": params or {}}, by_alias=True)
                result = await self.client.session.send_request(built, RESULTS[method])
        return result.model_dump(**JSON)

    async def call(
        self,
        tool: str,
        arguments: dict | None = None,
        progress: Callable[[float, str | None], None] | None = None,
        meta: dict | None = None,
    ) -> dict:
        async def note(done: float, total: float | None, message: str | None) -> None:
            assert progress
            progress(done, message)

        with refusals(MCPError):
            result = await self.client.call_tool(
                tool, arguments or {}, progress_callback=note if progress else None, meta=meta
            )
        return result.model_dump(**JSON)

    async def tell_roots_changed(self) -> None:
        await self.client.send_roots_list_changed()

    @asynccontextmanager
    async def watching(self, uri: str | None = None) -> AsyncIterator[None]:
        """With updates of a resource, and list changes, for as long as this lasts."""
        if self.is_modern:
            uris = [uri] if uri else []
            async with self.client.listen(
                tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True,
                resource_subscriptions=uris,
            ):
                yield
            return
        async with subscribed(self, uri):
            yield

    async def abandon_call(self, tool: str, arguments: dict, when: Awaitable[object]) -> None:
        # This SDK sends the cancellation when the caller stops waiting.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.call, tool, arguments)
            await when
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def session(gateway: Gateway, answers: Answers, name: str, log: TextIO) -> AsyncIterator[Session2]:
    """Connects and shakes hands."""
    inbox = Inbox()

    async def note(message: Any) -> None:
        if isinstance(message, Exception):
            inbox.unexpected.append(message)
        else:
            inbox.messages.append(message.model_dump(**JSON))

    async with Client(
        transport(gateway, log),
        mode=getattr(gateway, "client_mode", "legacy"),
        sampling_callback=answering(answers.sampling, types.CreateMessageResult),
        elicitation_callback=answering(answers.elicitation, types.ElicitResult),
        list_roots_callback=answering(answers.roots, types.ListRootsResult),
        message_handler=note,
        client_info=types.Implementation(name=name, version="1.0"),
        cache=None,
    ) as client:
        yield Session2(client, inbox)


def answering(answer: Any, model: type[BaseModel]) -> Any:
    """An SDK callback around an answer as it stands on the wire."""
    if answer is None:
        return None

    async def callback(_context: Any, params: BaseModel | None = None) -> BaseModel:
        return model.model_validate(await answer(params.model_dump(**JSON) if params else {}))

    return callback


def transport(gateway: Gateway, log: TextIO) -> Any:
    """Pipes to a gateway of its own, or the socket of the one that runs."""
    if gateway.door == "stdio":
        program, *arguments = gateway.command
        return stdio_client(StdioServerParameters(command=program, args=arguments, env=gateway.environment), log)
    if gateway.door == "http":
        return streamable_http_client(gateway.url)
    return unix_transport(
        gateway.socket_path,
        lambda line: SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False)),
        lambda outgoing: outgoing.message.model_dump_json(by_alias=True, exclude_unset=True),
    )
