"""What an upstream prints that is no message reaches no client and ends no session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.upstreams import chatty, echo

pytestmark = pytest.mark.gateway


def test_noise_between_answers_is_skipped(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(chatty()).start()
    with gateway.session() as one, gateway.session() as other:
        for i in range(20):
            for client in (one, other):
                answer = client.call("echo", {"i": i})
                assert answer["result"]["structuredContent"] == {"name": "echo", "arguments": {"i": i}}
                assert client.aside == [], "noise was delivered"
    assert len(gateway.audit.records("UPSTREAM_START")) == 1, "noise is no reason to restart an upstream"


def test_a_line_longer_than_the_limit_is_skipped(make_gateway: Callable[..., Gateway]) -> None:
    limits = {"limits": {"max_message_bytes": 65536}}
    gateway = make_gateway(chatty("--long-line", "300000"), proxy=limits).start()
    with gateway.session() as client:
        assert client.call("echo", {"i": 1})["result"]["structuredContent"]["arguments"] == {"i": 1}
        assert client.aside == []


def test_a_result_longer_than_the_limit_fails_that_call_only(make_gateway: Callable[..., Gateway]) -> None:
    limits = {"limits": {"max_message_bytes": 65536}}
    gateway = make_gateway(echo(), proxy=limits)
    gateway.configuration["proxy"]["upstream"]["command"] = [echo()[0], "--result-bytes", "200000"]
    gateway.write_configuration()
    with gateway.start().session() as client:
        error = client.call("echo")["error"]
        assert (error["code"], error["data"]["reason"]) == (-32603, "too_large")
        assert client.request("tools/list")["result"]["tools"]


def test_no_line_of_the_log_can_be_forged(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(chatty()).start()
    with gateway.session() as client:
        client.call("echo")
    gateway.stop()
    assert "\x1b" not in gateway.log()
    assert not [line for line in gateway.log().splitlines() if line.startswith("[TOOL ")]
