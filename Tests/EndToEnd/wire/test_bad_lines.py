"""Lines that are no message. Each has one decided answer, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import message
from harness.upstreams import echo
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize(
    "garbage",
    [b"hello", b"{", b"}", b'"', b"\x00\x01\x02", b"\xff\xfe", b"{]", b"nul", b"01", b"[1,]", b"{\"a\":\"\t\"}",
     b"x" * 100_000],
    ids=lambda garbage: repr(garbage[:10]),
)  # fmt: skip
def test_garbage_gets_one_answer_and_the_session_goes_on(
    make_gateway: Callable[..., Gateway], garbage: bytes
) -> None:
    gateway = make_gateway(echo()).start()
    with gateway.session() as other, gateway.session() as client:
        client.send_bytes(garbage + b"\n")
        answer = client.answer_to(None)
        assert answer["error"]["code"] == -32700
        assert client.silent_after() == []
        assert "result" in client.call("echo")
        assert other.silent_after() == []
        assert "result" in other.call("echo")
    gateway.stop()
    assert len(gateway.audit.records("INVALID_MESSAGE")) == 1


def test_the_bytes_of_a_bad_line_are_never_recorded(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    with gateway.session() as client:
        client.send_bytes(b'{"password":"hunter2" sesame}\n')
        assert client.answer_to(None)["error"]["code"] == -32700
    gateway.stop()
    assert gateway.audit.records("INVALID_MESSAGE")
    everywhere = gateway.audit.path.read_bytes() + gateway.log().encode()
    assert b"hunter2" not in everywhere
    assert b"sesame" not in everywhere


@pytest.mark.parametrize("value", [b"1", b'"text"', b"null", b"true", b"{}", b'{"jsonrpc":"2.0"}'], ids=repr)
def test_json_that_is_no_message_is_a_bad_request(make_gateway: Callable[..., Gateway], value: bytes) -> None:
    with make_gateway(echo()).start().session() as client:
        client.send_bytes(value + b"\n")
        assert client.answer_to(None)["error"]["code"] == -32600
        assert client.silent_after() == []


def test_nesting_beyond_the_cap_is_a_bad_request_whether_or_not_it_would_have_ended(
    make_gateway: Callable[..., Gateway]
) -> None:
    gateway = make_gateway(echo()).start()
    with gateway.session() as client:
        client.send_bytes(b"[" * 10_000 + b"\n")
        assert client.answer_to(None)["error"]["code"] == -32600
        assert "result" in client.call("echo")


def test_a_response_to_nothing_is_dropped(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session() as client:
        client.send({"jsonrpc": "2.0", "id": 77, "result": {}})
        client.send({"jsonrpc": "2.0", "id": 78, "error": {"code": 1, "message": "m"}})
        assert client.silent_after() == []


def test_an_oversize_request_fails_at_once_and_is_skipped(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), proxy={"limits": {"max_message_bytes": 65536}}).start()
    with gateway.session() as client:
        call = message("tools/call", {"name": "echo", "arguments": {"text": "x" * 200_000}}, "large")
        client.send(call)
        error = client.answer_to("large")["error"]
        assert error["code"] == -32603
        assert error["data"]["reason"] == "too_large"
        assert client.silent_after() == []
        assert "result" in client.call("echo", {"text": "x" * 60_000})


def test_the_start_of_an_oversize_line_is_answered_before_its_end_comes(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), proxy={"limits": {"max_message_bytes": 65536}}).start()
    with gateway.session() as client:
        client.send_bytes(b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"' + b"x" * 100_000)
        assert client.answer_to(5)["error"]["data"]["reason"] == "too_large"
        client.send_bytes(b'"}}\n')
        assert client.silent_after() == []


def test_half_a_line_and_a_hang_up_end_only_that_session(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    with gateway.session() as other:
        with gateway.session(name="half") as client:
            client.send_bytes(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","par')
        wait_until(lambda: gateway.audit.records("SESSION_END", client_name="half"), "the session had ended")
        assert "result" in other.call("echo")


def test_a_message_cut_at_every_byte_is_one_message(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session() as client:
        for byte in b'{"jsonrpc":"2.0","id":"cut","method":"tools/call","params":{"name":"echo"}}\n':
            client.send_bytes(bytes([byte]))
        assert client.answer_to("cut")["result"]["structuredContent"] == {"name": "echo"}


def test_a_carriage_return_before_the_newline_is_harmless(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session() as client:
        client.send_bytes(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n')
        assert client.answer_to(1)["result"] == {}
