"""A real client through `gatekit connect`, while the daemon behind it stays and while it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.bridge import ALLOWED, Bridge, everything
from harness.client import Answers, Refused, Session, open_session
from harness.gateway import Gateway
from harness.lines import text_of
from harness.waiting import eventually, wait_until

pytestmark = pytest.mark.gateway

WATCHED = "test://watched-resource"
LOUD = ["warning", "error", "critical", "alert", "emergency"]


def make(make_gateway: Callable[..., Gateway], **proxy: object) -> Gateway:
    return make_gateway(everything(), tools=ALLOWED, proxy={"timeouts": {"shutdown_timeout": 2}, **proxy}).start().ready()


async def in_flight(gateway: Gateway, count: int) -> None:
    """Waits until so many calls of `slow` are on record, and so with the upstream."""
    await eventually(lambda: len(gateway.audit.records("REQUEST", tool="slow")) >= count, "the calls were admitted")


async def refusal(session: Session) -> Refused:
    with pytest.raises(Refused) as refused:
        await session.call("slow", {"seconds": 30})
    return refused.value


async def expect_level_and_subscription(session: Session) -> None:
    """The upstream has both, whichever process it is."""
    counted = len(session.inbox.of("notifications/message"))
    await session.call("logs", {"message": "m"})
    came = await session.inbox.wait_for("notifications/message", counted + len(LOUD))
    assert [params["level"] for params in came[counted:]] == LOUD
    counted = len(session.inbox.of("notifications/resources/updated"))
    await session.call("touch", {"uri": WATCHED})
    await session.inbox.wait_for("notifications/resources/updated", counted + 1)


async def test_a_session_through_the_bridge_is_a_session(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make(make_gateway)

    async def sample(_params: dict) -> dict:
        return {"role": "assistant", "content": {"type": "text", "text": "sampled"}, "model": "m"}

    bridge = Bridge.to(gateway)
    async with open_session(bridge, Answers(sampling=sample)) as session:
        assert "sampled" in (await session.call("sample", {"prompt": "p"}))["content"][0]["text"]
        steps: list[float] = []
        await session.call("progress", {"steps": 3}, lambda done, _message: steps.append(done))
        assert len(steps) == 3
        big = await session.call("big", {"size": 5_000_000})
        assert len(big["content"][0]["text"]) == 5_000_000
        assert (await session.call("digest", {"blob": "x" * 5_000_000}))["content"][0]["text"].startswith("5000000 ")
    assert bridge.log() == ""


@pytest.mark.parametrize("way", ["restart", "kill"])
async def test_the_session_goes_on_when_the_daemon_is_replaced(
    make_gateway: Callable[..., Gateway], way: str
) -> None:
    gateway = make(make_gateway)
    async with open_session(Bridge.to(gateway)) as session:
        await session.request("logging/setLevel", {"level": "warning"})
        await session.request("resources/subscribe", {"uri": WATCHED})
        await expect_level_and_subscription(session)
        calls = [asyncio.create_task(refusal(session)) for _ in range(3)]
        await in_flight(gateway, 3)
        if way == "restart":
            ended = await asyncio.to_thread(gateway.run, "restart")
            assert ended.returncode == 0, ended
        else:
            gateway.kill()
            await asyncio.to_thread(gateway.start)
        for refused in [await call for call in calls]:
            assert refused.code == -32603
            # A daemon that ends cleanly answers what it can.
            assert refused.data["reason"] in ({"connection_lost"} if way == "kill" else {"connection_lost", "shutting_down"})
            if refused.data["reason"] == "connection_lost":
                assert refused.message == "connection lost, outcome unknown"
        for what in ("tools", "prompts", "resources"):
            await session.inbox.wait_for(f"notifications/{what}/list_changed")
        await expect_level_and_subscription(session)
    records = gateway.audit.complete_records()
    slow = [record for record in records if record["event_type"] == "REQUEST" and record.get("tool") == "slow"]
    assert len(slow) == 3, "a call was sent twice"
    assert len({record["run"] for record in records}) == 2


async def test_calls_that_come_while_there_is_no_daemon_are_answered_by_the_next(
    make_gateway: Callable[..., Gateway],
) -> None:
    gateway = make(make_gateway)
    bridge = Bridge.to(gateway)
    async with open_session(bridge) as session:
        gateway.kill()
        await eventually(lambda: "lost the daemon" in bridge.log(), "the bridge had noticed")
        calls = [asyncio.create_task(session.call("echo", {"text": str(number)})) for number in range(20)]
        await asyncio.to_thread(gateway.start)
        for number, call in enumerate(calls):
            assert (await call)["content"][0]["text"] == str(number)


async def test_two_bridges_do_not_notice_each_other(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make(make_gateway)
    async with open_session(Bridge.to(gateway), name="one") as one, open_session(Bridge.to(gateway), name="two") as two:
        gateway.kill()
        await asyncio.to_thread(gateway.start)
        answers = await asyncio.gather(*(
            session.call("echo", {"text": f"{name} {number}"})
            for number in range(20)
            for name, session in (("one", one), ("two", two))
        ))  # fmt: skip
        assert [answer["content"][0]["text"] for answer in answers] == [
            f"{name} {number}" for number in range(20) for name in ("one", "two")
        ]


def test_many_restarts_under_load_lose_and_double_nothing(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make(make_gateway)
    bridge = Bridge.to(gateway)
    with bridge.launch() as client:
        client.handshake()
        sent = 0
        for _round in range(3):
            for _call in range(30):
                sent += 1
                client.send({
                    "jsonrpc": "2.0", "id": sent, "method": "tools/call",
                    "params": {"name": "echo", "arguments": {"text": str(sent)}},
                })  # fmt: skip
            gateway.kill()
            gateway.start()
        seen: dict[int, dict] = {}
        while len(seen) < sent:
            message = client.receive()
            assert isinstance(message, dict)
            if "id" not in message:
                continue
            assert message["id"] not in seen, message
            seen[message["id"]] = message
        for number, message in seen.items():
            if "error" in message:
                assert message["error"]["data"]["reason"] == "connection_lost"
            else:
                assert text_of(message) == str(number)
        assert client.call("echo", {"text": "end"}, "end")["id"] == "end"
        assert client.silent_after() == []


def test_a_daemon_that_offers_less_ends_the_session(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make(make_gateway)
    bridge = Bridge.to(gateway)
    with bridge.launch(code=1) as client:
        client.handshake()
        gateway.kill()
        wait_until(lambda: "lost the daemon" in bridge.log(), "the bridge had noticed")
        client.send({"jsonrpc": "2.0", "id": "late", "method": "tools/list"})
        marked = [everything()[0], str(everything()[1]).replace("everything_server_mcp1", "marked")]
        gateway.configuration["proxy"]["upstream"]["command"] = marked
        gateway.write_configuration()
        gateway.start()
        error = client.answer_to("late")["error"]
        assert error["code"] == -32603
        assert "prompts" in error["message"] and "resources" in error["message"], error
        assert client.receive() is None
    assert "no longer offers what this session was promised" in bridge.log()
