"""What each command of the tutorial must print for a log: computed here from the log once more, without its tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from json import JSONDecoder

from tutorial.document import BLOCKS, single_backslashes

Check = Callable[[str, list], None]
"""Compares a command's output with the log: records of json, or rows of csv without the header."""


@dataclass(frozen=True)
class Recipe:
    """How a command's output is checked, and what was replaced in the command, with the reason."""

    check: Check
    replace: tuple[str, str] | None = None
    why: str = ""


def counted(values: Callable[[list], Iterable[str]], by_count: bool = False) -> Check:
    """`uniq -c` of these values, sorted by them or by count."""

    def check(output: str, log: list) -> None:
        expected = Counter(values(log))
        assert expected, "the log has nothing that this command could find"
        printed = [(value, int(count)) for count, value in re.findall(r"(?m)^ *(\d+) (.*)$", output)]
        assert len(printed) == output.count("\n")
        assert dict(printed) == expected and len(printed) == len(expected)
        order = [-count for _, count in printed] if by_count else [value for value, _ in printed]
        assert order == sorted(order)

    return check


def objects(select: Callable[[dict], bool], keys: list[str] | None = None) -> Check:
    """jq's objects: the records that are selected, whole or with these keys in this order."""

    def check(output: str, log: list) -> None:
        expected = [record for record in log if select(record)]
        assert expected, "the log has nothing that this command could find"
        if keys:
            expected = [{key: record.get(key) for key in keys} for record in expected]
        printed = documents(output)
        assert printed == expected
        assert [list(one) for one in printed] == [list(one) for one in expected]

    return check


def lines(make: Callable[[list], Iterable[str]]) -> Check:
    """Exactly these lines."""

    def check(output: str, log: list) -> None:
        expected = list(make(log))
        assert expected, "the log has nothing that this command could find"
        assert output.split("\n")[:-1] == expected

    return check


def titled(title: str, check: Check) -> Check:
    """A first line, and the rest."""

    def whole(output: str, log: list) -> None:
        first, _, rest = output.partition("\n")
        assert first == title
        check(rest, log)

    return whole


def documents(text: str) -> list[dict]:
    """JSON values one after another."""
    found, decoder = [], JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def listing(output: str, _log: list) -> None:
    """ls -la of the log: private to its owner, not empty."""
    entry = re.search(r"(?m)^-rw------- .* (\d+) \w+ +\d+ +[\d:]+ (logs/)?audit\.log$", output)
    assert entry and int(entry[1]) > 0, output


def silent(output: str, _log: list) -> None:
    """Nothing printed; the exit code has been checked."""
    assert output == ""


def average(numbers: Iterable[int]) -> str:
    """As awk prints it."""
    values = list(numbers)
    return f"Average: {sum(values) / len(values):.2f} ms"


def of_type(name: str) -> Callable[[dict], bool]:
    return lambda record: record["event_type"] == name


def days(log: list, select: Callable[[dict], bool] = lambda _: True) -> list[str]:
    return [record["timestamp"][:10] for record in log if select(record)]


def plugins(log: list) -> list[str]:
    return [record["plugin"] for record in log if "plugin" in record]


def blocked_tools(log: list) -> list[str]:
    return [record["tool"] for record in log if record["event_type"] == "SECURITY_BLOCK"]


def requested_tools(log: list) -> list[str]:
    return [record["tool"] for record in log if record["event_type"] == "REQUEST" and "tool" in record]


def plugin_report(log: list) -> list[str]:
    return [f"Plugin: {name:<25} Events: {count}" for name, count in sorted(Counter(plugins(log)).items())]


def activity(log: list) -> list[str]:
    return [f"Date: {day} - Events: {count}" for day, count in sorted(Counter(days(log)).items())][-7:]


def tools_and_statuses(output: str, log: list) -> None:
    """By tool and status, then by count; a record without status reads null."""
    expected = Counter(f"{record['tool']},{record.get('status', 'null')}" for record in log if "tool" in record)
    assert {"list_directory,ALLOWED", "list_directory,success", "delete_file,BLOCKED", "read_file,error"} <= {*expected}
    counted(lambda _: expected.elements())(output, log)


