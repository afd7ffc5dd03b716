"""Which stages run: all by default, those that were chosen, none where it is off; changed by reload at any time."""

from __future__ import annotations

import pytest
from saying import ALL, REMOVED, SANITIZED, TEXT, block, choose, policy, say

from harness.gateway import Gateway
from harness.lines import message, text_of
from harness.waiting import wait_until

pytestmark = pytest.mark.gateway

SWITCH = "ZSCALER_MCP_DISABLE_OUTPUT_SANITIZATION"
OFF = "output_sanitization is off: what tools answer reaches agents with hidden characters, markup and all"


def test_on_by_default_with_all_stages(gateway: Gateway) -> None:
    gateway.start()
    with gateway.session() as client:
        assert say(client, TEXT) == SANITIZED[ALL]
    status = gateway.status()
    assert status["sanitization"]["stages"] == list(ALL)
    assert not any("output_sanitization" in warning for warning in status["warnings"])
    assert "output_sanitization" not in gateway.log()


def test_on_where_nothing_is_audited(gateway: Gateway) -> None:
    gateway.configuration["plugins"]["auditing"] = []
    gateway.write_configuration()
    gateway.start()
    try:
        with gateway.session() as client:
            assert say(client, TEXT) == SANITIZED[ALL]
        assert gateway.status()["sanitization"]["responses"] == 1
    finally:
        gateway.close(verify=False)  # there is no audit file


@pytest.mark.parametrize("stages", [stages for stages in SANITIZED if stages], ids=",".join)
def test_those_run_that_were_chosen(gateway: Gateway, stages: tuple[str, ...]) -> None:
    choose(gateway, stages)
    gateway.write_configuration()
    gateway.start()
    with gateway.session() as client:
        assert say(client, TEXT) == SANITIZED[stages]
    assert gateway.status()["sanitization"]["stages"] == list(stages)
    removed = {stage: count if stage in stages else 0 for stage, count in REMOVED.items()}
    assert gateway.audit.records("RESPONSE", method="tools/call")[-1]["sanitized"] == removed


def test_a_reload_changes_the_stages_and_calls_in_flight_keep_theirs(gateway: Gateway) -> None:
    gateway.start()
    plan: list[tuple[str, ...]] = [ALL, ("invisible",), (), ("markup",), ALL]
    release = gateway.directory / "release"
    with gateway.session() as client, gateway.session() as other:
        for number, stages in enumerate(plan):
            if number:
                choose(gateway, stages)
                gateway.reload()
            # Held until the last configuration is in force.
            arguments = {"result": block(TEXT), "until": str(release)}
            client.send(message("tools/call", {"name": "say", "arguments": arguments}, f"held {number}"))
            wait_until(
                lambda at=number: gateway.audit.records("REQUEST", request_id=f"held {at}"), "the call was admitted"
            )
            assert say(other, TEXT) == SANITIZED[stages]
        release.touch()
        for number, stages in enumerate(plan):
            assert text_of(client.answer_to(f"held {number}")) == SANITIZED[stages], f"held {number}"
    for number, stages in enumerate(plan):
        response = gateway.audit.records("RESPONSE", request_id=f"held {number}")[0]
        assert response["config"].split(":")[0] == str(number + 1)
        removed = {stage: count if stage in stages else 0 for stage, count in REMOVED.items()}
        assert response.get("sanitized") == (removed if stages else None)
    assert gateway.status()["upstream"]["restarts"] == 0


def test_off_by_the_configuration_with_a_warning(gateway: Gateway) -> None:
    gateway.configuration["plugins"]["security"] = [policy(enabled=False)]
    gateway.write_configuration()
    expect_off(gateway)


@pytest.mark.parametrize("value", ["1", "true", "Yes", " ON "])
def test_off_by_the_environment_with_a_warning(gateway: Gateway, value: str) -> None:
    gateway.variables[SWITCH] = value
    expect_off(gateway)


def test_on_by_the_environment_is_no_warning(gateway: Gateway) -> None:
    gateway.variables[SWITCH] = "false"
    gateway.start()
    with gateway.session() as client:
        assert say(client, TEXT) == SANITIZED[ALL]
    assert OFF not in gateway.log()


def test_the_switch_in_dotenv_is_flipped_by_reload(gateway: Gateway) -> None:
    dotenv = gateway.directory / ".env"
    dotenv.write_text(f"{SWITCH}=1\n")
    gateway.start()
    with gateway.session() as client:
        assert say(client, TEXT) == TEXT
        assert OFF in "\n".join(gateway.status()["warnings"])
        dotenv.write_text(f"{SWITCH}=0\n")
        gateway.reload()
        assert say(client, TEXT) == SANITIZED[ALL]
        assert OFF not in "\n".join(gateway.status()["warnings"])
        dotenv.write_text(f"{SWITCH}=perhaps\n")
        refused = gateway.run("reload")
        assert refused.returncode == 1 and f"{SWITCH} is neither on nor off" in refused.stderr
        assert say(client, TEXT) == SANITIZED[ALL]
        dotenv.write_text(f"{SWITCH}=1\n")
        gateway.reload()
        assert say(client, TEXT) == TEXT
    assert gateway.status()["upstream"]["restarts"] == 0


def expect_off(gateway: Gateway) -> None:
    """Text passes as it is, and everybody is told: by the log of the start, by `check` and by `status`."""
    checked = gateway.run("check", "--config", str(gateway.config_path))
    assert checked.returncode == 0 and OFF in checked.stdout + checked.stderr, checked
    gateway.start()
    assert OFF in gateway.log()
    with gateway.session() as client:
        assert say(client, TEXT) == TEXT
    status = gateway.status()
    assert status["sanitization"]["stages"] == []
    assert OFF in "\n".join(status["warnings"])
    assert OFF in gateway.run("status").stdout
    assert "sanitized" not in gateway.audit.records("RESPONSE", method="tools/call")[-1]
