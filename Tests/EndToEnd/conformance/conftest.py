"""A raw client in front of a gateway, for the scenarios of one revision."""

from __future__ import annotations

import pytest

from harness.gateway import Gateway
from harness.http import HTTP


@pytest.fixture
def http(gateway: Gateway) -> HTTP:
    """Makes connections and raw requests; each module has its own `gateway`."""
    return HTTP(gateway.port)
