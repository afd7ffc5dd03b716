"""Batches exist at revision 2025-03-26 only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gateway import Gateway
from harness.lines import message
from harness.upstreams import echo

pytestmark = pytest.mark.gateway
BATCHING = "2025-03-26"


def call(tool: str, request_id: object) -> dict:
    return message("tools/call", {"name": tool, "arguments": {}}, request_id)


def test_a_batch_gets_one_array_with_an_answer_for_each_request(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(echo(), tools=["echo"]).start()
    with gateway.session(version=BATCHING) as client:
        client.send([call("echo", 1), message("notifications/cancelled", {"requestId": 99}), call("danger", 2),
                     call("echo", 3)])  # fmt: skip
        answers = client.receive()
        assert isinstance(answers, list)
        by_id = {answer["id"]: answer for answer in answers}
        assert sorted(by_id) == [1, 2, 3]
        assert len(answers) == 3
        assert "result" in by_id[1] and "result" in by_id[3]
        assert by_id[2]["error"]["code"] == -32000
        assert client.silent_after() == []


def test_a_batch_of_notifications_gets_no_answer(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session(version=BATCHING) as client:
        client.send([message("notifications/cancelled", {"requestId": 99})])
        assert client.silent_after() == []


def test_an_empty_batch_is_refused_with_one_object(make_gateway: Callable[..., Gateway]) -> None:
    with make_gateway(echo()).start().session(version=BATCHING) as client:
        client.send([])
        assert client.answer_to(None)["error"]["code"] == -32600


def test_a_batch_of_more_than_64_never_reaches_the_upstream(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway([])
    log = gateway.directory / "received.log"
    gateway.configuration["proxy"]["upstream"]["command"] = echo(log=log)
    gateway.write_configuration()
    with gateway.start().session(version=BATCHING) as client:
        client.send([call("echo", i) for i in range(65)])
        answer = client.receive()
        codes = [one["error"]["code"] for one in (answer if isinstance(answer, list) else [answer])]
        assert set(codes) == {-32600}
        assert client.silent_after() == []
    assert b"tools/call" not in log.read_bytes()


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25"])
def test_other_revisions_have_no_batches(make_gateway: Callable[..., Gateway], version: str) -> None:
    with make_gateway(echo()).start().session(version=version) as client:
        client.send([call("echo", 1)])
        answer = client.receive()
        assert isinstance(answer, dict)
        assert answer["error"]["code"] == -32600
        assert client.silent_after() == []
