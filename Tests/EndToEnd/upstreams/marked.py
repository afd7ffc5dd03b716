#!/usr/bin/env python3
"""A server whose answers say which process gave them: its pid and the value of MARKED in its environment.

Tools: `a` and `b` answer at once, or after `delay` seconds when their arguments name one; `ask` first asks the client
for a sample. MARKED=broken makes it exit before it shakes hands, MARKED=mute keeps it silent.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

MARKED = os.environ.get("MARKED", "")
LOCK = threading.Lock()


def send(message: dict) -> None:
    with LOCK:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def answer(request: dict) -> None:
    method, params = request["method"], request.get("params", {})
    if method == "initialize":
        result: dict = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "marked", "version": "1"},
        }
    elif method == "tools/list":
        result = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("a", "b", "ask")]}
    elif method == "tools/call":
        arguments = params.get("arguments", {})
        time.sleep(arguments.get("delay", 0))
        result = {
            "content": [{"type": "text", "text": "done"}],
            "structuredContent": {"pid": os.getpid(), "marked": MARKED, "arguments": arguments},
        }
    else:
        return send({"id": request["id"], "error": {"code": -32601, "message": method}})
    return send({"id": request["id"], "result": result})


def main() -> None:
    if MARKED == "broken":
        sys.exit(7)
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message or "id" not in message or MARKED == "mute":
            continue
        threading.Thread(target=answer, args=(message,), daemon=True).start()


if __name__ == "__main__":
    main()
