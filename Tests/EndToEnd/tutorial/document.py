"""The tutorial's text, taken apart: its fenced blocks, their commands, and the commands in its sentences."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

TUTORIAL = Path(__file__).with_name("implementing-audit-logging.md")


@dataclass(frozen=True)
class Block:
    """A fenced block: its place, and its text without the indentation of the list that it stands in."""

    number: int
    heading: str
    language: str
    text: str

    def commands(self) -> list[str]:
        """The commands of a bash block, without comment lines; a trailing backslash joins lines."""
        joined = re.sub(r"\\\n", "\\\n\0", self.text).split("\n")
        commands: list[str] = []
        for line in joined:
            if line.startswith("\0"):
                commands[-1] += "\n" + line[1:]
            elif line.strip() and not line.lstrip().startswith("#"):
                commands.append(line)
        return commands


def blocks(text: str) -> list[Block]:
    """Every fenced block, in order, numbered from 1."""
    found: list[Block] = []
    heading, fence, language, lines = "", None, "", []
    # Not splitlines(): the tutorial's damaged symbols hold characters that it takes for line breaks.
    for line in text.split("\n"):
        if fence is not None:
            if line.strip() == "```":
                body = textwrap.dedent("\n".join(lines)) + "\n"
                found.append(Block(len(found) + 1, heading, language, body))
                fence = None
            else:
                lines.append(line)
        elif match := re.match(r"\s*```(\w*)\s*$", line):
            fence, language, lines = line, match[1], []
        elif match := re.match(r"#+ (.*\S)", line):
            heading = match[1]
    assert fence is None, f"the fence {fence!r} under {heading!r} is never closed"
    return found


def inline_commands(text: str) -> list[str]:
    """The code of several words in running text, each once, in order: commands, and settings."""
    prose = re.sub(r"(?ms)^\s*```.*?^\s*```\s*$", "", text)
    spans = [span for span in re.findall(r"`([^`\n]+)`", prose) if " " in span]
    return list(dict.fromkeys(spans))


TEXT = TUTORIAL.read_text(encoding="utf-8")
BLOCKS = {block.number: block for block in blocks(TEXT)}


def single_backslashes(command: str) -> str:
    """The command with `\\\\(` as `\\(` and `\\\\n` as `\\n`: some of the tutorial's commands were escaped twice."""
    return command.replace("\\\\(", "\\(").replace("\\\\n", "\\n")
