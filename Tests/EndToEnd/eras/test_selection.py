"""The cells that run by default, the README's table of them, and the table of what came out."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from harness.client import CLIENT
from harness.matrix import (
    CLIENTS,
    DOORS,
    EVERY_CELL,
    NO_PING,
    UPSTREAMS,
    markdown,
    outcomes,
    pairwise,
    problems,
    table,
)
from harness.upstreams import REPOSITORY


def test_the_selection_covers_every_pair() -> None:
    chosen = pairwise()
    assert set(chosen) <= set(EVERY_CELL)
    assert {((cell.client, cell.mode), cell.door) for cell in chosen} == set(product(CLIENTS, DOORS))
    assert {((cell.client, cell.mode), cell.upstream) for cell in chosen} == set(product(CLIENTS, UPSTREAMS))
    assert {(cell.door, cell.upstream) for cell in chosen} == set(product(DOORS, UPSTREAMS))
    # Each client has to meet each upstream, so fewer cells than that cannot do.
    assert len(chosen) == len(CLIENTS) * len(UPSTREAMS)


def test_the_matrix_names_the_client_that_is_installed() -> None:
    assert CLIENT in {client for client, _ in CLIENTS}


def test_the_readme_shows_the_matrix() -> None:
    assert markdown() in (REPOSITORY / "README.md").read_text(), "paste what harness/matrix.py --markdown prints"


@pytest.mark.parametrize(
    ("outcome", "reason", "complaint"),
    [
        ("passed", "", None),
        ("skipped", NO_PING, None),
        ("skipped", "it is slow", "no reason of the specification: it is slow"),
        ("failed", "", "mcp 2.3 auto http everything2: 1 failed"),
    ],
)
def test_what_keeps_the_matrix_from_being_green(
    tmp_path: Path, outcome: str, reason: str, complaint: str | None
) -> None:
    file = tmp_path / "matrix.jsonl"
    ended = [{"cell": cell, "outcome": "passed", "reason": ""} for cell in EVERY_CELL]
    ended.append({"cell": ("mcp 2.3", "auto", "http", "everything2"), "outcome": outcome, "reason": reason})
    file.write_text("".join(json.dumps(one) + "\n" for one in ended))
    assert problems(*outcomes(file), full=True) == ([complaint] if complaint else [])


def test_a_cell_that_did_not_run_keeps_the_full_matrix_from_being_green(tmp_path: Path) -> None:
    file = tmp_path / "matrix.jsonl"
    file.write_text("".join(json.dumps({"cell": cell, "outcome": "passed"}) + "\n" for cell in EVERY_CELL[1:]))
    found = outcomes(file)
    assert problems(*found, full=False) == []
    assert problems(*found, full=True) == [f"{' '.join(EVERY_CELL[0])}: nothing passed"]
    assert "71 of 72 cells: 71" in table(*found)
