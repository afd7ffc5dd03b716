"""The commands of the servers that stand behind the gateway."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

END_TO_END = Path(__file__).resolve().parent.parent
REPOSITORY = END_TO_END.parent.parent
UPSTREAMS = END_TO_END / "upstreams"
ENVIRONMENTS = REPOSITORY / ".cache" / "venvs"


def program(environment: str, name: str) -> str:
    """The absolute path of a program in one of the environments that scripts/test-setup makes."""
    path = ENVIRONMENTS / environment / "bin" / name
    assert path.exists(), f"{path} is missing: run scripts/test-setup"
    return str(path)


def everything(generation: int) -> list[str]:
    """The server with every MCP feature, on the 1.x or the 2.x SDK."""
    return [program(f"mcp{generation}", "python"), str(UPSTREAMS / f"everything_server_mcp{generation}.py")]


def chatty(*options: str) -> list[str]:
    """The server that writes what is no message between its answers."""
    return [program("mcp1", "python"), str(UPSTREAMS / "chatty.py"), *options]


def noting(directory: Path, *options: str) -> list[str]:
    """The server that notes what it receives in `directory`, and can be told to stop reading."""
    return [sys.executable, str(UPSTREAMS / "noting.py"), str(directory), *options]


def wrapped(command: list[str]) -> list[str]:
    """`command` as the child of a shell that stays, as npx starts servers."""
    return ["/bin/sh", str(UPSTREAMS / "wrapper.sh"), *command]


@functools.cache
def echo_program() -> str:
    """Compiles the C echo server once."""
    compiler = shutil.which("cc")
    assert compiler, "no C compiler: install the package 'gcc'"
    source = REPOSITORY / "Tests" / "Benchmarks" / "echo.c"
    output = REPOSITORY / ".cache" / "end-to-end" / "echo"
    output.parent.mkdir(parents=True, exist_ok=True)
    newest = max(path.stat().st_mtime for path in (source, source.with_name("json.h")))
    if not output.exists() or output.stat().st_mtime < newest:
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", output, source], check=True)
    return str(output)


def echo(*options: str, log: Path | None = None) -> list[str]:
    """The small, quick server, which reflects; with `log` it first notes every line that it receives there."""
    return [echo_program(), "--reflect", *options, *(["--log", str(log)] if log else [])]


def marked() -> list[str]:
    """The server whose answers say which process gave them."""
    return [sys.executable, str(REPOSITORY / "Tests" / "EndToEnd" / "upstreams" / "marked.py")]


def crowd() -> list[str]:
    """The server whose answers prove whose they are."""
    return [sys.executable, str(UPSTREAMS / "crowd.py")]


def stranger() -> list[str]:
    """The server that answers whatever a call asks for."""
    return [sys.executable, str(UPSTREAMS / "stranger.py")]


def zscaler_stub(*options: str) -> list[str]:
    """The real Zscaler server in front of a tenant that is not there."""
    return [program("zscaler", "python"), str(UPSTREAMS / "zscaler_stub.py"), "--no-entitlement-filter", *options]
