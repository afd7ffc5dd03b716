"""A reader's machine: a home with claude-sandbox, Gatekit's directory, and the programs that the tutorial calls.

`npx` is a stand-in that starts the embedded `mcp-filesystem` where the tutorial names
@modelcontextprotocol/server-filesystem, so the tutorial's own configuration runs as it is written.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import Implementation

from harness.gateway import binary
from harness.processes import MARK, expect_none_left, new_mark
from harness.upstreams import REPOSITORY, program
from tutorial.document import BLOCKS
from tutorial.following import Tail

NPX = """#!/bin/sh
if [ "$1" != @modelcontextprotocol/server-filesystem ]; then
    echo "npx: only the file system server has a stand-in, not '$1'" >&2
    exit 127
fi
shift
exec {server} "$@"
"""

CONFIGURATION = "configs/tutorials/2-implementing-audit-logging.yaml"
SLOW = 5.2
"""Seconds of the slow call; the tutorial calls more than 5 s unusually long."""

SESSION_DEADLINE = 40

Play = Callable[["Client"], Awaitable[None]]


def embedded_server() -> str:
    """mcp-filesystem: beside the gateway under test, else the release build, else the debug build."""
    places = [Path(binary()[0]).parent, *(REPOSITORY / ".build" / name for name in ("release", "debug"))]
    for place in places:
        if (place / "mcp-filesystem").exists():
            return str(place / "mcp-filesystem")
    raise AssertionError("no mcp-filesystem to test: run 'scripts/build mcp-filesystem'")


class Client:
    """The SDK's session, and what the test has to know of it."""

    def __init__(self, session: ClientSession, sandbox: Path, log: Path) -> None:
        self.session = session
        self.sandbox = sandbox
        self.log = log

    async def call(self, tool: str, **arguments: object) -> str:
        """The text of a call that succeeds."""
        result = await self.session.call_tool(tool, arguments)
        assert not result.isError, result
        return result.content[0].text  # type: ignore[union-attr]

    async def fail(self, tool: str, **arguments: object) -> str:
        """The text of a call that fails in the server."""
        result = await self.session.call_tool(tool, arguments)
        assert result.isError, result
        return result.content[0].text  # type: ignore[union-attr]

    async def refused(self, tool: str, **arguments: object) -> McpError:
        """The error of a call that the gateway refuses."""
        try:
            await self.session.call_tool(tool, arguments)
        except McpError as error:
            assert error.error.code == -32000, error.error
            return error
        raise AssertionError(f"{tool} was not refused")


