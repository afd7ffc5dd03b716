"""kill -9 at random moments under load: no orphan, nothing torn but the last line, nothing forwarded unrecorded."""

from __future__ import annotations

import json
import os
import random
import select
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, message
from harness.processes import expect_none_left, marked
from harness.upstreams import echo, wrapped

pytestmark = pytest.mark.gateway
ROUNDS = [*range(50), *(pytest.param(n, marks=pytest.mark.slow) for n in range(50, 250))]
SESSIONS, OUTSTANDING, MOST_ANSWERS = 4, 16, 600


def load_until(clients: list[Lines], answers: int, round_number: int) -> None:
    """Keeps calls in flight on every session, each with an id of its own, until that many were answered."""
    sent = 0

    def call(client: Lines, count: int) -> None:
        nonlocal sent
        calls = []
        for _ in range(count):
            calls.append(message("tools/call", {"name": "echo", "arguments": {"n": sent}}, f"r{round_number}-{sent}"))
            sent += 1
        client.send(*calls)

    by_descriptor = {client.reading: client for client in clients}
    for client in clients:
        call(client, OUTSTANDING)
    while answers > 0:
        ready, _, _ = select.select(list(by_descriptor), [], [], 10)
        assert ready, "no answer for 10 s"
        for descriptor in ready:
            came = os.read(descriptor, 1 << 16).count(b"\n")
            answers -= came
            if came:
                call(by_descriptor[descriptor], came)


def received_ids(log: Path) -> set[str]:
    """The gateway renames ids, but arguments pass: the n of every call that reached the upstream."""
    whole = log.read_bytes().rpartition(b"\n")[0] if log.exists() else b""
    lines = [json.loads(line) for line in whole.split(b"\n") if line]
    return {line["params"]["arguments"]["n"] for line in lines if line["method"] == "tools/call"}


@pytest.mark.parametrize("round_number", ROUNDS)
def test_a_gateway_killed_under_load_leaves_the_truth_behind(
    make_gateway: Callable[..., Gateway], round_number: int
) -> None:
    chance = random.Random(round_number)
    gateway = make_gateway([], tools=["echo"])
    log = gateway.directory / "received.log"
    gateway.configuration["proxy"]["upstream"]["command"] = wrapped(echo("--stay", log=log))
    gateway.write_configuration()
    gateway.start()
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.session()) for _ in range(SESSIONS)]
        assert len(marked(gateway.mark)) >= 3, "the gateway, the wrapper and the server"
        load_until(clients, chance.randrange(MOST_ANSWERS), round_number)
        gateway.kill()
    expect_none_left(gateway.mark)
    records = gateway.audit.complete_records()
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    admitted = {record["request_id"] for record in records if record["event_type"] == "REQUEST"}
    received = {f"r{round_number}-{n}" for n in received_ids(log)}
    assert received, "no call had reached the upstream, so this round shows nothing"
    assert received <= admitted, f"forwarded without a record: {sorted(received - admitted)[:5]}"


@pytest.mark.parametrize("milliseconds", [0, 2, 5, 10, 20, 40])
def test_a_gateway_killed_while_it_starts_leaves_no_process(
    make_gateway: Callable[..., Gateway], milliseconds: int
) -> None:
    gateway = make_gateway(wrapped(echo("--stay")))
    gateway.process = gateway.spawn(stdin=DEVNULL, stdout=DEVNULL)
    select.select([], [], [], milliseconds / 1000)  # the moment of the kill is what varies here
    gateway.kill()
    expect_none_left(gateway.mark)
    for line in gateway.audit.lines():
        json.loads(line)
