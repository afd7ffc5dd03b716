"""The machine under test: commands, units, the journal, processes."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")


class Skip(Exception):
    """The case cannot run here; says why."""


def run(
    *command: str, check: bool = True, timeout: float = 60, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Runs a command to its end and returns what it printed; one that fails is an error that shows it."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env)
    problem = f"{' '.join(command)} exited with {done.returncode}: {done.stdout}{done.stderr}"
    assert not check or done.returncode == 0, problem
    return done


def wait_until(condition: Callable[[], Value], what: str, seconds: float = 20) -> Value:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return value


def properties(unit: str, *names: str) -> dict[str, str]:
    """`systemctl show`."""
    shown = run("systemctl", "show", unit, "--property=" + ",".join(names)).stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


def show(unit: str, name: str) -> str:
    return properties(unit, name)[name]


def main_pid(unit: str = "gatekit.service") -> int:
    return int(show(unit, "MainPID"))


def journal_end() -> int:
    """The moment of the newest entry, in microseconds since 1970."""
    run("journalctl", "--sync")
    shown = run("journalctl", "-n", "1", "-o", "json", "--no-pager").stdout
    return int(json.loads(shown)["__REALTIME_TIMESTAMP"])


def journal(*matches: str, after: int = 0) -> list[dict]:
    """The entries that match and are younger than `after`, all fields, oldest first.

    Not by --after-cursor, which skips one entry too many when the cursor's own entry does not match.
    """
    shown = run("journalctl", "--all", "-o", "json", "--no-pager", *matches, check=False).stdout
    entries = [json.loads(line) for line in shown.splitlines()]
    return [entry for entry in entries if int(entry["__REALTIME_TIMESTAMP"]) > after]


def processes_of(user: str) -> dict[int, str]:
    """The processes of a user by id, with their command lines."""
    uid = pwd.getpwnam(user).pw_uid
    found = {}
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            if directory.stat().st_uid == uid:
                found[int(directory.name)] = (directory / "cmdline").read_text().replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


def children(pid: int) -> list[int]:
    """The ids of a process's children, whichever of its threads started them."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def start_time(pid: int) -> str:
    """Tells two processes of one id apart. proc(5), field 22."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]


def drop_in(unit: str, name: str, text: str) -> None:
    directory = Path(f"/etc/systemd/system/{unit}.d")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)
    run("systemctl", "daemon-reload")


def version() -> int:
    """systemd's."""
    return int(run("systemctl", "--version").stdout.split()[1])


def signal_process(pid: int, number: int) -> None:
    os.kill(pid, number)
