"""What the documentation of Filebeat and Datadog accepts, as far as our files and the tutorial's blocks use it."""

from __future__ import annotations

import re

FILEBEAT_LOG: dict[str, type] = {
    # https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-log
    "type": str, "allow_deprecated_use": bool, "paths": list, "recursive_glob.enabled": bool, "encoding": str,
    "exclude_lines": list, "include_lines": list, "harvester_buffer_size": int, "max_bytes": int,
    "json.keys_under_root": bool, "json.overwrite_keys": bool, "json.add_error_key": bool, "json.message_key": str,
    "json.document_id": str, "json.ignore_decoding_error": bool, "exclude_files": list, "ignore_older": str,
    "close_inactive": str, "close_renamed": bool, "close_removed": bool, "close_eof": bool, "close_timeout": str,
    "clean_inactive": str, "clean_removed": bool, "scan_frequency": str, "scan.sort": str, "scan.order": str,
    "tail_files": bool, "symlinks": bool, "backoff": str, "max_backoff": str, "backoff_factor": int,
    "harvester_limit": int, "file_identity": dict, "enabled": bool, "tags": list, "fields": dict,
    "fields_under_root": bool, "processors": list, "pipeline": str, "keep_null": bool, "index": str,
    "publisher_pipeline.disable_host": bool,
}  # fmt: skip
"""The `log` input's options and their types; `multiline` is left out, a record is one line."""

FILEBEAT_FILESTREAM: dict[str, type] = {
    # https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream
    "type": str, "id": str, "paths": list, "encoding": str, "exclude_lines": list, "include_lines": list,
    "buffer_size": int, "message_max_bytes": int, "parsers": list, "ignore_older": str, "ignore_inactive": str,
    "take_over": dict, "harvester_limit": int, "file_identity": dict, "enabled": bool, "tags": list, "fields": dict,
    "fields_under_root": bool, "processors": list, "pipeline": str, "keep_null": bool, "index": str,
    "publisher_pipeline.disable_host": bool,
}  # fmt: skip

NDJSON: dict[str, type] = {
    # https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream#_ndjson
    "target": str, "overwrite_keys": bool, "expand_keys": bool, "add_error_key": bool, "message_key": str,
    "document_id": str, "ignore_decoding_error": bool,
}  # fmt: skip

TIMESTAMP_PROCESSOR: dict[str, type] = {
    # https://www.elastic.co/docs/reference/beats/filebeat/processor-timestamp
    "field": str, "target_field": str, "layouts": list, "timezone": str, "test": list, "ignore_missing": bool,
    "ignore_failure": bool, "id": str,
}  # fmt: skip

DATADOG_LOG: dict[str, type] = {
    # https://docs.datadoghq.com/agent/logs/#custom-log-collection
    "type": str, "port": int, "path": str, "channel_path": str, "service": str, "source": str,
    "sourcecategory": str, "include_units": list, "exclude_units": list, "start_position": str, "encoding": str,
    "exclude_paths": list, "tags": list, "log_processing_rules": list,
}  # fmt: skip

DATADOG_PROCESSORS: dict[str, dict[str, type]] = {
    # https://docs.datadoghq.com/logs/log_configuration/processors/category_processor/
    "category-processor": {"type": str, "name": str, "is_enabled": bool, "categories": list, "target": str},
    # https://docs.datadoghq.com/logs/log_configuration/processors/log_status_remapper/
    "status-remapper": {"type": str, "name": str, "is_enabled": bool, "sources": list},
}

DATADOG_PIPELINE: dict[str, type] = {
    # https://docs.datadoghq.com/api/latest/logs-pipelines/#create-a-pipeline
    "name": str, "description": str, "filter": dict, "is_enabled": bool, "processors": list, "tags": list,
}  # fmt: skip

ECS_AT_THE_ROOT = {
    # the field sets, each an object: https://www.elastic.co/docs/reference/ecs/ecs-field-reference, and one file each
    # in https://github.com/elastic/ecs/tree/main/schemas
    "agent", "as", "client", "cloud", "code_signature", "container", "data_stream", "destination", "device", "dll",
    "dns", "ecs", "elf", "email", "entity", "error", "event", "faas", "file", "gen_ai", "geo", "group", "hash",
    "host", "http", "interface", "log", "macho", "network", "observer", "orchestrator", "organization", "os",
    "package", "pe", "process", "registry", "related", "risk", "rule", "server", "service", "source", "span",
    "threat", "tls", "trace", "transaction", "url", "user", "user_agent", "vlan", "volume", "vulnerability", "x509",
    # its base fields
    "@timestamp", "labels", "message", "tags",
    # what Filebeat adds by itself: https://www.elastic.co/docs/reference/beats/filebeat/exported-fields-log
    "fields", "input",
}  # fmt: skip


