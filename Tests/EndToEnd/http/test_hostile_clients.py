"""Clients that are slow, leave, come back with anything, or come by the thousand."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.http import HTTP
from harness.waiting import wait_until

from crowded import PING, Make, begin, gateway_over_http, nonce_of, ping, work

pytestmark = pytest.mark.gateway
MEGABYTE = 1 << 20


@pytest.fixture
def gateway(make_gateway: Make) -> Gateway:
    return gateway_over_http(make_gateway).start().ready()


@pytest.fixture
def http(gateway: Gateway) -> HTTP:
    return HTTP(gateway.port)


def resident(gateway: Gateway) -> int:
    """Bytes of memory."""
    assert gateway.process
    pages = Path(f"/proc/{gateway.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def descriptors(gateway: Gateway) -> int:
    assert gateway.process
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def test_clients_that_never_read_harm_nobody_and_leave_nothing(gateway: Gateway, http: HTTP) -> None:
    key, other = http.open(), http.open()
    open_before = descriptors(gateway)
    before = resident(gateway)
    peaks = []
    for turn in range(4):
        stalled = [http.connect() for _ in range(12)]
        for number, connection in enumerate(stalled):
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.send(http.post(work("x", f"s{turn}-{number}", size=5 * MEGABYTE), Mcp_Session_Id=key))
        count = 12 * (turn + 1) + turn
        wait_until(lambda: len(gateway.audit.records("RESPONSE", method="tools/call")) == count, "all were answered")
        peaks.append(resident(gateway))
        nonce = f"other{turn}"
        assert nonce_of(http.ask(http.post(work(nonce), Mcp_Session_Id=other)).message) == nonce
        assert ping(http, key).status == 200, "not even the same session notices"
        for connection in stalled:
            connection.socket.close()
        wait_until(lambda: descriptors(gateway) <= open_before, "every connection was closed")
    assert peaks[0] > before + 10 * MEGABYTE, "the answers wait for their clients"
    # The allocator may keep a part for the next time, but there is no more of it each time. The first turn is its own:
    # it is looked at while some answers may still be on their way.
    assert max(peaks[2:]) < peaks[1] + 16 * MEGABYTE, peaks


def test_a_slow_reader_gets_all_of_a_large_answer(http: HTTP) -> None:
    size = 14 * MEGABYTE  # more than the kernel takes, so that most of it waits in the gateway
    with http.connect() as slow:
        slow.send(http.post(work("slow", size=size), Mcp_Session_Id=http.open(), Connection="close"))
        head = slow.head()
        for _ in range(4):
            slow.exactly(1000)
            time.sleep(0.8)  # the client's own slowness, which is what is tested
        left = int(head.headers["content-length"]) - 4000 - len(slow.pending)
        while left > 0 and (data := slow.socket.recv(MEGABYTE)):
            left -= len(data)
        assert left == 0 and slow.socket.recv(1) == b""


@pytest.mark.parametrize("end", ["stop", "restart"])
def test_a_clean_end_lets_a_slow_reader_take_its_answer(gateway: Gateway, http: HTTP, end: str) -> None:
    key = http.open()
    with begin(gateway, http, key, work("last", "last", delay=0.3, size=5 * MEGABYTE)) as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        assert gateway.process
        gateway.process.send_signal(signal.SIGTERM if end == "stop" else signal.SIGUSR2)
        wait_until(lambda: gateway.audit.records("RESPONSE", request_id="last"), "it was answered")
        wait_until(lambda: gateway.audit.records("SESSION_END"), "its session has ended")
        answer = slow.answer()
        assert nonce_of(answer.message) == "last" and slow.ended()
    if end == "stop":
        process, gateway.process = gateway.process, None
        assert process.wait(20) == 0
    else:
        wait_until(lambda: len(gateway.audit.records("AUDIT_START")) == 2 and gateway.accepts(), "it serves again")
        assert ping(http, key).status == 404
        assert http.open()


def test_during_the_drain_newcomers_are_told(gateway: Gateway, http: HTTP) -> None:
    key = http.open()
    with begin(gateway, http, key, work("last", "last", delay=1)) as busy:
        assert gateway.process
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: http.ask(http.raw("GET", "/readyz")).status == 503, "it was not ready any more")
        assert http.ask(http.raw("GET", "/healthz")).status == 200
        late = ping(http, key)
        assert (late.status, late.message["error"]["code"]) == (503, -32603)
        assert "shutting down" in late.message["error"]["message"]
        assert nonce_of(busy.answer().message) == "last"
    process, gateway.process = gateway.process, None
    assert process.wait(20) == 0


def test_readiness_waits_for_the_handshake(make_gateway: Make) -> None:
    gateway = make_gateway(["/bin/cat"], door="http", proxy={"timeouts": {"connection_timeout": 30}}).start()
    http = HTTP(gateway.port)
    assert http.ask(http.raw("GET", "/healthz")).status == 200
    assert http.ask(http.raw("GET", "/readyz")).status == 503
    served = gateway_over_http(make_gateway).start()
    http = HTTP(served.port)
    wait_until(lambda: http.ask(http.raw("GET", "/readyz")).status == 200, "it was ready")
    assert gateway.process
    gateway.killed = True
    gateway.process.kill()
    gateway.process.wait(10)


def test_an_upstream_that_is_given_up_is_not_ready(make_gateway: Make) -> None:
    gateway = gateway_over_http(make_gateway, upstream={"max_restart_attempts": 0}).start().ready()
    http = HTTP(gateway.port)
    assert http.ask(http.raw("GET", "/readyz")).status == 200
    os.kill(gateway.status()["upstream"]["pid"], signal.SIGKILL)
    wait_until(lambda: http.ask(http.raw("GET", "/readyz")).status == 503, "it is not ready any more")


def test_pipelined_requests_that_the_gateway_answers_itself(http: HTTP) -> None:
    """The answer to the first lets in the next, which is answered at once."""
    key = http.open()
    with http.connect() as connection:
        for _ in range(3):
            requests = [work("slow", 1, delay=0.05), *({**PING, "id": number} for number in range(2, 20))]
            connection.send(b"".join(http.post(request, Mcp_Session_Id=key) for request in requests))
            assert [connection.answer().message["id"] for _ in requests] == list(range(1, 20))
    assert ping(http, key).status == 200


def test_a_pipelined_delete_comes_after_the_answer_before_it(http: HTTP) -> None:
    key = http.open()
    with http.connect() as connection:
        requests = [http.post(work("slow", delay=0.05), Mcp_Session_Id=key), http.raw("DELETE", Mcp_Session_Id=key)]
        connection.send(b"".join([*requests, http.post(PING, Mcp_Session_Id=key)]))
        assert nonce_of(connection.answer().message) == "slow"
        assert [connection.answer().status for _ in range(2)] == [200, 404]


def test_what_was_missed_comes_at_once(http: HTTP) -> None:
    """Not with the next message of the call, which may take a minute."""
    key = http.open()
    with http.connect() as connection:
        connection.send(http.post(work("long", steps=4, delay=3, token="t", request_id="long"), Mcp_Session_Id=key))
        assert connection.head().headers["content-type"] == "text/event-stream"
        prime = connection.event()
        assert prime and connection.event()
    began = time.monotonic()
    with http.connect() as again:
        again.send(http.raw("GET", Mcp_Session_Id=key, Last_Event_ID=prime.id))
        assert again.head().status == 200
        progress = [again.event() for _ in range(4)]
        assert time.monotonic() - began < 2, "before the call had ended"
        assert [event.message["params"]["message"] for event in progress if event] == [f"long {n}" for n in range(1, 5)]
        last = again.event()
        assert last and nonce_of(last.message) == "long" and again.event() is None


def test_nobody_resumes_the_streams_of_another_session(http: HTTP) -> None:
    key, other = http.open(), http.open()
    answer = http.ask(http.post(work("mine", steps=3, token=1), Mcp_Session_Id=key))
    assert nonce_of(answer.events[-1].message) == "mine"
    for last in [event.id for event in answer.events] + ["1.1", "4294967296.1", "1.18446744073709551616", "\u00fc", "0.0"]:
        with http.connect() as stream:
            stream.send(http.raw("GET", Mcp_Session_Id=other, Last_Event_ID=last))
            assert stream.head().status == 200
            event = stream.event()
            assert event and event.data == "", "a new stream, with its priming event"


def test_two_thousand_connections_come_and_go(gateway: Gateway, http: HTTP) -> None:
    key = http.open()
    before = descriptors(gateway)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    for turn in range(4):
        connections = [http.connect() for _ in range(500)]
        if turn % 2:
            for connection in connections:
                connection.send(b"POST /mcp HTTP/1.1\r\nHost")
        else:
            connections[0].send(http.post(PING, Mcp_Session_Id=key))
            assert connections[0].answer().status == 200
        for connection in connections:
            connection.socket.close()
    wait_until(lambda: descriptors(gateway) <= before, "every one of them was closed")
    assert ping(http, key).status == 200


def test_half_a_request_and_no_more(gateway: Gateway, http: HTTP) -> None:
    """A client that ends within its head or body, by the end of its input or a reset."""
    key = http.open()
    before = descriptors(gateway)
    request = http.post(work("half"), Mcp_Session_Id=key)
    for cut in (1, 20, request.index(b"\r\n\r\n") + 4, len(request) - 1):
        for resets in (False, True):
            with http.connect() as connection:
                connection.send(request[:cut])
                if resets:
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_until(lambda: descriptors(gateway) <= before, "every one of them was closed")
    assert ping(http, key).status == 200
    assert not gateway.audit.records("REQUEST", method="tools/call")


def test_an_idle_session_ends_unless_it_has_a_stream_or_a_call(make_gateway: Make) -> None:
    gateway = gateway_over_http(make_gateway, timeouts={"idle_session_timeout": 1}).start().ready()
    http = HTTP(gateway.port)
    idle, listens, works = http.open(), http.open(), http.open()
    with http.connect() as stream, begin(gateway, http, works, work("long", "long", delay=2.5)) as busy:
        stream.send(http.raw("GET", Mcp_Session_Id=listens))
        assert stream.head().status == 200 and stream.event()
        wait_until(lambda: gateway.audit.records("SESSION_END"), "the idle one ended")
        assert nonce_of(busy.answer().message) == "long"
        assert ping(http, idle).status == 404
        assert ping(http, listens).status == ping(http, works).status == 200
        assert len(gateway.audit.records("SESSION_END")) == 1
    wait_until(lambda: len(gateway.audit.records("SESSION_END")) == 3, "the others ended without them")
    assert ping(http, listens).status == 404


def test_a_clean_end_does_not_wait_for_who_takes_nothing(make_gateway: Make) -> None:
    """It waits as long as `shutdown_timeout` lets it, and its last records are written all the same."""
    gateway = gateway_over_http(make_gateway, timeouts={"shutdown_timeout": 2}).start().ready()
    http = HTTP(gateway.port)
    key = http.open()
    with http.connect() as stalled:
        stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        stalled.send(http.post(work("x", "x", size=12 * MEGABYTE), Mcp_Session_Id=key))
        wait_until(lambda: gateway.audit.records("RESPONSE", request_id="x"), "it was answered")
        began = time.monotonic()
        gateway.stop()
        assert time.monotonic() - began < 6
    assert gateway.audit.records("AUDIT_STOP")
