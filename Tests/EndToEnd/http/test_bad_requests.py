"""Each bad request has its status, a JSON-RPC error and, where it came from a stranger, its audit record."""

from __future__ import annotations

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Answer
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def refused(answer: Answer, status: int, code: int = -32600) -> None:
    assert answer.status == status, answer
    assert answer.message["error"]["code"] == code, answer
    assert answer.message["jsonrpc"] == "2.0"


def blocked(gateway: Gateway, reason: str) -> None:
    wait_until(
        lambda: [
            record for record in gateway.audit.records("SECURITY_BLOCK") if reason in str(record)
        ],
        f"http_guard told of '{reason}'",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({"Host": "evil.example"}, "foreign_host"), ({"Host": None}, "bad_host"),
     ({"Origin": "http://evil.example"}, "foreign_origin"), ({"Origin": "null"}, "foreign_origin"),
     ({"Origin": "http://localhost:1"}, "foreign_origin"),
     ({"Host": "127.0.0.1.evil.example:8080"}, "foreign_host")],
)  # fmt: skip
def test_foreign_names(gateway: Gateway, http: HTTP, headers: dict, reason: str) -> None:
    answer = http.ask(http.post(PING, **headers))
    if reason == "bad_host":
        refused(answer, 400)
    else:
        refused(answer, 403, -32000)
    blocked(gateway, reason)


def test_our_own_origin_is_fine(http: HTTP) -> None:
    origin = f"http://localhost:{http.port}"
    assert http.ask(http.post(PING, Origin=origin, Mcp_Session_Id=http.open())).status == 200


def test_sessions_that_do_not_exist(gateway: Gateway, http: HTTP) -> None:
    refused(http.ask(http.post(PING)), 400)
    refused(http.ask(http.post(PING, Mcp_Session_Id="0" * 32)), 404, -32001)
    refused(http.ask(http.raw("GET")), 400)
    refused(http.ask(http.raw("DELETE")), 400)
    blocked(gateway, "unknown_session")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_other_methods(http: HTTP, method: str) -> None:
    with http.connect() as connection:
        connection.send(http.raw(method))
        answer = connection.head()
        assert answer.status == 405
        assert answer.headers["allow"] == "POST, GET, DELETE"
        if method != "HEAD":  # whose answer has no body
            connection.exactly(int(answer.headers["content-length"]))
        connection.send(http.raw("GET", "/healthz"))
        assert connection.answer().body == b"ok\n"


def test_other_paths(http: HTTP) -> None:
    refused(http.ask(http.raw("GET", "/")), 404)
    refused(http.ask(http.raw("POST", "/mcp/..", body=b"{}")), 404)


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"[]", b'{"jsonrpc":"2.0"}', b'{"id":1}\xff', b"{}{}"])
def test_bodies_that_are_no_message(http: HTTP, body: bytes) -> None:
    for key in (None, http.open()):
        answer = http.ask(http.raw(body=body, Mcp_Session_Id=key))
        assert answer.status in (200, 400) if body == b"[]" else answer.status == 400, answer
        assert answer.message["error"]["code"] in (-32700, -32600)


def test_a_line_break_inside_a_string_is_refused(http: HTTP) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"pi\nng"}'
    refused(http.ask(http.raw(body=body, Mcp_Session_Id=http.open())), 400, -32700)


def test_too_large_by_its_length_is_refused_at_once(http: HTTP) -> None:
    request = http.raw(Content_Length="1000001", Content_Type="application/json", Mcp_Session_Id=http.open())
    with http.connect() as connection:
        connection.send(request)
        refused(connection.answer(), 413, -32603)
        assert connection.ended()


def test_too_large_while_it_streams(http: HTTP) -> None:
    request = http.raw(Transfer_Encoding="chunked", Content_Type="application/json", Mcp_Session_Id=http.open())
    with http.connect() as connection:
        connection.send(request)
        for _ in range(16):
            connection.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        refused(connection.answer(), 413, -32603)


def test_http_1_0(http: HTTP) -> None:
    with http.connect() as connection:
        connection.send(http.raw("GET", version="HTTP/1.0"))
        refused(connection.answer(), 505)
        assert connection.ended()


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"nonsense\r\n\r\n", b"GET /mcp HTTP/1.1\r\nbad header\r\n\r\n",
     b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
     b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ids=["tls", "words", "header", "two lengths", "length and chunks"],
)  # fmt: skip
def test_what_is_no_http(gateway: Gateway, http: HTTP, garbage: bytes) -> None:
    with http.connect() as connection:
        connection.send(garbage)
        refused(connection.answer(), 400)
        assert connection.ended()
    blocked(gateway, "bad_http")


def test_headers_that_are_too_long(http: HTTP) -> None:
    with http.connect() as connection:
        connection.send(http.raw("GET", X_Long="x" * 40_000))
        refused(connection.answer(), 431)


def test_pipelined_garbage_ends_cleanly(gateway: Gateway, http: HTTP) -> None:
    with http.connect() as connection:
        connection.send(http.raw("GET", "/none") * 3000)
        for _ in range(3000):
            assert connection.answer().status == 404
    with http.connect() as connection:
        connection.send(http.raw("GET", "/healthz") + b"garbage\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.answer().status == 400
        assert connection.ended()


def test_refusals_are_counted_not_repeated(gateway: Gateway, http: HTTP) -> None:
    for _ in range(50):
        assert http.ask(http.raw("GET", "/counted")).status == 404
    told = [record for record in gateway.audit.records("SECURITY_BLOCK") if "unknown_path" in str(record)]
    assert 0 < len(told) < 50
