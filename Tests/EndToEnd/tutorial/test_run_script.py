"""scripts/run in a copy of the repository's scripts, with a stand-in for swift that has the programs built already."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.gateway import binary
from harness.upstreams import REPOSITORY
from tutorial.workbench import Client, Workbench, embedded_server, tutorial_calls

pytestmark = pytest.mark.gateway


@pytest.fixture
def run(bench: Workbench) -> Path:
    """scripts/run of a repository of its own."""
    scripts, built = bench.root / "repository" / "scripts", bench.root / "built"
    scripts.mkdir(parents=True)
    built.mkdir()
    for name in ("run", "demo.py", "build", "setup"):
        shutil.copy(REPOSITORY / "scripts" / name, scripts / name)
    (built / "gatekit").symlink_to(binary()[0])
    (built / "mcp-filesystem").symlink_to(embedded_server())
    swift = bench.root / "bin" / "swift"
    swift.write_text(f'#!/bin/sh\ncase "$*" in *--show-bin-path*) echo {built} ;; *) echo "Compiling" ;; esac\n')
    swift.chmod(0o755)
    return scripts / "run"


def test_demo(bench: Workbench, run: Path) -> None:
    for _ in range(2):
        shown = bench.bash(f"{run} --demo").stdout
        lines = [json.loads(line) for line in shown.split("\n") if line.startswith('{"timestamp": ')]
        assert [line["event_type"] for line in (lines[0], lines[-1])] == ["AUDIT_START", "AUDIT_STOP"]
        assert [line["tool"] for line in lines if line["event_type"] == "SECURITY_BLOCK"] == ["delete_file"]


def test_demo_fails_when_an_answer_is_wrong(bench: Workbench, run: Path) -> None:
    run.write_text(run.read_text().replace("list_directory, ", ""))
    done = subprocess.run([run, "--demo"], env=bench.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "demo: tools/list shows ['create_directory'" in done.stderr


def test_it_serves_a_directory(bench: Workbench, run: Path) -> None:
    """As an MCP client launches it; without a client, nothing at all stands on stdout."""
    bench.sandbox = bench.sandbox.rename(bench.home / "it's a \"sandbox\" of $HOME")
    bench.play(tutorial_calls, str(run), [str(bench.sandbox)])
    silent = bench.bash(f"{run} {shlex.quote(str(bench.sandbox))}")
    assert silent.stdout == "" and "Compiling" in silent.stderr


def test_it_serves_a_sandbox_of_its_own(bench: Workbench, run: Path) -> None:
    bench.sandbox = run.parent.parent / ".cache" / "run" / "sandbox"

    async def play(client: Client) -> None:
        await tutorial_calls(client)
        assert await client.call("read_file", path="projects/info.txt") == "Project info\n"

    bench.play(play, str(run), [])


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--help"], 0, "scripts/run DIR "),
        (["--nonsense"], 2, "unknown option '--nonsense'"),
        (["/absent"], 1, "'/absent' is not a directory"),
        (["/etc/passwd"], 1, "'/etc/passwd' is not a directory"),
        (["/etc", "/usr"], 2, "one argument at most, not 2"),
    ],
)
def test_command_line(bench: Workbench, run: Path, arguments: list[str], code: int, part: str) -> None:
    done = subprocess.run([run, *arguments], env=bench.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert part in (done.stdout if code == 0 else done.stderr)
    assert code == 0 or done.stdout == ""
