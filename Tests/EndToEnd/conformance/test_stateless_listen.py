"""`subscriptions/listen` of revision 2026-07-28, behind servers of both eras."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.gateway import Gateway
from harness.http import HTTP, Connection
from harness.stateless import META, ask, begin, request, result
from harness.upstreams import everything
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

WATCHED = "test://watched-resource"
LISTS = ("tools", "prompts", "resources")


@contextmanager
def listening(http: HTTP, identifier: object, **notifications: object) -> Iterator[Connection]:
    """A subscription that was acknowledged."""
    with begin(http, request("subscriptions/listen", identifier, notifications=notifications)) as stream:
        head = stream.head()
        assert (head.status, head.is_stream, head.headers["x-accel-buffering"]) == (200, True, "no")
        assert "mcp-session-id" not in head.headers
        first = stream.event()
        assert first and first.id is None, "there is no coming back to it"
        assert first.message["method"] == "notifications/subscriptions/acknowledged"
        assert first.message["params"] == {
            "notifications": notifications, "_meta": {META + "subscriptionId": identifier}
        }  # fmt: skip
        yield stream


def next_of(stream: Connection, identifier: object) -> dict:
    """The next notification, which must name its subscription."""
    event = stream.event()
    assert event and "id" not in event.message
    assert event.message["params"]["_meta"][META + "subscriptionId"] == identifier
    return event.message


def use(http: HTTP, tool: str, **arguments: object) -> str:
    return result(http, "tools/call", name=tool, arguments=arguments)["content"][0]["text"]


@pytest.mark.parametrize(
    "asked",
    [{}, {"toolsListChanged": True}, {"promptsListChanged": True, "resourcesListChanged": True},
     {"resourceSubscriptions": [WATCHED, "test://static-text"]}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("identifier", ["text", 7], ids=["string", "number"])
def test_the_first_message_says_what_will_be_told(http: HTTP, identifier: object, asked: dict) -> None:
    with listening(http, identifier, **asked):
        pass


def test_each_list_that_changes_is_told(http: HTTP) -> None:
    with listening(http, "all", **{f"{what}ListChanged": True for what in LISTS}) as stream:
        assert use(http, "change_lists") == "changed"
        told = {next_of(stream, "all")["method"] for _ in LISTS}
    assert told == {f"notifications/{what}/list_changed" for what in LISTS}


@pytest.mark.parametrize("what", LISTS)
def test_nothing_comes_that_was_not_asked_for(http: HTTP, what: str) -> None:
    with listening(http, 1, **{f"{what}ListChanged": True}) as stream:
        for _ in range(2):
            assert use(http, "change_lists") == "changed"
            assert next_of(stream, 1)["method"] == f"notifications/{what}/list_changed"


def test_updates_come_for_the_resources_that_were_named(http: HTTP) -> None:
    with listening(http, "r", resourceSubscriptions=[WATCHED], toolsListChanged=True) as stream:
        use(http, "touch", uri="test://static-text")
        use(http, "touch", uri=WATCHED)
        updated = next_of(stream, "r")
        assert (updated["method"], updated["params"]["uri"]) == ("notifications/resources/updated", WATCHED)
        use(http, "change_lists")
        assert next_of(stream, "r")["method"] == "notifications/tools/list_changed", "there was one update only"


def test_each_subscription_has_its_own_id(http: HTTP) -> None:
    with listening(http, 1, promptsListChanged=True) as one, listening(http, "1", promptsListChanged=True) as two:
        assert use(http, "change_lists") == "changed"
        for stream, identifier in ((one, 1), (two, "1")):
            assert next_of(stream, identifier)["method"] == "notifications/prompts/list_changed"


def test_what_belongs_to_a_request_does_not_come_here(http: HTTP) -> None:
    body = request("tools/call", meta={"progressToken": "p"}, name="test_tool_with_progress", arguments={})
    with listening(http, "l", toolsListChanged=True) as stream:
        assert len(ask(http, body).events) == 4
        logging = request("tools/call", meta={META + "logLevel": "debug"}, name="test_tool_with_logging", arguments={})
        assert ask(http, logging).status == 200
        use(http, "change_lists")
        assert next_of(stream, "l")["method"] == "notifications/tools/list_changed"


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_server_that_ends_answers_it(make_gateway: Callable[..., Gateway], era: str) -> None:
    gateway = make_gateway([*everything(2), f"--{era}-only"], door="http", era=era, tools=["*"]).start().ready()
    with listening(HTTP(gateway.port), "open", toolsListChanged=True) as stream:
        assert gateway.process
        gateway.process.terminate()
        last = stream.event()
        assert last and last.message["id"] == "open"
        assert last.message["result"] == {"resultType": "complete", "_meta": {META + "subscriptionId": "open"}}
        assert stream.event() is None
        assert gateway.process.wait(20) == 0
        gateway.process = None


def test_closing_ends_it(gateway: Gateway, http: HTTP) -> None:
    def subscribed() -> list[str]:
        return json.loads(use(http, "state"))["subscribed"]

    uri = "test://unicode"
    with listening(http, "closes", resourceSubscriptions=[uri]):
        assert gateway.upstream_name == "modern" or subscribed() == [uri], "a legacy server is asked for it"
    wait_until(lambda: gateway.audit.records("RESPONSE", request_id="closes"), "it had ended")
    wait_until(lambda: not subscribed(), "the server was told")
