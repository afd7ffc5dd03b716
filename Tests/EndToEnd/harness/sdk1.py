"""The 1.x SDK behind the common face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TextIO

import anyio
import anyio.lowlevel
import mcp.types as types
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.message import SessionMessage
from pydantic import BaseModel

from .client import Answers, Inbox, refusals, subscribed, unix_transport
from .gateway import Gateway

JSON = {"by_alias": True, "mode": "json", "exclude_none": True}
RESULTS: dict[str, type[BaseModel]] = {
    "completion/complete": types.CompleteResult,
    "logging/setLevel": types.EmptyResult,
    "ping": types.EmptyResult,
    "prompts/get": types.GetPromptResult,
    "prompts/list": types.ListPromptsResult,
    "resources/list": types.ListResourcesResult,
    "resources/read": types.ReadResourceResult,
    "resources/subscribe": types.EmptyResult,
    "resources/templates/list": types.ListResourceTemplatesResult,
    "resources/unsubscribe": types.EmptyResult,
    "tools/list": types.ListToolsResult,
}
"""What the SDK reads each answer as."""


class Session1:
    """`ClientSession` of the 1.x SDK."""

    def __init__(self, session: ClientSession, opened: types.InitializeResult, inbox: Inbox) -> None:
        self.session = session
        self.opened = opened.model_dump(**JSON)
        self.is_modern = False
        self.inbox = inbox

    async def request(self, method: str, params: dict | None = None) -> dict:
        built = types.ClientRequest.model_validate({"method": method, "params": params or {}})
        with refusals(McpError):
            result = await self.session.send_request(built, RESULTS[method])
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

        with refusals(McpError):
            result = await self.session.call_tool(
                tool, arguments or {}, progress_callback=note if progress else None, meta=meta
            )
        return result.model_dump(**JSON)

    async def tell_roots_changed(self) -> None:
        await self.session.send_roots_list_changed()

    @asynccontextmanager
    async def watching(self, uri: str | None = None) -> AsyncIterator[None]:
        """With updates of a resource, and list changes, for as long as this lasts."""
        async with subscribed(self, uri):
            yield

    async def abandon_call(self, tool: str, arguments: dict, when: Awaitable[object]) -> None:
        # The 1.x SDK sends no cancellation by itself and does not tell a call's id.
        request_id = self.session._request_id
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.call, tool, arguments)
            while self.session._request_id == request_id:
                await anyio.lowlevel.checkpoint()  # until the call has taken that id
            await when
            await self.session.send_notification(
                types.ClientNotification(
                    types.CancelledNotification(
                        params=types.CancelledNotificationParams(requestId=request_id, reason="tested")
                    )
                )
            )
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def session(gateway: Gateway, answers: Answers, name: str, log: TextIO) -> AsyncIterator[Session1]:
    """Connects and shakes hands."""
    inbox = Inbox()

    async def note(message: Any) -> None:
        if isinstance(message, Exception):
            inbox.unexpected.append(message)
        elif isinstance(message, types.ServerNotification):
            inbox.messages.append(message.root.model_dump(**JSON))

    async with (
        transport(gateway, log) as (read, write),
        ClientSession(
            read,
            write,
            sampling_callback=answering(answers.sampling, types.CreateMessageResult),
            elicitation_callback=answering(answers.elicitation, types.ElicitResult),
            list_roots_callback=answering(answers.roots, types.ListRootsResult),
            message_handler=note,
            client_info=types.Implementation(name=name, version="1.0"),
        ) as opened,
    ):
        yield Session1(opened, await opened.initialize(), inbox)


def answering(answer: Any, model: type[BaseModel]) -> Any:
    """An SDK callback around an answer as it stands on the wire."""
    if answer is None:
        return None

    async def callback(_context: Any, params: BaseModel | None = None) -> BaseModel:
        return model.model_validate(await answer(params.model_dump(**JSON) if params else {}))

    return callback


@asynccontextmanager
async def http_transport(url: str) -> AsyncIterator[tuple[Any, Any]]:
    """The SDK's own, without what it yields beside the streams."""
    async with streamablehttp_client(url) as (read, write, _session_id):
        yield read, write


def transport(gateway: Gateway, log: TextIO) -> Any:
    """Pipes to a gateway of its own, or the socket of the one that runs."""
    if gateway.door == "stdio":
        program, *arguments = gateway.command
        return stdio_client(StdioServerParameters(command=program, args=arguments, env=gateway.environment), log)
    if gateway.door == "http":
        return http_transport(gateway.url)
    return unix_transport(
        gateway.socket_path,
        lambda line: SessionMessage(types.JSONRPCMessage.model_validate_json(line)),
        lambda outgoing: outgoing.message.model_dump_json(by_alias=True, exclude_none=True),
    )
