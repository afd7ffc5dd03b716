"""No daemon, one that never comes back, and the client's own end."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bridge import ALLOWED, Bridge, everything
from harness.gateway import Gateway, binary
from harness.lines import encode, initialize_params, message, text_of
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def test_without_a_daemon_the_client_and_the_person_learn_why(
    bare: Callable[..., Bridge], tmp_path: Path
) -> None:
    bridge = bare(tmp_path / "none.sock", "--patience", "0")
    began = time.monotonic()
    with bridge.launch(code=1) as client:
        client.send(message("initialize", initialize_params(), 7))
        error = client.answer_to(7)["error"]
        assert client.receive() is None
    # Half a second; the rest is for a machine that has other things to do as well.
    assert time.monotonic() - began < 5
    assert error["code"] == -32603
    assert error["data"] == {"reason": "upstream_unavailable"}
    for text in (error["message"], bridge.log()):
        for part in (str(tmp_path / "none.sock"), "no such file", "--socket", "GATEKIT_SOCKET", "systemctl start gatekit"):
            assert part in text, text


def test_the_usual_places_are_named(bare: Callable[..., Bridge], tmp_path: Path) -> None:
    environment = bare(tmp_path).environment
    ended = subprocess.run(
        [*binary(), "connect", "--patience", "0"], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=10, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    for place in ("/run/gatekit-sockets/mcp.sock", "/run/gatekit/mcp.sock", f"{tmp_path}/gatekit/mcp.sock"):
        assert place in ended.stderr
    assert ended.stdout == ""


def test_a_place_that_nobody_listens_at_is_told_apart(bare: Callable[..., Bridge], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no socket")
    bridge = bare(tmp_path / "file", "--patience", "0")
    with bridge.launch(code=1):
        pass
    assert "nobody listens" in bridge.log()


@pytest.mark.parametrize(
    "options", [["--patience", "-1"], ["--patience", "soon"], ["--socket", ""], ["--socket", "/" + "x" * 107], ["more"]]
)
def test_a_usage_error_exits_2(options: list[str]) -> None:
    ended = subprocess.run(
        [*binary(), "connect", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
    )
    assert ended.returncode == 2, ended
    assert ended.stdout == ""


def test_the_help_shows_what_a_client_needs() -> None:
    ended = subprocess.run([*binary(), "connect", "--help"], capture_output=True, text=True, timeout=10, check=True)
    assert '"mcpServers"' in ended.stdout
    assert "claude mcp add" in ended.stdout


def test_a_daemon_that_never_comes_back_ends_the_session(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(), tools=ALLOWED).start()
    bridge = Bridge.to(gateway, "--patience", "0.5")
    with bridge.launch(code=1) as client:
        client.handshake()
        client.send(message("tools/call", {"name": "slow", "arguments": {"seconds": 30}}, "slow"))
        wait_until(lambda: gateway.audit.records("REQUEST", tool="slow"), "the call was admitted")
        gateway.kill()
        assert client.answer_to("slow")["error"]["data"] == {"reason": "connection_lost"}
        client.send(message("ping", None, "meanwhile"))
        error = client.answer_to("meanwhile")["error"]
        assert error["data"] == {"reason": "upstream_unavailable"}
        assert "did not come back within 500 ms" in error["message"]
        assert client.receive() is None


def test_a_daemon_that_starts_later_is_found(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(), tools=ALLOWED)
    bridge = Bridge.to(gateway)
    with bridge.launch() as client:
        client.send(message("initialize", initialize_params(), "first"))
        wait_until(lambda: "looking for one" in bridge.log(), "it had looked in vain")
        gateway.start()
        assert "result" in client.answer_to("first")


def test_at_the_end_of_input_answers_in_flight_still_come(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(), tools=ALLOWED).start()
    with Bridge.to(gateway).launch() as client:
        client.handshake()
        client.send(message("tools/call", {"name": "slow", "arguments": {"seconds": 0.5}}, "slow"))
        client.end_input()
        assert "result" in client.answer_to("slow")
        assert client.receive() is None


def test_files_serve_as_well_as_pipes(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(), tools=ALLOWED).start()
    bridge = Bridge.to(gateway)
    script, output = gateway.directory / "script", gateway.directory / "output"
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    call = message("tools/call", {"name": "echo", "arguments": {"text": "filed"}}, 2)
    # Without a newline at its end.
    script.write_bytes(b"".join(encode(m) for m in (message("initialize", initialize_params(), 1), initialized, call))[:-1])
    with script.open("rb") as stdin, output.open("wb") as stdout, bridge.log_path.open("ab") as log:
        ended = subprocess.run(
            bridge.command, env=bridge.environment, stdin=stdin, stdout=stdout, stderr=log, timeout=30, check=False
        )
    assert ended.returncode == 0, bridge.log()
    answers = {answer["id"]: answer for answer in map(json.loads, output.read_bytes().splitlines()) if "id" in answer}
    assert text_of(answers[2]) == "filed"


def test_a_client_that_is_gone_leaves_no_process(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(), tools=ALLOWED).start()
    with Bridge.to(gateway).launch(code=None) as client:
        client.handshake()
        client.close()
        client.process.wait(20)
    wait_until(lambda: gateway.status()["sessions"] == 0, "the session had ended")


def test_an_unreadable_socket_names_the_group(bare: Callable[..., Bridge], tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may connect anywhere")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    bridge = bare(closed / "mcp.sock", "--patience", "0")
    with bridge.launch(code=1):
        pass
    assert "adduser" in bridge.log()
