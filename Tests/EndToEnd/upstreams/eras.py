"""A small legacy server whose answer to `server/discover` is chosen: none at all, a late one, one at its
end, two of them, or garbage."""

from __future__ import annotations

import json
import sys
import time

HOW = sys.argv[1]
LEGACY = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": HOW, "version": "1"}}
MODERN = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}


def write(message: object) -> None:
    sys.stdout.write(message if isinstance(message, str) else json.dumps(message) + "\n")
    sys.stdout.flush()


def reply(request_id: object, **member: object) -> None:
    write({"jsonrpc": "2.0", "id": request_id, **member})


def discover(request_id: object) -> None:
    match HOW:
        case "silent":
            pass
        case "exits":
            sys.exit(3)
        case "twice":
            reply(request_id, error={"code": -32601, "message": "no"})
            reply(request_id, result=MODERN)
        case "late":
            # After the rival has been asked; this process is being ended by then.
            time.sleep(4)
            reply(request_id, result=MODERN)
        case "at-end":
            sys.stdin.read()
            reply(request_id, error={"code": -32601, "message": "no"})
        case "garbage":
            write("hello\n{]\n")
            write('{"jsonrpc":"2.0","id":%s,"result":{"resultType":1,"resultType":2}}\n' % json.dumps(request_id))


for line in sys.stdin:
    message = json.loads(line)
    match message.get("method"):
        case "server/discover":
            discover(message["id"])
        case "initialize":
            reply(message["id"], result=LEGACY)
        case "tools/list":
            reply(message["id"], result={"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
        case "tools/call":
            reply(message["id"], result={"content": [{"type": "text", "text": HOW}]})
