"""Plays a short MCP session through the gateway and shows what the audit log says of it.

    demo.py GATEKIT CONFIG AUDIT_LOG

Exits with 1 when an answer is not what it should be.
"""

import json
import os
import subprocess
import sys


def main() -> int:
    gatekit, config, log = sys.argv[1:]
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

    info = {"name": "demo", "version": "1"}
    ask("initialize", "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info})
    say({"method": "notifications/initialized"})
    tools = ask("tools/list", "tools/list", {})
    names = [tool["name"] for tool in tools["result"]["tools"]]
    time = ask("an allowed call", "tools/call", {"name": "get_current_time", "arguments": {"timezone": "UTC"}})
    conversion = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Europe/Berlin"}
    blocked = ask("a blocked call", "tools/call", {"name": "convert_time", "arguments": conversion})
    gateway.stdin.close()
    code = gateway.wait(timeout=30)

    print(f"\naudit log {log}:")
    with open(log) as lines:
        lines.seek(start)
        print(lines.read(), end="")

    failures = [
        text
        for text, isRight in [
            (f"tools/list shows {names}, not just get_current_time", names == ["get_current_time"]),
            ("the allowed call has no result", "result" in time),
            ("the blocked call was not refused with -32000", blocked.get("error", {}).get("code") == -32000),
            (f"the gateway ended with exit code {code}", code == 0),
        ]
        if not isRight
    ]
    for failure in failures:
        print(f"demo: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
