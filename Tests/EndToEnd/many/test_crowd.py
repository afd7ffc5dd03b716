"""Many clients at once that all use id 1 and progress token 1: each gets its own answers and progress."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from harness.gateway import Gateway

from crowd import SAMPLING, Make, answered, gateway_for, join, work

pytestmark = pytest.mark.gateway
ROUNDS = 5


def test_a_hundred_clients_with_the_same_id_share_one_process_and_sixteen_are_asked(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway).start()
    with ExitStack() as stack:
        clients = [join(stack, gateway, f"c{i}", SAMPLING if i < 16 else None) for i in range(100)]
        pids = converse(clients)
        assert len(set(pids[16:])) == 1, "84 sessions share one process"
        assert len(set(pids[:16])) == 16 and pids[16] not in pids[:16], "each of 16 has its own"
        assert gateway.status()["sessions"] == 100
    expect_paired_calls(gateway, 100)


def test_sixteen_clients_with_the_same_id_have_a_process_each(make_gateway: Make) -> None:
    gateway = gateway_for(make_gateway, "dedicated").start()
    with ExitStack() as stack:
        clients = [join(stack, gateway, f"c{i}", SAMPLING) for i in range(16)]
        pids = converse(clients)
        upstream = gateway.status()["upstream"]
        assert upstream["own_pids"] == sorted(pids)
        assert (upstream["sessions"], upstream["pid"], upstream["own_processes"]) == ("dedicated", None, 16)
    expect_paired_calls(gateway, 16)


def converse(clients: list) -> list[int]:
    """Some rounds in which all call at the same time; the process of each client."""
    pids: list[int] = []
    for turn in range(ROUNDS):
        for number, client in enumerate(clients):
            client.send(work(f"n{number}-{turn}", ask=number < 16))
        contents = [answered(client, f"n{at}-{turn}", at < 16) for at, client in enumerate(clients)]
        assert pids in ([], [content["pid"] for content in contents]), "a session changed its process"
        pids = [content["pid"] for content in contents]
    for client in clients:
        assert client.silent_after() == [], "something came that nobody asked for"
    return pids


def expect_paired_calls(gateway: Gateway, sessions: int) -> None:
    """Every client's every call has its two records; `close` looks at the pairs."""
    gateway.stop()
    calls = gateway.audit.records("RESPONSE", method="tools/call", status="success")
    assert len(calls) == sessions * ROUNDS
    assert len({record["session_id"] for record in calls}) == sessions
