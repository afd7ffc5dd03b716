"""The door beside another one, opened and closed by reloads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway, free_port
from harness.http import HTTP
from harness.upstreams import crowd
from harness.waiting import wait_until

from crowded import nonce_of, work

pytestmark = pytest.mark.gateway

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def test_a_reload_opens_and_closes_it(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(crowd()).start().ready()
    http = HTTP(free_port())
    with gateway.session() as lines:
        gateway.configuration["proxy"] |= {"transport": ["unix", "http"], "http": {"port": http.port}}
        gateway.reload()
        key = http.open()
        assert http.ask(http.post(PING, Mcp_Session_Id=key)).status == 200
        assert {door["name"] for door in gateway.status()["transports"]} == {"unix", "http"}
        with http.connect() as idle, http.connect() as busy:
            busy.send(http.post(work("seven", "last", delay=0.5), Mcp_Session_Id=key))
            wait_until(lambda: gateway.audit.records("REQUEST", request_id="last"), "it was admitted")
            gateway.configuration["proxy"] |= {"transport": "unix"}
            gateway.reload()
            assert idle.ended(), "an idle connection is closed"
            answer = busy.answer()
            assert nonce_of(answer.message) == "seven", "what was open is finished"
            assert busy.ended()
        with pytest.raises(ConnectionRefusedError):
            http.connect()
        assert lines.request("ping")["result"] == {}
        wait_until(lambda: gateway.status()["sessions"] == 1, "the session over HTTP has ended")


def test_a_clean_end_answers_what_is_open(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(crowd(), door="http").start().ready()
    http = HTTP(gateway.port)
    key = http.open()
    with http.connect() as busy, http.connect() as stream:
        stream.send(http.raw("GET", Mcp_Session_Id=key))
        assert stream.head().status == 200 and stream.event()
        busy.send(http.post(work("one", "last", delay=0.3), Mcp_Session_Id=key))
        wait_until(lambda: gateway.audit.records("REQUEST", request_id="last"), "it was admitted")
        gateway.stop()
        assert nonce_of(busy.answer().message) == "one"
        assert stream.event() is None
