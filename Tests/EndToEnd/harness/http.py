"""A raw HTTP client: what it sends and gets is what stands on the wire."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

DEADLINE = 20.0
"""Seconds that a read may take."""

ACCEPT = "application/json, text/event-stream"


@dataclass
class Event:
    """One server-sent event."""

    id: str | None
    data: str

    @property
    def message(self) -> dict:
        return json.loads(self.data)


@dataclass
class Answer:
    """The head of a response, and its body when it has a length."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    events: list[Event] = field(default_factory=list)

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type") == "text/event-stream"


class Connection:
    """One TCP connection, with TLS where there is a context."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.pending = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def more(self) -> bool:
        """Reads on; false at the end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.pending += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        while mark not in self.pending:
            assert self.more(), f"the connection ended before {mark!r}, after {self.pending!r}"
        found, self.pending = self.pending.split(mark, 1)
        return found

    def exactly(self, count: int) -> bytes:
        while len(self.pending) < count:
            assert self.more(), f"the connection ended after {self.pending!r}"
        found, self.pending = self.pending[:count], self.pending[count:]
        return found

    def ended(self) -> bool:
        """Waits for the end; false when something else comes."""
        return not self.pending and not self.more()

    def head(self) -> Answer:
        """The next head."""
        lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        return Answer(int(lines[0].split()[1]), headers)

    def answer(self) -> Answer:
        """The next response; a stream is read to its end."""
        answer = self.head()
        if "transfer-encoding" in answer.headers:
            while (event := self.event()) is not None:
                answer.events.append(event)
        elif answer.status >= 200:
            answer.body = self.exactly(int(answer.headers.get("content-length", 0)))
        return answer

    def chunk(self) -> bytes:
        """The next chunk; empty at the end."""
        size = int(self.until(b"\r\n"), 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def event(self) -> Event | None:
        """The next event, comments skipped; nil at the end of the stream. The door writes one to a chunk."""
        while chunk := self.chunk():
            fields = dict(line.split(": ", 1) for line in chunk.decode().split("\n") if line and line[0] != ":")
            if fields:
                return Event(fields.get("id"), fields.get("data", ""))
        return None


class HTTP:
    """The door at a port, for a client with this token."""

    def __init__(self, port: int, token: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.token = token
        self.tls = tls

    def connect(self) -> Connection:
        return Connection(self.port, self.tls)

    def raw(
        self, method: str = "POST", path: str = "/mcp", body: bytes | None = None, version: str = "HTTP/1.1",
        **headers: str | None,
    ) -> bytes:
        """A request; `None` takes a header out."""
        fields: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "Accept": ACCEPT}
        if body is not None:
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in fields.items() if value)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")

    def post(self, message: object, **headers: str | None) -> bytes:
        return self.raw(body=json.dumps(message).encode(), **headers)

    def ask(self, request: bytes) -> Answer:
        """One request on a connection of its own."""
        with self.connect() as connection:
            connection.send(request)
            return connection.answer()

    def open(self, version: str = "2025-11-25", capabilities: dict | None = None) -> str:
        """A new session's key."""
        params = {
            "protocolVersion": version, "capabilities": capabilities or {},
            "clientInfo": {"name": "raw", "version": "1"},
        }  # fmt: skip
        answer = self.ask(self.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
        assert answer.status == 200, answer
        assert answer.message["result"]["protocolVersion"] == version, answer
        key = answer.headers["mcp-session-id"]
        done = self.ask(self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, Mcp_Session_Id=key))
        assert (done.status, done.body) == (202, b""), done
        return key


def call(identifier: object, tool: str, arguments: dict | None = None, token: object = None) -> dict:
    """tools/call."""
    params: dict[str, object] = {"name": tool, "arguments": arguments or {}}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return {"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}
