#!/usr/bin/env python3
"""A server that notes every line it receives in a file of its own process, and can be told to stop reading.

    noting.py DIRECTORY [--noise BYTES]

It writes DIRECTORY/PID.received. A call of the tool "deaf" is not answered, and nothing is read after it. With --noise it
prints that much on stderr before it answers a call.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    noise = int(sys.argv[sys.argv.index("--noise") + 1]) if "--noise" in sys.argv else 0
    with (Path(sys.argv[1]) / f"{os.getpid()}.received").open("wb", buffering=0) as notes:
        for line in sys.stdin.buffer:
            notes.write(line)
            request = json.loads(line)
            if "id" not in request:
                continue
            match request["method"]:
                case "initialize":
                    result = {
                        "protocolVersion": "2025-11-25",
                        "capabilities": {"tools": {}},
                        "serverInfo": {"name": "noting", "version": "1"},
                    }
                case "tools/call":
                    if request["params"]["name"] == "deaf":
                        while True:
                            signal.pause()
                    for _ in range(noise // 1000):
                        sys.stderr.write("n" * 999 + "\n")
                    sys.stderr.flush()
                    result = {"content": []}
                case _:
                    result = {"tools": []}
            answer = {"jsonrpc": "2.0", "id": request["id"], "result": result}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
