"""A gateway in front of a server that answers whatever a call asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.upstreams import stranger


@pytest.fixture
def gateway(make_gateway: Callable[..., Gateway]) -> Gateway:
    """Without a word on sanitising in its configuration. Not started."""
    return make_gateway(stranger())
