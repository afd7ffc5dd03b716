"""The table of scenarios is whole, and every test that it names exists."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scenarios import SCENARIOS, UNSCORED

HERE = Path(__file__).resolve().parent


def entries() -> list[tuple[str, str, str]]:
    """Revision, scenario and each of its entries."""
    return [
        (revision, scenario, entry)
        for table in (SCENARIOS, UNSCORED)
        for revision, scenarios in table.items()
        for scenario, found in scenarios.items()
        for entry in found or [""]
    ]


def test_there_are_as_many_as_the_suite_scores() -> None:
    assert {revision: len(scenarios) for revision, scenarios in SCENARIOS.items()} == {
        "2025-11-25": 30, "2026-07-28": 37
    }  # fmt: skip


@pytest.mark.parametrize(("revision", "scenario", "entry"), entries(), ids=str)
def test_what_stands_for_a_scenario_exists(revision: str, scenario: str, entry: str) -> None:
    module, *tests = entry.split()
    path = (HERE.parent if "/" in module else HERE) / f"{module}.py"
    names = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert tests and set(tests) <= names, f"{scenario} of {revision}"
