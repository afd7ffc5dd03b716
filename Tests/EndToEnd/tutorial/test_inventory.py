"""Nothing of the tutorial is left out: a block or command that nobody claims fails here."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import pytest

from tutorial import test_analysis, test_collectors, test_formats, test_setting_up
from tutorial.claims import INLINE_NOT_RUN, INLINE_RUN, NOT_RUN, RUN, TUTORIAL_SHA256
from tutorial.document import BLOCKS, TEXT, TUTORIAL, Block, blocks, inline_commands
from tutorial.recipes import CSV_RECIPES, FOLLOWED, JSON_RECIPES


def test_the_tutorial_is_verbatim() -> None:
    assert hashlib.sha256(TUTORIAL.read_bytes()).hexdigest() == TUTORIAL_SHA256


def test_every_block_is_claimed_once() -> None:
    assert not set(RUN) & set(NOT_RUN)
    claimed = {number: claim[:2] for table in (RUN, NOT_RUN) for number, claim in table.items()}
    assert claimed == {block.number: (block.heading, block.language) for block in BLOCKS.values()}


def test_the_tests_that_are_named_claim_just_those_blocks() -> None:
    marked = defaultdict(set)
    for module in (test_analysis, test_collectors, test_formats, test_setting_up):
        for name, function in vars(module).items():
            for mark in getattr(function, "pytestmark", []) if callable(function) else []:
                if mark.name == "block":
                    for number in mark.args:
                        marked[number].add(name)
    assert marked == {number: set(tests.split()) for number, (_, _, tests) in RUN.items()}


def test_every_command_of_an_analysis_block_has_its_check() -> None:
    places = [*JSON_RECIPES, *CSV_RECIPES, *FOLLOWED]
    assert len(places) == len(set(places))
    by_command = {"test_json_command", "test_csv_command", "test_command_that_follows_the_log"}
    expected = {
        (number, command)
        for number, (_, _, tests) in RUN.items()
        if by_command & set(tests.split())
        for command in range(1, len(BLOCKS[number].commands()) + 1)
    }
    assert set(places) == expected


def test_every_command_in_running_text_is_claimed_once() -> None:
    assert not set(INLINE_RUN) & set(INLINE_NOT_RUN)
    assert set(INLINE_RUN) | set(INLINE_NOT_RUN) == set(inline_commands(TEXT))
    for command, number in INLINE_RUN.items():
        assert number in RUN and command in BLOCKS[number].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# A\n```bash\nls\n```\n", [Block(1, "A", "bash", "ls\n")]),
        ("## A\n- x\n  ```\n  # no heading\n    b\n  ```\n", [Block(1, "A", "", "# no heading\n  b\n")]),
        ("```a\n```\n# B\n```b\n```\n", [Block(1, "", "a", "\n"), Block(2, "B", "b", "\n")]),
    ],
)
def test_blocks_are_found(text: str, expected: list[Block]) -> None:
    assert blocks(text) == expected


def test_a_new_block_or_command_would_be_noticed() -> None:
    longer = TEXT + "\n```bash\nrm -rf logs\n```\nOr `touch logs/more.log`.\n"
    assert len(blocks(longer)) == len(BLOCKS) + 1
    assert set(inline_commands(longer)) - set(inline_commands(TEXT)) == {"touch logs/more.log"}


def test_commands_of_a_block() -> None:
    block = Block(1, "", "bash", '# comment\nls -la\n\necho "a" && \\\nls # b\n')
    assert block.commands() == ["ls -la", 'echo "a" && \\\nls # b']


def test_an_open_fence_is_an_error() -> None:
    with pytest.raises(AssertionError, match="never closed"):
        blocks("```\nls\n")
