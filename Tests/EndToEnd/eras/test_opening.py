"""How the gateway finds out what an upstream speaks, and how a session chooses its era."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, initialize_params, message
from harness.upstreams import UPSTREAMS, everything
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "lines", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def modern(method: str, request_id: object, **params: object) -> dict:
    return message(method, {**params, "_meta": ENVELOPE}, request_id)


def ask(lines: Lines, request: dict) -> dict:
    lines.send(request)
    return lines.answer_to(request["id"])


def script(how: str) -> list[str]:
    return [sys.executable, str(UPSTREAMS / "eras.py"), how]


@pytest.mark.parametrize("how", ["silent", "exits", "twice", "late", "garbage"])
def test_a_legacy_server_is_found_whatever_it_says_to_the_probe(
    make_gateway: Callable[..., Gateway], how: str
) -> None:
    gateway = make_gateway(script(how), era="auto").start().ready()
    assert gateway.status()["upstream"]["era"] == "legacy (2025-11-25)"
    with gateway.session() as lines:
        assert lines.call("echo")["result"]["content"][0]["text"] == how
    with gateway.connect() as lines:
        answer = ask(lines, modern("tools/call", 1, name="echo", arguments={}))
        assert answer["result"]["resultType"] == "complete"
    # The probe, and the process that stays. One exit is no answer: the modern session's era is asked for twice more.
    assert len(gateway.audit.records("UPSTREAM_START")) == (4 if how == "exits" else 2)


def test_an_answer_that_comes_at_the_end_starts_nothing(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(script("at-end"), door="stdio", era="auto")
    with gateway.stdio():
        wait_until(lambda: gateway.audit.records("UPSTREAM_START"), "the probe had been started")
    # It has ended by itself, with exit code 0.
    assert len(gateway.audit.records("UPSTREAM_START")) == 1


def test_only_silence_is_waited_for(make_gateway: Callable[..., Gateway]) -> None:
    def seconds(how: str) -> float:
        begun = time.monotonic()
        make_gateway(script(how), era="auto").start().ready()
        return time.monotonic() - begun

    assert seconds("silent") >= 3 > seconds("twice")


def test_what_was_found_out_is_not_asked_again(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(script("twice"), era="auto").start().ready()
    pid = gateway.status()["upstream"]["pid"]
    os.kill(pid, 9)
    wait_until(lambda: gateway.status()["upstream"]["pid"] not in (None, pid), "the next process ran")
    gateway.ready()
    assert len(gateway.audit.records("UPSTREAM_START")) == 3


def test_discover_is_answered_at_once_and_chooses_nothing(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(script("twice"), era="auto").start().ready()
    with gateway.connect() as lines:
        begun = time.monotonic()
        answer = ask(lines, modern("server/discover", "d"))
        assert time.monotonic() - begun < 1
        assert answer["result"]["supportedVersions"] == ["2026-07-28"]
        assert ask(lines, message("initialize", initialize_params(), 1))["result"]["protocolVersion"] == "2025-11-25"


def test_discover_is_answered_while_a_slow_upstream_still_starts(make_gateway: Callable[..., Gateway]) -> None:
    slowly = ["sh", "-c", 'sleep 8; exec "$@"', "sh", *script("twice")]
    gateway = make_gateway(slowly, door="stdio", era="legacy")
    with gateway.stdio() as lines:
        begun = time.monotonic()
        answer = ask(lines, modern("server/discover", "d"))
        assert time.monotonic() - begun < 8
        assert answer["result"]["supportedVersions"] == ["2026-07-28"]
        assert answer["result"]["ttlMs"] == 0
        # Nothing was chosen, and the call waits for the upstream itself.
        assert "result" in ask(lines, modern("tools/call", 1, name="echo", arguments={}))


def test_a_session_does_not_change_its_era(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(2), era="auto").start().ready()
    with gateway.connect() as lines:
        assert "result" in ask(lines, modern("tools/call", 1, name="echo", arguments={"text": "x"}))
        refusal = ask(lines, message("initialize", initialize_params(), 2))["error"]
        assert (refusal["code"], refusal["data"]["supported"]) == (-32022, ["2026-07-28"])
        assert ask(lines, message("tools/list", {}, 3))["error"]["code"] == -32602
        assert "result" in ask(lines, modern("tools/list", 4))
    with gateway.session() as lines:
        assert ask(lines, modern("tools/list", 5))["error"]["code"] == -32600
        assert "result" in lines.call("echo", {"text": "y"})
    codes = [record["error_code"] for record in gateway.audit.records("RESPONSE") if record.get("error_code")]
    assert {-32602, -32600, -32022} <= set(codes)


def test_one_process_per_era_serves_all_sessions(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(everything(2), era="auto").start().ready()
    with gateway.session() as one, gateway.session() as two, gateway.connect() as three, gateway.connect() as four:
        for at, lines in enumerate((three, four)):
            assert "result" in ask(lines, modern("tools/call", at, name="echo", arguments={"text": "x"}))
        for lines in (one, two):
            assert "result" in lines.call("echo", {"text": "x"})
        pids = gateway.upstream_pids("everything_server_mcp2")
        assert len(pids) == 2
        status = gateway.status()["upstream"]
        assert {status["pid"], status["second"]["pid"]} == set(pids)
        assert {status["era"], status["second"]["era"]} == {"legacy (2025-11-25)", "modern (2026-07-28)"}
        assert status["second"]["state"] == "ready"
