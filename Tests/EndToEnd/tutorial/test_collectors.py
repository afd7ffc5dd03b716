"""The tutorial's blocks for Filebeat and Datadog, and the files that we ship for them."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
import yaml

from harness.upstreams import REPOSITORY
from tutorial.collectors import (
    ECS_AT_THE_ROOT,
    datadog_level,
    expect_datadog,
    expect_filebeat,
    expect_pipeline,
    matches,
)
from tutorial.document import Block
from tutorial.workbench import Audited, Workbench

pytestmark = pytest.mark.gateway

AUDIT_LOG = "/var/log/gatekit/audit.log"


def every_event() -> list[dict]:
    """A record of every event, from the README's table, which the unit tests compare with what is printed."""
    readme = (REPOSITORY / "README.md").read_text()
    cells = re.findall(r"(?m)^\| [A-Z_]+(?:, \w+)? \| json \| `(.*)` \|$", readme)
    context = re.search(r'"server_name": .*?"seq": 2', readme, re.DOTALL)
    assert context and len(cells) > 15
    return [json.loads(cell.replace("…", context[0].replace("\n", " "))) for cell in cells]


def test_no_member_collides_with_the_elastic_common_schema(audited: Audited) -> None:
    """Filebeat puts them at the root, where an object of that name would conflict with a word."""
    members = {member for record in [*audited.records(), *every_event()] for member in record}
    assert {"timestamp", "event_type", "server_name", "duration_ms", "reason"} <= members
    assert not members & ECS_AT_THE_ROOT


@pytest.mark.block(33)
def test_filebeat(blocks: list[Block]) -> None:
    options = expect_filebeat(yaml.safe_load(blocks[0].text))
    assert options["fields"] == {"logtype": "gatekit", "environment": "production"}


def test_filebeat_as_shipped(audited: Audited) -> None:
    options = expect_filebeat(yaml.safe_load((REPOSITORY / "etc" / "filebeat.yml").read_text()))
    assert options["paths"][0] == AUDIT_LOG
    (processor,) = options["processors"]
    settings = processor["timestamp"]
    assert settings["layouts"] == ["2006-01-02T15:04:05Z"], "Go's reference time in the shape of our timestamps"
    for record in audited.records():
        datetime.strptime(record[settings["field"]], "%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.block(34)
def test_datadog(bench: Workbench, blocks: list[Block]) -> None:
    """The commands append to a file of the agent; its directory is moved below the test's."""
    target = bench.root / "etc" / "datadog-agent"
    (target / "conf.d" / "gatekit.d").mkdir(parents=True)
    for command in blocks[0].commands():
        assert command.count("/etc/datadog-agent/") == 1
        bench.bash(command.replace("/etc/datadog-agent", str(target)))
    options = expect_datadog(yaml.safe_load((target / "conf.d" / "gatekit.d" / "conf.yaml").read_text()))
    assert options == {"type": "file", "path": "/path/to/logs/audit.log", "service": "gatekit", "source": "json"}


def test_datadog_as_shipped() -> None:
    options = expect_datadog(yaml.safe_load((REPOSITORY / "etc" / "datadog.yaml").read_text()))
    assert options["path"] == AUDIT_LOG


def test_datadog_levels(audited: Audited, bench: Workbench) -> None:
    """The pipeline, taken out with the command that the file gives, makes of each record the level that it should."""
    assert datadog_level("ALLOWED") == "alert" and datadog_level("BLOCKED") == "info", "which is why it is needed"
    pipeline = json.loads(bench.bash(f"sed -n 's/^#| //p' {REPOSITORY}/etc/datadog.yaml").stdout)
    expect_pipeline(pipeline)
    categories, remapper = pipeline["processors"]
    assert remapper["sources"] == [categories["target"]]

    def level(record: dict) -> str:
        assert categories["target"] not in record
        fitting = (one["name"] for one in categories["categories"] if matches(one["filter"]["query"], record))
        return datadog_level(next(fitting))

    expected = {"SECURITY_BLOCK": "warning", "INVALID_MESSAGE": "warning", "AUDIT_GAP": "critical"}
    records = [*audited.records(), *every_event()]
    for record in records:
        failed = record.get("status") in ("error", "ERROR")
        assert level(record) == expected.get(record["event_type"], "error" if failed else "info"), record
    assert {level(record) for record in records} == {"critical", "warning", "error", "info"}
