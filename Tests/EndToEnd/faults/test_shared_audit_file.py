"""Two gateways on one audit file, as two clients with one configuration make them, lose nothing at rotation."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

import pytest

from harness.audit import expect_gapless, expect_pairs, parse
from harness.gateway import Gateway
from harness.upstreams import echo

pytestmark = pytest.mark.gateway

CALLS = 3000


def test_rotation_by_two_gateways_loses_no_record(make_gateway: Callable[..., Gateway]) -> None:
    options = {"max_file_size_mb": 0.02, "backup_count": 900}
    first = make_gateway(echo(), door="stdio", tools=["echo"], audit=options)
    second = make_gateway(echo(), door="stdio", tools=["echo"], audit=options, audit_path=first.audit.path)
    failures: list[BaseException] = []

    def pour(gateway: Gateway) -> None:
        try:
            with gateway.stdio() as client:
                client.handshake()
                for _ in range(CALLS):
                    client.call("echo", {"x": 1})
        except BaseException as failure:  # noqa: BLE001 - the test reports it
            failures.append(failure)

    threads = [threading.Thread(target=pour, args=(gateway,)) for gateway in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures
    by_run: dict[str, list[dict]] = defaultdict(list)
    files = sorted(first.directory.glob("audit.log.[0-9]*"), key=lambda path: -int(path.suffix[1:]))
    assert len(files) > 10, "too few rotations to prove anything"
    for path in [*files, first.audit.path]:
        for line in path.read_bytes().splitlines():
            record = parse(line)
            by_run[record["run"]].append(record)
    assert len(by_run) == 2
    for run, records in by_run.items():
        # A gateway may go on in a file for a moment after the other has moved it away.
        records.sort(key=lambda record: record["seq"])
        expect_gapless(run, records)
        expect_pairs(run, records)
        assert sum(record["event_type"] == "RESPONSE" for record in records) == CALLS + 1
    second.close(verify=False)
    first.close(verify=False)