def expect_options(options: dict, accepted: dict[str, type], required: set[str], what: str) -> None:
    """Only documented options, each of its documented type."""
    unknown = set(options) - set(accepted)
    assert not unknown, f"{what} knows no {sorted(unknown)}"
    assert required <= set(options), f"{what} lacks {sorted(required - set(options))}"
    for name, value in options.items():
        assert type(value) is accepted[name], f"{what}: {name} is {value!r}, not a {accepted[name].__name__}"


def expect_paths(paths: list) -> None:
    assert paths and all(isinstance(path, str) and path.startswith("/") for path in paths)


def expect_filebeat(configuration: dict) -> dict:
    """A configuration that Filebeat's documentation accepts, with one input that puts our members at the root."""
    assert list(configuration) == ["filebeat.inputs"]
    (options,) = configuration["filebeat.inputs"]
    expect_paths(options["paths"])
    if options["type"] == "log":
        expect_options(options, FILEBEAT_LOG, {"type", "paths"}, "the log input")
        assert options["json.keys_under_root"] is True
    else:
        assert options["type"] == "filestream"
        expect_options(options, FILEBEAT_FILESTREAM, {"type", "id", "paths"}, "the filestream input")
        ((name, parser),) = (pair for one in options["parsers"] for pair in one.items())
        assert name == "ndjson"
        expect_options(parser, NDJSON, set(), "the ndjson parser")
        assert parser["target"] == "", "the members must stand at the root"
    for processor in options.get("processors", []):
        ((name, settings),) = processor.items()
        assert name == "timestamp"
        expect_options(settings, TIMESTAMP_PROCESSOR, {"field", "layouts"}, "the timestamp processor")
    return options


def expect_datadog(configuration: dict) -> dict:
    """A configuration that the Datadog agent's documentation accepts, with one file."""
    assert list(configuration) == ["logs"]
    (options,) = configuration["logs"]
    expect_options(options, DATADOG_LOG, {"type", "path", "service", "source"}, "a log of the agent")
    assert options["type"] == "file"
    expect_paths([options["path"]])
    return options


def expect_pipeline(pipeline: dict) -> None:
    """A pipeline that Datadog's API documentation accepts."""
    expect_options(pipeline, DATADOG_PIPELINE, {"name", "filter", "processors", "is_enabled"}, "a pipeline")
    assert list(pipeline["filter"]) == ["query"]
    for processor in pipeline["processors"]:
        accepted = DATADOG_PROCESSORS[processor["type"]]
        expect_options(processor, accepted, set(accepted), processor["type"])
        for category in processor.get("categories", []):
            assert set(category) == {"filter", "name"} and list(category["filter"]) == ["query"]


def datadog_level(status: str) -> str:
    """How Datadog reads a status: https://docs.datadoghq.com/logs/log_configuration/processors/log_status_remapper/"""
    prefixes = [
        ("emerg", "emerg"), ("f", "emerg"), ("a", "alert"), ("c", "critical"), ("err", "error"), ("w", "warning"),
        ("n", "notice"), ("i", "info"), ("d", "debug"), ("t", "debug"), ("v", "debug"), ("o", "ok"), ("s", "ok"),
    ]  # fmt: skip
    return next((level for prefix, level in prefixes if status.lower().startswith(prefix)), "info")


def matches(query: str, record: dict) -> bool:
    """The part of Datadog's search syntax that our pipeline uses: @attribute:value, :(a OR b), and :*, alternatives
    of these with OR, and status:level, the status that the log has before the pipeline."""
    return any(matches_term(term, record) for term in re.split(r" OR (?![^(]*\))", query))


def matches_term(term: str, record: dict) -> bool:
    if level := re.fullmatch(r"status:(\w+)", term):
        return datadog_level(record.get("status", "info")) == level[1]
    found = re.fullmatch(r"@(\w+):(?:(\*)|(\w+)|\(([\w ]+)\))", term)
    assert found, f"{term!r} is more than the test understands"
    attribute, anything, value, several = found.groups()
    wanted = [value] if value else (several or "").split(" OR ")
    return attribute in record and (bool(anything) or record[attribute] in wanted)
