"""What revision 2026-07-28 demands where all messages share one channel: on stdio, and on the Unix door, whose lines
are the same ("basic/transports/stdio" and "basic/patterns"). Behind it are servers of both eras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.gateway import Gateway
from harness.lines import Lines, is_answer
from harness.stateless import META, VERSION, request
from harness.upstreams import everything
from harness.waiting import wait_until

from interim import CAPABILITIES, SAMPLED, calling, retry

pytestmark = pytest.mark.gateway

LISTS = ("tools", "prompts", "resources")
WATCHED = "test://watched-resource"


@contextmanager
def opened(door: str, era: str) -> Iterator[tuple[Gateway, Lines]]:
    gateway = Gateway([*everything(2), f"--{era}-only"], door=door, era=era, tools=["*"])
    gateway.upstream_name = era
    try:
        if door == "unix":
            gateway.start().ready()
        with gateway.connect() if door == "unix" else gateway.stdio() as lines:
            yield gateway, lines
    finally:
        gateway.close()


@pytest.fixture(scope="module", params=["unix-modern", "unix-legacy", "stdio-modern", "stdio-legacy"])
def channel(request: pytest.FixtureRequest) -> Iterator[tuple[Gateway, Lines]]:
    """One client that the tests of this module take turns with: no request depends on those before it, but for the
    first one, which chooses the era."""
    with opened(*request.param.split("-")) as pair:
        assert use(pair[1], "first", "echo", text="x") == "x"
        yield pair


@pytest.fixture
def gateway(channel: tuple[Gateway, Lines]) -> Gateway:
    return channel[0]


@pytest.fixture
def lines(channel: tuple[Gateway, Lines]) -> Iterator[Lines]:
    yield channel[1]
    left, channel[1].aside = channel[1].aside, []
    assert left == [], "each test took all that came for it"


def ask(lines: Lines, body: dict) -> dict:
    """The answer to a request."""
    lines.send(body)
    return lines.answer_to(body["id"])


def use(lines: Lines, identifier: object, tool: str, **arguments: object) -> str:
    """What a tool says."""
    found = ask(lines, request("tools/call", identifier, name=tool, arguments=arguments))["result"]
    assert found["resultType"] == "complete"
    return found["content"][0]["text"]


def told(lines: Lines, subscription: object) -> dict:
    """The next notification that came or comes, which must be of this subscription."""
    found = lines.aside.pop(0) if lines.aside else lines.receive()
    assert isinstance(found, dict) and "id" not in found, found
    assert found["params"]["_meta"][META + "subscriptionId"] == subscription
    return found


def listen(lines: Lines, identifier: object, **notifications: object) -> None:
    """Opens a subscription."""
    lines.send(request("subscriptions/listen", identifier, notifications=notifications))
    first = told(lines, identifier)
    assert first["method"] == "notifications/subscriptions/acknowledged"
    assert first["params"]["notifications"] == notifications


def cancel(lines: Lines, identifier: object) -> None:
    lines.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": identifier}})


@pytest.mark.parametrize("identifier", ["text", "", 0, -5, 2**53 - 1], ids=repr)
def test_an_id_comes_back_as_it_was_sent(lines: Lines, identifier: object) -> None:
    answer = ask(lines, request("server/discover", identifier))
    assert answer["result"]["resultType"] == "complete"
    assert answer["result"]["supportedVersions"] == [VERSION]


@pytest.mark.parametrize("field", ["protocolVersion", "clientCapabilities"])
def test_a_request_without_a_required_field_is_refused(lines: Lines, field: str) -> None:
    assert ask(lines, request("tools/list", "m", meta={META + field: None}))["error"]["code"] == -32602
    assert ask(lines, {"jsonrpc": "2.0", "id": "n", "method": "tools/list"})["error"]["code"] == -32602


def test_who_the_client_is_need_not_be_said(lines: Lines) -> None:
    assert ask(lines, request("prompts/list", "p", meta={META + "clientInfo": None}))["result"]["prompts"]


def test_an_unknown_version_is_told_what_is_spoken(lines: Lines) -> None:
    error = ask(lines, request("tools/list", "v", meta={META + "protocolVersion": "1900-01-01"}))["error"]
    assert (error["code"], error["data"]) == (-32022, {"supported": [VERSION], "requested": "1900-01-01"})


@pytest.mark.parametrize(
    "method", ["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "roots/list", "no/such"]
)
def test_methods_that_are_no_more(lines: Lines, method: str) -> None:
    error = ask(lines, request(method, "gone", uri=WATCHED, level="info"))["error"]
    assert error["code"] == -32601


def test_a_capability_that_is_needed_and_not_declared(lines: Lines) -> None:
    error = ask(lines, request("tools/call", "c", name="test_missing_capability", arguments={}))["error"]
    assert (error["code"], error["data"]["requiredCapabilities"]) == (-32021, {"sampling": {}})


def test_what_is_needed_is_asked_for_in_a_result(lines: Lines) -> None:
    body = calling("sample", "asks", prompt="why")
    found = ask(lines, body)["result"]
    assert lines.aside == [], "a server sends no requests"
    assert found["resultType"] == "input_required"
    ((key, question),) = found["inputRequests"].items()
    assert question["method"] == "sampling/createMessage"
    answer = ask(lines, retry(body, found, {key: SAMPLED}))["result"]
    assert (answer["resultType"], answer["content"][0]["text"]) == ("complete", "model=fixture text=Paris")


def test_progress_comes_before_the_result_and_names_its_token(lines: Lines) -> None:
    body = request("tools/call", "p", meta={"progressToken": "t"}, name="test_tool_with_progress", arguments={})
    assert ask(lines, body)["result"]["resultType"] == "complete"
    came, lines.aside = lines.aside, []
    assert [(each["params"]["progressToken"], each["params"]["progress"]) for each in came] == [
        ("t", 0), ("t", 50), ("t", 100)
    ]  # fmt: skip


@pytest.mark.parametrize(("level", "count"), [(None, 0), ("error", 4), ("emergency", 1)])
def test_a_call_logs_from_the_level_that_it_asks_for(lines: Lines, level: str | None, count: int) -> None:
    body = request("tools/call", "l", meta={META + "logLevel": level}, name="logs", arguments={"message": "m"})
    assert ask(lines, body)["result"]["content"][0]["text"] == "logged"
    came, lines.aside = lines.aside, []
    assert [each["method"] for each in came] == ["notifications/message"] * count


def test_nothing_comes_for_a_request_that_was_cancelled(gateway: Gateway, lines: Lines) -> None:
    lines.send(request("tools/call", "dropped", meta={"progressToken": "d"}, name="slow", arguments={"seconds": 60}))
    cancel(lines, "dropped")
    wait_until(lambda: gateway.audit.records("RESPONSE", request_id="dropped"), "it had ended")
    cancel(lines, "dropped")
    cancel(lines, "never sent")
    assert use(lines, "after", "echo", text="x") == "x"
    assert not any(is_answer(message, "dropped") for message in lines.aside)


def test_a_subscription_tells_what_was_asked_for_until_it_is_cancelled(lines: Lines) -> None:
    listen(lines, "tools", toolsListChanged=True)
    listen(lines, 7, promptsListChanged=True, resourceSubscriptions=[WATCHED])
    assert use(lines, "change", "change_lists") == "changed"
    use(lines, "touch", "touch", uri=WATCHED)
    came: dict[object, list[str]] = {"tools": [], 7: []}
    while len(came["tools"]) + len(came[7]) < 3:
        message = lines.aside.pop(0) if lines.aside else lines.receive()
        came[message["params"]["_meta"][META + "subscriptionId"]].append(message["method"])
    assert came == {
        "tools": ["notifications/tools/list_changed"],
        7: ["notifications/prompts/list_changed", "notifications/resources/updated"],
    }
    cancel(lines, 7)
    use(lines, "again", "change_lists")
    assert told(lines, "tools")["method"] == "notifications/tools/list_changed"
    cancel(lines, "tools")
    use(lines, "last", "change_lists")


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_server_that_ends_answers_its_subscriptions(make_gateway: Callable[..., Gateway], era: str) -> None:
    gateway = make_gateway([*everything(2), f"--{era}-only"], era=era, tools=["*"]).start().ready()
    with gateway.connect() as lines:
        listen(lines, "open", toolsListChanged=True)
        assert gateway.process
        gateway.process.terminate()
        last = lines.answer_to("open")
        assert last["result"] == {"resultType": "complete", "_meta": {META + "subscriptionId": "open"}}
        assert lines.aside == [] and lines.receive() is None
        assert gateway.process.wait(20) == 0
        gateway.process = None
