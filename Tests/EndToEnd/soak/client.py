"""A client in the soak, whichever door it comes through: its calls, and what their answers must be."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from harness.gateway import Gateway
from harness.lines import initialize_params, message

from .findings import Findings

PATIENCE = 90
"""Seconds after which an answer is lost: more than restarts and `connection_timeout` together."""
STEPS = 3
ALLOWED_REASONS = {"upstream_exited", "upstream_unavailable", "overloaded"}
LONGEST_PAUSE = 6
"""Seconds; well below the sessions' idle time-out."""


class Left(Exception):
    """The client has left on purpose, or may not stay."""


@dataclass
class Call:
    """A call in flight."""

    nonce: str
    tool: str
    done: asyncio.Event = field(default_factory=asyncio.Event)
    steps: int = 0


class Client:
    """One session from its beginning to its end. Ids and tokens are the same in all sessions."""

    def __init__(self, gateway: Gateway, name: str, chance: random.Random, findings: Findings) -> None:
        self.gateway = gateway
        self.name = name
        self.chance = chance
        self.findings = findings
        self.samples = chance.random() < 0.1
        self.open: dict[int, Call] = {}
        self.cancelled: dict[int, Call] = {}
        self.asked: set[int] = set()
        """Ids of the questions that came."""
        self.calls = 0
        self.leaving = False

    async def run(self, ended: asyncio.Event) -> None:
        """The whole life; raises nothing but what the machine does not allow."""
        raise NotImplementedError

    def answer_question(self, answer: dict) -> None:
        """Sends the answer to a question of the server's."""
        raise NotImplementedError

    @property
    def hello(self) -> dict:
        capabilities = {"sampling": {}} if self.samples else {}
        return message("initialize", initialize_params(capabilities=capabilities, name=self.name), "hello")

    async def welcomed(self, answer: dict) -> None:
        """Whether the answer to `initialize` lets the client stay."""
        if answer.get("id") != "hello":
            self.findings.violated(f"{self.name}: initialize got {str(answer)[:200]}")
            raise Left
        if "error" in answer:
            self.expect_allowed(answer["error"], "initialize")
            self.findings.counts["sessions refused"] += 1
            await asyncio.sleep(self.chance.random())
            raise Left

    def make(self, request_id: int) -> dict:
        """A call with an id that is free."""
        self.calls += 1
        call = Call(nonce=f"{self.name}/{self.calls}", tool=self.chance.choice(["work", "work", "a", "b"]))
        self.open[request_id] = call
        arguments: dict = {"nonce": call.nonce, "steps": STEPS}
        if self.samples and self.chance.random() < 0.3:
            arguments["ask"] = True
        elif self.chance.random() < 0.2:
            arguments["delay"] = self.chance.random() * 0.5
        if self.chance.random() < 0.02:
            arguments["pad"] = "x" * self.chance.randint(1, 30_000)
        params = {"name": call.tool, "arguments": arguments, "_meta": {"progressToken": request_id}}
        self.findings.counts["calls"] += 1
        return message("tools/call", params, request_id)

    async def all_done(self) -> None:
        """Waits until every call has ended."""
        for call in [*self.open.values(), *self.cancelled.values()]:
            try:
                await asyncio.wait_for(call.done.wait(), PATIENCE)
            except TimeoutError:
                self.findings.violated(f"{self.name}: lost: no answer to {call.nonce} within {PATIENCE} s")
                raise Left from None
            if self.leaving:
                raise Left

    async def rest(self) -> None:
        await asyncio.sleep(min(self.chance.expovariate(1 / 0.8), LONGEST_PAUSE))

    # MARK: - What comes

    def progress(self, params: dict) -> None:
        call = self.open.get(params["progressToken"])
        if call is None or params["message"] != f"{call.nonce} {call.steps + 1}":
            held = call and f"{call.nonce} {call.steps}"
            self.findings.violated(f"{self.name}: misrouted progress {params['message']}, had {held}")
        else:
            call.steps += 1

    def sample(self, asked: dict) -> None:
        self.asked.add(asked["id"])
        text = asked["params"]["messages"][0]["content"]["text"]
        if not self.samples or not text.startswith(self.name + "/"):
            self.findings.violated(f"{self.name}: misrouted question about {text}")
        result = {"role": "assistant", "content": {"type": "text", "text": f"for {text}"}, "model": "soak"}
        self.answer_question({"jsonrpc": "2.0", "id": asked["id"], "result": result})
        self.findings.counts["questions to clients"] += 1

    def withdrawn(self, params: dict) -> None:
        """The server does not wait for an answer to a question any more."""
        if params["requestId"] not in self.asked:
            self.findings.violated(f"{self.name}: misrouted: a question was withdrawn that never came: {params}")
        self.findings.counts["questions withdrawn"] += 1

    def answered(self, request_id: object, answer: dict) -> None:
        call = self.open.pop(request_id, None) if isinstance(request_id, int) else None
        if call is None:
            return self.findings.violated(f"{self.name}: doubled or misrouted: an answer to {request_id}: {answer}")
        if self.cancelled.get(request_id) is not call:
            call.done.set()
        if "error" in answer:
            return self.expect_allowed(answer["error"], call.nonce, call.tool)
        content = answer["result"]["structuredContent"]
        if content["nonce"] != call.nonce:
            self.findings.violated(f"{self.name}: misrouted: {call.nonce} got the answer of {content['nonce']}")
        if call.steps != STEPS:
            self.findings.violated(f"{call.nonce}: {call.steps} of {STEPS} steps of progress before the answer")
        self.findings.counts["results"] += 1

    def expect_allowed(self, error: dict, what: str, tool: str = "") -> None:
        reason = error.get("data", {}).get("reason")
        if error["code"] == -32000 and tool in ("a", "b") and error["message"] == f"not {tool}":
            self.findings.counts["calls blocked by policy"] += 1
        elif error["code"] == -32603 and reason in ALLOWED_REASONS:
            self.findings.counts[f"errors: {reason}"] += 1
        else:
            self.findings.violated(f"{what}: an error that nothing explains: {error}")
