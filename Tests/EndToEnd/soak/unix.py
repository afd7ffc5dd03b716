"""A client on the Unix socket."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

from harness.lines import encode, message

from .client import PATIENCE, Client, Left


class UnixClient(Client):
    """One connection is one session."""

    async def run(self, ended: asyncio.Event) -> None:
        connection = await connected(self.gateway.socket_path)
        self.reader, self.writer = await asyncio.open_unix_connection(sock=connection, limit=1 << 22)
        reading: asyncio.Task | None = None
        try:
            await self.handshake()
            reading = asyncio.create_task(self.read())
            for _ in range(self.chance.randint(3, 40)):
                if ended.is_set():
                    break
                await self.turn()
            self.findings.orderly[self.name] = self.calls
        except Left:
            self.findings.counts["sessions ended by their client amid calls"] += 1
        finally:
            self.leaving = True
            self.writer.close()
            if reading:
                await reading

    async def handshake(self) -> None:
        self.writer.write(encode(self.hello))
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        await self.welcomed(json.loads(line or b"{}"))
        self.writer.write(encode(message("notifications/initialized")))
        self.findings.counts["sessions, unix"] += 1

    async def turn(self) -> None:
        """Some calls at once, and sometimes harm."""
        for request_id in range(1, self.chance.randint(1, 8) + 1):
            self.writer.write(encode(self.make(request_id)))
        harm = self.chance.random()
        if harm < 0.004:
            self.writer.write(encode(message("tools/call", {"name": "work"}, 99))[:-9])
            raise Left
        if harm < 0.012:
            self.writer.transport.abort()
            raise Left
        if harm < 0.04:
            self.cancel(self.chance.choice(list(self.open)))
        await self.writer.drain()
        await self.all_done()
        await self.rest()

    def cancel(self, request_id: int) -> None:
        """The answer may be on its way already; once a ping is answered, none may come any more."""
        self.writer.write(encode(message("notifications/cancelled", {"requestId": request_id})))
        self.writer.write(encode(message("ping", None, f"fence {request_id}")))
        self.cancelled[request_id] = self.open[request_id]
        self.findings.counts["calls cancelled"] += 1

    def answer_question(self, answer: dict) -> None:
        self.writer.write(encode(answer))

    async def read(self) -> None:
        try:
            while line := await self.reader.readline():
                self.receive(json.loads(line))
        except OSError:
            pass  # an aborted connection; whether that was meant is seen below
        if not self.leaving:
            self.findings.violated(f"{self.name}: the gateway closed the session")
            self.leaving = True
        for call in [*self.open.values(), *self.cancelled.values()]:
            call.done.set()

    def receive(self, received: dict) -> None:
        method, request_id = received.get("method"), received.get("id")
        if method == "notifications/progress":
            self.progress(received["params"])
        elif method == "sampling/createMessage":
            self.sample(received)
        elif method == "notifications/cancelled":
            self.withdrawn(received["params"])
        elif method is None and isinstance(request_id, str) and request_id.startswith("fence "):
            number = int(request_id[6:])
            call = self.cancelled.pop(number)
            if self.open.get(number) is call:
                del self.open[number]
            call.done.set()
        elif method is None:
            self.answered(request_id, received)


async def connected(path: Path) -> socket.socket:
    """Connects; asyncio by itself takes a full backlog (EAGAIN) for a connection."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        try:
            connection.connect(str(path))
            return connection
        except BlockingIOError:
            connection.close()
            await asyncio.sleep(0.01)
