"""Plays a short MCP session through the gateway and shows what the audit log says of it.

    demo.py GATEKIT CONFIG AUDIT_LOG DIRECTORY

DIRECTORY is the one that the configuration serves; it has a readme.txt. Exits with 1 when an answer is not what it
should be.
"""

import json
import os
import subprocess
import sys

ALLOWED = {"read_file", "write_file", "create_directory", "list_directory", "search_files"}


def main() -> int:
    gatekit, config, log, directory = sys.argv[1:]
    readme = os.path.join(directory, "readme.txt")
    start = os.path.getsize(log) if os.path.exists(log) else 0
    gateway = subprocess.Popen([gatekit, "--config", config], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ids = iter(range(1, 100))

    def say(message: dict) -> None:
        gateway.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        gateway.stdin.flush()

    def ask(title: str, method: str, params: dict) -> dict:
        request = next(ids)
        say({"id": request, "method": method, "params": params})
        for line in gateway.stdout:
            answer = json.loads(line)
            if answer.get("id") == request:
                break
        else:
            raise SystemExit(f"demo: the gateway ended before it answered {method}")
        shown = json.dumps(answer.get("result", answer.get("error")))
        print(f"\n→ {title}\n← {shown[:300]}{'…' if len(shown) > 300 else ''}")
        return answer

    def call(tool: str, path: str) -> dict:
        return ask(f"{tool} {path}", "tools/call", {"name": tool, "arguments": {"path": path}})

    info = {"name": "demo", "version": "1"}
    opened = ask("initialize", "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info})
    say({"method": "notifications/initialized"})
    tools = ask("tools/list", "tools/list", {})
    listed = call("list_directory", directory)
    read = call("read_file", readme)
    blocked = call("delete_file", readme)
    gateway.stdin.close()
    code = gateway.wait(timeout=30)

    print(f"\naudit log {log}:")
    with open(log) as lines:
        if os.path.getsize(log) >= start:  # else it was rotated, and all of it is new
            lines.seek(start)
        added = lines.read()
    print(added, end="")

    names = {tool["name"] for tool in tools.get("result", {}).get("tools", [])}
    events = [json.loads(line)["event_type"] for line in added.splitlines()]
    failures = [
        text
        for text, is_right in [
            ("initialize has no result", "result" in opened),
            (f"tools/list shows {sorted(names)}, not the allowlist", names == ALLOWED),
            ("list_directory does not show readme.txt", "[FILE] readme.txt" in text_of(listed)),
            ("read_file does not return the file", text_of(read) == read_text(readme)),
            ("delete_file was not refused with -32000", blocked.get("error", {}).get("code") == -32000),
            ("delete_file took effect", os.path.exists(readme)),
            (f"the audit log has {events.count('SECURITY_BLOCK')} blocks, not 1", events.count("SECURITY_BLOCK") == 1),
            ("requests and responses do not pair", events.count("REQUEST") == events.count("RESPONSE") == 4),
            (f"the gateway ended with exit code {code}", code == 0),
        ]
        if not is_right
    ]
    for failure in failures:
        print(f"demo: {failure}", file=sys.stderr)
    return 1 if failures else 0


def text_of(answer: dict) -> str:
    """The text of a tool's result; empty when there is none."""
    return "".join(part.get("text", "") for part in answer.get("result", {}).get("content", []))


def read_text(path: str) -> str:
    with open(path) as file:
        return file.read()


if __name__ == "__main__":
    sys.exit(main())
