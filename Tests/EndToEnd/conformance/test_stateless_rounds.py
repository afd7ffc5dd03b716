"""What a modern server puts together when it needs something from its client: the gateway passes it both ways, as it
passes the state, which is the server's own. `test_stateless_input.py` has what servers of both eras can ask.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.gateway import Gateway
from harness.http import HTTP
from harness.stateless import ask, request, result
from harness.upstreams import everything

from interim import CAPABILITIES, ROOTS, SAMPLED, accept, calling, interim, retry, said

pytestmark = pytest.mark.gateway

FIXTURE = "test_input_required_result_"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """In front of a server of the same era."""
    gateway = Gateway([*everything(2), "--modern-only"], door="http", era="modern", tools=["*"])
    try:
        yield gateway.start().ready()
    finally:
        gateway.close()


@pytest.mark.parametrize(
    ("name", "key", "reply", "expected"),
    [
        ("elicitation", "user_name", accept(name="Ada"), "Hello, Ada!"),
        ("sampling", "capital_question", SAMPLED, "Model said: Paris"),
        ("list_roots", "client_roots", ROOTS, "Client exposed 1 root(s)."),
        ("request_state", "confirm", accept(ok=True), "state-ok: confirmation received"),
        ("tampered_state", "confirm", accept(ok=True), "state-ok: r1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_question_is_answered_by_the_retry(http: HTTP, name: str, key: str, reply: dict, expected: str) -> None:
    body = calling(FIXTURE + name)
    found = interim(http, body)
    assert list(found["inputRequests"]) == [key]
    assert said(http, retry(body, found, {key: reply})) == expected


def test_several_questions_at_once(http: HTTP) -> None:
    body = calling(FIXTURE + "multiple_inputs")
    found = interim(http, body)
    assert {key: question["method"] for key, question in found["inputRequests"].items()} == {
        "user_name": "elicitation/create", "greeting": "sampling/createMessage", "client_roots": "roots/list"
    }  # fmt: skip
    replies = {"user_name": accept(name="Ada"), "greeting": SAMPLED, "client_roots": ROOTS}
    assert said(http, retry(body, found, replies)) == "All inputs received."


def test_round_after_round(http: HTTP) -> None:
    body = calling(FIXTURE + "multi_round")
    first = interim(http, body)
    second = interim(http, retry(body, first, {"step1": accept(name="Ada")}, "second"))
    assert list(second["inputRequests"]) == ["step2"]
    assert second["requestState"] != first["requestState"]
    assert said(http, retry(body, second, {"step2": accept(color="green")})) == "Ada likes green."


@pytest.mark.parametrize(
    ("capabilities", "keys"),
    [({"sampling": {}}, ["sample"]), ({"elicitation": {"form": {}}}, ["ask"])],
    ids=["sampling", "elicitation"],
)
def test_nothing_is_asked_that_was_not_declared(http: HTTP, capabilities: dict, keys: list[str]) -> None:
    found = interim(http, calling(FIXTURE + "capabilities", capabilities=capabilities))
    assert list(found["inputRequests"]) == keys


def test_a_prompt_can_ask(http: HTTP) -> None:
    body = request("prompts/get", "q", CAPABILITIES, name=FIXTURE + "prompt")
    found = interim(http, body)
    messages = ask(http, retry(body, found, {"user_context": accept(context="here")})).message["result"]["messages"]
    assert messages[0]["content"]["text"] == "Use the following context: here"


def test_a_capability_that_was_declared(http: HTTP) -> None:
    found = result(http, "tools/call", capabilities={"sampling": {}}, name="test_missing_capability", arguments={})
    assert found["content"][0]["text"] == "sampling declared"
