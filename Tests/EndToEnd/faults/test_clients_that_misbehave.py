"""Clients that do not read, leave, or die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, message, text_of
from harness.upstreams import echo, echo_program, everything
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def state(client: Lines) -> dict:
    """The everything server's own counts."""
    return json.loads(text_of(client.call("state")))


def test_a_client_that_never_reads_is_closed_and_nobody_else_waits(make_gateway: Callable[..., Gateway]) -> None:
    upstream = [echo_program(), "--result-bytes", "200000"]
    gateway = make_gateway(upstream, proxy={"limits": {"max_message_bytes": 1 << 20}}).start()
    with gateway.session(name="reader") as reader, gateway.session(name="never reads") as deaf:
        deaf.send(*(message("tools/call", {"name": "echo"}, i) for i in range(200)))
        for _ in range(20):
            assert "result" in reader.call("echo")
        ended = wait_until(
            lambda: gateway.audit.records("SESSION_END", client_name="never reads"), "the deaf session was closed"
        )
        assert "slow_reader" in json.dumps(ended)
        assert "result" in reader.call("echo")


def test_a_client_that_hangs_up_has_its_calls_cancelled(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with gateway.session() as witness:
        before = state(witness)
        with gateway.session(name="leaves") as client:
            client.send(message("tools/call", {"name": "slow", "arguments": {"seconds": 50}}, "left"))
            wait_until(lambda: state(witness)["started"] > before["started"], "the call had started")
        wait_until(lambda: state(witness)["cancelled"] > before["cancelled"], "the call was cancelled")
    (response,) = gateway.audit.records("RESPONSE", request_id="left")
    assert response["status"] == "error"


def test_a_client_process_that_is_killed_leaves_nothing_behind(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    program = (
        "import sys; from harness.lines import *; c = Lines.over_unix(sys.argv[1]); c.handshake(name='killed');"
        "c.send(message('tools/call', {'name': 'slow', 'arguments': {'seconds': 50}}, 'killed'));"
        "print('sent', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(gateway.socket_path)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with child, gateway.session() as witness:
        assert child.stdout and child.stdout.readline() == b"sent\n"
        wait_until(lambda: state(witness)["started"] == 1, "the call had started")
        child.kill()
        wait_until(lambda: state(witness)["cancelled"] == 1, "the call was cancelled")
        wait_until(lambda: gateway.audit.records("SESSION_END", client_name="killed"), "the session had ended")


def test_calls_in_flight_finish_after_the_client_ended_its_direction(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with gateway.session() as client:
        client.send(message("tools/call", {"name": "delay", "arguments": {"i": 7, "ms": 300}}, 1))
        client.half_close()
        assert text_of(client.answer_to(1)) == "delay 7"
        assert client.receive() is None


def test_calls_in_flight_finish_after_the_end_of_stdin(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1), door="stdio")
    with gateway.stdio() as client:
        client.handshake()
        client.send(message("tools/call", {"name": "delay", "arguments": {"i": 8, "ms": 300}}, 1))
        client.end_input()
        assert text_of(client.answer_to(1)) == "delay 8"
        assert client.receive() is None


def test_more_calls_than_a_session_may_have_are_refused_at_once(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1), proxy={"limits": {"max_pending_per_session": 4}}).start()
    with gateway.session() as client:
        for i in range(5):
            client.send(message("tools/call", {"name": "delay", "arguments": {"i": i, "ms": 500}}, i + 1))
        error = client.answer_to(5)["error"]
        assert (error["code"], error["data"]["reason"]) == (-32603, "overloaded")
        assert [text_of(client.answer_to(i + 1)) for i in range(4)] == [f"delay {i}" for i in range(4)]


def test_more_sessions_than_allowed_are_turned_away_and_a_place_that_is_free_again_is_given(
    make_gateway: Callable[..., Gateway],
) -> None:
    gateway = make_gateway(echo(), proxy={"limits": {"max_sessions": 2}}).start()
    with gateway.session() as one:
        with gateway.session(), gateway.connect() as third:
            try:
                third.send(message("ping", None, 1))
                answer = third.receive()
            except (BrokenPipeError, ConnectionResetError):
                answer = None  # closed at once, without an answer, is a refusal too
            assert answer is None or "error" in answer

        def place() -> bool:
            try:
                with gateway.session():
                    return True
            except (AssertionError, OSError, KeyError):
                return False  # still turned away

        wait_until(place, "a place was free again")
        assert "result" in one.call("echo")
