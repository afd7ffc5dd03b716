"""The audit file, and what must hold for it whatever happened."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

LINE_BREAKS_OF_OTHERS = ("\u0085", "\u2028", "\u2029", "\r", "\x1b")


class Audit:
    """Reads a json audit file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[bytes]:
        """Every finished line, without its newline. One may be half written while the gateway runs: a reader sees a
        write(2) page by page."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole, newline, _unfinished = content.rpartition(b"\n")
        return whole.split(b"\n") if newline else []

    def records(self, event: str | None = None, **members: object) -> list[dict]:
        """The records of one type whose members have these values; all of them without arguments."""
        records = [parse(line) for line in self.lines()]
        return [
            record
            for record in records
            if event in (None, record["event_type"]) and all(record.get(k) == v for k, v in members.items())
        ]

    def complete_records(self) -> list[dict]:
        """Like `records`, where a kill may have torn the last line, and only that."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole, newline, _torn = content.rpartition(b"\n")
        return [parse(line) for line in whole.split(b"\n")] if newline else []

    def requests(self) -> Counter[str]:
        """How often each request id was admitted."""
        return Counter(record["request_id"] for record in self.records("REQUEST"))

    def verify(self, killed_runs: int = 0) -> None:
        """Every promise that holds after a clean end; the first `killed_runs` runs in the file had none."""
        content = self.path.read_bytes()
        assert content.endswith(b"\n"), "the last record is torn"
        records = self.records()
        by_run: dict[str, list[dict]] = defaultdict(list)
        for record in records:
            by_run[record["run"]].append(record)
        for run, of_run in list(by_run.items()):
            expect_gapless(run, of_run)
        for run, of_run in list(by_run.items())[killed_runs:]:
            expect_pairs(run, of_run)
            assert of_run[0]["event_type"] == "AUDIT_START", f"run {run} begins with {of_run[0]}"
            assert of_run[-1]["event_type"] == "AUDIT_STOP", f"run {run} ends with {of_run[-1]}"


def parse(line: bytes) -> dict:
    """One record; strict about what may stand in a line."""
    text = line.decode("utf-8")
    assert not any(breaker in text for breaker in LINE_BREAKS_OF_OTHERS), f"a raw control character in {line!r}"
    assert text == text.rstrip(), f"trailing space in {line!r}"
    record = json.loads(text)
    for member in ("timestamp", "event_type", "run", "seq"):
        assert member in record, f"no {member} in {line!r}"
    return record


def expect_gapless(run: str, records: list[dict]) -> None:
    """`seq` counts from 1; a number that is missing is one that an AUDIT_GAP owns up to."""
    numbers = [record["seq"] for record in records]
    assert numbers == sorted(set(numbers)), f"run {run}: seq does not rise: {numbers}"
    missing = sorted(set(range(1, numbers[-1] + 1)) - set(numbers))
    owned = sum(record["count"] for record in records if record["event_type"] == "AUDIT_GAP")
    assert len(missing) == owned, f"run {run}: seq lacks {missing}, AUDIT_GAP says {owned}"


def expect_pairs(run: str, records: list[dict]) -> None:
    """Every REQUEST has exactly one RESPONSE after it, by session and request id.

    The ids 1 and "1" may both be in flight and read alike here, so they are counted, not told apart.
    """
    open_calls: Counter[tuple[str, str]] = Counter()
    for record in records:
        call = (record.get("session_id", ""), record.get("request_id", ""))
        if record["event_type"] == "REQUEST":
            open_calls[call] += 1
        elif record["event_type"] == "RESPONSE":
            open_calls[call] -= 1
            assert open_calls[call] >= 0, f"run {run}: a RESPONSE without REQUEST for {call}: {record}"
    left = [call for call, count in open_calls.items() if count]
    assert not left, f"run {run}: no RESPONSE for {left}"
