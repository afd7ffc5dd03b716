"""Every feature test runs over all doors, in front of both everything servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.gateway import Gateway, is_passthrough
from harness.upstreams import everything

ALLOWED = [
    "add", "big", "change_lists", "contents", "delay", "digest", "echo", "elicit", "fail", "logs", "meta_echo",
    "json_schema_2020_12_tool", "pad_0*", "ping_client", "progress", "roots", "sample", "slow", "state", "test_*",
    "touch", "uni",
]  # fmt: skip
"""The allowlist; pad_10 … pad_14 are not on it."""


DOORS = ["stdio", "unix", *([] if is_passthrough() else ["http"])]


@pytest.fixture(scope="module", params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    """How clients come in. Over stdio every session has a gateway of its own, with the same configuration."""
    return request.param


@pytest.fixture(scope="module", params=[1, 2], ids=["everything1", "everything2"])
def gateway(request: pytest.FixtureRequest, door: str) -> Iterator[Gateway]:
    """A gateway in front of an everything server; over the socket one process serves all tests of a module."""
    upstream = everything(request.param)
    if request.param == 2 and is_passthrough():
        upstream.append("--legacy-only")  # or else the 2.x client would speak the modern era to it
    gateway = Gateway(upstream, door=door, tools=ALLOWED)
    try:
        yield gateway if door == "stdio" else gateway.start()
    finally:
        gateway.close()
