"""Every feature, in every cell of the matrix of clients, doors and upstreams (harness/matrix.py).

By default a pairwise selection of the cells runs; GATEKIT_ERAS=full runs every cell of the client in this environment.
With GATEKIT_MATRIX=FILE the outcomes are noted there, for the one table of all runs.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.conftest import ALLOWED
from harness.client import ADAPTER, CLIENT, FASTMCP
from harness.gateway import Gateway, is_passthrough
from harness.matrix import EVERY_CELL, Cell, pairwise, table
from harness.upstreams import everything

COMMANDS = {
    "everything1": everything(1),
    "everything2": everything(2),
    "everything2-legacy-only": [*everything(2), "--legacy-only"],
    "everything2-modern-only": [*everything(2), "--modern-only"],
}

# The first call methods that only FastMCP's client has, the second speak by raw lines, for which one run is enough.
collect_ignore = [
    *([] if FASTMCP else ["test_fastmcp_methods.py"]),
    *([] if ADAPTER == "sdk1" else ["test_opening.py"]),
]

NOTED = pytest.StashKey[list[tuple[Cell, str, str]]]()


def chosen_cells() -> list[Cell]:
    """The cells of this client that run."""
    everywhere = os.environ.get("GATEKIT_ERAS") == "full" or is_passthrough()
    cells = [cell for cell in (EVERY_CELL if everywhere else pairwise()) if cell.client == CLIENT]
    if not cells:
        raise pytest.UsageError(f"the matrix has no client '{CLIENT}': name it in harness/matrix.py")
    if is_passthrough():
        # It has no HTTP, and joins no eras.
        return [cell for cell in cells if cell.door != "http" and not cell.is_bridged]
    return cells


@pytest.fixture(scope="session", params=chosen_cells(), ids=lambda cell: "-".join(cell[1:]))
def cell(request: pytest.FixtureRequest) -> Cell:
    """The cell that a test runs in."""
    return request.param


@pytest.fixture(scope="session")
def gateway(cell: Cell) -> Iterator[Gateway]:
    """A gateway that finds out what its upstream speaks. It serves all tests of its cell."""
    gateway = Gateway(COMMANDS[cell.upstream], door=cell.door, tools=ALLOWED, era="auto", client_mode=cell.mode)
    try:
        if cell.door != "stdio":
            gateway.start()
            if not is_passthrough():
                gateway.ready()
        yield gateway
    finally:
        gateway.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes out what a server has no tool for. That is no skipped feature, since the server does not have it."""
    without = [
        item
        for item in items
        if item.get_closest_marker("everything2") and (cell := cell_of(item)) and cell.upstream == "everything1"
    ]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


def cell_of(item: pytest.Item) -> Cell | None:
    """The cell that a test runs in, if it runs in one."""
    parameters = getattr(item, "callspec", None)
    return parameters.params.get("cell") if parameters else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Notes how a test ended in its cell; what fails before or after it fails it too."""
    report: pytest.TestReport = yield
    cell = cell_of(item)
    if cell and (report.when == "call" or report.outcome != "passed"):
        reason = report.longrepr[2].removeprefix("Skipped: ") if report.outcome == "skipped" else ""
        item.config.stash.setdefault(NOTED, []).append((cell, report.outcome, reason))
        if path := os.environ.get("GATEKIT_MATRIX"):
            noted = {"cell": cell, "test": item.nodeid, "outcome": report.outcome, "reason": reason}
            with Path(path).open("a") as file:
                file.write(json.dumps(noted) + "\n")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The part of the matrix that this run was; whoever asked for the file prints the whole of it."""
    noted = config.stash.get(NOTED, [])
    if not noted or os.environ.get("GATEKIT_MATRIX"):
        return
    cells: dict[Cell, Counter[str]] = {}
    for cell, outcome, _ in noted:
        cells.setdefault(cell, Counter())[outcome] += 1
    terminalreporter.section("matrix")
    terminalreporter.write_line(table(cells, Counter(reason for *_, reason in noted if reason), whole=False))
