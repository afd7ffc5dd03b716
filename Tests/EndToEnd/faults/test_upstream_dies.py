"""An upstream that is killed: one answer for each call, and the sessions go on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from subprocess import PIPE

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, message, text_of
from harness.upstreams import echo, everything, wrapped
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway
SESSIONS = 50


def test_fifty_sessions_get_one_answer_each_and_go_on(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.session()) for _ in range(SESSIONS)]
        for client in clients:
            client.send(message("tools/call", {"name": "slow", "arguments": {"seconds": 50}}, 1))
        wait_until(lambda: gateway.audit.requests()["1"] == SESSIONS, "all calls were forwarded")
        (pid,) = gateway.upstream_pids("everything_server")
        os.kill(pid, 9)
        for client in clients:
            error = client.answer_to(1)["error"]
            assert (error["code"], error["data"]["reason"]) == (-32603, "upstream_exited")
        for client in clients:
            assert text_of(client.call("echo", {"text": "again"}, 2)) == "again"
            assert client.silent_after() == []
    gateway.stop()
    assert "signal 9" in str(gateway.audit.records("UPSTREAM_EXIT")[0])
    assert len(gateway.audit.records("UPSTREAM_START")) == 2
    assert len(gateway.audit.records("RESPONSE", request_id="1", status="error")) == SESSIONS


def test_a_session_that_opens_while_the_upstream_is_away_is_served(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    with gateway.session() as first:
        assert "result" in first.call("echo")
        (pid,) = gateway.upstream_pids("echo")
        os.kill(pid, 9)
        wait_until(lambda: gateway.audit.records("UPSTREAM_EXIT"), "the gateway saw the upstream's end")
        with gateway.session() as second:
            assert "result" in second.call("echo")
        assert "result" in first.call("echo")


def test_the_real_server_behind_a_wrapper_ends_with_it(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(wrapped(echo("--stay"))).start()
    with gateway.session() as client:
        assert "result" in client.call("echo")
        (wrapper,) = gateway.upstream_pids("wrapper.sh")
        os.kill(wrapper, 9)
        wait_until(lambda: gateway.audit.records("UPSTREAM_EXIT"), "the gateway saw the wrapper's end")
        assert "result" in client.call("echo")
        wait_until(lambda: len(gateway.upstream_pids("echo")) == 2, "only the new wrapper and server are left")


def test_a_stdio_gateway_that_used_up_its_restarts_answers_and_exits_1(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1), door="stdio", proxy={"upstream": {"max_restart_attempts": 0}})
    process = gateway.spawn(stdin=PIPE, stdout=PIPE)
    assert process.stdin and process.stdout
    with Lines(process.stdout, process.stdin) as client:
        client.handshake()
        client.send(message("tools/call", {"name": "slow", "arguments": {"seconds": 50}}, "open"))
        wait_until(lambda: gateway.audit.requests()["open"], "the call was forwarded")
        (pid,) = gateway.upstream_pids("everything_server")
        os.kill(pid, 9)
        assert client.answer_to("open")["error"]["code"] == -32603
        assert process.wait(20) == 1
