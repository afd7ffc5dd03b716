"""A small MCP client over a Unix socket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable


class Refused(Exception):
    """The answer was a JSON-RPC error."""

    def __init__(self, error: dict) -> None:
        super().__init__(json.dumps(error))
        self.code = error["code"]


class Gone(Exception):
    """The gateway closed the connection."""


class Client:
    """One session. Not for several threads at once."""

    def __init__(self, path: str, *, timeout: float = 30) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")
        self.next_id = 0
        info = {"name": "systemd tests", "version": "1"}
        self.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info})
        self.send({"method": "notifications/initialized"})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        self.socket.close()

    def send(self, message: dict) -> None:
        try:
            self.socket.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def begin(self, method: str, params: dict) -> int:
        """Sends a request; `answer` waits for it."""
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        return self.next_id

    def answer(self, request: int) -> dict:
        while True:
            try:
                line = self.lines.readline()
            except ConnectionResetError as error:
                raise Gone from error
            if not line:
                raise Gone
            message = json.loads(line)
            if message.get("id") == request and "method" not in message:
                break
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    def request(self, method: str, params: dict) -> dict:
        return self.answer(self.begin(method, params))

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self.request("tools/list", {})["tools"]]

    def call(self, tool: str, **arguments: object) -> str:
        """The result's text."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments})
        text = result["content"][0]["text"]
        assert not result.get("isError"), text
        return text


class Load:
    """Calls in a thread of its own, one after the other, until the block ends."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self.connect = connect
        self.count = 0
        self.slowest = 0.0
        self.problem: Exception | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.loop)

    def __enter__(self) -> Load:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join(timeout=60)
        if self.problem:
            raise self.problem

    def loop(self) -> None:
        try:
            with self.connect() as client:
                while not self.stopped.is_set():
                    began = time.monotonic()
                    text = str(self.count)
                    assert client.call("echo", text=text) == text
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.count += 1
        except Exception as error:  # handed to the thread that waits for this one
            self.problem = error
