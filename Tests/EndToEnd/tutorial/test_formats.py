"""The tutorial's fragments of configuration, each in a whole one, and the lines that it shows beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from tutorial.document import BLOCKS, Block
from tutorial.shapes import is_like_line, is_like_record
from tutorial.workbench import Audited, Workbench, tutorial_calls

pytestmark = pytest.mark.gateway


def logged(bench: Workbench, settings: dict, *more: dict) -> list[str]:
    """The log of the tutorial's session with these settings of file_auditing laid over the tutorial's."""
    configuration = yaml.safe_load(BLOCKS[4].text)
    config = configuration["plugins"]["auditing"][0]["config"]
    for change in (settings, *more):
        config.update(change)
    path = bench.write("gatekit-audit-config.yaml", yaml.safe_dump(configuration))
    bench.play(tutorial_calls, "gatekit", ["--config", str(path)])
    return (bench.directory / config["output_file"]).read_text().split("\n")[:-1]


def expect_each(examples: Block, log: list[str], is_like: Callable[[str, str], bool]) -> None:
    """Every documented line has one of ours that is like it."""
    documented = examples.text.split("\n")[:-1]
    assert documented
    for example in documented:
        assert any(is_like(example, line) for line in log), f"nothing is like {example!r} in:\n" + "\n".join(log)


@pytest.mark.block(10, 11)
def test_json(bench: Workbench, blocks: list[Block]) -> None:
    """The lines shown are those of `mode: tools`, the only mode with TOOL_CALL and TOOL_RESULT."""
    fragment, example = blocks
    log = logged(bench, yaml.safe_load(fragment.text)["config"], {"mode": "tools"})
    expect_each(example, log, is_like_record)


@pytest.mark.block(9, 18, 19, 20)
def test_json_lines_of_the_sessions(audited: Audited, blocks: list[Block]) -> None:
    log = audited.bench.log.read_text().split("\n")[:-1]
    for example in blocks:
        expect_each(example, log, is_like_record)


@pytest.mark.block(12, 13)
def test_line(bench: Workbench, blocks: list[Block]) -> None:
    fragment, example = blocks
    expect_each(example, logged(bench, yaml.safe_load(fragment.text)["config"]), is_like_line)


@pytest.mark.block(14, 15)
def test_debug(bench: Workbench, blocks: list[Block]) -> None:
    fragment, example = blocks
    log = logged(bench, yaml.safe_load(fragment.text)["config"])
    expect_each(example, log, lambda example, line: is_like_line(example, line, open_end=True))


@pytest.mark.block(16, 17)
def test_csv(bench: Workbench, blocks: list[Block]) -> None:
    fragment, example = blocks
    log = logged(bench, yaml.safe_load(fragment.text)["config"])
    expect_each(example, log, is_like_line)
    assert log[0] == example.text.split("\n")[0], "the header is not the first line, or not the documented one"


@pytest.mark.block(21)
def test_rotation(bench: Workbench, blocks: list[Block]) -> None:
    """As written it logs in the people's format; with the size turned down it leaves just the files it promises."""
    entry = yaml.safe_load(blocks[0].text)["plugins"]["auditing"][0]
    assert (entry["policy"], entry["enabled"]) == ("file_auditing", True)
    log = logged(bench, entry["config"])
    assert any(is_like_line("2024-06-16 10:30:15 UTC - REQUEST: initialize - ALLOWED", line) for line in log)
    for _ in range(6):
        logged(bench, entry["config"], {"max_file_size_mb": 0.001})
    promised = {"audit.log", *(f"audit.log.{number}" for number in range(1, 6))}
    found = {path.name for path in bench.log.parent.iterdir()}
    assert {name for name in found if not name.endswith(".lock")} == promised


@pytest.mark.parametrize(
    ("example", "line", "like"),
    [
        ("2024-06-16 10:30:16 UTC - RESPONSE: success", "2026-11-21 09:08:07 UTC - RESPONSE: success", True),
        ("2024-06-16 10:30:16 UTC - RESPONSE: success", "2026-11-21T09:08:07Z - RESPONSE: success", False),
        ("2024-06-16 10:30:16 UTC - RESPONSE: success", "2026-11-21 09:08:07 UTC - RESPONSE: error", False),
        ("STATUS=SUCCESS DURATION=1.333s", "STATUS=SUCCESS DURATION=0.001s", True),
        ("STATUS=SUCCESS DURATION=1.333s", "DURATION=0.001s STATUS=SUCCESS", False),
    ],
)
def test_shapes_tell_lines_apart(example: str, line: str, like: bool) -> None:
    assert is_like_line(example, line) is like


@pytest.mark.parametrize(
    ("line", "like"),
    [
        ('{"event_type": "RESPONSE", "duration_ms": 1, "seq": 2}', True),
        ('{"duration_ms": 1, "event_type": "RESPONSE"}', False),
        ('{"event_type": "RESPONSE", "duration_ms": "1"}', False),
        ('{"event_type": "RESPONSE"}', False),
        ('{"event_type": "REQUEST", "duration_ms": 1}', False),
    ],
)
def test_shapes_tell_records_apart(line: str, like: bool) -> None:
    assert is_like_record('{"event_type": "RESPONSE", "duration_ms": 892}', line) is like
