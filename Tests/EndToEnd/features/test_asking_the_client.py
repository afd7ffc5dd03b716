"""Requests from the upstream to a client. Such a session has a process of its own behind a shared gateway."""

from __future__ import annotations

import json

import anyio
import pytest

from harness.client import Answers, Session, open_session
from harness.gateway import Gateway


async def text(session: Session, tool: str, **arguments: object) -> str:
    """The first text of a call's result."""
    return (await session.call(tool, arguments))["content"][0]["text"]


def sampler(mark: str) -> Answers:
    """Answers a sampling request with its own prompt and `mark`."""

    async def answer(params: dict) -> dict:
        content = params["messages"][0]["content"]
        prompt = (content[0] if isinstance(content, list) else content)["text"]
        return {"role": "assistant", "content": {"type": "text", "text": f"{prompt} {mark}"}, "model": "fixture"}

    return Answers(sampling=answer)


async def test_sampling_is_answered_by_the_client_that_called(gateway: Gateway) -> None:
    async with open_session(gateway, sampler("one")) as session:
        assert await text(session, "sample", prompt="ping") == "model=fixture text=ping one"


async def test_sampling_of_two_sessions_does_not_cross(gateway: Gateway) -> None:
    async with (
        open_session(gateway, sampler("one")) as one,
        open_session(gateway, sampler("two")) as two,
        anyio.create_task_group() as tasks,
    ):

        async def ask(session: Session, mark: str) -> None:
            for i in range(5):
                assert await text(session, "sample", prompt=f"{i}") == f"model=fixture text={i} {mark}"

        tasks.start_soon(ask, one, "one")
        tasks.start_soon(ask, two, "two")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"action": "accept", "content": {"name": "Ada", "age": 36}}, "accept:Ada:36"),
        ({"action": "decline"}, "decline"),
        ({"action": "cancel"}, "cancel"),
    ],
    ids=["accept", "decline", "cancel"],
)
async def test_elicitation_brings_the_users_choice(gateway: Gateway, answer: dict, expected: str) -> None:
    asked: list[str] = []

    async def elicit(params: dict) -> dict:
        asked.append(params["message"])
        return answer

    async with open_session(gateway, Answers(elicitation=elicit)) as session:
        assert await text(session, "elicit", message="Who are you?") == expected
    assert asked == ["Who are you?"]


async def test_roots_are_the_clients_own(gateway: Gateway) -> None:
    async def roots(_params: dict) -> dict:
        return {"roots": [{"uri": "file:///srv/work", "name": "work"}]}

    async with open_session(gateway, Answers(roots=roots)) as session:
        assert json.loads(await text(session, "roots")) == ["file:///srv/work"]


async def test_the_upstream_can_ping_a_client(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        assert await text(session, "ping_client") == "pong"


async def test_a_client_can_ping(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        assert await session.request("ping") == {}


async def test_completion_proposes_and_heeds_the_context(gateway: Gateway) -> None:
    reference = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
    async with open_session(gateway) as session:
        plain = await session.request(
            "completion/complete", {"ref": reference, "argument": {"name": "arg1", "value": "py"}}
        )
        assert plain["completion"]["values"] == ["python", "pytorch"]
        within = await session.request(
            "completion/complete",
            {"ref": reference, "argument": {"name": "arg2", "value": "py"}, "context": {"arguments": {"arg1": "x"}}},
        )
        assert within["completion"]["values"] == ["python-x", "pytorch-x"]
