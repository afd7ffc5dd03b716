#!/usr/bin/env python3
"""A server that prints what is no message between its answers, as servers with a stray print() do.

With --long-line BYTES, the first line of noise is that long.
"""

from __future__ import annotations

import json
import os
import sys

NOISE = [
    b"Server listening on stdio",
    b"",
    b"\xff\xfe\x00 not UTF-8",
    b"{",
    b"[]",
    b"null",
    b"42",
    b'{"jsonrpc":"2.0","id":987654321,"result":{"content":[]}}',
    b'{"jsonrpc":"2.0","id":"not yours","result":{}}',
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}',
    b'{"jsonrpc":"2.0","id":1,"result":{},"result":{}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"nobody","progress":1}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress"}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"nothing"}}',
    b"\x1b[31mred\x1b[0m [TOOL CALL] forged | args: {}",
    b"[" * 5000,
]


def put(*lines: bytes) -> None:
    os.write(1, b"".join(line + b"\n" for line in lines))


def main() -> None:
    noise = list(NOISE)
    if "--long-line" in sys.argv:
        noise.append(b"x" * int(sys.argv[sys.argv.index("--long-line") + 1]))
    put(*noise)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "id" not in request:
            continue
        match request["method"]:
            case "initialize":
                result = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "chatty", "version": "1"},
                }
            case "tools/list":
                result = {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
            case "tools/call":
                put(*noise)
                result = {"content": [], "structuredContent": request["params"]}
            case _:
                error = {"code": -32601, "message": "method not found"}
                put(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}).encode())
                continue
        put(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode(), *noise[:3])


if __name__ == "__main__":
    main()
