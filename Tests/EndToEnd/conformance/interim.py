"""Interim results of revision 2026-07-28, which ask the client, and the retries that answer them."""

from __future__ import annotations

from harness.http import HTTP
from harness.stateless import ask, request

CAPABILITIES = {"sampling": {}, "elicitation": {"form": {}}, "roots": {}}
SAMPLED = {"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "fixture"}
ROOTS = {"roots": [{"uri": "file:///srv/work", "name": "work"}]}


def accept(**content: object) -> dict:
    """The reply of a user who filled in the form."""
    return {"action": "accept", "content": content}


def calling(tool: str, identifier: object = "q", capabilities: dict = CAPABILITIES, **arguments: object) -> dict:
    """A call of `tool` by a client that can be asked."""
    return request("tools/call", identifier, capabilities, name=tool, arguments=arguments)


def interim(http: HTTP, body: dict) -> dict:
    """The result that asks."""
    answer = ask(http, body)
    assert (answer.status, answer.message["id"]) == (200, body["id"]), answer
    found = answer.message["result"]
    assert found["resultType"] == "input_required", found
    assert found["inputRequests"]
    return found


def retry(body: dict, found: dict, replies: object, identifier: object = "r") -> dict:
    """The same request with replies and, where there was one, the state."""
    state = {"requestState": found["requestState"]} if "requestState" in found else {}
    return {**body, "id": identifier, "params": {**body["params"], "inputResponses": replies, **state}}


def said(http: HTTP, body: dict) -> str:
    """What the tool says in the end."""
    answer = ask(http, body)
    assert (answer.status, answer.message["id"]) == (200, body["id"]), answer
    found = answer.message["result"]
    assert found["resultType"] == "complete", found
    return found["content"][0]["text"]
