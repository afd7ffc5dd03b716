"""A process for each session, which is each `Mcp-Session-Id`."""

from __future__ import annotations

import time

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Answer
from harness.waiting import wait_until

from crowded import Make, begin, gateway_over_http, nonce_of, ping, work

pytestmark = pytest.mark.gateway


def dedicated(make: Make, most: int = 16, **proxy: object) -> Gateway:
    upstream = {"sessions": "dedicated", "max_dedicated": most}
    return gateway_over_http(make, upstream=upstream, **proxy).start().ready()


def pid_of(http: HTTP, key: str, connections: int = 1) -> int:
    """The process that serves a session, whichever connection its client comes by."""
    pids = {
        http.ask(http.post(work("who"), Mcp_Session_Id=key)).message["result"]["structuredContent"]["pid"]
        for _ in range(connections)
    }
    assert len(pids) == 1
    return pids.pop()


def own(gateway: Gateway) -> list[int]:
    return gateway.status()["upstream"]["own_pids"]


def initialize(http: HTTP) -> Answer:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "n", "version": "1"}}
    return http.ask(http.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))


def test_each_key_has_a_process_until_it_is_deleted(make_gateway: Make) -> None:
    gateway = dedicated(make_gateway)
    http = HTTP(gateway.port)
    keys = [http.open() for _ in range(3)]
    pids = [pid_of(http, key, connections=3) for key in keys]
    assert sorted(pids) == own(gateway) and len(set(pids)) == 3
    assert http.ask(http.raw("DELETE", Mcp_Session_Id=keys[0])).status == 200
    wait_until(lambda: own(gateway) == sorted(pids[1:]), "its process is gone")
    assert pid_of(http, keys[1]) == pids[1]


def test_an_idle_session_ends_with_its_process(make_gateway: Make) -> None:
    gateway = dedicated(make_gateway, timeouts={"idle_session_timeout": 1})
    http = HTTP(gateway.port)
    idle, listens = http.open(), http.open()
    kept = pid_of(http, listens)
    with http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=listens))
        assert stream.head().status == 200 and stream.event()
        wait_until(lambda: own(gateway) == [kept], "the idle one's process is gone")
        assert ping(http, idle).status == 404
        assert pid_of(http, listens) == kept


def test_beyond_the_cap_a_session_is_refused_until_a_place_is_free(make_gateway: Make) -> None:
    gateway = dedicated(make_gateway, most=2)
    http = HTTP(gateway.port)
    keys = [http.open() for _ in range(2)]
    for _ in range(20):
        refused = initialize(http)
        error = refused.message["error"]
        assert (error["code"], error["data"]["reason"]) == (-32603, "overloaded"), refused
        assert "max_dedicated is 2" in error["message"]
        assert "mcp-session-id" not in refused.headers
    assert gateway.status()["sessions"] == 2, "those that were refused have left nothing"
    assert http.ask(http.raw("DELETE", Mcp_Session_Id=keys[0])).status == 200
    assert "result" in initialize(http).message, "it waits for the place"


def test_sessions_that_come_and_go_give_their_places_back(make_gateway: Make) -> None:
    gateway = dedicated(make_gateway, most=4)
    http = HTTP(gateway.port)
    stays = http.open()
    pid = pid_of(http, stays)
    for turn in range(12):
        key = http.open()
        assert nonce_of(http.ask(http.post(work(f"{turn}"), Mcp_Session_Id=key)).message) == f"{turn}"
        assert http.ask(http.raw("DELETE", Mcp_Session_Id=key)).status == 200
    wait_until(lambda: own(gateway) == [pid], "all but one are gone")


def test_a_client_that_never_comes_back_leaves_its_process_no_longer_than_its_session(make_gateway: Make) -> None:
    """It has lost the answer to its `initialize`, so nobody knows the key."""
    gateway = dedicated(make_gateway, timeouts={"idle_session_timeout": 1})
    http = HTTP(gateway.port)
    with http.connect() as lost:
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "n", "version": "1"}}
        lost.send(http.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))
        wait_until(lambda: gateway.audit.records("SESSION_START"), "its session began")
    wait_until(lambda: gateway.audit.records("SESSION_END"), "the session expired")
    wait_until(lambda: not own(gateway), "its process is gone")


