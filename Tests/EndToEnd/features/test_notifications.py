"""What the upstream tells without being asked."""

from __future__ import annotations

import pytest

from features.test_progress_and_cancellation import counters
from harness.client import open_session
from harness.gateway import Gateway, is_passthrough

LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
WATCHED = "test://watched-resource"


@pytest.mark.parametrize("level", ["debug", "warning", "emergency"])
async def test_log_messages_arrive_from_the_level_that_was_asked_for(gateway: Gateway, level: str) -> None:
    async with open_session(gateway) as session:
        await session.request("logging/setLevel", {"level": level})
        await session.call("logs", {"message": "m"})
        await session.inbox.wait_for("notifications/message")
        await session.request("ping")
        came = [params["level"] for params in session.inbox.of("notifications/message")]
        # The everything servers filter nothing, so here it is the gateway that does.
        assert came == (LEVELS if is_passthrough() else LEVELS[LEVELS.index(level) :])
        assert (await counters(session))["level"] == level


async def test_all_three_lists_can_change(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        await session.call("change_lists")
        for what in ("tools", "prompts", "resources"):
            await session.inbox.wait_for(f"notifications/{what}/list_changed")


async def test_an_update_reaches_those_who_subscribed_until_they_unsubscribe(gateway: Gateway) -> None:
    async with open_session(gateway) as session, open_session(gateway) as stranger:
        await session.request("resources/subscribe", {"uri": WATCHED})
        assert WATCHED in (await counters(session))["subscribed"]
        await session.call("touch", {"uri": WATCHED})
        assert await session.inbox.wait_for("notifications/resources/updated") == [{"uri": WATCHED}]
        await stranger.request("ping")
        assert stranger.inbox.of("notifications/resources/updated") == []
        await session.request("resources/unsubscribe", {"uri": WATCHED})
        assert WATCHED not in (await counters(session))["subscribed"]
        await session.call("touch", {"uri": WATCHED})
        await session.request("ping")
        assert len(session.inbox.of("notifications/resources/updated")) == 1


@pytest.mark.gateway
async def test_one_subscription_upstream_serves_two_sessions(gateway: Gateway) -> None:
    if gateway.door == "stdio":
        pytest.skip("over stdio the sessions share no upstream")
    async with open_session(gateway) as one:
        async with open_session(gateway) as other:
            for session in (one, other):
                await session.request("resources/subscribe", {"uri": WATCHED})
            await one.call("touch", {"uri": WATCHED})
            for session in (one, other):
                await session.inbox.wait_for("notifications/resources/updated")
            await other.request("resources/unsubscribe", {"uri": WATCHED})
            assert WATCHED in (await counters(one))["subscribed"]
        await one.call("touch", {"uri": WATCHED})
        await one.inbox.wait_for("notifications/resources/updated", 2)
