"""Pages in browsers: preflights, and answers that they may read."""

from __future__ import annotations

import pytest

from harness.gateway import Gateway
from harness.http import HTTP

from crowded import Make, gateway_over_http, work

pytestmark = pytest.mark.gateway
PAGE = "https://page.example"


@pytest.fixture
def http(make_gateway: Make) -> HTTP:
    gateway: Gateway = gateway_over_http(make_gateway, {"allowed_origins": [PAGE], "tokens_file": "tokens"})
    # The digest of "token".
    digest = "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"
    (gateway.directory / "tokens").write_text(f"page:{digest}\n")
    return HTTP(gateway.start().ready().port, "token")


def test_a_page_asks_before_it_sends_and_reads_what_comes(http: HTTP) -> None:
    wanted = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,mcp-session-id"}
    with http.connect() as connection:
        connection.send(http.raw("OPTIONS", Origin=PAGE, Authorization=None, **wanted))
        preflight = connection.head()
        assert preflight.status == 204 and "content-length" not in preflight.headers
        assert preflight.headers["access-control-allow-origin"] == PAGE
        assert "mcp-session-id" in preflight.headers["access-control-allow-headers"].lower()
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "p", "version": "1"}}
        initialize = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        connection.send(http.post(initialize, Origin=PAGE))
        opened = connection.answer()
        assert opened.status == 200 and opened.headers["access-control-allow-origin"] == PAGE
        assert "mcp-session-id" in opened.headers["access-control-expose-headers"].lower()
        key = opened.headers["mcp-session-id"]
        connection.send(http.post(work("page", steps=2, token=1), Origin=PAGE, Mcp_Session_Id=key))
        stream = connection.answer()
        assert stream.is_stream and stream.headers["access-control-allow-origin"] == PAGE
        connection.send(http.post(work("page"), Mcp_Session_Id=key))
        assert "access-control-allow-origin" not in connection.answer().headers, "what is no page needs nothing"
    refused = http.ask(http.post(initialize, Origin=PAGE, Authorization=None))
    assert refused.status == 401 and refused.headers["access-control-allow-origin"] == PAGE
    unknown = http.ask(http.post(initialize, Origin=PAGE, Mcp_Session_Id="0" * 32))
    assert unknown.status == 404 and unknown.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://page.example:444"])
def test_a_foreign_page_gets_nothing(http: HTTP, origin: str) -> None:
    for request in (http.raw("OPTIONS", Origin=origin, Access_Control_Request_Method="POST"), http.raw("GET", Origin=origin)):
        answer = http.ask(request)
        assert answer.status == 403
        assert not any(name.startswith("access-control-") for name in answer.headers)
