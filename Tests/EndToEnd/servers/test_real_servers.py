"""Servers that others wrote, through the gateway, with a client that others wrote."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Refused, Session, open_session
from harness.gateway import Gateway
from harness.upstreams import program


@pytest.fixture(params=["stdio", "unix"])
def serve(request: pytest.FixtureRequest, make_gateway: Callable[..., Gateway]) -> Callable[..., Gateway]:
    """Makes a gateway on each door."""

    def serve(command: list[str], tools: list[str] | None = None) -> Gateway:
        gateway = make_gateway(command, door=request.param, tools=tools)
        return gateway.start() if request.param == "unix" else gateway

    return serve


async def names(session: Session) -> set[str]:
    """The tools that are listed."""
    return {tool["name"] for tool in (await session.request("tools/list"))["tools"]}


async def text(session: Session, tool: str, **arguments: object) -> str:
    """The first text of a call's result."""
    result = await session.call(tool, arguments)
    assert not result.get("isError"), result
    return result["content"][0]["text"]


async def test_time_converts_between_zones(serve: Callable[..., Gateway]) -> None:
    gateway = serve([program("mcp1", "mcp-server-time"), "--local-timezone", "UTC"])
    async with open_session(gateway) as session:
        assert await names(session) == {"convert_time", "get_current_time"}
        converted = await text(
            session, "convert_time", source_timezone="Asia/Tokyo", time="12:00", target_timezone="UTC"
        )
        assert "T03:00:00+00:00" in json.loads(converted)["target"]["datetime"]


@pytest.mark.gateway
async def test_time_is_filtered(serve: Callable[..., Gateway]) -> None:
    gateway = serve([program("mcp1", "mcp-server-time"), "--local-timezone", "UTC"], ["get_*"])
    async with open_session(gateway) as session:
        assert await names(session) == {"get_current_time"}
        assert json.loads(await text(session, "get_current_time", timezone="UTC"))["timezone"] == "UTC"
        with pytest.raises(Refused) as refused:
            await session.call("convert_time", {})
        assert refused.value.code == -32000


async def test_git_shows_a_repository(serve: Callable[..., Gateway], tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    git("init", "--initial-branch=main")
    (tmp_path / "grüße.txt").write_text("one\n")
    git("add", ".")
    git("commit", "-m", "first: grüße")
    (tmp_path / "grüße.txt").write_text("two\n")
    gateway = serve([program("mcp1", "mcp-server-git"), "--repository", str(tmp_path)])
    async with open_session(gateway) as session:
        assert {"git_status", "git_log", "git_diff_unstaged"} <= await names(session)
        assert "first: grüße" in await text(session, "git_log", repo_path=str(tmp_path))
        difference = await text(session, "git_diff_unstaged", repo_path=str(tmp_path))
        assert "-one" in difference and "+two" in difference


async def test_sqlite_keeps_what_it_is_told(serve: Callable[..., Gateway], tmp_path: Path) -> None:
    gateway = serve([program("sqlite", "mcp-server-sqlite"), "--db-path", str(tmp_path / "notes.db")])
    async with open_session(gateway) as session:
        assert {"read_query", "write_query", "create_table"} <= await names(session)
        await text(session, "create_table", query="CREATE TABLE notes (id INTEGER, body TEXT)")
        await text(session, "write_query", query="INSERT INTO notes VALUES (1, 'Ünïcode'), (2, 'b')")
        rows = await text(session, "read_query", query="SELECT body FROM notes ORDER BY id")
        assert "Ünïcode" in rows
        memo = await session.request("resources/list")
        assert [resource["uri"] for resource in memo["resources"]] == ["memo://insights"]
