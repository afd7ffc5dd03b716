"""The scenarios of revision 2026-07-28 in which a request needs something from its client: an interim result asks, and
a retry with an id of its own answers. A modern server's questions pass; those that a legacy server sends as requests
are turned into such results.
"""

from __future__ import annotations

import pytest

from harness.gateway import Gateway
from harness.http import HTTP
from harness.stateless import ask

from interim import CAPABILITIES, ROOTS, SAMPLED, accept, calling, interim, retry, said

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize(
    ("tool", "arguments", "method", "reply", "expected"),
    [
        ("sample", {"prompt": "why"}, "sampling/createMessage", SAMPLED, "model=fixture text=Paris"),
        ("elicit", {"message": "who"}, "elicitation/create", accept(name="Ada", age=36), "accept:Ada:36"),
        ("roots", {}, "roots/list", ROOTS, '["file:///srv/work"]'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_retry_brings_what_was_asked(
    http: HTTP, tool: str, arguments: dict, method: str, reply: dict, expected: str
) -> None:
    body = calling(tool, **arguments)
    found = interim(http, body)
    ((key, question),) = found["inputRequests"].items()
    assert question["method"] == method
    assert said(http, retry(body, found, {key: reply})) == expected


@pytest.mark.parametrize("gateway", ["legacy"], indirect=True)
@pytest.mark.parametrize(
    ("tool", "arguments", "needed"),
    [("sample", {"prompt": "why"}, "sampling"), ("elicit", {"message": "who"}, "elicitation"), ("roots", {}, "roots")],
    ids=["sampling", "elicitation", "roots"],
)  # fmt: skip
def test_what_a_legacy_server_asks_for_undeclared_is_named(
    http: HTTP, tool: str, arguments: dict, needed: str
) -> None:
    others = {name: value for name, value in CAPABILITIES.items() if name != needed}
    answer = ask(http, calling(tool, "undeclared", others, **arguments))
    assert (answer.status, answer.message["id"]) == (400, "undeclared"), answer
    assert answer.message["error"]["code"] == -32021
    assert list(answer.message["error"]["data"]["requiredCapabilities"]) == [needed]


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_user_may_decline(http: HTTP, action: str) -> None:
    body = calling("elicit", message="who")
    found = interim(http, body)
    (key,) = found["inputRequests"]
    assert said(http, retry(body, found, {key: {"action": action}})) == action


@pytest.mark.parametrize(
    ("tool", "names"),
    [("test_elicitation_sep1034_defaults", ["name", "age", "score", "status", "verified"]),
     ("test_elicitation_sep1330_enums",
      ["untitledSingle", "titledSingle", "legacyEnum", "untitledMulti", "titledMulti"])],
    ids=["defaults", "enums"],
)  # fmt: skip
def test_a_question_arrives_whole(gateway: Gateway, http: HTTP, tool: str, names: list[str]) -> None:
    if gateway.upstream_name == "modern":
        pytest.skip("these tools send requests, which no server of this era can")
    body = calling(tool)
    found = interim(http, body)
    ((key, question),) = found["inputRequests"].items()
    properties = question["params"]["requestedSchema"]["properties"]
    assert list(properties) == names
    if "status" in properties:
        assert [each["default"] for each in properties.values()] == ["John Doe", 30, 95.5, "active", True]
    else:
        assert properties["legacyEnum"]["enumNames"] == ["One", "Two", "Three"]
        assert properties["titledMulti"]["items"]["anyOf"][2] == {"const": "value3", "title": "Option 3"}
    assert said(http, retry(body, found, {key: accept()})) == "Elicitation completed: action=accept, content={}"


def test_an_interim_result_is_not_cacheable(http: HTTP) -> None:
    found = interim(http, calling("sample", prompt="why"))
    assert not {"ttlMs", "cacheScope"} & set(found)


def test_a_state_that_was_changed_is_refused(http: HTTP) -> None:
    body = calling("elicit", message="who")
    found = interim(http, body)
    (key,) = found["inputRequests"]
    state = found["requestState"]
    at = len(state) // 2
    for wrong in (state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1 :], state[:at], "forged"):
        answer = ask(http, retry(body, {**found, "requestState": wrong}, {key: accept(name="Eve")}))
        assert answer.message["error"]["code"] == -32602, answer


def test_what_was_not_asked_is_ignored(http: HTTP) -> None:
    body = calling("sample", prompt="why")
    found = interim(http, body)
    (key,) = found["inputRequests"]
    assert said(http, retry(body, found, {key: SAMPLED, "unknown": {"action": "cancel"}})).endswith("text=Paris")


def test_a_retry_without_the_answer_is_asked_again(http: HTTP) -> None:
    body = calling("sample", prompt="why")
    found = interim(http, body)
    again = interim(http, retry(body, found, {"unknown": SAMPLED}, "again"))
    ((key, question),) = again["inputRequests"].items()
    assert question["method"] == "sampling/createMessage"
    assert said(http, retry(body, again, {key: SAMPLED})).endswith("text=Paris")


@pytest.mark.parametrize("malformed", [[], "text", 7, {"q": 5}], ids=str)
def test_responses_that_cannot_be_read_are_refused(http: HTTP, malformed: object) -> None:
    body = calling("elicit", message="who")
    found = interim(http, body)
    if isinstance(malformed, dict):
        malformed = dict.fromkeys(found["inputRequests"], malformed["q"])
    answer = ask(http, retry(body, found, malformed))
    assert answer.message["error"]["code"] == -32602, answer
