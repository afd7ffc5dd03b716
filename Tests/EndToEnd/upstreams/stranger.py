#!/usr/bin/env python3
"""A server that answers whatever a call asks for: the arguments say it.

    result     the result, whole
    error      the JSON-RPC error in its place
    raw        base64 of the bytes that stand where the result stands
    repeat     [before, unit, times, after]: the text of the one content block
    until      a path: nothing is answered before this file exists
    first      messages that are sent before the answer
    region, count, wet, place.name
               nothing; headers repeat them

Every tool that is called does this. Calls are answered when they are ready, not in their order.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from pathlib import Path

LOCK = threading.Lock()
MIRRORED = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "wet": {"type": "boolean", "x-mcp-header": "Wet"},
        "place": {"type": "object", "properties": {"name": {"type": "string", "x-mcp-header": "Place-Name"}}},
    },
}


def send(line: bytes) -> None:
    rest = memoryview(line + b"\n")
    with LOCK:
        while rest:
            rest = rest[os.write(1, rest) :]


def encode(value: object) -> bytes:
    # Text as it is, unless UTF-8 cannot say it: half a surrogate pair.
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def outcome(request: dict) -> bytes:
    method = request["method"]
    if method == "initialize":
        return b'"result":' + encode(
            {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "stranger", "version": "1"},
            }
        )
    if method == "tools/list":
        return b'"result":' + encode({"tools": [{"name": "say", "inputSchema": MIRRORED}]})
    if method != "tools/call":
        return b'"error":' + encode({"code": -32601, "message": method})
    arguments = request["params"].get("arguments", {})
    if until := arguments.get("until"):
        while not Path(until).exists():
            time.sleep(0.002)
    for message in arguments.get("first", []):
        send(encode(message))
    if "raw" in arguments:
        return b'"result":' + base64.b64decode(arguments["raw"])
    if "error" in arguments:
        return b'"error":' + encode(arguments["error"])
    if "repeat" in arguments:
        before, unit, times, after = arguments["repeat"]
        return b'"result":' + encode({"content": [{"type": "text", "text": before + unit * times + after}]})
    return b'"result":' + encode(arguments.get("result", {"content": []}))


def answer(request: dict) -> None:
    send(b'{"jsonrpc":"2.0","id":' + encode(request["id"]) + b"," + outcome(request) + b"}")


def main() -> None:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "method" in request and "id" in request:
            threading.Thread(target=answer, args=(request,), daemon=True).start()


if __name__ == "__main__":
    main()
