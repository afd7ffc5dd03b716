"""An MCP server over stdio whose tools show what the sandbox does: `echo.py [--wait-for FILE]`.

With --wait-for it answers `initialize` only when FILE exists, and makes FILE.waiting to say that it waits.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TOOLS = ["echo", "pause", "read_file_named_by", "environment", "do_python_things", "spawn_stubborn"]


def pause(arguments: dict) -> str:
    time.sleep(arguments["seconds"])
    return "done"


def read_file_named_by(arguments: dict) -> str:
    return pathlib.Path(os.environ[arguments["variable"]]).read_text()


def do_python_things(_: dict) -> str:
    """What servers commonly do."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
    subprocess.run(["/bin/true"], check=True)
    pathlib.Path(os.environ["HOME"], "written").write_text("x")
    return sys.version.split()[0]


def spawn_stubborn(_: dict) -> str:
    """A grandchild in the same group that ignores what it is politely told."""
    script = "trap '' TERM HUP INT; while :; do sleep 1; done"
    return str(subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.DEVNULL).pid)


ANSWERS = {
    "echo": lambda arguments: arguments["text"],
    "pause": pause,
    "read_file_named_by": read_file_named_by,
    "environment": lambda _: json.dumps(dict(os.environ)),
    "do_python_things": do_python_things,
    "spawn_stubborn": spawn_stubborn,
}


def result_of(message: dict) -> dict:
    method = message["method"]
    if method == "initialize":
        if sys.argv[1:2] == ["--wait-for"]:
            file = pathlib.Path(sys.argv[2])
            file.with_name(file.name + ".waiting").touch()
            while not file.exists():
                time.sleep(0.01)
        version = message["params"]["protocolVersion"]
        server = {"name": "echo", "version": "1"}
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": server}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}
    if method == "tools/call":
        try:
            text, failed = ANSWERS[message["params"]["name"]](message["params"].get("arguments", {})), False
        except Exception as error:
            text, failed = f"{type(error).__name__}: {error}", True
        return {"content": [{"type": "text", "text": text}], "isError": failed}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result_of(message)}), flush=True)
