#!/usr/bin/env python3
"""A server whose answers prove whose they are: each holds the nonce that its call sent, and which process gave it.

The tool `work` takes {"nonce", "steps", "delay", "ask", "size"}: it reports `steps` steps of progress under the call's
token, each naming the nonce; with `ask` it has the client sample the nonce; and answers after `delay` seconds, with
`size` bytes of text. MARKED in the environment is part of the answer. MARKED=broken makes it exit before it shakes hands.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading

MARKED = os.environ.get("MARKED", "")
LOCK = threading.Lock()
NUMBERS = itertools.count(1)
ASKING: dict[int, dict] = {}


def send(*messages: dict) -> None:
    lines = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages).encode()
    with LOCK:
        while lines:
            lines = lines[os.write(1, lines) :]


def answer(call: dict, sampled: str | None = None) -> None:
    arguments = call["params"].get("arguments", {})
    content = {"nonce": arguments.get("nonce"), "pid": os.getpid(), "marked": MARKED, "sampled": sampled}
    text = "x" * arguments.get("size", 4)
    send({"id": call["id"], "result": {"content": [{"type": "text", "text": text}], "structuredContent": content}})


def work(call: dict) -> None:
    params = call["params"]
    arguments = params.get("arguments", {})
    token = params.get("_meta", {}).get("progressToken")
    nonce = arguments.get("nonce")
    steps = range(1, arguments.get("steps", 0) + 1) if token is not None else ()
    send(
        *(
            {
                "method": "notifications/progress",
                "params": {"progressToken": token, "progress": step, "message": f"{nonce} {step}"},
            }
            for step in steps
        )
    )
    if arguments.get("ask"):
        number = next(NUMBERS)
        ASKING[number] = call
        prompt = {"messages": [{"role": "user", "content": {"type": "text", "text": nonce}}], "maxTokens": 1}
        send({"id": number, "method": "sampling/createMessage", "params": prompt})
    elif delay := arguments.get("delay"):
        timer = threading.Timer(delay, answer, (call,))
        timer.daemon = True
        timer.start()
    else:
        answer(call)


def main() -> None:
    if MARKED == "broken":
        sys.exit(7)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        match message.get("method"):
            case None:
                if call := ASKING.pop(message["id"], None):
                    answer(call, message.get("result", {}).get("content", {}).get("text", "refused"))
            case "initialize":
                result = {
                    "protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {}, "experimental": {"offered": message["params"]}},
                    "serverInfo": {"name": "crowd", "version": "1"},
                }
                send({"id": message["id"], "result": result})
            case "tools/list":
                tools = [{"name": "work", "inputSchema": {"type": "object"}}]
                send({"id": message["id"], "result": {"tools": tools}})
            case "tools/call":
                work(message)
            case method if "id" in message:
                send({"id": message["id"], "error": {"code": -32601, "message": f"method not found: {method}"}})


if __name__ == "__main__":
    main()
