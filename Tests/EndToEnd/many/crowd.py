"""Clients that all say the same: id 1, progress token 1. Only the nonce in a call tells whose it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from harness.gateway import Gateway
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


def answered(client: Lines, nonce: str, asks: bool = False) -> dict:
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
