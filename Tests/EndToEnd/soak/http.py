"""A client on the HTTP door."""

from __future__ import annotations

import asyncio
import json
import random

from harness.gateway import Gateway
from harness.lines import message

from .client import PATIENCE, Call, Client, Left
from .connection import Connection, Event
from .findings import Findings

DROPS, ABANDONS = 0.05, 0.01
"""How likely a call's POST is dropped to be taken up again by GET, and how likely for good."""


class HTTPClient(Client):
    """One session over several connections: POSTs at once or one behind the other, most of them also a GET stream."""

    def __init__(
        self, gateway: Gateway, port: int, name: str, chance: random.Random, findings: Findings
    ) -> None:
        super().__init__(gateway, name, chance, findings)
        self.port = port
        self.key = ""
        # One connection may be given all POSTs of a turn at once: its answers come in their order.
        self.most = chance.choice([1, 2, 8])
        self.pipelines = self.most == 1 and chance.random() < 0.5
        # A question of the server's comes on the session's own stream, for which only GET serves.
        self.listens = self.samples or chance.random() < 0.6
        self.slots = asyncio.Semaphore(self.most)
        self.idle: list[Connection] = []
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task] = set()
        self.events: set[str] = set()
        self.stream: Connection | None = None
        self.abandoned = 0

    # MARK: - A session's life

    async def run(self, ended: asyncio.Event) -> None:
        try:
            await self.handshake()
            if self.listens:
                self.spawn(self.listen())
            for _ in range(self.chance.randint(3, 40)):
                if ended.is_set():
                    break
                await self.turn()
            if not self.abandoned:
                self.findings.orderly[self.name] = self.calls
            if self.chance.random() < 0.6:
                await self.delete()
        except Left:
            self.findings.counts["sessions ended by their client amid calls"] += 1
        finally:
            self.leaving = True
            for task in self.tasks:
                task.cancel()
            for failure in await asyncio.gather(*self.tasks, return_exceptions=True):
                if isinstance(failure, Exception):
                    self.findings.violated(f"{self.name}: {failure!r}")
            for connection in self.connections:
                connection.abort()

    async def handshake(self) -> None:
        connection = await self.connect()
        connection.send(self.request("POST", self.hello))
        async with asyncio.timeout(PATIENCE):
            head = await connection.head()
            if head.status != 200 or head.is_stream:
                self.findings.violated(f"{self.name}: initialize got {head}")
                raise Left
            await self.welcomed(json.loads(await connection.body(head)))
        self.key = head.fields["mcp-session-id"]
        self.idle.append(connection)
        await self.tell(message("notifications/initialized"))
        self.findings.counts["sessions, http"] += 1

    async def turn(self) -> None:
        """Some calls at once, and sometimes harm."""
        requests = [(number, self.make(number)) for number in range(1, self.chance.randint(1, 8) + 1)]
        if self.pipelines:
            self.spawn(self.post_all(requests))
        else:
            for number, request in requests:
                self.spawn(self.post(number, request))
        if self.chance.random() < ABANDONS:
            await self.abandon()
        harm = self.chance.random()
        if harm < 0.004:
            await self.send_half()
            raise Left
        if harm < 0.012:
            raise Left
        if harm < 0.016:
            self.leaving = True
            await self.delete()
            raise Left
        if harm < 0.04 and self.open:
            number = self.chance.choice(list(self.open))
            self.cancelled[number] = self.open[number]
            self.findings.counts["calls cancelled"] += 1
            await self.tell(message("notifications/cancelled", {"requestId": number}))
        if harm > 0.95 and self.stream:
            self.findings.counts["GET streams dropped"] += 1
            self.stream.abort()
        await self.all_done()
        await self.rest()

    # MARK: - Calls

    async def post(self, number: int, request: dict) -> None:
        """One call on a connection that is free."""
        call = self.open[number]
        async with self.slots:
            connection = await self.connect()
            connection.send(self.request("POST", request))
            try:
                if await self.read_answer(connection, number, call, drops=self.chance.random() < DROPS):
                    self.idle.append(connection)
            except (OSError, EOFError) as failure:
                self.broken(call, failure)
        self.over(number, call)

    async def post_all(self, requests: list[tuple[int, dict]]) -> None:
        """All calls on one connection, none waiting for the answer of another."""
        calls = [(number, self.open[number]) for number, _ in requests]
        async with self.slots:
            connection = await self.connect()
            connection.send(b"".join(self.request("POST", request) for _, request in requests))
            for number, call in calls:
                try:
                    await self.read_answer(connection, number, call)
                except (OSError, EOFError) as failure:
                    self.broken(call, failure)
                self.over(number, call)
            self.idle.append(connection)
        self.findings.counts["POSTs pipelined"] += len(calls)

    async def read_answer(self, connection: Connection, number: int, call: Call, drops: bool = False) -> bool:
        """Reads what belongs to one call, over several connections when the client drops them; whether the first is
        still good."""
        head = await connection.head()
        if not head.is_stream:
            body = await connection.body(head)
            if head.status == 200:
                self.of_call(json.loads(body), number)
            elif not self.leaving:
                self.findings.violated(f"{call.nonce}: {head} {body!r}")
            return True
        last: Event | None = None
        wanted = self.chance.randint(1, 4) if drops else 0
        async for event in connection.events():
            if last and event.id.split(".")[0] != last.id.split(".")[0]:
                self.findings.violated(f"{call.nonce}: event {event.id} follows {last.id} on one stream")
            last = event
            self.take(event, number)
            wanted -= 1
            if wanted == 0 and self.open.get(number) is call:
                break
        else:
            return True
        self.findings.counts["POSTs dropped and taken up again"] += 1
        await self.take_up(connection, number, call, last)
        return False

    async def take_up(self, dropped: Connection, number: int, call: Call, last: Event) -> None:
        """Hangs up, and comes back for what is missing of a call's stream, sometimes later."""
        self.connections.discard(dropped)
        if self.chance.random() < 0.5:
            dropped.abort()
        else:
            dropped.close()
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.random() * 0.6)
        connection = await self.connect()
        connection.send(self.request("GET", last=last.id))
        head = await connection.head()
        if head.status != 200:
            if not self.leaving:
                self.findings.violated(f"{call.nonce}: coming back after {last.id} got {head}")
            return
        async for event in connection.events():
            if event.id.split(".")[0] != last.id.split(".")[0]:
                # The client would wait for its answer for ever.
                self.findings.violated(f"{call.nonce}: coming back after {last.id} got a stream with {event.id}")
                break
            self.take(event, number)
        else:
            self.idle.append(connection)

    def of_call(self, received: dict, number: int) -> None:
        """A message in the answer to a call's POST."""
        method = received.get("method")
        if method == "notifications/progress" and received["params"]["progressToken"] == number:
            self.progress(received["params"])
        elif method == "sampling/createMessage":
            self.sample(received)
        elif method == "notifications/cancelled":
            self.withdrawn(received["params"])
        elif method is None and received.get("id") == number:
            self.answered(number, received)
        else:
            self.findings.violated(f"{self.name}: misrouted: on the POST of {number} came {str(received)[:300]}")

    def take(self, event: Event, number: int) -> None:
        self.seen(event)
        if event.data:
            self.of_call(json.loads(event.data), number)

    def seen(self, event: Event) -> None:
        if event.id in self.events:
            self.findings.violated(f"{self.name}: doubled: event {event.id}")
        self.events.add(event.id)

    def broken(self, call: Call, failure: Exception) -> None:
        if not self.leaving:
            self.findings.violated(f"{call.nonce}: its connection broke: {failure!r}")

    def over(self, number: int, call: Call) -> None:
        """The answer to a call's POST has ended: with an answer, unless the client cancelled it or has left."""
        is_open = self.open.get(number) is call
        if is_open:
            del self.open[number]
        if self.cancelled.get(number) is call:
            del self.cancelled[number]
        elif is_open and not self.leaving:
            self.findings.violated(f"{call.nonce}: lost: its POST ended without an answer")
        call.done.set()

    async def abandon(self) -> None:
        """A call whose answer nobody wants: its id is not used again, since it is in flight for as long as it takes."""
        self.abandoned += 1
        number = 1000 + self.abandoned
        connection = await self.connect()
        connection.send(self.request("POST", self.make(number)))
        del self.open[number]
        await connection.writer.drain()
        self.connections.discard(connection)
        connection.close()
        self.findings.counts["POSTs dropped for good"] += 1

    async def send_half(self) -> None:
        connection = await self.connect()
        request = self.request("POST", message("tools/call", {"name": "work"}, 99))
        connection.send(request[: self.chance.randint(1, len(request) - 1)])
        await connection.writer.drain()
        self.findings.counts["halves of requests"] += 1

    # MARK: - The session's own stream

    async def listen(self) -> None:
        """A GET stream, taken up again where it was dropped."""
        last = ""
        while not self.leaving:
            self.stream = await self.connect(new=True)
            self.stream.send(self.request("GET", last=last))
            try:
                head = await self.stream.head()
                if head.status != 200 and not self.leaving:
                    return self.findings.violated(f"{self.name}: GET got {head}")
                async for event in self.stream.events():
                    self.seen(event)
                    last = event.id
                    if event.data:
                        self.of_session(json.loads(event.data))
            except (OSError, EOFError):
                continue  # dropped, and if by the gateway the next GET says why
            if not self.leaving:
                return self.findings.violated(f"{self.name}: the gateway ended the GET stream")

    def of_session(self, received: dict) -> None:
        method = received.get("method")
        if method == "sampling/createMessage":
            self.sample(received)
        elif method == "notifications/cancelled":
            self.withdrawn(received["params"])
        elif method == "notifications/tools/list_changed":
            self.findings.counts["changes told on GET streams"] += 1
        else:
            self.findings.violated(f"{self.name}: misrouted: on the GET stream came {str(received)[:300]}")

    # MARK: - The rest

    def answer_question(self, answer: dict) -> None:
        self.spawn(self.tell(answer))

    async def tell(self, notification: dict) -> None:
        """What is not answered, beside the calls' connections."""
        connection = await self.connect()
        connection.send(self.request("POST", notification))
        try:
            head = await connection.head()
            body = await connection.body(head)
        except (OSError, EOFError) as failure:
            if not self.leaving:
                self.findings.violated(f"{self.name}: {notification} got {failure!r}")
            return
        if head.status != 202 and not self.leaving:
            self.findings.violated(f"{self.name}: {notification} got {head} {body!r}")
        self.idle.append(connection)

    async def delete(self) -> None:
        connection = await self.connect()
        self.leaving = True
        connection.send(self.request("DELETE"))
        head = await connection.head()
        if head.status != 200:
            self.findings.violated(f"{self.name}: DELETE got {head}")
        self.findings.counts["sessions deleted"] += 1

    async def connect(self, new: bool = False) -> Connection:
        """One that is idle, else a new one."""
        if self.idle and not new:
            return self.idle.pop()
        connection = await Connection.open(self.port)
        self.connections.add(connection)
        return connection

    def spawn(self, work) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task: asyncio.Task) -> None:
        # What fails is kept for the session's end.
        if task.cancelled() or task.exception() is None:
            self.tasks.discard(task)

    def request(self, method: str, body: dict | None = None, last: str = "") -> bytes:
        content = json.dumps(body).encode() if body else b""
        fields = {
            "Host": f"127.0.0.1:{self.port}", "Accept": "application/json, text/event-stream",
            "Mcp-Session-Id": self.key, "Last-Event-ID": last,
            "MCP-Protocol-Version": "2025-11-25" if self.key else "",
            **({"Content-Type": "application/json", "Content-Length": str(len(content))} if body else {}),
        }  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        return f"{method} /mcp HTTP/1.1\r\n{head}\r\n".encode() + content
