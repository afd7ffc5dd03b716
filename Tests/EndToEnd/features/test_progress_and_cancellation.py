"""What belongs to a call while it runs."""

from __future__ import annotations

import json

from harness.client import Session, open_session
from harness.gateway import Gateway
from harness.waiting import eventually


async def counters(session: Session) -> dict:
    """The everything server's own counts."""
    return json.loads((await session.call("state"))["content"][0]["text"])


async def test_progress_arrives_in_order_and_before_the_result(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        seen: list[object] = []
        result = await session.call("progress", {"steps": 20}, lambda done, message: seen.append((done, message)))
        seen.append(result["content"][0]["text"])
        assert seen == [*((float(i), f"step {i}") for i in range(1, 21)), "done 20"]


async def test_progress_of_two_sessions_does_not_cross(gateway: Gateway) -> None:
    async with open_session(gateway) as one, open_session(gateway) as other:
        of_one: list[float] = []
        of_other: list[float] = []
        await one.call("progress", {"steps": 3}, lambda done, _: of_one.append(done))
        await other.call("progress", {"steps": 5}, lambda done, _: of_other.append(done))
        assert (of_one, of_other) == ([1, 2, 3], [1, 2, 3, 4, 5])


async def test_a_cancelled_call_is_cancelled_in_the_upstream(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        before = await counters(session)

        async def started() -> bool:
            return (await counters(session))["started"] > before["started"]

        async def cancelled() -> bool:
            return (await counters(session))["cancelled"] > before["cancelled"]

        await session.abandon_call("slow", {"seconds": 50}, eventually(started, "the slow call had started"))
        await eventually(cancelled, "the upstream's call was cancelled")
        assert (await session.call("echo", {"text": "still here"}))["content"][0]["text"] == "still here"
