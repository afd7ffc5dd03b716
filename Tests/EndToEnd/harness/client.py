"""One face for both generations of the Python SDK, and for FastMCP: parameters and results as they stand on the wire.

The feature tests run unchanged with each of them; `open_session` picks the adapter for the one that is installed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import anyio

from .gateway import Gateway, is_passthrough
from .waiting import eventually



def release(distribution: str) -> str:
    """Major and minor version of what is installed."""
    return ".".join(importlib.metadata.version(distribution).split(".")[:2])


FASTMCP = importlib.util.find_spec("fastmcp") is not None
"""Whether this environment is FastMCP's, which stands on the 2.x SDK."""

CLIENT = f"FastMCP {release('fastmcp-slim')}" if FASTMCP else f"mcp {release('mcp')}"
"""The client in this environment, as the matrix names it."""

ADAPTER = "fastmcp4" if FASTMCP else "sdk" + importlib.metadata.version("mcp").split(".")[0]
"""The module that puts the common face on it."""

TEST_DEADLINE = 60
"""Seconds that a session may be open in a test."""

Answerer = Callable[[dict], Awaitable[dict]]


@dataclass
class Answers:
    """What the client can be asked. Each one given is declared as a capability."""

    sampling: Answerer | None = None
    elicitation: Answerer | None = None
    roots: Answerer | None = None


class Refused(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.data = data


@dataclass
class Inbox:
    """The notifications of one session, in the order in which they came."""

    messages: list[dict] = field(default_factory=list)
    unexpected: list[Exception] = field(default_factory=list)
    """What the SDK could not make sense of, such as an answer to a call that was cancelled."""

    def of(self, method: str) -> list[dict]:
        """The params of the notifications with this method."""
        return [message.get("params") or {} for message in self.messages if message["method"] == method]

    async def wait_for(self, method: str, count: int = 1) -> list[dict]:
        """Waits until `count` of them have come."""
        await eventually(lambda: len(self.of(method)) >= count, f"{count} × {method} came; so far: {self.messages}")
        return self.of(method)


class Session(Protocol):
    """An open session."""

    opened: dict
    inbox: Inbox
    is_modern: bool

    def watching(self, uri: str | None = None) -> AbstractAsyncContextManager[None]:
        """With updates of a resource, and list changes, for as long as this lasts."""

    async def request(self, method: str, params: dict | None = None) -> dict:
        """Any request of the SDK; raises `Refused`."""

    async def call(
        self,
        tool: str,
        arguments: dict | None = None,
        progress: Callable[[float, str | None], None] | None = None,
        meta: dict | None = None,
    ) -> dict:
        """tools/call, with `meta` beside what the SDK puts into `_meta`."""

    async def tell_roots_changed(self) -> None:
        """notifications/roots/list_changed."""

    async def abandon_call(self, tool: str, arguments: dict, when: Awaitable[object]) -> None:
        """Calls a tool and cancels the call when `when` has come."""


@contextmanager
def refusals(error_type: type[Exception]) -> Iterator[None]:
    """Tells of an SDK's JSON-RPC errors as `Refused`."""
    try:
        yield
    except error_type as error:
        told = error.error  # type: ignore[attr-defined]
        raise Refused(told.code, told.message, told.data) from error


@asynccontextmanager
async def subscribed(session: Session, uri: str | None) -> AsyncIterator[None]:
    """With updates of a resource in the legacy era, where list changes need not be asked for."""
    if uri:
        await session.request("resources/subscribe", {"uri": uri})
    yield
    if uri:
        await session.request("resources/unsubscribe", {"uri": uri})


@asynccontextmanager
async def open_session(gateway: Gateway, answers: Answers | None = None, name: str = "sdk") -> AsyncIterator[Session]:
    """A session through the gateway's door, over pipes of its own or the socket."""
    session = importlib.import_module(f".{ADAPTER}", __package__).session
    log = gateway.log_path.open("a")
    try:
        with anyio.fail_after(TEST_DEADLINE):
            async with session(gateway, answers or Answers(), name, log) as opened:
                yield opened
                # A server of the 1.x SDK answers a cancelled call; the gateway keeps that to itself.
                assert is_passthrough() or not opened.inbox.unexpected, opened.inbox.unexpected
    finally:
        log.close()


@asynccontextmanager
async def unix_transport(
    path: Path, parse: Callable[[bytes], Any], serialise: Callable[[Any], str]
) -> AsyncIterator[tuple[Any, Any]]:
    """The stdio transport's framing over a Unix socket, as the streams that an SDK session takes."""
    to_session, from_gateway = anyio.create_memory_object_stream[Any](0)
    from_session, to_gateway = anyio.create_memory_object_stream[Any](0)
    async with await anyio.connect_unix(path) as stream, anyio.create_task_group() as tasks:

        async def read() -> None:
            pending = bytearray()
            async with to_session:
                try:
                    async for chunk in stream:
                        searched = len(pending)
                        pending += chunk
                        while (newline := pending.find(b"\n", searched)) >= 0:
                            line = bytes(pending[:newline])
                            del pending[: newline + 1]
                            searched = 0
                            await to_session.send(parse(line))
                except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                    pass  # either side has left, which is how a session ends

        async def write() -> None:
            async with to_gateway:
                async for outgoing in to_gateway:
                    await stream.send(serialise(outgoing).encode() + b"\n")

        tasks.start_soon(read)
        tasks.start_soon(write)
        try:
            yield from_gateway, from_session
        finally:
            tasks.cancel_scope.cancel()
            for end in (to_session, from_gateway, from_session, to_gateway):
                end.close()
