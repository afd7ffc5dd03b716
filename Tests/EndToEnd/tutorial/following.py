"""Commands that follow the log while a session is played."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from harness.waiting import wait_until


class Tail:
    """A command with `tail -f`, run as it is written; ended, as a reader would with Ctrl-C, by ending tail."""

    def __init__(self, command: str, directory: Path, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=directory, env=environment, text=True,
            stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.pid, self.entry = wait_until(self.find, f"tail had opened {self.log}")

    def find(self) -> tuple[int, Path] | None:
        """tail's pid and its open file, once it has opened it."""
        for process in Path("/proc").iterdir():
            try:
                if not process.name.isdigit() or os.getpgid(int(process.name)) != self.process.pid:
                    continue
                if (process / "comm").read_text().strip() != "tail":
                    continue
                for descriptor in (process / "fd").iterdir():
                    if os.readlink(descriptor) == str(self.log.resolve()):
                        return int(process.name), process / "fdinfo" / descriptor.name
            except OSError:
                continue  # it ended while we looked
        return None

    def has_read_all(self) -> bool:
        """Whether tail stands at the end of the file and waits for more, so it has printed what it read."""
        if int(self.entry.read_text().split()[1]) != self.log.stat().st_size:
            return False
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "S"

    def finish(self) -> str:
        """What the command printed."""
        wait_until(self.has_read_all, "tail had printed the whole log")
        os.kill(self.pid, signal.SIGTERM)
        return self.process.communicate(timeout=20)[0]
