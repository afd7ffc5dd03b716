#!/usr/bin/env python3
"""Stands where the gateway stands and does nothing: one upstream process per client, bytes passed on.

GATEKIT_BINARY=Tests/EndToEnd/upstreams/passthrough.py shows whether a test and its server are right by themselves.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path


def relay(client_in: int, client_out: int, command: list[str], environment: dict[str, str]) -> None:
    """Passes bytes on until either side ends."""
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}, bufsize=0
    )
    assert child.stdin and child.stdout

    def copy(source: int, target: int) -> None:
        try:
            while chunk := os.read(source, 1 << 16):
                while chunk:
                    chunk = chunk[os.write(target, chunk) :]
        except OSError:
            pass  # the other side is gone, which ends this one too

    ways = [(client_in, child.stdin.fileno()), (child.stdout.fileno(), client_out)]
    threads = [threading.Thread(target=copy, args=way, daemon=True) for way in ways]
    for thread in threads:
        thread.start()
    threads[0].join()
    child.stdin.close()
    try:
        child.wait(2)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    threads[1].join(5)


def main() -> None:
    proxy = json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text())["proxy"]
    upstream = proxy["upstream"]
    if proxy["transport"] == "stdio":
        relay(0, 1, upstream["command"], upstream["env"])
        return
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(proxy["unix"]["path"])
    listener.listen(512)
    print("[INFO] gatekit.proxy.server: MCPProxy now accepting client connections", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def serve(client: socket.socket) -> None:
        with client:
            relay(client.fileno(), client.fileno(), upstream["command"], upstream["env"])

    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
