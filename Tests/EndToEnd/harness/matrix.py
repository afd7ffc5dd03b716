"""The matrix of clients, doors and upstreams: its cells, those that every run takes, and the table of what came out.

    python3 harness/matrix.py FILE          one table of all outcomes that the runs of the suite noted in FILE
    python3 harness/matrix.py FILE --full   the same, and a cell that did not run is a failure
    python3 harness/matrix.py --markdown    how clients and upstreams meet, as the README shows it

Only the standard library is needed: the table is made of runs in several environments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

CLIENTS = [
    ("mcp 1.30", "legacy"),
    ("mcp 2.3", "auto"),
    ("mcp 2.3", "legacy"),
    ("mcp 2.3", "2026-07-28"),
    ("FastMCP 4.1", "auto"),
    ("FastMCP 4.1", "legacy"),
]
"""Each client with the ways in which it opens a session; the 1.x SDK knows one."""

DOORS = ["stdio", "unix", "http"]

UPSTREAMS = {
    "everything1": {"legacy"},
    "everything2": {"legacy", "modern"},
    "everything2-legacy-only": {"legacy"},
    "everything2-modern-only": {"modern"},
}
"""The everything servers on the 1.x and the 2.x SDK, and the eras that they speak."""

TITLES = {
    "everything1": "everything 1.x",
    "everything2": "everything 2.x",
    "everything2-legacy-only": "2.x `--legacy-only`",
    "everything2-modern-only": "2.x `--modern-only`",
}

NO_PING = "revision 2026-07-28 has no ping"
NO_SERVER_REQUESTS = "in revision 2026-07-28 servers send no requests"
NO_INTERIM_RESULTS = "revisions before 2026-07-28 have no interim results"
NO_ROOTS_CHANGED = "revision 2026-07-28 has no notifications/roots/list_changed"
NO_OPENING = "in revision 2026-07-28 a client need not ask anything before its first request"
REASONS = {NO_PING, NO_SERVER_REQUESTS, NO_INTERIM_RESULTS, NO_ROOTS_CHANGED, NO_OPENING}
"""Why a test may be skipped in a cell: what the specification itself says. The table refuses any other reason."""


class Cell(NamedTuple):
    """One client, opening in one way, at one door, in front of one upstream."""

    client: str
    mode: str
    door: str
    upstream: str

    @property
    def client_era(self) -> str:
        """The era of the session; `auto` is modern, since the gateway answers `server/discover` for any upstream."""
        return "legacy" if self.mode == "legacy" else "modern"

    @property
    def upstream_era(self) -> str:
        """The era in which the upstream serves that session."""
        spoken = UPSTREAMS[self.upstream]
        return self.client_era if self.client_era in spoken else min(spoken)

    @property
    def is_bridged(self) -> bool:
        return self.client_era != self.upstream_era


EVERY_CELL = [
    Cell(client, mode, door, upstream) for client, mode in CLIENTS for door in DOORS for upstream in UPSTREAMS
]


def pairwise() -> list[Cell]:
    """The fewest cells in which each client meets each door, each client each upstream, and each door each upstream.

    Each client meets each upstream once, which no selection can do with fewer cells. The door moves on by one from
    upstream to upstream and from client to client, so that four upstreams in a row, and six clients in a column, have
    all three.
    """
    return [
        Cell(client, mode, DOORS[(row + column) % len(DOORS)], upstream)
        for row, (client, mode) in enumerate(CLIENTS)
        for column, upstream in enumerate(UPSTREAMS)
    ]


def outcomes(path: Path) -> tuple[dict[Cell, Counter[str]], Counter[str]]:
    """How the tests of each cell ended, and how often each reason was given for a skipped one."""
    cells: dict[Cell, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        noted = json.loads(line)
        cells.setdefault(Cell(*noted["cell"]), Counter())[noted["outcome"]] += 1
        if noted["outcome"] == "skipped":
            reasons[noted["reason"]] += 1
    return cells, reasons


def table(cells: dict[Cell, Counter[str]], reasons: Counter[str], whole: bool = True) -> str:
    """Rows are clients at doors, columns are upstreams; unless it is to be `whole`, without rows that have nothing."""
    rows = [["client", "door", *(title.replace("`", "") for title in TITLES.values())]]
    for client, mode in CLIENTS:
        for door in DOORS:
            found = [cells.get(Cell(client, mode, door, upstream)) for upstream in UPSTREAMS]
            if whole or any(found):
                rows.append([f"{client} {mode}", door, *("·" if one is None else counts(one) for one in found)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    total = sum(cells.values(), Counter[str]())
    return "\n".join(
        [
            "Clients, doors and upstreams: tests passed + skipped, FAILED; · is a cell that did not run.",
            "",
            *lines,
            "",
            f"{len(cells)} of {len(EVERY_CELL)} cells: {counts(total)}",
            *(f"skipped {count} times: {reason}" for reason, count in sorted(reasons.items())),
        ]
    )


def counts(ended: Counter[str]) -> str:
    """Of one cell."""
    skipped = f" + {ended['skipped']}" if ended["skipped"] else ""
    failed = f", {ended['failed']} FAILED" if ended["failed"] else ""
    return f"{ended['passed']}{skipped}{failed}"


def problems(cells: dict[Cell, Counter[str]], reasons: Counter[str], full: bool) -> list[str]:
    """What keeps the matrix from being full and green."""
    found = [f"{' '.join(cell)}: {ended['failed']} failed" for cell, ended in cells.items() if ended["failed"]]
    found += [f"no reason of the specification: {reason}" for reason in reasons if reason not in REASONS]
    wanted = EVERY_CELL if full else []
    return found + [f"{' '.join(cell)}: nothing passed" for cell in wanted if not cells.get(cell, Counter())["passed"]]


def markdown() -> str:
    """How each client and each upstream meet; in bold the door at which every run of the tests has them."""
    chosen = set(pairwise())
    lines = [f"| client | {' | '.join(TITLES.values())} |", "|---" * (len(TITLES) + 1) + "|"]
    names = {"stdio": "stdio", "unix": "Unix", "http": "HTTP"}
    for client, mode in CLIENTS:
        texts = []
        for upstream in UPSTREAMS:
            cells = [Cell(client, mode, door, upstream) for door in DOORS]
            meeting = "bridged" if cells[0].is_bridged else f"same era, {cells[0].client_era}"
            doors = ", ".join(f"**{names[cell.door]}**" if cell in chosen else names[cell.door] for cell in cells)
            texts.append(f"{meeting}: {doors}")
        lines.append(f"| {client}, `{mode}` | {' | '.join(texts)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Prints the matrix of clients, doors and upstreams.")
    parser.add_argument("file", type=Path, nargs="?", help="where the runs noted their outcomes")
    parser.add_argument("--full", action="store_true", help="a cell that did not run is a failure")
    parser.add_argument("--markdown", action="store_true", help="print how they meet, as the README shows it")
    chosen = parser.parse_args()
    if chosen.markdown:
        print(markdown())
        return 0
    if chosen.file is None:
        parser.error("say the file, or --markdown")
    cells, reasons = outcomes(chosen.file)
    print(table(cells, reasons))
    found = problems(cells, reasons, chosen.full)
    for problem in found:
        print(f"matrix: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
