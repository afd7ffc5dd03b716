"""Many clients at once that all use id 1 and progress token 1: each gets its own answers and progress."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from harness.gateway import Gateway, free_port
from harness.lines import Lines
from harness.waiting import wait_until

from crowd import SAMPLING, Make, Member, answered, gateway_for, join, join_http, work

pytestmark = pytest.mark.gateway
ROUNDS = 5


DOORS = [["unix"], ["http"], ["unix", "http"]]


@pytest.fixture(params=DOORS, ids="+".join)
def doors(request: pytest.FixtureRequest) -> list[str]:
    return request.param


def open_gateway(make: Make, doors: list[str]) -> Gateway:
    """With all of the doors; not started."""
    gateway = gateway_for(make)
    gateway.port = free_port()
    gateway.configuration["proxy"] |= {"transport": doors, "http": {"port": gateway.port}}
    gateway.door = doors[0]
    gateway.write_configuration()
    return gateway


def join_by(doors: list[str], stack: ExitStack, gateway: Gateway, number: int, asks: bool = False) -> Lines | Member:
    """A client at one of the doors, each in turn."""
    capabilities = SAMPLING if asks else None
    if doors[number % len(doors)] == "http":
        return join_http(stack, gateway.port, capabilities)
    return join(stack, gateway, f"c{number}", capabilities)


def test_a_hundred_clients_with_the_same_id_share_one_process_and_sixteen_are_asked(
    make_gateway: Make, doors: list[str]
) -> None:
    gateway = open_gateway(make_gateway, doors).start()
    with ExitStack() as stack:
        clients = [join_by(doors, stack, gateway, number, asks=number < 16) for number in range(100)]
        pids = converse(clients)
        assert len(set(pids[16:])) == 1, "84 sessions share one process"
        assert len(set(pids[:16])) == 16 and pids[16] not in pids[:16], "each of 16 has its own"
        assert gateway.status()["sessions"] == 100
    expect_paired_calls(gateway, 100)


def test_the_upstream_is_killed_under_fifty_sessions(make_gateway: Make, doors: list[str]) -> None:
    """Every call gets one answer, and every session goes on."""
    gateway = open_gateway(make_gateway, doors).start().ready()
    with ExitStack() as stack:
        clients = [join_by(doors, stack, gateway, number) for number in range(50)]
        for client in clients:
            client.send(work("doomed", delay=60))
        wait_until(lambda: len(gateway.audit.records("REQUEST", method="tools/call")) == 50, "all were forwarded")
        os.kill(gateway.status()["upstream"]["pid"], 9)
        for client in clients:
            while "method" in (message := client.receive()):
                pass  # its progress
            assert message["id"] == 1
            assert message["error"]["data"]["reason"] == "upstream_exited", message
        for number, client in enumerate(clients):
            client.send(work(f"again{number}"))
        pids = {answered(client, f"again{number}")["pid"] for number, client in enumerate(clients)}
        assert pids == {gateway.status()["upstream"]["pid"]}
        for client in clients:
            assert client.silent_after() == []


def test_clients_that_vanish_within_a_call_harm_nobody(make_gateway: Make, doors: list[str]) -> None:
    gateway = open_gateway(make_gateway, doors).start().ready()
    with ExitStack() as stack:
        clients = [join_by(doors, stack, gateway, number) for number in range(30)]
        for number, client in enumerate(clients):
            client.send(work(f"n{number}", delay=0.5))
        wait_until(lambda: len(gateway.audit.records("REQUEST", method="tools/call")) == 30, "all were forwarded")
        for client in clients[::3]:
            client.vanish() if isinstance(client, Member) else client.close()
        for number, client in enumerate(clients):
            if number % 3:
                answered(client, f"n{number}")
        # Over HTTP a call outlives its connection, on a line it is cancelled: either way it has its one record.
        wait_until(lambda: len(gateway.audit.records("RESPONSE", method="tools/call")) == 30, "all were concluded")


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
