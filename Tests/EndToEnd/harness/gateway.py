"""A gateway under test: its configuration, its process, its audit, and what must hold when it has ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .audit import Audit
from .lines import Lines
from .processes import MARK, expect_none_left, named, new_mark
from .upstreams import REPOSITORY
from .waiting import DEADLINE, wait_until


def binary() -> list[str]:
    """The command under test: GATEKIT_BINARY, else the release build, else the debug build."""
    chosen = os.environ.get("GATEKIT_BINARY")
    if chosen:
        return [str(Path(chosen).resolve())]
    for configuration in ("release", "debug"):
        path = REPOSITORY / ".build" / configuration / "gatekit"
        if path.exists():
            return [str(path)]
    raise AssertionError("no gatekit to test: run 'swift build -c release', or set GATEKIT_BINARY")


def is_passthrough() -> bool:
    """Whether the stand-in that does nothing is under test: it refuses nothing and has no audit."""
    return Path(binary()[0]).name == "passthrough.py"


def merged(base: dict, changes: dict) -> dict:
    """`base` with `changes` laid over it, objects member by member."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


class Gateway:
    """One configuration in a directory of its own, and the processes that were started with it.

    `proxy` is laid over the `proxy` part of the configuration. Without `tools` there is no policy. `era` is that of the
    upstream and `client_mode` how sessions of the 2.x SDK and FastMCP open; what is not about eras is tested in the
    legacy one, where nothing has to be found out.
    """

    def __init__(
        self,
        upstream: list[str],
        *,
        door: str = "unix",
        tools: list[str] | None = None,
        mode: str = "allowlist",
        proxy: dict | None = None,
        audit: dict | None = None,
        audit_path: Path | None = None,
        era: str = "legacy",
        client_mode: str = "legacy",
    ) -> None:
        # Not pytest's tmp_path: the path of a Unix socket may have 107 bytes only.
        self.directory = Path(tempfile.mkdtemp(prefix="gk-"))
        self.door = door
        self.client_mode = client_mode
        self.mark = new_mark()
        self.socket_path = self.directory / "mcp.sock"
        self.config_path = self.directory / "gatekit.yaml"
        self.log_path = self.directory / "stderr.log"
        self.audit = Audit(audit_path or self.directory / "audit.log")
        self.arguments: list[str] = []
        self.variables: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.killed = False
        self.kills = 0
        self.closed = False
        self.opened: list[IO[bytes]] = []
        # Asked of the kernel for this one gateway; nothing else here listens on ports by itself.
        self.port = free_port() if door == "http" else 0
        base = {
            "transport": door,
            **({"http": {"port": self.port}} if self.port else {}),
            "unix": {"path": str(self.socket_path)},
            "upstream": {"name": "under-test", "command": upstream, "env": {MARK: self.mark}, "era": era},
        }
        policies = [] if tools is None else [{"policy": "tool_allowlist", "config": {"mode": mode, "tools": tools}}]
        sink = {"output_file": str(self.audit.path), "format": "json", "backup_count": 0, **(audit or {})}
        self.configuration = {
            "proxy": merged(base, proxy or {}),
            "plugins": {"security": policies, "auditing": [{"policy": "file_auditing", "config": sink}]},
        }
        self.write_configuration()

    def write_configuration(self, text: str | None = None) -> None:
        """Writes `text`, else the configuration. JSON is YAML, so nothing else is needed to print it."""
        self.config_path.write_text(text or json.dumps(self.configuration, ensure_ascii=False, indent=2))

    @property
    def command(self) -> list[str]:
        """What starts it."""
        return [*binary(), "--config", str(self.config_path), *self.arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Ours, with the mark, the run-time directory turned away from the machine's, and `variables`."""
        return {**os.environ, MARK: self.mark, "RUNTIME_DIRECTORY": str(self.directory), **self.variables}

    def spawn(self, **options: object) -> subprocess.Popen[bytes]:
        """Starts a process without waiting for anything."""
        log = self.log_path.open("ab")
        self.opened.append(log)
        chosen: dict = {"stderr": log, **options}
        return subprocess.Popen(self.command, env=self.environment, cwd=self.directory, **chosen)

    def start(self, deadline: float = DEADLINE) -> Gateway:
        """Starts the daemon and waits until its door is open and commands find it."""
        self.process = self.spawn(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.killed = False
        door = self.url if self.port else self.socket_path
        wait_until(self.accepts, f"the gateway accepted at {door}; its log:\n{self.log()}", deadline)
        if not is_passthrough():
            wait_until((self.directory / "gatekit.pid").exists, "its PID file was there")
        return self

    def ready(self, deadline: float = DEADLINE) -> Gateway:
        """Waits until the upstream has shaken hands, for tests with time-outs shorter than an interpreter's start."""
        wait_until(lambda: self.status()["upstream"]["state"] == "ready", "the upstream was ready", deadline)
        return self

    def accepts(self) -> bool:
        """Whether the door is open; fails when the process has ended."""
        assert self.process and self.process.poll() is None, f"the gateway ended at its start:\n{self.log()}"
        if self.door == "http":
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket_path)) == 0

    @property
    def url(self) -> str:
        """Of the HTTP door."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def connect(self) -> Lines:
        """A raw client on the Unix door."""
        return Lines.over_unix(self.socket_path)

    @contextmanager
    def session(self, **handshake: object) -> Iterator[Lines]:
        """A raw client on the Unix door that has shaken hands."""
        with self.connect() as lines:
            lines.handshake(**handshake)  # type: ignore[arg-type]
            yield lines

    @contextmanager
    def stdio(self) -> Iterator[Lines]:
        """A raw client that started the gateway on pipes; it must end by itself at end of input."""
        process = self.spawn(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin and process.stdout
        try:
            yield Lines(process.stdout, process.stdin)
            process.stdin.close()
            assert process.wait(20) == 0, f"exit {process.returncode}:\n{self.log()}"
        finally:
            end(process)
            process.stdout.close()

    def log(self) -> str:
        """What was written on stderr."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def upstream_pids(self, part: str) -> list[int]:
        """The upstream's processes, by a part of their command line; never the gateway itself."""
        own = self.process.pid if self.process else -1
        return [pid for pid in named(self.mark, part) if pid != own]

    def run(self, *words: str, deadline: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs a command of the program, such as `reload`, against this gateway."""
        return subprocess.run(
            [*binary(), *words], env=self.environment, cwd=self.directory, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=deadline, check=False,
        )  # fmt: skip

    def reload(self) -> subprocess.CompletedProcess[str]:
        """Writes the configuration and has it taken over; fails when it is refused."""
        self.write_configuration()
        ended = self.run("reload")
        assert ended.returncode == 0, ended
        return ended

    def status(self) -> dict:
        """What `status --json` says."""
        ended = self.run("status", "--json")
        assert ended.returncode == 0, ended
        return json.loads(ended.stdout)

    def kill(self) -> None:
        """kill -9."""
        assert self.process
        self.killed = True
        self.kills += 1
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """SIGTERM, and a clean end."""
        if self.process and not self.killed:
            process, self.process = self.process, None
            assert process.poll() is None, f"the gateway ended by itself, exit {process.returncode}:\n{self.log()}"
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(20)
            finally:
                end(process)
            assert code == 0, f"the gateway ended with {code}:\n{self.log()}"

    def close(self, verify: bool = True) -> None:
        """Stops it, checks what must hold after any test, and removes its directory; once."""
        if self.closed:
            return
        self.closed = True
        try:
            self.stop()
            expect_none_left(self.mark)
            if verify and not is_passthrough():
                self.audit.verify(killed_runs=self.kills)
        finally:
            if self.process:
                end(self.process)
            for log in self.opened:
                log.close()
            shutil.rmtree(self.directory, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends what did not end by itself."""
    if process.poll() is None:
        process.kill()
        process.wait(10)
