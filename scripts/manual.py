"""Prints manual pages from what a program says of its commands.

    PROGRAM --experimental-dump-help | manual.py DIRECTORY

One page for the program and one for each of its commands. roff as man(7) describes it.
"""

import json
import re
import sys
import textwrap
from pathlib import Path


def escaped(text: str) -> str:
    """Text that roff prints as it stands; a leading dot or quote would be a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def option(name: dict) -> str:
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def term(argument: dict) -> str:
    """What stands before an argument's description."""
    if argument["kind"] == "positional":
        return f"\\fI{escaped(argument['valueName'])}\\fR"
    names = ", ".join(f"\\fB{escaped(option(name))}\\fR" for name in argument["names"])
    return names if argument["kind"] == "flag" else f"{names} \\fI{escaped(argument['valueName'])}\\fR"


def synopsis(argument: dict) -> str:
    if argument["kind"] == "positional":
        shown = term(argument)
    else:
        shown = f"\\fB{escaped(option(argument['preferredName']))}\\fR"
        if argument["kind"] == "option":
            shown += f" \\fI{escaped(argument['valueName'])}\\fR"
    return f"[{shown}]" if argument["isOptional"] else shown


def paragraphs(text: str) -> list[str]:
    """Indented lines are examples and keep their breaks."""
    lines: list[str] = []
    for block in text.strip("\n").split("\n\n"):
        lines.append(".PP")
        if block.startswith("  "):
            lines += [".nf", ".RS", *escaped(textwrap.dedent(block)).split("\n"), ".RE", ".fi"]
        else:
            lines.append(escaped(block))
    return lines


def page(command: dict, path: list[str], section: int = 1) -> str:
    name = "-".join(path)
    arguments = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
    children = [child for child in command.get("subcommands", []) if child.get("shouldDisplay", True)]
    lines = [
        f'.TH "{escaped(name.upper())}" {section}',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(command.get('abstract', name))}",
        ".SH SYNOPSIS",
        " ".join([f"\\fB{escaped(' '.join(path))}\\fR", *map(synopsis, arguments)]),
    ]
    if children:
        lines += [".br", f"\\fB{escaped(' '.join(path))}\\fR \\fIcommand\\fR [\\fIoptions\\fR]"]
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", *paragraphs(command["discussion"])[1:]]
    if arguments:
        lines.append(".SH OPTIONS")
        for argument in arguments:
            text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
            if argument.get("defaultValue"):
                text += f" Default: {argument['defaultValue']}."
            lines += [".TP", term(argument), escaped(text)]
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", f"\\fB{escaped(child['commandName'])}\\fR", escaped(child.get("abstract", ""))]
        lines += [".SH SEE ALSO", ", ".join(f"\\fB{escaped(name + '-' + c['commandName'])}\\fR(1)" for c in children)]
    else:
        lines += [".SH SEE ALSO", f"\\fB{escaped(path[0])}\\fR(1)"]
    return "\n".join(lines) + "\n"


def main() -> None:
    directory = Path(sys.argv[1])
    root = json.load(sys.stdin)["command"]
    root["subcommands"] = [child for child in root.get("subcommands", []) if child["commandName"] != "help"]
    program = root["commandName"]
    (directory / f"{program}.1").write_text(page(root, [program]))
    for child in root["subcommands"]:
        path = [program, child["commandName"]]
        (directory / f"{'-'.join(path)}.1").write_text(page(child, path))


if __name__ == "__main__":
    main()
