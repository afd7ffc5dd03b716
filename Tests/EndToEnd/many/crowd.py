"""Clients that all say the same: id 1, progress token 1. Only the nonce in a call tells whose it is."""

from __future__ import annotations

import json
import select
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from harness.gateway import Gateway
from harness.http import HTTP, Connection
from harness.lines import Lines, is_answer
from harness.upstreams import crowd

STEPS = 5
SAMPLING = {"sampling": {}}
Make = Callable[..., Gateway]


def gateway_for(make: Make, sessions: str = "shared", most: int = 16, **proxy: object) -> Gateway:
    """A gateway before the server of a crowd; not started."""
    upstream = {"sessions": sessions, "max_dedicated": most, **proxy.pop("upstream", {})}  # type: ignore[dict-item]
    return make(crowd(), proxy={"upstream": upstream, **proxy})


def join(stack: ExitStack, gateway: Gateway, name: str, capabilities: dict | None = None) -> Lines:
    """A session that ends with the stack."""
    return stack.enter_context(gateway.session(name=name, capabilities=capabilities or {}))


class Member:
    """A session over HTTP with the face of a `Lines`: one connection for its calls and one for all else."""

    def __init__(self, port: int, capabilities: dict | None = None) -> None:
        self.http = HTTP(port)
        self.key = self.http.open(capabilities=capabilities)
        self.calls = self.http.connect()
        self.stream = self.http.connect()
        self.stream.send(self.http.raw("GET", Mcp_Session_Id=self.key))
        assert self.stream.head().status == 200 and self.stream.event()
        self.replies: Iterator[dict] = iter(())

    def send(self, message: dict) -> None:
        if "method" not in message:
            accepted = self.http.ask(self.http.post(message, Mcp_Session_Id=self.key))
            assert accepted.status == 202, accepted
            return
        self.finish()
        self.calls.send(self.http.post(message, Mcp_Session_Id=self.key))
        arguments = message["params"]["arguments"]
        self.replies = self.read(arguments["steps"], bool(arguments.get("ask")))

    def read(self, steps: int, asks: bool) -> Iterator[dict]:
        """The progress, what the server asks meanwhile, and the answer, all on the call's own connection."""
        head = self.calls.head()
        assert head.status == 200, head
        if not head.is_stream:
            yield json.loads(self.calls.exactly(int(head.headers["content-length"])))
            return
        prime = self.calls.event()
        assert prime and not prime.data
        for _ in range(steps):
            yield self.next_of(self.calls)
        if asks:
            # The only call in flight is what it is asked about.
            yield self.next_of(self.calls)
        yield self.next_of(self.calls)
        assert self.calls.event() is None

    def next_of(self, connection: Connection) -> dict:
        event = connection.event()
        assert event, "the stream ended"
        return event.message

    def finish(self) -> None:
        """The answer of the last call is the end of its stream."""
        assert not list(self.replies)

    def receive(self) -> dict:
        return next(self.replies)

    def silent_after(self) -> list[bytes]:
        """What came that nobody has read, when a ping has been answered."""
        self.finish()
        answer = self.http.ask(self.http.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Mcp_Session_Id=self.key))
        assert answer.message["result"] == {}, answer
        ready, _, _ = select.select([self.calls.socket, self.stream.socket], [], [], 0)
        return [end.recv(4096) for end in ready] + [end.pending for end in (self.calls, self.stream) if end.pending]

    def close(self) -> None:
        """Ends the session."""
        self.http.ask(self.http.raw("DELETE", Mcp_Session_Id=self.key))
        self.vanish()

    def vanish(self) -> None:
        """Goes without a word."""
        self.calls.socket.close()
        self.stream.socket.close()


def join_http(stack: ExitStack, port: int, capabilities: dict | None = None) -> Member:
    """The same over HTTP."""
    member = Member(port, capabilities)
    stack.callback(member.close)
    return member


def work(nonce: str, request_id: object = 1, **arguments: object) -> dict:
    """A call of the tool, with progress."""
    return {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": "tools/call",
        "params": {
            "name": "work",
            "arguments": {"nonce": nonce, "steps": STEPS, **arguments},
            "_meta": {"progressToken": 1},
        },
    }


def answered(client: Lines | Member, nonce: str, asks: bool = False) -> dict:
    """The call's own answer, after its own progress, in order, and nothing else. Samples when the server asks."""
    steps = []
    while True:
        message = client.receive()
        assert isinstance(message, dict), f"{nonce}: the stream ended"
        if is_answer(message, 1):
            break
        if message["method"] == "sampling/createMessage":
            assert asks, f"{nonce}: asked without having declared it"
            text = message["params"]["messages"][0]["content"]["text"]
            assert text == nonce, f"{nonce}: asked {text}"
            content = {"type": "text", "text": f"sampled {text}"}
            result = {"role": "assistant", "content": content, "model": "fixture"}
            client.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            continue
        assert message["method"] == "notifications/progress", message
        assert message["params"]["progressToken"] == 1, message
        steps.append(message["params"]["message"])
    assert steps == [f"{nonce} {step}" for step in range(1, STEPS + 1)]
    content = message["result"]["structuredContent"]
    assert content["nonce"] == nonce, f"{nonce}: got the answer of {content['nonce']}"
    assert content["sampled"] == (f"sampled {nonce}" if asks else None)
    return content
