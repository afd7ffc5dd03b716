"""Log messages, list changes and resource updates, which the eras ask for in different ways."""

from __future__ import annotations

import pytest

from features.test_progress_and_cancellation import counters
from harness.client import Answers, open_session
from harness.gateway import Gateway, is_passthrough
from harness.matrix import NO_OPENING, NO_PING, NO_ROOTS_CHANGED, Cell

LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
WATCHED = "test://watched-resource"


@pytest.mark.parametrize("level", ["debug", "warning", "emergency"])
async def test_log_messages_arrive_from_the_level_that_was_asked_for(gateway: Gateway, cell: Cell, level: str) -> None:
    async with open_session(gateway) as session:
        await session.request("logging/setLevel", {"level": level})
        await session.call("logs", {"message": "m"})
        await session.inbox.wait_for("notifications/message")
        await session.request("ping")
        came = session.inbox.of("notifications/message")
        # In the legacy era the everything servers filter nothing, so there it is the gateway that does.
        unfiltered = is_passthrough() and cell.client_era == "legacy"
        assert [params["level"] for params in came] == (LEVELS if unfiltered else LEVELS[LEVELS.index(level) :])
        assert {params["logger"] for params in came} == {"fixture"}
        assert [params["data"] for params in came] == [{"m": "m", "lv": params["level"]} for params in came]


async def test_log_messages_and_progress_come_while_a_call_runs(gateway: Gateway) -> None:
    async with open_session(gateway) as session:
        await session.request("logging/setLevel", {"level": "debug"})
        assert (await session.call("test_tool_with_logging"))["content"][0]["text"].endswith("executed successfully")
        came = await session.inbox.wait_for("notifications/message", 3)
        assert [(params["level"], params["data"]) for params in came] == [
            ("info", f"Tool {what}") for what in ("execution started", "processing data", "execution completed")
        ]
        seen: list[tuple[float, str | None]] = []
        await session.call("test_tool_with_progress", progress=lambda done, message: seen.append((done, message)))
        assert seen == [(float(done), f"Completed step {done} of 100") for done in (0, 50, 100)]


async def test_all_three_lists_can_change(gateway: Gateway) -> None:
    async with open_session(gateway) as session, session.watching():
        await session.call("change_lists")
        for what in ("tools", "prompts", "resources"):
            await session.inbox.wait_for(f"notifications/{what}/list_changed")


async def test_subscriptions_keep_no_log_messages_back(gateway: Gateway) -> None:
    async with open_session(gateway) as session, open_session(gateway) as watcher:
        # In the modern era each request says its level from now on, `subscriptions/listen` too. What a call logs never
        # comes on the stream of that one, so there is no doubt whose it is.
        for one in (session, watcher):
            await one.request("logging/setLevel", {"level": "emergency"})
        async with session.watching(), watcher.watching():
            await session.call("logs", {"message": "m"})
            await session.inbox.wait_for("notifications/message")


@pytest.mark.everything2
async def test_one_list_can_change(gateway: Gateway, cell: Cell) -> None:
    async with open_session(gateway) as session, session.watching():
        for tool, what in (("test_trigger_tool_change", "tools"), ("test_trigger_prompt_change", "prompts")):
            await session.call(tool)
            if cell.upstream_era == "modern":
                await session.inbox.wait_for(f"notifications/{what}/list_changed")
        await session.request("ping")
        # In the legacy era these tools tell nobody; there it is `change_lists` that does.
        told = [message["method"].split("/")[1] for message in session.inbox.messages]
        assert told == (["tools", "prompts"] if cell.upstream_era == "modern" else [])


async def test_a_server_is_told_that_roots_changed(gateway: Gateway, cell: Cell) -> None:
    if "modern" in (cell.client_era, cell.upstream_era):
        pytest.skip(NO_ROOTS_CHANGED)

    async def roots(_params: dict) -> dict:
        return {"roots": []}

    async with open_session(gateway, Answers(roots=roots)) as session:
        before = (await counters(session))["roots_changed"]
        await session.tell_roots_changed()
        assert (await counters(session))["roots_changed"] == before + 1


async def test_an_update_reaches_those_who_subscribed_until_they_unsubscribe(gateway: Gateway) -> None:
    async with open_session(gateway) as session, open_session(gateway) as stranger:
        async with session.watching(WATCHED):
            await session.call("touch", {"uri": WATCHED})
            came = await session.inbox.wait_for("notifications/resources/updated")
            assert [params["uri"] for params in came] == [WATCHED]
            await stranger.request("ping")
            assert stranger.inbox.of("notifications/resources/updated") == []
        await session.request("ping")
        await session.call("touch", {"uri": WATCHED})
        await session.request("ping")
        assert len(session.inbox.of("notifications/resources/updated")) == 1


async def test_the_session_is_told_the_upstreams_name_and_that_tools_may_change(gateway: Gateway, cell: Cell) -> None:
    if cell.mode == "2026-07-28":
        pytest.skip(NO_OPENING)
    async with open_session(gateway) as session:
        assert session.opened["instructions"].startswith("Everything server")
        assert session.opened["capabilities"]["tools"]["listChanged"] is True
        if session.is_modern:
            assert session.opened["supportedVersions"] == ["2026-07-28"]
            info = session.opened["_meta"]["io.modelcontextprotocol/serverInfo"]
        else:
            assert session.opened["protocolVersion"] == "2025-11-25"
            info = session.opened["serverInfo"]
        assert info["name"].startswith("everything-mcp")
        assert info["version"] == "1.2.3"
        if cell.upstream_era == "legacy":  # the server's discover result has none
            assert session.opened["capabilities"]["experimental"] == {"fixture": {"x": 1}}


async def test_the_upstream_can_ping(gateway: Gateway, cell: Cell) -> None:
    if cell.upstream_era == "modern":
        pytest.skip(NO_PING)
    async with open_session(gateway) as session:
        assert (await session.call("ping_client"))["content"][0]["text"] == "pong"


async def test_a_client_gets_the_era_that_it_opens_in(gateway: Gateway, cell: Cell) -> None:
    async with open_session(gateway) as session:
        assert session.is_modern == (cell.client_era == "modern")