JSON_RECIPES: dict[tuple[int, int], Recipe] = {
    (8, 1): Recipe(objects(lambda _: True)),
    (22, 2): Recipe(lines(lambda log: [str(sum(map(of_type("REQUEST"), log)))])),
    (22, 3): Recipe(objects(lambda record: record["event_type"] in ("SECURITY_BLOCK", "TOOLS_FILTERED"))),
    (22, 4): Recipe(objects(lambda record: record.get("tool") == "write_file")),
    (22, 5): Recipe(
        lambda output, log: objects(lambda r: r["timestamp"].startswith(log[0]["timestamp"][:10]))(output, log),
        replace=("2024-06-16", "<day>"),
        why="the log is of the day on which the test runs",
    ),
    (23, 1): Recipe(counted(requested_tools, by_count=True)),
    (23, 2): Recipe(counted(blocked_tools)),
    (23, 3): Recipe(counted(lambda log: [r["timestamp"][:13] for r in log if r["event_type"] == "REQUEST"])),
    (23, 4): Recipe(lines(lambda log: [average(r["duration_ms"] for r in log if r["event_type"] == "RESPONSE")])),
    (23, 5): Recipe(counted(plugins, by_count=True)),
    (24, 1): Recipe(listing),
    (27, 1): Recipe(listing),
    (27, 2): Recipe(silent),
    (29, 1): Recipe(counted(blocked_tools, by_count=True)),
    (29, 2): Recipe(tools_and_statuses),
    (29, 3): Recipe(
        objects(lambda r: r.get("duration_ms", 0) > 5000, keys=["tool", "duration_ms", "timestamp", "request_id"])
    ),
    (29, 4): Recipe(lines(plugin_report)),
    (32, 1): Recipe(titled("=== Daily Activity Report ===", lines(activity))),
    (32, 2): Recipe(counted(lambda log: days(log, of_type("SECURITY_BLOCK")))),
    (32, 3): Recipe(titled("=== Most Used Tools ===", counted(requested_tools, by_count=True))),
}
"""By block and command."""

CSV_RECIPES: dict[tuple[int, int], Recipe] = {
    (30, 1): Recipe(lines(lambda rows: [str(len(rows))])),
    (30, 2): Recipe(counted(lambda rows: [row["tool"] for row in rows if row["tool"]], by_count=True)),
    (30, 3): Recipe(counted(lambda rows: [row["tool"] for row in rows if row["event_type"] == "SECURITY_BLOCK"])),
    (30, 4): Recipe(lines(lambda rows: [average(int(row["duration_ms"]) for row in rows if row["duration_ms"])])),
}
"""By block and command. The first one's comment says requests; what it counts, and what is checked, is events."""

FOLLOWED: dict[tuple[int, int], Callable[[list], list[str]] | None] = {
    (8, 2): None,
    (22, 1): None,
    (24, 2): None,
    (28, 1): lambda log: [
        f"{prefix(28, 1)}{r['timestamp']} - {r['tool']} blocked by {r['plugin']}: {r['reason']}"
        for r in log
        if r["event_type"] == "SECURITY_BLOCK"
    ],
    (28, 2): lambda log: [
        f"{prefix(28, 2)}{r['timestamp']} - High-risk tool: {r['tool']} ({r['status']})"
        for r in log
        if r.get("tool") in ("delete_file", "execute_command")
    ],
}
"""The commands with `tail -f`, and the lines that they make of records; None: the log's own lines."""


def prefix(block: int, command: int) -> str:
    """The symbols in front of a line, as the tutorial has them."""
    return re.search(r'\| "(.*?)\\', BLOCKS[block].commands()[command - 1])[1]  # type: ignore[index]


def command_of(place: tuple[int, int]) -> str:
    """The command at a block and place, with single backslashes."""
    block, number = place
    return single_backslashes(BLOCKS[block].commands()[number - 1])


FOLLOWING = [command_of(place) for place in FOLLOWED]
