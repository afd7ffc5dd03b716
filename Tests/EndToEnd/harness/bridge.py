"""Clients that reach a daemon through `gatekit connect`, as Claude Desktop does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .gateway import Gateway, binary
from .lines import Lines
from .upstreams import UPSTREAMS

ALLOWED = ["big", "digest", "echo", "logs", "progress", "sample", "slow", "state", "touch"]


def everything() -> list[str]:
    """The server with every feature, in the environment that these tests run in."""
    return [sys.executable, str(UPSTREAMS / "everything_server_mcp1.py")]


class Bridge:
    """What launches `gatekit connect`: it stands in for a gateway on stdio where the harness opens SDK sessions."""

    door = "stdio"

    def __init__(self, socket: Path, log_path: Path, environment: dict[str, str], *options: str) -> None:
        self.command = [*binary(), "connect", "--socket", str(socket), *options]
        self.log_path = log_path
        self.environment = environment

    @classmethod
    def to(cls, gateway: Gateway, *options: str) -> Bridge:
        """To the socket of `gateway`; the process carries its mark, so that none is left behind."""
        return cls(gateway.socket_path, gateway.directory / "connect.log", gateway.environment, *options)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @contextmanager
    def launch(self, code: int | None = 0) -> Iterator[Launched]:
        """A raw client; at the end its input is closed, and the process must end with `code`."""
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        try:
            launched = Launched(process)
            yield launched
            launched.end_input()
            if code is not None:
                assert process.wait(20) == code, self.log()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)
            launched.close()


class Launched(Lines):
    """A raw client and the process that it launched."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        super().__init__(process.stdout, process.stdin)
        self.process = process

    def end_input(self) -> None:
        try:
            super().end_input()
        except BrokenPipeError:
            pass  # it ended before, which is what some tests want
