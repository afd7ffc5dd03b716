"""Every block of the tutorial, and every command in its sentences, claimed once: by the test that runs it, or by the
reason why nothing does."""

from __future__ import annotations

TUTORIAL_SHA256 = "ed12adf07cfb26597d591c2d1a967ffccd27a5cbe2ba86620cb00a0a15675cde"
"""The text is not ours to change."""

PYTHON_EDITION = "it installs a Python package, which is not this program"
OTHER_TOOLS = "the prerequisites of the Python edition and of npx; the embedded server needs none of them"

RUN: dict[int, tuple[str, str, str]] = {
    3: ("Verify Gatekit Installation", "bash", "test_help"),
    4: ("Configure Gatekit with Audit Logging", "yaml", "test_the_configuration_is_the_one_that_is_shipped"),
    5: ("Configure Gatekit with Audit Logging", "bash", "test_the_directories"),
    6: ("Configure Claude Desktop", "json", "test_claude_desktop"),
    7: ("Test Your Audit Logging Setup", "", "test_the_gateway_says_what_it_does"),
    8: ("Test Your Audit Logging Setup", "bash", "test_json_command test_command_that_follows_the_log"),
    9: ("Test Your Audit Logging Setup", "json", "test_json_lines_of_the_sessions"),
    10: ("JSON Format (Default - Machine Readable)", "yaml", "test_json"),
    11: ("JSON Format (Default - Machine Readable)", "json", "test_json"),
    12: ("Line Format (Human Readable)", "yaml", "test_line"),
    13: ("Line Format (Human Readable)", "", "test_line"),
    14: ("Debug Format (Comprehensive)", "yaml", "test_debug"),
    15: ("Debug Format (Comprehensive)", "", "test_debug"),
    16: ("CSV Format (Spreadsheet Compatible)", "yaml", "test_csv"),
    17: ("CSV Format (Spreadsheet Compatible)", "csv", "test_csv"),
    18: ("Tool Execution Logs", "json", "test_json_lines_of_the_sessions"),
    19: ("Security Decision Logs", "json", "test_json_lines_of_the_sessions"),
    20: ("Protocol Events", "json", "test_json_lines_of_the_sessions"),
    21: ("Automatic Log Rotation", "yaml", "test_rotation"),
    22: ("Log Analysis Commands", "bash", "test_json_command test_command_that_follows_the_log"),
    23: ("Useful Analysis Examples", "bash", "test_json_command"),
    24: ("Debugging Steps:", "bash", "test_json_command test_command_that_follows_the_log"),
    25: ("Debugging Steps:", "bash", "test_verbose"),
    26: ("Debugging Steps:", "bash", "test_the_server_by_itself"),
    27: ("Debugging Steps:", "bash", "test_json_command"),
    28: ("Real-time Security Monitoring", "bash", "test_command_that_follows_the_log"),
    29: ("Security Analytics Queries", "bash", "test_json_command"),
    30: ("Analysis with Command-Line Tools", "bash", "test_csv_command"),
    31: ("Analysis with Python/Pandas", "python", "test_pandas"),
    32: ("Daily/Weekly Reports", "bash", "test_json_command"),
    33: ("Integration with Log Management Tools", "yaml", "test_filebeat"),
    34: ("Integration with Log Management Tools", "bash", "test_datadog"),
}
"""By number: heading, language, and the tests that claim the block with their marker."""

NOT_RUN: dict[int, tuple[str, str, str]] = {
    1: ("Verify Your Prerequisites", "bash", OTHER_TOOLS),
    2: ("Verify Gatekit Installation", "bash", PYTHON_EDITION),
}
"""By number: heading, language, and the reason."""

INLINE_RUN: dict[str, int] = {
    "gatekit --help": 3,
    "ls -la logs/": 24,
    "gatekit --config gatekit-audit-config.yaml --verbose": 25,
    "enabled: true": 21,
    'mode: "all"': 21,
}
"""Commands and settings in running text, and the block that has the same and is run."""

INLINE_NOT_RUN: dict[str, str] = {
    "uv add gatekit": PYTHON_EDITION,
    "pip install gatekit": PYTHON_EDITION,
    "npx --version": OTHER_TOOLS,
    "~/Library/Application Support/Claude/claude_desktop_config.json": "a path, and one of macOS",
}
