"""As PID 1 of a plain container, without systemd."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support import machine, service
from support.client import Client
from support.machine import run, wait_until


@dataclass
class Container:
    """A pid and mount namespace whose PID 1 is the gateway; /run is empty."""

    directory: Path
    runner: subprocess.Popen | None = None

    def has_ended(self) -> bool:
        return self.runner.poll() is not None

    @property
    def pid(self) -> int:
        """The gateway's, seen from outside."""
        return machine.children(self.runner.pid)[0]

    @property
    def environment(self) -> dict[str, str]:
        """The image's, for PID 1 and for what is executed beside it."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.directory)}

    @property
    def socket(self) -> str:
        return f"{self.directory}/mcp.sock"

    def stderr(self) -> str:
        return (self.directory / "stderr").read_text()

    def enter(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        """What `docker exec` does."""
        where = ["--target", str(self.pid), "--pid", "--mount"]
        return run("nsenter", *where, "--", *command, check=check, env=self.environment)


@contextmanager
def container(*options: str) -> Iterator[Container]:
    directory = Path(tempfile.mkdtemp(prefix="container-", dir="/var/tmp"))
    try:
        service.write(
            directory / "gatekit.yaml", socket=f"{directory}/mcp.sock", audit=directory / "audit.log")
        (directory / ".env").write_text("ZSCALER_MCP_LOG_TOOL_CALLS=false\n")
        script = 'mount -t tmpfs tmpfs /run && exec /usr/bin/zscaler-mcp "$@"'
        made = Container(directory)
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
        with (directory / "stderr").open("w") as stderr:
            made.runner = subprocess.Popen(
                [*unshare, "/bin/sh", "-c", script, "sh", "--config", f"{directory}/gatekit.yaml", *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, env=made.environment)
        try:
            wait_until(lambda: made.has_ended() or "now accepting client connections" in made.stderr(), "serving")
            assert not made.has_ended(), made.stderr()
            yield made
        finally:
            if not made.has_ended():
                machine.signal_process(made.pid, signal.SIGKILL)
            made.runner.wait(timeout=20)
    finally:
        shutil.rmtree(directory)


def test_is_pid_one_and_reaps_what_others_leave() -> None:
    with container() as made, Client(made.socket) as client:
        assert made.enter("/bin/sh", "-c", "readlink /proc/1/exe").stdout.strip() == "/usr/bin/gatekit"
        # The shell ends at once; its child becomes PID 1's, and a zombie when it ends.
        made.enter("/bin/sh", "-c", "for i in 1 2 3 4 5; do sh -c 'sleep 0.1 &' ; done")

        def states() -> list[str]:
            shown = made.enter("/bin/sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null", check=False).stdout
            return [line.rsplit(")", 1)[1].split()[0] for line in shown.splitlines() if "(sleep)" in line]

        wait_until(lambda: not states(), "no sleep is left, alive or as a zombie")
        assert client.call("echo", text="x") == "x"


def test_reload_from_a_second_process_switches_the_tool_call_log_on_stderr() -> None:
    with container() as made, Client(made.socket) as client:
        client.call("echo", text="before")
        assert "[TOOL" not in made.stderr()
        run("sed", "-i", "s/=false/=true/", str(made.directory / ".env"))
        first = made.enter("zscaler-mcp", "reload").stdout.splitlines()[0]
        assert first == "Sent SIGHUP to zscaler-mcp (pid=1). MCP sessions preserved.", first
        client.call("echo", text="after")

        def logged() -> list[str]:
            return [line for line in made.stderr().splitlines() if line.startswith("[TOOL ")]

        wait_until(lambda: len(logged()) == 2, "both lines of the call")
        assert logged()[0] == '[TOOL CALL] echo | args: {text: "after"}', logged()
        assert logged()[1].startswith("[TOOL OK] echo | "), logged()


def test_flag_alone_turns_the_tool_call_log_on() -> None:
    with container("--log-tool-calls") as made, Client(made.socket) as client:
        client.call("echo", text="x")
        wait_until(lambda: "\n[TOOL OK] echo | " in made.stderr(), "the call is on stderr")


def test_sighup_reloads() -> None:
    with container() as made, Client(made.socket) as client:
        service.write(
            made.directory / "gatekit.yaml", tools=["pause"], socket=made.socket, audit=made.directory / "audit.log")
        machine.signal_process(made.pid, signal.SIGHUP)
        wait_until(lambda: client.tools() == ["pause"], "the edit is in force")


def test_sigterm_ends_it_cleanly() -> None:
    with container() as made, Client(made.socket) as client:
        client.call("spawn_stubborn")
        machine.signal_process(made.pid, signal.SIGTERM)
        assert made.runner.wait(timeout=20) == 0, made.stderr()
        assert '"AUDIT_STOP"' in (made.directory / "audit.log").read_text().splitlines()[-1]
