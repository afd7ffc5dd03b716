"""The tutorial's way from the configuration to a client that calls tools."""

from __future__ import annotations

import json
import subprocess

import pytest

from harness.upstreams import REPOSITORY
from tutorial.document import Block
from tutorial.workbench import Audited, Workbench, tutorial_calls

pytestmark = pytest.mark.gateway


@pytest.mark.block(3)
def test_help(bench: Workbench, blocks: list[Block]) -> None:
    assert "--config" in bench.bash(blocks[0].text).stdout


@pytest.mark.block(4)
def test_the_configuration_is_the_one_that_is_shipped(bench: Workbench, blocks: list[Block]) -> None:
    shipped = REPOSITORY / "etc" / "tutorials" / "2-implementing-audit-logging.yaml"
    assert blocks[0].text == shipped.read_text()
    summary = bench.bash("gatekit check --config 2-implementing-audit-logging.yaml").stdout
    assert "format json, mode all, 10 MB, 5 backups" in summary
    assert f"upstream.command: npx @modelcontextprotocol/server-filesystem {bench.sandbox}/" in summary


@pytest.mark.block(5)
def test_the_directories(bench: Workbench, blocks: list[Block]) -> None:
    """The fixture has run the block, command by command."""
    assert len(blocks[0].commands()) == 5
    assert (bench.sandbox / "readme.txt").read_text() == "Hello from the sandbox!\n"
    assert (bench.sandbox / "projects" / "info.txt").read_text() == "Project info\n"
    assert bench.log.parent.is_dir()


@pytest.mark.block(6)
def test_claude_desktop(bench: Workbench, blocks: list[Block]) -> None:
    servers = json.loads(blocks[0].text.replace("<gatekit_root>", str(bench.gatekit_root)))["mcpServers"]
    assert list(servers) == ["filesystem-with-audit-logging"]
    entry = servers["filesystem-with-audit-logging"]
    assert set(entry) == {"command", "args", "env"}
    bench.play(tutorial_calls, entry["command"], entry["args"], entry["env"])
    tools = [json.loads(line).get("tool") for line in bench.log.read_text().splitlines()]
    assert {"list_directory", "write_file", "read_file", "delete_file"} <= set(tools)


@pytest.mark.block(7)
def test_the_gateway_says_what_it_does(audited: Audited, blocks: list[Block]) -> None:
    """The lines shown, in their order, with the configuration's name; besides, the path of the audit file."""
    printed = [line for line in audited.stderr.split("\n") if line]
    places = []
    for example in blocks[0].text.split("\n")[:-1]:
        start = example.replace("gatekit-audit-config.yaml", "")
        places.append(next((at for at, line in enumerate(printed) if line.startswith(start)), None))
    assert None not in places, printed
    assert places == sorted(places)
    assert "2-implementing-audit-logging.yaml" in printed[places[0]]
    assert f"[INFO] gatekit.audit: Writing audit records to {audited.bench.log} (json)" in printed


@pytest.mark.block(25)
def test_verbose(bench: Workbench, blocks: list[Block]) -> None:
    """The tutorial's configuration under the name that the command has; without a client it ends at once."""
    bench.write("gatekit-audit-config.yaml", (bench.directory / "2-implementing-audit-logging.yaml").read_text())
    done = bench.bash(blocks[0].text)
    assert done.stdout == "", "stdout belongs to the protocol"
    assert "[INFO] gatekit.plugins.manager: Loaded security plugin: tool_allowlist\n" in done.stderr
    assert "[DEBUG] gatekit.config: limits.max_message_bytes: 16777216\n" in done.stderr
    assert "AUDIT_STOP" in bench.log.read_text()


@pytest.mark.block(26)
def test_the_server_by_itself(bench: Workbench, blocks: list[Block]) -> None:
    """The stand-in for npx starts the embedded server in the home directory, where ./claude-sandbox/ is."""
    initialize = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", blocks[0].text], cwd=bench.home, env=bench.environment, input=json.dumps(initialize) + "\n",
        text=True, capture_output=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "mcp-filesystem"
