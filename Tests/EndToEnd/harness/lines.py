"""A client without an SDK: bytes in, bytes out, so that anything can be sent."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from pathlib import Path
from typing import IO

from .waiting import DEADLINE

Ends = socket.socket | IO[bytes]
LATEST = "2025-11-25"


class Lines:
    """Newline-framed JSON-RPC over a pair of file descriptors."""

    def __init__(self, read_end: Ends, write_end: Ends) -> None:
        self.read_end = read_end
        self.write_end = write_end
        self.reading = read_end.fileno()
        self.writing = write_end.fileno()
        self.connection = read_end if isinstance(read_end, socket.socket) else None
        self.buffer = bytearray()
        self.aside: list[dict] = []
        self.counter = 0

    @classmethod
    def over_unix(cls, path: Path) -> Lines:
        """Connects to a Unix door."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE)
        connection.connect(str(path))
        return cls(connection, connection)

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        self.write_end.close()
        self.read_end.close()

    def half_close(self) -> None:
        """Ends our direction of a socket only."""
        assert self.connection
        self.connection.shutdown(socket.SHUT_WR)

    def end_input(self) -> None:
        """Closes the pipe that we write."""
        self.write_end.close()

    def send_bytes(self, content: bytes) -> None:
        """Writes all of `content`, exactly."""
        view = memoryview(content)
        while view:
            # A socket with a deadline does not wait by itself.
            ready = select.select([], [self.writing], [], DEADLINE)[1]
            assert ready, f"nobody reads: {len(view)} of {len(content)} bytes are left"
            try:
                view = view[os.write(self.writing, view) :]
            except BlockingIOError:
                continue  # writable, but not for what one write may take

    def send(self, *messages: object) -> None:
        """Writes each message as one line."""
        self.send_bytes(b"".join(encode(message) for message in messages))

    def receive_line(self, deadline: float = DEADLINE) -> bytes | None:
        """The next line without its newline; None at the end of the stream."""
        end = time.monotonic() + deadline
        searched = 0
        while (newline := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            ready, _, _ = select.select([self.reading], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"no line within {deadline:g} s; {searched} bytes of one have come")
            chunk = os.read(self.reading, 1 << 20)
            if not chunk:
                assert not self.buffer, f"the stream ended within a line: {bytes(self.buffer[-200:])!r}"
                return None
            self.buffer += chunk
        line = bytes(self.buffer[:newline])
        del self.buffer[: newline + 1]
        return line

    def receive(self, deadline: float = DEADLINE) -> object:
        """The next message, parsed; None at the end of the stream."""
        line = self.receive_line(deadline)
        return None if line is None else json.loads(line)

    def answer_to(self, request_id: object, deadline: float = DEADLINE) -> dict:
        """The response with this id; whatever comes before it is put aside."""
        for at, message in enumerate(self.aside):
            if is_answer(message, request_id):
                return self.aside.pop(at)
        end = time.monotonic() + deadline
        while True:
            message = self.receive(max(0, end - time.monotonic()))
            assert message is not None, f"the stream ended before the answer to {request_id!r}"
            if is_answer(message, request_id):
                return message
            self.aside.append(message)

    def request(
        self, method: str, params: dict | None = None, request_id: object = None, deadline: float = DEADLINE
    ) -> dict:
        """Sends one request and waits for its answer."""
        if request_id is None:
            self.counter += 1
            request_id = self.counter
        self.send(message(method, params, request_id))
        return self.answer_to(request_id, deadline)

    def call(
        self, tool: str, arguments: dict | None = None, request_id: object = None, deadline: float = DEADLINE
    ) -> dict:
        """Calls a tool and waits for its answer."""
        return self.request("tools/call", {"name": tool, "arguments": arguments or {}}, request_id, deadline)

    def handshake(
        self, version: str = LATEST, capabilities: dict | None = None, name: str = "lines", deadline: float = DEADLINE
    ) -> dict:
        """Opens the session; the result of `initialize`."""
        answer = self.request("initialize", initialize_params(version, capabilities, name), "handshake", deadline)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer["result"]

    def silent_after(self, request_id: object = "last") -> list[dict]:
        """All that came before the answer to a ping, which is the answer of the gateway itself."""
        answer = self.request("ping", None, request_id)
        assert answer["result"] == {}, answer
        seen, self.aside = self.aside, []
        return seen


def message(method: str, params: dict | None = None, request_id: object = None) -> dict:
    """A request, or a notification when there is no id."""
    built: dict = {"jsonrpc": "2.0"}
    if request_id is not None:
        built["id"] = request_id
    built["method"] = method
    if params is not None:
        built["params"] = params
    return built


def initialize_params(version: str = LATEST, capabilities: dict | None = None, name: str = "lines") -> dict:
    """What `initialize` carries."""
    return {
        "protocolVersion": version,
        "capabilities": capabilities or {},
        "clientInfo": {"name": name, "version": "1.0"},
    }


def encode(value: object) -> bytes:
    """One line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def is_answer(value: object, request_id: object) -> bool:
    """Whether `value` responds to `request_id`; 1 and "1" are different ids."""
    return (
        isinstance(value, dict)
        and "method" not in value
        and value.get("id") == request_id
        and type(value.get("id")) is type(request_id)
    )


def text_of(answer: dict) -> str:
    """The first text block of a tool's result."""
    return answer["result"]["content"][0]["text"]