class Workbench:
    """Directories and environment; commands run in `directory`, where the configuration and `logs` are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.sandbox = self.home / "claude-sandbox"
        self.gatekit_root = root / "gatekit"
        self.directory = (self.gatekit_root / CONFIGURATION).parent
        self.mark = new_mark()
        programs = root / "bin"
        for directory in (self.home, self.directory, programs, root / "run"):
            directory.mkdir(parents=True)
        (self.gatekit_root / "gatekit").symlink_to(binary()[0])
        (programs / "gatekit").symlink_to(binary()[0])
        (programs / "npx").write_text(NPX.format(server=shlex.quote(embedded_server())))
        (programs / "npx").chmod(0o755)
        if mawk := shutil.which("mawk"):
            (programs / "awk").symlink_to(mawk)  # Debian's awk, whatever else is installed
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "RUNTIME_DIRECTORY": str(root / "run"),
        }

    @property
    def log(self) -> Path:
        """Where the tutorial's commands look for the audit."""
        return self.directory / "logs" / "audit.log"

    def write(self, name: str, text: str) -> Path:
        """A file beside the configuration."""
        path = self.directory / name
        path.write_text(text)
        return path

    def bash(self, command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as it stands; it must succeed."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.directory, env=self.environment, text=True, timeout=30,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, f"exit {done.returncode} of {command!r}: {done.stderr}"
        return done

    def python(self, text: str) -> str:
        """Runs Python with pandas; its standard output."""
        done = subprocess.run(
            [program("recipes", "python"), "-c", text], cwd=self.directory, env=self.environment, text=True,
            timeout=60, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def play(self, play: Play, command: str, arguments: list[str], environment: dict[str, str] | None = None) -> str:
        """A session of the Python SDK, which starts the gateway by itself; what the gateway wrote on stderr."""
        errors = self.root / "stderr.log"

        async def run() -> None:
            settings = {**self.environment, MARK: self.mark, **(environment or {})}
            server = StdioServerParameters(command=command, args=arguments, env=settings, cwd=self.directory)
            with errors.open("w") as stderr, anyio.fail_after(SESSION_DEADLINE):
                client = Implementation(name="Claude Desktop", version="1.0")
                async with (
                    stdio_client(server, stderr) as (read, write),
                    ClientSession(read, write, client_info=client) as session,
                ):
                    await session.initialize()
                    await play(Client(session, self.sandbox, self.log))

        anyio.run(run)
        expect_none_left(self.mark)
        return errors.read_text()


async def tutorial_calls(client: Client) -> None:
    """The chapter "Test Your Audit Logging Setup", as Claude Desktop would call the tools, and one failing call."""
    tools = {tool.name for tool in (await client.session.list_tools()).tools}
    assert tools == {"read_file", "write_file", "create_directory", "list_directory", "search_files"}
    assert "readme.txt" in await client.call("list_directory", path=str(client.sandbox))
    content = "Testing audit logging!"
    await client.call("write_file", path=str(client.sandbox / "audit-test.txt"), content=content)
    assert (client.sandbox / "audit-test.txt").read_text() == content
    assert "Hello from the sandbox!" in await client.call("read_file", path=str(client.sandbox / "readme.txt"))
    await client.fail("read_file", path=str(client.sandbox / "absent.txt"))
    error = await client.refused("delete_file", path=str(client.sandbox / "readme.txt"))
    assert error.error.message == "Tool access denied by security policy"
    assert (client.sandbox / "readme.txt").exists()


async def slow_call(client: Client, upstream: int) -> None:
    """A call that really takes long: its server is stopped meanwhile."""
    os.kill(upstream, signal.SIGSTOP)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.call("list_directory", path=str(client.sandbox)))
            await anyio.sleep(SLOW)
            os.kill(upstream, signal.SIGCONT)
    finally:
        os.kill(upstream, signal.SIGCONT)


def make_bench(root: Path) -> Workbench:
    """A machine on which the tutorial's own configuration and directories are made by its own blocks."""
    bench = Workbench(root)
    (bench.gatekit_root / CONFIGURATION).write_text(BLOCKS[4].text)
    for command in BLOCKS[5].commands():
        bench.bash(command)
    return bench


class Audited:
    """A machine with the log of the tutorial's session: json, in which one call was slow, and one tool refused."""

    def __init__(self, root: Path) -> None:
        self.bench = make_bench(root)
        self.tails: dict[str, str] = {}
        self.stderr = ""

    def start(self, *options: str) -> tuple[str, list[str]]:
        """The command line of the block for Claude Desktop."""
        return str(self.bench.gatekit_root / "gatekit"), [
            "--config", str(self.bench.gatekit_root / CONFIGURATION), *options
        ]  # fmt: skip

    def records(self) -> list[dict]:
        """The log, read by Python's own json."""
        return [json.loads(line) for line in self.bench.log.read_text().splitlines()]

    def play(self, tails: list[str]) -> None:
        """Two sessions; the second one under the eyes of the commands that follow the log."""

        async def first(client: Client) -> None:
            await tutorial_calls(client)
            # The first process may have been the probe's.
            started = [r["pid"] for r in self.records() if r["event_type"] == "UPSTREAM_START"]
            await slow_call(client, started[-1])

        self.stderr = self.bench.play(first, *self.start())
        following = {command: Tail(command, self.bench.directory, self.bench.environment, self.bench.log) for command in dict.fromkeys(tails)}
        self.bench.play(tutorial_calls, *self.start())
        self.tails = {command: tail.finish() for command, tail in following.items()}
