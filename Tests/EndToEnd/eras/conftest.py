"""Every feature, in every cell of the matrix of clients and upstreams of both eras.

By default each mode of the client meets each upstream over the Unix socket; over HTTP and over stdio each mode and each
upstream is met at least once. GATEKIT_ERAS=full runs every cell. The README has the table.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from features.conftest import ALLOWED
from harness.client import GENERATION
from harness.gateway import Gateway
from harness.upstreams import everything

UPSTREAMS = {
    "everything1": everything(1),
    "everything2": everything(2),
    "everything2-legacy-only": [*everything(2), "--legacy-only"],
    "everything2-modern-only": [*everything(2), "--modern-only"],
}
MODES = ["legacy"] if GENERATION == 1 else ["auto", "legacy", "2026-07-28"]
"""How the client opens; the 1.x SDK knows one way."""


def cells() -> list[tuple[str, str, str]]:
    """Mode, door and upstream of each cell that runs."""
    everywhere = [(mode, door, name) for door in ("unix", "http", "stdio") for mode in MODES for name in UPSTREAMS]
    if os.environ.get("GATEKIT_ERAS") == "full":
        return everywhere
    names = list(UPSTREAMS)
    chosen = {
        (MODES[(at + shift) % len(MODES)], door, name)
        for shift, door in enumerate(("stdio", "http"))
        for at, name in enumerate(names)
    }
    return [cell for cell in everywhere if cell[1] == "unix" or cell in chosen]


@pytest.fixture(scope="module", params=cells(), ids=lambda cell: "-".join(cell))
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway that finds out what its upstream speaks."""
    mode, door, name = request.param
    gateway = Gateway(UPSTREAMS[name], door=door, tools=ALLOWED, era="auto", client_mode=mode)
    gateway.upstream_name = name
    try:
        yield gateway if door == "stdio" else gateway.start().ready()
    finally:
        gateway.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The matrix, cell by cell: how many passed, were skipped for a reason that the specification gives, failed."""
    counted: dict[tuple[str, str, str], Counter[str]] = {}
    for outcome in ("passed", "skipped", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            if outcome == "passed" and report.when != "call":
                continue
            # `test[cell]`, or `test[cell-argument]`; the longest name that fits is the cell's.
            fitting = [cell for cell in cells() if re.search(rf"\[{'-'.join(cell)}[-\]]", report.nodeid)]
            if fitting:
                counted.setdefault(max(fitting, key=lambda cell: len(cell[2])), Counter())[outcome] += 1
    if not counted:
        return
    terminalreporter.section(f"clients of mcp {GENERATION}.x and upstreams: passed, skipped, failed")
    for (mode, door, name), outcomes in counted.items():
        failed = outcomes["failed"] + outcomes["error"]
        terminalreporter.write_line(
            f"{mode:12}{door:8}{name:26}{outcomes['passed']:5}{outcomes['skipped']:5}{failed:5}"
        )


def reaches_modern(gateway: Gateway) -> bool:
    """Whether the upstream serves these clients in the modern era."""
    return gateway.upstream_name == "everything2-modern-only" or (
        gateway.upstream_name == "everything2" and gateway.client_mode != "legacy"
    )
