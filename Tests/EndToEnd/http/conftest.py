"""An HTTP door with one gateway for the tests of a module, and a raw client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP
from harness.upstreams import everything


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """In front of the everything server."""
    gateway = Gateway(everything(1), door="http", proxy={"limits": {"max_message_bytes": 1_000_000}})
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


@pytest.fixture
def http(gateway: Gateway) -> HTTP:
    """Makes connections and raw requests."""
    return HTTP(gateway.port)
