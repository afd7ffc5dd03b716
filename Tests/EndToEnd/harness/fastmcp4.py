"""The FastMCP client behind the common face, in whichever era the gateway object says.

FastMCP's own methods do what it has methods for. The rest goes through `Client.session`, the 2.x SDK's session that it
makes public: FastMCP has no way to subscribe, to listen, or to ask for a log level in the modern era.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TextIO

import anyio
import mcp_types as types
from fastmcp import Client
from fastmcp.client.messages import MessageHandler
from fastmcp.client.transports import ClientTransport, StdioTransport, StreamableHttpTransport
from mcp import ClientSession, MCPError
from mcp.client.subscriptions import listen
from mcp.shared.message import SessionMessage
from pydantic import BaseModel, TypeAdapter

from .client import Answers, Inbox, refusals, subscribed, unix_transport
from .gateway import Gateway

JSON = {"by_alias": True, "mode": "json", "exclude_none": True}
REFERENCE = TypeAdapter(types.PromptReference | types.ResourceTemplateReference)


class Session4:
    """`Client` of FastMCP 4."""

    def __init__(self, client: Client, inbox: Inbox) -> None:
        self.client = client
        self.is_modern = client.initialize_result is None
        # FastMCP shows parts of a discover result; the session has it whole.
        opened = client.session.discover_result if self.is_modern else client.initialize_result
        assert opened, "neither discovered nor initialized"
        self.opened = opened.model_dump(**JSON)
        self.inbox = inbox

    async def request(self, method: str, params: dict | None = None) -> dict:
        with refusals(MCPError):
            result = await self.ask(method, params or {})
        return result.model_dump(**JSON) if result else {}

    async def ask(self, method: str, params: dict) -> BaseModel | None:
        """The method of FastMCP for one of the protocol."""
        client = self.client
        match method:
            case "tools/list":
                return await client.list_tools_mcp(cursor=params.get("cursor"))
            case "resources/list":
                return await client.list_resources_mcp(cursor=params.get("cursor"))
            case "resources/templates/list":
                return await client.list_resource_templates_mcp(cursor=params.get("cursor"))
            case "resources/read":
                return await client.read_resource_mcp(params["uri"])
            case "prompts/list":
                return await client.list_prompts_mcp(cursor=params.get("cursor"))
            case "prompts/get":
                return await client.get_prompt_mcp(params["name"], params.get("arguments"))
            case "completion/complete":
                return await client.complete_mcp(
                    REFERENCE.validate_python(params["ref"]),
                    params["argument"],
                    params.get("context", {}).get("arguments"),
                )
            case "ping" if self.is_modern:
                # Gone in this era. What it is used for here is an answer that comes after all that was sent before.
                await self.call("echo", {"text": "ping"})
            case "ping":
                assert await client.ping()
            case "logging/setLevel" if self.is_modern:
                # FastMCP asks for every level in each request and leaves the rest to its `log_handler`.
                client.session._log_level = params["level"]
                client.session.adopt(client.session.discover_result)
            case "logging/setLevel":
                await client.set_logging_level(params["level"])
            case "resources/subscribe":
                await client.session.subscribe_resource(params["uri"])
            case "resources/unsubscribe":
                await client.session.unsubscribe_resource(params["uri"])
            case _:
                raise AssertionError(f"no method of FastMCP for {method}")
        return None

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
            result = await self.client.call_tool_mcp(
                tool, arguments or {}, progress_handler=note if progress else None, meta=meta
            )
        return result.model_dump(**JSON)

    async def tell_roots_changed(self) -> None:
        await self.client.send_roots_list_changed()

    @asynccontextmanager
    async def watching(self, uri: str | None = None) -> AsyncIterator[None]:
        """With updates of a resource, and list changes, for as long as this lasts."""
        if self.is_modern:
            async with listen(
                self.client.session, tools_list_changed=True, prompts_list_changed=True,
                resources_list_changed=True, resource_subscriptions=[uri] if uri else [],
            ):  # fmt: skip
                yield
            return
        async with subscribed(self, uri):
            yield

    async def abandon_call(self, tool: str, arguments: dict, when: Awaitable[object]) -> None:
        # The SDK below sends the cancellation when the caller stops waiting.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.call, tool, arguments)
            await when
            tasks.cancel_scope.cancel()


class Notes(MessageHandler):
    """Puts what comes unasked into an inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def on_notification(self, message: types.ServerNotification) -> None:
        self.inbox.messages.append(message.model_dump(**JSON))

    async def on_exception(self, message: Exception) -> None:
        self.inbox.unexpected.append(message)


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


@asynccontextmanager
async def session(gateway: Gateway, answers: Answers, name: str, log: TextIO) -> AsyncIterator[Session4]:
    """Connects and shakes hands."""
    inbox = Inbox()
    async with Client(
        transport(gateway, log),
        mode=getattr(gateway, "client_mode", "legacy"),
        sampling_handler=sampling(answers) if answers.sampling else None,
        elicitation_handler=elicitation(answers) if answers.elicitation else None,
        roots=roots(answers) if answers.roots else None,
        message_handler=Notes(inbox),
        client_info=types.Implementation(name=name, version="1.0"),
    ) as client:
        yield Session4(client, inbox)


def sampling(answers: Answers) -> Any:
    """FastMCP's handler around an answer as it stands on the wire."""

    async def handler(_messages: list, params: BaseModel, _context: object) -> types.CreateMessageResult:
        assert answers.sampling
        return types.CreateMessageResult.model_validate(await answers.sampling(params.model_dump(**JSON)))

    return handler


def elicitation(answers: Answers) -> Any:
    """The same for the user's choice."""

    async def handler(_message: str, _kind: object, params: BaseModel, _context: object) -> types.ElicitResult:
        assert answers.elicitation
        return types.ElicitResult.model_validate(await answers.elicitation(params.model_dump(**JSON)))

    return handler


def roots(answers: Answers) -> Any:
    """The same for roots."""

    async def handler(_context: object) -> list[types.Root]:
        assert answers.roots
        return types.ListRootsResult.model_validate(await answers.roots({})).roots

    return handler


def transport(gateway: Gateway, log: TextIO) -> ClientTransport:
    """Pipes to a gateway of its own, or the door of the one that runs."""
    if gateway.door == "http":
        return StreamableHttpTransport(gateway.url)
    if gateway.door == "unix":
        return UnixTransport(gateway)
    program, *arguments = gateway.command
    return StdioTransport(program, arguments, env=gateway.environment, keep_alive=False, log_file=log)
