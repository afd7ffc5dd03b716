"""Runs the cases inside the booted container, as root, and prints TAP: `run.py [-k PATTERN]`.

Python's standard library only: the root directory holds nothing else. A case is a function `test_…` of a module in
`cases`; each begins with the service stopped and everything as the package installed it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
import time
import traceback
from pathlib import Path

from support import machine, service

MODULES = [
    "installation", "sandbox", "lifecycle", "reload", "audit", "sockets", "http", "resilience", "container", "removal",
]  # fmt: skip


def cases(pattern: str) -> list[tuple[str, object]]:
    found = []
    for name in MODULES:
        module = importlib.import_module(f"cases.{name}")
        own = [
            function
            for _, function in inspect.getmembers(module, inspect.isfunction)
            if function.__name__.startswith("test_") and function.__module__ == module.__name__
        ]
        own.sort(key=lambda function: function.__code__.co_firstlineno)
        found += [(f"{name}: {function.__name__[5:].replace('_', ' ')}", function) for function in own]
    return [case for case in found if re.search(pattern, case[0])]


def comment(text: str) -> None:
    for line in text.rstrip().splitlines():
        print(f"# {line}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", default="", metavar="PATTERN")
    chosen = cases(parser.parse_args().k)
    if not chosen:
        print("Bail out! no case matches")
        return 1
    packages = list(Path("/payload").glob("gatekit_*.deb"))
    machine.run("dpkg", "-i", *map(str, packages))
    service.remember_shipped_files()
    # On disk, as on a server: the volatile journal is small and forgets.
    Path("/var/log/journal").mkdir(exist_ok=True)
    machine.run("journalctl", "--flush")
    print(f"1..{len(chosen)}", flush=True)
    failures = 0
    for number, (name, function) in enumerate(chosen, 1):
        start = time.monotonic()
        problem = None
        try:
            service.reset()
            function()
        except machine.Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
            continue
        except Exception:
            problem = traceback.format_exc()
        took = f"({time.monotonic() - start:.1f} s)"
        print(f"{'not ' if problem else ''}ok {number} - {name} {took}", flush=True)
        if problem:
            failures += 1
            comment(problem)
            comment(machine.run("journalctl", "-n", "25", "-o", "short-precise", "--no-pager", check=False).stdout)
            sys.stdout.flush()
    print(f"# {len(chosen) - failures} of {len(chosen)} passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
