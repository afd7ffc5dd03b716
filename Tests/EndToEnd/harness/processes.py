"""Which processes belong to a gateway under test.

Every gateway gets a mark of its own in its environment, and its configuration puts the same mark in the upstream's.
So a process is found whoever its parent is by then: an orphan cannot hide.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from .waiting import wait_until

MARK = "GATEKIT_TEST_MARK"


def new_mark() -> str:
    """A value that no other process has."""
    return uuid.uuid4().hex


def marked(mark: str) -> list[int]:
    """The living processes that carry `mark`; zombies do not count."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended while we looked, or is not ours to read
    return found


def describe(pids: list[int]) -> str:
    """The command lines of `pids`, for a failure's text."""
    lines = []
    for pid in pids:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it has ended since
        lines.append(f"{pid}: {command}")
    return "; ".join(lines)


def expect_none_left(mark: str, deadline: float = 10) -> None:
    """Fails, and ends what is left, unless every process with `mark` ends in time."""
    try:
        wait_until(lambda: not marked(mark), "every process of the gateway had ended", deadline)
    except AssertionError as failure:
        left = marked(mark)
        text = describe(left)
        for pid in left:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue  # it ended by itself after all
        raise AssertionError(f"{failure}; left over: {text}") from None


def named(mark: str, part: str) -> list[int]:
    """The processes with `mark` whose command line holds `part`."""
    found = []
    for pid in marked(mark):
        try:
            if part.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue  # it ended while we looked
    return found
