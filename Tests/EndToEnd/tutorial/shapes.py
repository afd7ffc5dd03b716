"""Whether a line of ours has the shape of a documented example: the same members in the same order, the same words."""

from __future__ import annotations

import json
import re

VARIABLE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3})?)"
    r"|(?P<path>/Users/username/claude-sandbox)|(?P<upstream>[a-z]+_server)|(?P<number>\d+)"
)
"""What differs from one run to the next: times, paths, the upstream's name, and numbers."""


def pattern(example: str) -> str:
    """A regular expression of what the example allows."""
    result, end = "", 0
    for variable in VARIABLE.finditer(example):
        result += re.escape(example[end : variable.start()])
        if variable["time"]:
            result += re.sub("[0-9]", lambda _: "[0-9]", variable[0].replace(".", "[.]"))
        else:
            result += {"path": r"/[^\s\"]*", "upstream": "[a-z_]+_server", "number": "[0-9]+"}[variable.lastgroup]
        end = variable.end()
    return result + re.escape(example[end:])


def is_like_line(example: str, line: str, open_end: bool = False) -> bool:
    """Whether the line has the example's shape; with `open_end`, more context may follow it."""
    return re.fullmatch(pattern(example) + ("( .*)?" if open_end else ""), line) is not None


def is_like_record(example: str, line: str) -> bool:
    """Whether the record begins with the example's members, in their order, with values of their shape; ours has
    context members after them."""
    documented, record = json.loads(example), json.loads(line)
    if list(record)[: len(documented)] != list(documented):
        return False
    return all(is_like_value(value, record[name]) for name, value in documented.items())


def is_like_value(documented: object, value: object) -> bool:
    """The same type and shape."""
    if isinstance(documented, dict):
        return (
            isinstance(value, dict)
            and list(documented) == list(value)
            and all(is_like_value(documented[name], value[name]) for name in documented)
        )
    return type(documented) is type(value) and is_like_line(str(documented), str(value))
