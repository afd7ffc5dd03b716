"""The embedded filesystem server: by itself where it refuses to start, and through the gateway with the SDK's client."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Refused, Session, open_session
from harness.gateway import Gateway
from harness.upstreams import REPOSITORY

TUTORIAL_TOOLS = ["read_file", "write_file", "create_directory", "list_directory", "search_files"]
ALL_TOOLS = {
    *TUTORIAL_TOOLS, "read_multiple_files", "edit_file", "directory_tree", "move_file", "get_file_info",
    "list_allowed_directories", "delete_file",
}  # fmt: skip
SECRET = "the-secret-of-outside"


def server() -> str:
    """The release build, else the debug build."""
    for configuration in ("release", "debug"):
        path = REPOSITORY / ".build" / configuration / "mcp-filesystem"
        if path.exists():
            return str(path)
    pytest.fail("no mcp-filesystem to test: run 'scripts/build mcp-filesystem'", pytrace=False)


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """The tutorial's sandbox, with links out of it."""
    sandbox = tmp_path / "claude-sandbox"
    (sandbox / "projects").mkdir(parents=True)
    (sandbox / "readme.txt").write_text("Hello from the sandbox!\n")
    (sandbox / "projects" / "info.txt").write_text("Project info\n")
    (tmp_path / "secret.txt").write_text(SECRET)
    (sandbox / "link.txt").symlink_to("../secret.txt")
    (sandbox / "absolute.txt").symlink_to(tmp_path / "secret.txt")
    return sandbox


@pytest.fixture(params=["stdio", "unix"])
def serve(
    request: pytest.FixtureRequest, make_gateway: Callable[..., Gateway], sandbox: Path
) -> Callable[..., Gateway]:
    """Makes a gateway on each door, in front of the server of the sandbox."""

    def serve(tools: list[str] | None = None) -> Gateway:
        gateway = make_gateway([server(), str(sandbox)], door=request.param, tools=tools)
        return gateway.start() if request.param == "unix" else gateway

    return serve


async def text(session: Session, tool: str, **arguments: object) -> str:
    """The text of a call that succeeds."""
    result = await session.call(tool, arguments)
    assert not result.get("isError"), result
    return result["content"][0]["text"]


async def error(session: Session, tool: str, **arguments: object) -> str:
    """The text of a call that fails."""
    result = await session.call(tool, arguments)
    assert result["isError"], result
    return result["content"][0]["text"]


async def test_every_tool_does_its_work(serve: Callable[..., Gateway], sandbox: Path) -> None:
    async with open_session(serve()) as session:
        assert session.opened["serverInfo"]["name"] == "mcp-filesystem"
        tools = (await session.request("tools/list"))["tools"]
        assert {tool["name"] for tool in tools} == ALL_TOOLS
        assert all(tool["inputSchema"]["type"] == "object" for tool in tools)

        assert await text(session, "read_file", path=str(sandbox / "readme.txt")) == "Hello from the sandbox!\n"
        await text(session, "create_directory", path="new/deep")
        await text(session, "write_file", path="new/deep/grüße.txt", content="eins\nzwei\n")
        edits = [{"oldText": "zwei", "newText": "drei"}]
        assert "-zwei\n+drei\n" in await text(session, "edit_file", path="new/deep/grüße.txt", edits=edits)
        await text(session, "move_file", source="new/deep/grüße.txt", destination="projects/grüße.txt")
        assert (sandbox / "projects" / "grüße.txt").read_text() == "eins\ndrei\n"
        several = await text(session, "read_multiple_files", paths=["projects/grüße.txt", "projects/info.txt"])
        assert "eins\ndrei\n" in several and "Project info" in several
        assert await text(session, "list_directory", path="projects") == "[FILE] grüße.txt\n[FILE] info.txt"
        tree = json.loads(await text(session, "directory_tree", path="new"))
        assert tree == [{"name": "deep", "type": "directory", "children": []}]
        found = await text(session, "search_files", path=".", pattern="*.txt", excludePatterns=["projects", "*link*"])
        assert found.splitlines() == [str(sandbox / "absolute.txt"), str(sandbox / "readme.txt")]
        assert "size: 13" in await text(session, "get_file_info", path="projects/info.txt")
        assert str(sandbox) in await text(session, "list_allowed_directories")
        await text(session, "delete_file", path="projects/grüße.txt")
        assert not (sandbox / "projects" / "grüße.txt").exists()


async def test_no_call_leaves_the_sandbox(serve: Callable[..., Gateway], sandbox: Path) -> None:
    ways = ["../secret.txt", "link.txt", "absolute.txt", str(sandbox.parent / "secret.txt"), "/etc/passwd"]
    async with open_session(serve()) as session:
        for way in ways:
            for tool in ("read_file", "get_file_info"):
                message = await error(session, tool, path=way)
                assert way in message and SECRET not in message
            await error(session, "write_file", path=way, content="x")
            await error(session, "edit_file", path=way, edits=[{"oldText": SECRET, "newText": "x"}])
        assert (sandbox.parent / "secret.txt").read_text() == SECRET
        assert sorted(os.listdir(sandbox.parent)) == ["claude-sandbox", "secret.txt"]


@pytest.mark.gateway
async def test_the_tutorial_allowlist_keeps_delete_away(serve: Callable[..., Gateway], sandbox: Path) -> None:
    async with open_session(serve(TUTORIAL_TOOLS)) as session:
        tools = (await session.request("tools/list"))["tools"]
        assert {tool["name"] for tool in tools} == set(TUTORIAL_TOOLS)
        with pytest.raises(Refused) as refused:
            await session.call("delete_file", {"path": "readme.txt"})
        assert refused.value.code == -32000
        assert (sandbox / "readme.txt").exists()


async def test_a_large_file_comes_through_whole(serve: Callable[..., Gateway], sandbox: Path) -> None:
    content = "0123456789äöü\n" * 300_000
    (sandbox / "large.txt").write_text(content)
    async with open_session(serve()) as session:
        assert await text(session, "read_file", path="large.txt") == content
        (sandbox / "larger.txt").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
        assert "max_file_bytes" in await error(session, "read_file", path="larger.txt")


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["@/none"], 1, '"@/none" does not exist'),
        (["@/readme.txt"], 1, '"@/readme.txt" is not a directory'),
        ([], 2, "no directory given"),
        (["--nonsense", "@"], 2, 'unknown option "--nonsense"'),
        (["--max-file-bytes", "0", "@"], 2, "--max-file-bytes takes a number"),
        (["--help"], 0, "usage: mcp-filesystem"),
        (["~/projects"], 0, ""),
        (["@"], 0, ""),
    ],
)
def test_command_line(sandbox: Path, arguments: list[str], code: int, part: str) -> None:
    command = [server(), *(argument.replace("@", str(sandbox)) for argument in arguments)]
    environment = {**os.environ, "HOME": str(sandbox)}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=30)
    assert done.returncode == code
    assert part.replace("@", str(sandbox)) in (done.stdout if code == 0 else done.stderr)
    assert code == 0 or done.stdout == ""