def sampled(http: HTTP, key: str, asked: dict) -> None:
    """Answers what the server asked."""
    assert asked["method"] == "sampling/createMessage"
    nonce = asked["params"]["messages"][0]["content"]["text"]
    result = {"role": "assistant", "content": {"type": "text", "text": f"sampled {nonce}"}, "model": "fixture"}
    answer = http.ask(http.post({"jsonrpc": "2.0", "id": asked["id"], "result": result}, Mcp_Session_Id=key))
    assert answer.status == 202


def test_a_client_without_a_stream_is_asked_where_it_called(make_gateway: Make) -> None:
    gateway = gateway_over_http(make_gateway).start().ready()
    http = HTTP(gateway.port)
    key = http.open(capabilities={"sampling": {}})
    with begin(gateway, http, key, work("only", "only", ask=True)) as calling:
        assert calling.head().headers["content-type"] == "text/event-stream"
        prime, asked = calling.event(), calling.event()
        assert prime and asked
        sampled(http, key, asked.message)
        answer = calling.event()
        assert answer and answer.message["result"]["structuredContent"]["sampled"] == "sampled only"
        assert calling.event() is None


def test_a_client_that_went_away_leaves_its_place_to_the_next(make_gateway: Make) -> None:
    """Clients need not say that they go, and many do not: their stream ends and nothing comes any more. A server may
    end a session at any time."""
    gateway = gateway_over_http(make_gateway, upstream={"max_dedicated": 2}).start().ready()
    http = HTTP(gateway.port)
    for turn in ("first", "second", "third", "fourth"):
        if turn in ("third", "fourth"):
            time.sleep(2.1)  # so long a client may take to open its stream again
        key = http.open(capabilities={"sampling": {}})
        with http.connect() as stream:
            stream.send(http.raw("GET", Mcp_Session_Id=key))
            assert stream.head().status == 200 and stream.event()
            with begin(gateway, http, key, work(turn, turn, ask=True)) as calling:
                assert calling.head().is_stream, f"the {turn} client was not asked"
                prime, asked = calling.event(), calling.event()
                assert prime and asked
                sampled(http, key, asked.message)
                answer = calling.event()
                assert answer and answer.message["result"]["structuredContent"]["sampled"] == f"sampled {turn}"


def test_a_client_that_is_there_keeps_its_place(make_gateway: Make) -> None:
    """One has a stream, one has called just now, one has never had a stream and may be thinking."""
    gateway = dedicated(make_gateway, most=3)
    http = HTTP(gateway.port)
    listens, calls, thinks = (http.open() for _ in range(3))
    with http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=listens))
        assert stream.head().status == 200 and stream.event()
        with http.connect() as closed:
            closed.send(http.raw("GET", Mcp_Session_Id=calls))
            assert closed.head().status == 200 and closed.event()
        time.sleep(2.1)  # so long a client may take to open its stream again
        assert ping(http, calls).status == 200
        assert initialize(http).message["error"]["data"]["reason"] == "overloaded"
        assert [ping(http, key).status for key in (listens, calls, thinks)] == [200] * 3
    assert not [record for record in gateway.audit.records("SESSION_END") if record["reason"] == "displaced"]


def test_with_several_calls_in_flight_it_is_asked_on_the_sessions_stream(make_gateway: Make) -> None:
    gateway = gateway_over_http(make_gateway).start().ready()
    http = HTTP(gateway.port)
    key = http.open(capabilities={"sampling": {}})
    with (
        begin(gateway, http, key, work("other", "other", delay=60)),
        begin(gateway, http, key, work("asks", "asks", ask=True)) as calling,
        http.connect() as stream,
    ):
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().status == 200
        prime, asked = stream.event(), stream.event()
        assert prime and asked, "it waited for the stream"
        sampled(http, key, asked.message)
        assert calling.answer().message["result"]["structuredContent"]["sampled"] == "sampled asks"
        assert http.ask(http.raw("DELETE", Mcp_Session_Id=key)).status == 200
