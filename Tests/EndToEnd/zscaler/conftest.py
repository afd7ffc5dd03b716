"""Gateways in front of the real zscaler-mcp. It starts slowly, so tests share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from real_server import CREDENTIALS, ON, START

from harness.gateway import Gateway
from harness.upstreams import zscaler_stub


@pytest.fixture(scope="module")
def make_stubbed() -> Iterator[Callable[..., Gateway]]:
    """Makes gateways in front of the real server with a tenant that is not there, with the tool-call log on."""
    made: list[Gateway] = []

    def make(*options: str, tools: list[str] | None = None) -> Gateway:
        gateway = Gateway(
            zscaler_stub(*options, "--pid-file", "server.pid"),
            tools=tools,
            proxy={"timeouts": {"connection_timeout": START}, "upstream": {"env": {"PYTHON_DOTENV_DISABLED": "1"}}},
        )
        made.append(gateway)
        empty = gateway.directory / "empty"
        empty.mkdir()
        gateway.configuration["proxy"]["upstream"]["cwd"] = str(empty)
        gateway.write_configuration()
        (gateway.directory / ".env").write_text(CREDENTIALS + ON)
        return gateway.start(START).ready(START)

    yield make
    for gateway in made:
        gateway.close()
