"""Sessions, calls in flight and the upstream survive any number of reloads, and each call runs under exactly one
configuration."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import Lines
from harness.upstreams import marked

pytestmark = pytest.mark.gateway

SESSIONS = 20
RELOADS = 200


class Caller(threading.Thread):
    """One client that keeps a slow call in flight while it makes quick ones, and notes what became of each."""

    def __init__(self, number: int, client: Lines, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.client = client
        self.ended = ended
        self.outcomes: dict[str, dict] = {}
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            turn = 0
            while not self.ended.is_set():
                turn += 1
                slow, quick = f"{self.number}-slow-{turn}", f"{self.number}-quick-{turn}"
                self.client.send(call("a" if turn % 2 else "b", slow, delay=0.05))
                for tool in ("a", "b"):
                    self.client.send(call(tool, f"{quick}-{tool}"))
                for request in (f"{quick}-a", f"{quick}-b", slow):
                    self.outcomes[request] = self.client.answer_to(request)
        except BaseException as failure:  # noqa: BLE001 - the test reports it
            self.failure = failure


def call(tool: str, request: str, delay: float = 0) -> dict:
    arguments = {"request": request, **({"delay": delay} if delay else {})}
    return {"jsonrpc": "2.0", "id": request, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def test_twenty_sessions_live_through_two_hundred_reloads(make_gateway: Callable[..., Gateway]) -> None:
    # Odd generations allow `a` and say "only a" of everything else, even ones `b` and "only b".
    gateway = make_gateway(marked(), tools=["a"], audit={"max_file_size_mb": 100})
    policy = gateway.configuration["plugins"]["security"][0]["config"]
    policy["block_message"] = "only a"
    gateway.write_configuration()
    gateway.start()
    upstream = gateway.status()["upstream"]["pid"]
    ended = threading.Event()
    clients = [gateway.connect() for _ in range(SESSIONS)]
    for client in clients:
        client.handshake()
    callers = [Caller(number, client, ended) for number, client in enumerate(clients)]
    for caller in callers:
        caller.start()
    try:
        for reload in range(RELOADS):
            tool = "b" if reload % 2 == 0 else "a"
            policy["tools"], policy["block_message"] = [tool], f"only {tool}"
            gateway.reload()
            time.sleep(0.01)  # lets calls come under each configuration; nothing depends on how many
    finally:
        ended.set()
        for caller in callers:
            caller.join(30)
    assert not [caller.failure for caller in callers if caller.failure]
    assert not [caller for caller in callers if caller.is_alive()]

    status = gateway.status()
    assert status["config"]["generation"] == RELOADS + 1
    assert (status["upstream"]["pid"], status["upstream"]["restarts"]) == (upstream, 0)
    assert status["sessions"] == SESSIONS
    for client in clients:
        client.close()

    outcomes = {request: answer for caller in callers for request, answer in caller.outcomes.items()}
    assert len(outcomes) > RELOADS, "too few calls to prove anything"
    expect_one_generation_each(gateway, outcomes)


def expect_one_generation_each(gateway: Gateway, outcomes: dict[str, dict]) -> None:
    """For every call: its records name one configuration, and it is the one whose rules its answer shows."""
    records: dict[str, list[dict]] = {request: [] for request in outcomes}
    for record in gateway.audit.records():
        if record.get("request_id") in records:
            records[record["request_id"]].append(record)
    admitted = blocked = 0
    generations = set()
    for request, answer in outcomes.items():
        labels = {record["config"] for record in records[request]}
        assert len(labels) == 1, f"{request}: {records[request]}"
        generation = int(labels.pop().split(":")[0])
        generations.add(generation)
        allowed = "a" if generation % 2 else "b"
        tool = records[request][0]["tool"]
        events = [record["event_type"] for record in records[request]]
        if tool == allowed:
            admitted += 1
            assert events == ["REQUEST", "RESPONSE"], f"{request}: {events}"
            assert answer["result"]["structuredContent"]["arguments"]["request"] == request, json.dumps(answer)
        else:
            blocked += 1
            assert events == ["SECURITY_BLOCK"], f"{request}: {events}"
            assert answer["error"]["message"] == f"only {allowed}", f"{request}: generation {generation}, {answer}"
    assert admitted and blocked
    assert len(generations) > RELOADS // 2, f"calls came under {len(generations)} configurations only"
