"""The tutorial's commands on logs of real sessions, each against a computation of our own."""

from __future__ import annotations

import csv

import pytest
import yaml

from tutorial.document import BLOCKS, Block, single_backslashes
from tutorial.recipes import CSV_RECIPES, FOLLOWED, JSON_RECIPES, command_of
from tutorial.workbench import Audited, Workbench, tutorial_calls

pytestmark = pytest.mark.gateway

TWICE_ESCAPED = {(28, 1), (28, 2), (29, 2), (29, 4), (32, 1)}
"""The commands in which the tutorial has \\\\( for \\( or \\\\n for \\n: an artefact of how it was written down."""


def names(places: object) -> list[str]:
    return [f"block{block}-command{command}" for block, command in places]  # type: ignore[attr-defined]


@pytest.mark.block(8, 22, 23, 24, 27, 29, 32)
@pytest.mark.parametrize("place", JSON_RECIPES, ids=names(JSON_RECIPES))
def test_json_command(audited: Audited, place: tuple[int, int]) -> None:
    recipe, command, log = JSON_RECIPES[place], command_of(place), audited.records()
    if recipe.replace:
        old, new = recipe.replace
        assert command.count(old) == 1
        command = command.replace(old, new.replace("<day>", log[0]["timestamp"][:10]))
    recipe.check(audited.bench.bash(command).stdout, log)


@pytest.mark.block(8, 22, 24, 28)
@pytest.mark.parametrize("place", FOLLOWED, ids=names(FOLLOWED))
def test_command_that_follows_the_log(audited: Audited, place: tuple[int, int]) -> None:
    """It ran while the second session was played. tail begins with the last ten lines of what was there before."""
    records, make = audited.records(), FOLLOWED[place]
    live = [record for record in records if record["run"] == records[-1]["run"]]
    assert len(live) < len(records)
    if make:
        every, during = make(records), make(live)
    else:
        every = audited.bench.log.read_text().split("\n")[:-1]
        during = every[-len(live) :]
    printed = audited.tails[command_of(place)].split("\n")[:-1]
    assert len(printed) >= len(during) > 0
    assert printed == every[-len(printed) :]


def test_five_commands_were_escaped_twice(audited: Audited) -> None:
    """Exactly those, and as they stand in the tutorial they print the escapes instead of values and line ends."""
    places = {
        (block.number, number)
        for block in BLOCKS.values()
        if block.language == "bash"
        for number, command in enumerate(block.commands(), 1)
        if command != single_backslashes(command)
    }
    assert places == TWICE_ESCAPED
    for number, command in TWICE_ESCAPED:
        as_written = BLOCKS[number].commands()[command - 1].replace("tail -f", "cat")
        printed = audited.bench.bash(as_written).stdout
        assert "\\(.tool)" in printed or printed.endswith("\\n"), printed


@pytest.fixture(scope="session")
def tabled(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A machine with the same session in a log of format csv, by the tutorial's fragment."""
    bench = Audited(tmp_path_factory.mktemp("csv")).bench
    configuration = yaml.safe_load(BLOCKS[4].text)
    configuration["plugins"]["auditing"][0]["config"].update(yaml.safe_load(BLOCKS[16].text)["config"])
    path = bench.write("gatekit-audit-config.yaml", yaml.safe_dump(configuration))
    bench.play(tutorial_calls, "gatekit", ["--config", str(path)])
    return bench


def rows(bench: Workbench) -> list[dict]:
    """The csv log, read by Python's own csv."""
    with (bench.directory / "logs" / "audit.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.block(30)
@pytest.mark.parametrize("place", CSV_RECIPES, ids=names(CSV_RECIPES))
def test_csv_command(tabled: Workbench, place: tuple[int, int]) -> None:
    CSV_RECIPES[place].check(tabled.bash(command_of(place)).stdout, rows(tabled))


@pytest.mark.block(31)
def test_pandas(tabled: Workbench, blocks: list[Block]) -> None:
    table = rows(tabled)
    used = [row["tool"] for row in table if row["tool"]]
    durations = [int(row["duration_ms"]) for row in table if row["duration_ms"]]
    blocked = [row for row in table if row["event_type"] == "SECURITY_BLOCK"]
    printed = tabled.python(blocks[0].text).split("\n")
    assert printed[:2] == [f"Total events: {len(table)}", f"Unique tools: {len(set(used))}"]
    counts = printed[printed.index("Most used tools:") + 1 : printed.index(f"Security blocks: {len(blocked)}") - 1]
    counts = [line.split() for line in counts if not line.startswith(("tool", "Name:", "dtype:"))]
    assert {tool: int(count) for tool, count in counts} == {tool: used.count(tool) for tool in used}
    assert len(blocked) == 1
    assert printed[-2] == f"Average response time: {sum(durations) / len(durations):.2f}ms"
