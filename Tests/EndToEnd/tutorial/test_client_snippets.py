"""The README's entries for MCP clients: each starts the gateway."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from harness.upstreams import REPOSITORY
from tutorial.document import Block, blocks
from tutorial.workbench import CONFIGURATION, Workbench, tutorial_calls

pytestmark = pytest.mark.gateway

README = (REPOSITORY / "README.md").read_text()
CONFIGURATION_SNIPPET, *_ = (block for block in blocks(README) if block.heading == "Quick start")
SNIPPETS = [block for block in blocks(README) if block.heading == "Quick start" and block.language != "yaml"]

ENTRIES = [
    ("Claude Desktop", "claude_desktop_config.json", "mcpServers", {"command", "args"}),
    ("Claude Code", ".mcp.json", "mcpServers", {"type", "command", "args"}),
    ("Cursor", "~/.cursor/mcp.json", "mcpServers", {"command", "args"}),
    ("VS Code", ".vscode/mcp.json", "servers", {"type", "command", "args"}),
]
"""Client, its file, the member that holds the servers, and what a server has, in the README's order."""


def play(bench: Workbench, command: str, arguments: list[str]) -> None:
    """A session with this command line, its paths moved to the test's."""
    moved = {
        "/usr/bin/gatekit": str(bench.gatekit_root / "gatekit"),
        "/home/you/gatekit.yaml": str(bench.gatekit_root / CONFIGURATION),
    }
    assert [command, *arguments] == ["/usr/bin/gatekit", "--config", "/home/you/gatekit.yaml"]
    bench.play(tutorial_calls, moved[command], [moved.get(argument, argument) for argument in arguments])
    assert '"AUDIT_STOP"' in bench.log.read_text()


def test_the_configuration_is_valid(bench: Workbench) -> None:
    assert CONFIGURATION_SNIPPET.language == "yaml"
    bench.write("gatekit.yaml", CONFIGURATION_SNIPPET.text)
    (bench.root / "bin" / "uvx").symlink_to("/bin/true")  # check looks for the program, and does not start it
    assert "upstream.command: uvx mcp-server-time\n" in bench.bash("gatekit check --config gatekit.yaml").stdout


def test_the_readme_has_just_these() -> None:
    assert [block.language for block in SNIPPETS] == ["json", "bash", "json", "json", "json"]
    places = [README.index(f"\n{client}, ") for client, *_ in ENTRIES]
    assert places == sorted(places)
    for (_, file, *_), place, end in zip(ENTRIES, places, [*places[1:], len(README)], strict=True):
        assert f"`{file}`" in README[place:end] or f"/{file}`" in README[place:end]


@pytest.mark.parametrize(
    ("block", "entry"),
    zip([block for block in SNIPPETS if block.language == "json"], ENTRIES, strict=True),
    ids=[client for client, *_ in ENTRIES],
)
def test_entry(bench: Workbench, block: Block, entry: tuple[str, str, str, set[str]]) -> None:
    _, _, member, keys = entry
    content = json.loads(block.text)
    assert list(content) == [member]
    ((_, server),) = content[member].items()
    assert set(server) == keys
    assert server.get("type", "stdio") == "stdio"
    play(bench, server["command"], server["args"])


def test_claude_code_command(bench: Workbench) -> None:
    (command,) = next(block for block in SNIPPETS if block.language == "bash").commands()
    found = re.fullmatch(r"claude mcp add [a-z]+ -- (.*)", command)
    assert found
    program, *arguments = shlex.split(found[1])
    play(bench, program, arguments)
