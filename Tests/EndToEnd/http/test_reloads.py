"""Reloads of the door: another address, other rules, and calls in flight that notice nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

import pytest

from harness.gateway import Gateway, free_port
from harness.http import HTTP

from crowded import Make, begin, gateway_over_http, nonce_of, ping, refused_reload, work

pytestmark = pytest.mark.gateway


@pytest.fixture
def gateway(make_gateway: Make) -> Gateway:
    return gateway_over_http(make_gateway).start().ready()


def settings(gateway: Gateway) -> dict:
    return gateway.configuration["proxy"]["http"]


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_another_port_serves_before_the_old_one_is_gone(gateway: Gateway) -> None:
    old, new = HTTP(gateway.port), HTTP(free_port())
    key = old.open()
    unreachable: list[int] = []
    looks: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            looks.append(1)
            # In this order: what is closed is closed for good.
            if not accepts(old.port) and not accepts(new.port):
                unreachable.append(1)

    looker = threading.Thread(target=look)
    with begin(gateway, old, key, work("old", "old", delay=1)) as busy, old.connect() as idle:
        looker.start()
        settings(gateway)["port"] = new.port
        gateway.reload()
        done.set()
        looker.join()
        assert looks and not unreachable
        assert idle.ended()
        assert not accepts(old.port)
        other = new.open()
        assert nonce_of(new.ask(new.post(work("new"), Mcp_Session_Id=other)).message) == "new"
        assert nonce_of(busy.answer().message) == "old", "what was in flight is answered"
        assert busy.ended()
    assert f":{new.port}" in str(gateway.status()["transports"])


@pytest.mark.parametrize("attempt", ["move", "open"])
def test_a_port_of_somebody_else_refuses_the_reload(make_gateway: Make, attempt: str) -> None:
    gateway = gateway_over_http(make_gateway).start().ready()
    http = HTTP(gateway.port)
    key = http.open()
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        if attempt == "open":
            gateway.configuration["proxy"]["transport"] = "unix"
            gateway.reload()
            gateway.configuration["proxy"]["transport"] = ["unix", "http"]
        settings(gateway)["port"] = taken
        said = refused_reload(gateway)
        assert f"127.0.0.1:{taken}" in said and f"sport = :{taken}" in said, said
    if attempt == "move":
        assert ping(http, key).status == 200
    settings(gateway)["port"] = gateway.port
    gateway.reload()
    assert HTTP(gateway.port).open()


def test_another_host_on_the_same_port(gateway: Gateway) -> None:
    http = HTTP(gateway.port)
    key = http.open()
    settings(gateway)["host"] = "127.0.0.2"
    gateway.reload()
    with socket.create_connection(("127.0.0.2", gateway.port), timeout=10):
        assert not accepts(gateway.port)
    settings(gateway)["host"] = "127.0.0.1"
    gateway.reload()
    assert ping(http, key).status == 404
    assert http.open()


def test_a_host_that_includes_the_old_one_takes_a_restart(gateway: Gateway) -> None:
    http = HTTP(gateway.port)
    key = http.open()
    (gateway.directory / "tokens").write_text("")
    settings(gateway).update(host="0.0.0.0", tokens_file="tokens")
    said = refused_reload(gateway)
    assert f"0.0.0.0:{gateway.port}" in said and "gatekit restart" in said, said
    assert ping(http, key).status == 200


def test_rules_change_in_place(gateway: Gateway) -> None:
    http = HTTP(gateway.port)
    key = http.open()
    with http.connect() as kept:
        def status(**headers: str) -> int:
            kept.send(http.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Mcp_Session_Id=key, **headers))
            return kept.answer().status

        assert (status(), status(Host="gate.example"), status(Origin="https://page.example")) == (200, 403, 403)
        settings(gateway)["allowed_hosts"] = ["gate.example"]
        settings(gateway)["allowed_origins"] = ["https://page.example"]
        gateway.reload()
        assert (status(), status(Host="gate.example"), status(Origin="https://page.example")) == (200, 200, 200)
        del settings(gateway)["allowed_hosts"], settings(gateway)["allowed_origins"]
        gateway.reload()
        assert (status(), status(Host="gate.example"), status(Origin="https://page.example")) == (200, 403, 403)


def test_the_path_changes_in_place(gateway: Gateway) -> None:
    http = HTTP(gateway.port)
    key = http.open()
    settings(gateway)["path"] = "/elsewhere"
    gateway.reload()
    assert ping(http, key).status == 404
    moved = http.raw("POST", "/elsewhere", b'{"jsonrpc":"2.0","id":1,"method":"ping"}', Mcp_Session_Id=key)
    assert http.ask(moved).message["result"] == {}, "the session goes on at the new path"


def test_the_cap_of_connections_changes_in_place(gateway: Gateway) -> None:
    http = HTTP(gateway.port)
    key = http.open()
    with http.connect() as kept:
        kept.send(http.raw("GET", Mcp_Session_Id=key))
        assert kept.head().status == 200
        settings(gateway)["max_connections"] = 1
        gateway.reload()
        with http.connect() as beyond:
            assert beyond.answer().status == 503
        settings(gateway)["max_connections"] = 10
        gateway.reload()
        assert ping(http, key).status == 200
        assert kept.event() is not None, "the stream has seen all of it"


def test_fifty_reloads_under_calls_in_flight(gateway: Gateway) -> None:
    """Every call gets one answer, its own, on sessions that all use the id 1."""
    http = HTTP(gateway.port)
    keys = [http.open() for _ in range(6)]
    reloading = threading.Event()
    reloading.set()
    counts = [0] * len(keys)
    failures: list[str] = []

    def converse(number: int) -> None:
        with http.connect() as connection:
            while reloading.is_set():
                nonce = f"{number}-{counts[number]}"
                connection.send(http.post(work(nonce, delay=0.005), Mcp_Session_Id=keys[number]))
                answer = connection.answer()
                if answer.status != 200 or nonce_of(answer.message) != nonce:
                    failures.append(f"{nonce}: {answer}")
                    return
                counts[number] += 1

    callers = [threading.Thread(target=converse, args=(number,)) for number in range(len(keys))]
    with ExitStack() as stack:
        stack.callback(lambda: [caller.join(20) for caller in callers])
        stack.callback(reloading.clear)
        for caller in callers:
            caller.start()
        for number in range(50):
            settings(gateway)["allowed_hosts"] = [f"gate{number}.example"]
            gateway.reload()
    assert not failures
    assert all(count > 5 for count in counts), counts
    assert gateway.status()["config"]["generation"] == 51
    gateway.stop()
    assert len(gateway.audit.records("RESPONSE", method="tools/call", status="success")) == sum(counts)
