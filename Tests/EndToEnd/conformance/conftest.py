"""The gateways that the scenarios of a module share, and a raw client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP
from harness.upstreams import everything


@pytest.fixture(scope="module", params=["modern", "legacy"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """In front of a server of either era; the modules of revision 2025-11-25 have one of their own."""
    gateway = Gateway([*everything(2), f"--{request.param}-only"], door="http", era=request.param, tools=["*"])
    gateway.upstream_name = request.param
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


@pytest.fixture
def http(gateway: Gateway) -> HTTP:
    """Makes connections and raw requests."""
    return HTTP(gateway.port)


@pytest.fixture
def key(http: HTTP) -> Iterator[str]:
    """A session of revision 2025-11-25 that declares nothing."""
    key = http.open()
    yield key
    assert http.ask(http.raw("DELETE", Mcp_Session_Id=key)).status == 200
