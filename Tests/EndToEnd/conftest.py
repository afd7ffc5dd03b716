"""Fixtures: a gateway in front of an upstream, checked when it has ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from harness.gateway import Gateway, binary, is_passthrough


def pytest_configure() -> None:
    try:
        binary()
    except AssertionError as missing:
        raise pytest.UsageError(str(missing)) from None


def pytest_report_header() -> str:
    return f"under test: {' '.join(binary())}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("gateway") and is_passthrough():
            item.add_marker(pytest.mark.skip(reason="only a gateway does this"))
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The SDKs run on asyncio in practice."""
    return "asyncio"


@pytest.fixture
def make_gateway() -> Iterator[Callable[..., Gateway]]:
    """Makes gateways that are stopped and verified at the end of the test; they are not started yet."""
    made: list[Gateway] = []

    def make(*arguments: object, **options: object) -> Gateway:
        gateway = Gateway(*arguments, **options)  # type: ignore[arg-type]
        made.append(gateway)
        return gateway

    yield make
    failures = []
    for gateway in made:
        try:
            gateway.close(verify=not gateway.killed)
        except AssertionError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
