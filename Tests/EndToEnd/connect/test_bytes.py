"""What passes, byte by byte, and what happens when one side does not read."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.bridge import Bridge
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

LARGEST = 16 * 1024 * 1024


class Peer:
    """Stands where a daemon stands, for one connection."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.connection: socket.socket | None = None

    def accept(self) -> socket.socket:
        self.listener.settimeout(20)
        self.connection = self.listener.accept()[0]
        self.connection.settimeout(20)
        return self.connection

    def close(self) -> None:
        self.listener.close()
        if self.connection:
            self.connection.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    made = Peer(tmp_path / "s")
    yield made
    made.close()


def padded(size: int, head: bytes, tail: bytes = b'"}}') -> bytes:
    return head + b"x" * (size - len(head) - len(tail)) + tail


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","method":"a"}',
        b' { "jsonrpc" : "2.0" , "id" : 1e0 , "method" : "\\u0061" } \r',
        b"\xff\xfe no json at all",
        b"[]",
        padded(LARGEST, b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":"'),
        padded(LARGEST, b'{"jsonrpc":"2.0","result":{"a":"', b'"},"id":1}'),
    ],
    ids=["plain", "odd", "garbage", "batch", "16MiB-request", "16MiB-result"],
)
def test_a_line_passes_as_it_is_in_both_directions(bare: Callable[..., Bridge], peer: Peer, line: bytes) -> None:
    path = Path(peer.listener.getsockname())
    with bare(path).launch(code=None) as client:
        connection = peer.accept()

        def echo() -> None:
            while chunk := connection.recv(1 << 20):
                connection.sendall(chunk)
            connection.close()

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        writer = threading.Thread(target=client.send_bytes, args=(line + b"\n" + line + b"\n",), daemon=True)
        writer.start()
        assert client.receive_line() == line
        assert client.receive_line() == line
        writer.join(20)


def resident(pid: int) -> int:
    """Kilobytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def fill(descriptor: int, chunk: bytes, patience: float = 0.5) -> int:
    """Writes until nothing is taken for a while; how much was."""
    os.set_blocking(descriptor, False)
    taken = 0
    last = time.monotonic()
    while time.monotonic() - last < patience and taken < 200_000_000:
        try:
            taken += os.write(descriptor, chunk)
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.005)
    return taken


def test_a_side_that_does_not_read_stops_the_other(bare: Callable[..., Bridge], peer: Peer) -> None:
    chunk = b'{"jsonrpc":"2.0","method":"notifications/x","params":{"a":"' + b"x" * 900 + b'"}}\n'
    with bare(Path(peer.listener.getsockname())).launch(code=None) as client:
        connection = peer.accept()
        before = resident(client.process.pid)
        upward = fill(client.writing, chunk)
        downward = fill(connection.fileno(), chunk)
        assert 100_000 < upward < 16_000_000
        assert 100_000 < downward < 16_000_000
        assert resident(client.process.pid) - before < 60_000
        # And both flow again, without a byte lost.
        received = {"up": 0, "down": 0}

        def drain(name: str, read: Callable[[int], bytes]) -> None:
            while received[name] < {"up": upward, "down": downward}[name] - len(chunk):
                received[name] += len(read(1 << 20))

        threads = [
            threading.Thread(target=drain, args=("up", connection.recv), daemon=True),
            threading.Thread(target=drain, args=("down", lambda size: os.read(client.reading, size)), daemon=True),
        ]
        connection.setblocking(True)
        for thread in threads:
            thread.start()
        wait_until(lambda: not any(thread.is_alive() for thread in threads), f"all had come: {received}")
