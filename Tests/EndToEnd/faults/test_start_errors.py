"""A gateway that cannot start says why: on stderr, and to the client that waits on its pipes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import DEVNULL, PIPE

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, initialize_params, message
from harness.upstreams import echo, everything

pytestmark = pytest.mark.gateway


@contextmanager
def failing(gateway: Gateway) -> Iterator[Lines]:
    """A client of a gateway that must exit with 1."""
    process = gateway.spawn(stdin=PIPE, stdout=PIPE)
    assert process.stdin and process.stdout
    with process, Lines(process.stdout, process.stdin) as client:
        yield client
        assert client.receive() is None
        assert process.wait(20) == 1


def expect_refused(gateway: Gateway, *reasons: str) -> None:
    """The waiting client gets the error to its `initialize`, and the reason stands in it and on stderr."""
    gateway.killed = True  # no audit is owed by one that never served
    with failing(gateway) as client:
        client.send(message("initialize", initialize_params(), "hello"))
        error = client.answer_to("hello")["error"]
    for reason in reasons:
        assert reason in error["message"], error
        assert reason in gateway.log(), gateway.log()


def test_a_missing_configuration_is_named(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), door="stdio")
    gateway.config_path.unlink()
    expect_refused(gateway, str(gateway.config_path))


def test_every_problem_of_a_bad_configuration_is_told_with_its_place(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), door="stdio")
    gateway.write_configuration("proxy:\n  transport: stdio\n  upstream:\n    command: 7\n    colour: red\n")
    expect_refused(gateway, "gatekit.yaml:5:", "colour")
    assert "gatekit.yaml:4:" in gateway.log()


def test_an_upstream_that_does_not_exist_is_named(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(["/nonexistent/server"], door="stdio")
    expect_refused(gateway, "/nonexistent/server")


@pytest.mark.parametrize(
    ("era", "version", "reason"),
    [
        ("modern", 1, "it speaks no revision of the modern era; set proxy.upstream.era to auto"),
        ("legacy", 2, "if it speaks only the modern era, set proxy.upstream.era to auto"),
    ],
)
def test_an_upstream_of_another_era_than_was_configured_is_named(
    make_gateway: Callable[..., Gateway], era: str, version: int, reason: str
) -> None:
    command = everything(version) if version == 1 else [*everything(version), "--modern-only"]
    gateway = make_gateway(command, door="stdio", era=era, proxy={"timeouts": {"connection_timeout": 8}})
    expect_refused(gateway, reason)
    assert "did not shake hands within connection_timeout (8.0 s); it answered" in gateway.log()


def test_an_audit_file_that_cannot_be_opened_is_named(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), door="stdio")
    gateway.audit.path.mkdir()
    expect_refused(gateway, str(gateway.audit.path))


def test_a_socket_that_a_living_gateway_holds_is_not_stolen(make_gateway: Callable[..., Gateway]) -> None:
    living = make_gateway(echo()).start()
    thief = make_gateway(echo(), proxy={"unix": {"path": str(living.socket_path)}})
    thief.killed = True  # it never serves
    process = thief.spawn(stdin=DEVNULL, stdout=DEVNULL)
    assert process.wait(20) == 1
    assert str(living.socket_path) in thief.log()
    with living.session() as client:
        assert "result" in client.call("echo")


def test_a_stale_socket_is_taken_over(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo()).start()
    gateway.kill()
    assert gateway.socket_path.exists()
    with gateway.start().session() as client:
        assert "result" in client.call("echo")
