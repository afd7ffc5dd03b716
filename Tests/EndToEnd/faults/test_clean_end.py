"""SIGTERM and time-outs: every call is answered or failed, and recorded."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import message, text_of
from harness.upstreams import everything
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


def test_a_clean_end_lets_a_short_call_finish(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1)).start()
    assert gateway.process
    with gateway.session() as client:
        client.send(message("tools/call", {"name": "delay", "arguments": {"i": 3, "ms": 400}}, "short"))
        wait_until(lambda: gateway.audit.requests()["short"], "the call was forwarded")
        gateway.process.send_signal(signal.SIGTERM)
        assert text_of(client.answer_to("short")) == "delay 3"
        assert client.receive() is None
    assert gateway.process.wait(20) == 0
    gateway.process = None
    assert gateway.audit.records("RESPONSE", request_id="short", status="success")


def test_a_clean_end_fails_a_long_call_when_its_time_is_up(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1), proxy={"timeouts": {"shutdown_timeout": 1}}).start()
    assert gateway.process
    with gateway.session() as client:
        client.send(message("tools/call", {"name": "slow", "arguments": {"seconds": 50}}, "long"))
        wait_until(lambda: gateway.audit.requests()["long"], "the call was forwarded")
        gateway.process.send_signal(signal.SIGTERM)
        error = client.answer_to("long")["error"]
        assert (error["code"], error["data"]["reason"]) == (-32603, "shutting_down")
    assert gateway.process.wait(20) == 0
    gateway.process = None
    assert gateway.audit.records("RESPONSE", request_id="long", status="error")


def test_a_call_that_takes_too_long_is_failed_and_cancelled_upstream(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(1), proxy={"timeouts": {"request_timeout": 1}}).start().ready()
    with gateway.session() as client:
        error = client.call("slow", {"seconds": 50})["error"]
        assert (error["code"], error["data"]["reason"]) == (-32603, "timeout")
        wait_until(lambda: '"cancelled": 1' in text_of(client.call("state")), "the upstream's call was cancelled")
