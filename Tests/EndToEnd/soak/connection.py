"""HTTP/1.1 over asyncio, as it stands on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

CAP = 1 << 22


@dataclass
class Head:
    """Status and fields of a response."""

    status: int
    fields: dict[str, str]

    @property
    def is_stream(self) -> bool:
        return self.fields.get("content-type") == "text/event-stream"


@dataclass
class Event:
    """One server-sent event."""

    id: str
    data: str


class Connection:
    """One connection that is kept; its caller reads each response to the end before the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=CAP))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()

    async def head(self) -> Head:
        """The next head; EOFError when the connection has ended instead."""
        status, *lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].decode().split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return Head(int(status.split()[1]), fields)

    async def body(self, head: Head) -> bytes:
        """The rest of a response that is no stream."""
        return await self.reader.readexactly(int(head.fields.get("content-length", 0)))

    async def events(self) -> AsyncIterator[Event]:
        """The rest of a response that is a stream, comments left out. Events may lie across chunks."""
        text = b""
        while size := int((await self.reader.readuntil(b"\r\n"))[:-2], 16):
            text += (await self.reader.readexactly(size + 2))[:-2]
            *whole, text = text.split(b"\n\n")
            for event in whole:
                fields = dict(line.split(": ", 1) for line in event.decode().split("\n") if line and line[0] != ":")
                if fields:
                    yield Event(fields["id"], fields["data"])
        await self.reader.readexactly(2)
