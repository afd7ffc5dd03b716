"""Where each scored server scenario of the official conformance suite is checked here.

The scenarios bear the suite's names; the checks are written from the specification's text. The first word of an entry
is the module, in this directory unless a directory stands before it, and the words after it are tests in it.
`test_scenarios.py` sees to it that they exist. Modules whose fixture has servers of both eras check a scenario both
where nothing is translated and across the bridge.
"""

from __future__ import annotations

MODERN = "http/test_modern"
"""The door's own tests of revision 2026-07-28."""

SCENARIOS: dict[str, dict[str, list[str]]] = {
    "2025-11-25": {
        "server-initialize": ["test_legacy test_initialize_answers_with_the_revision_and_what_the_server_can_do"],
        "logging-set-level": ["test_legacy test_a_log_level_is_taken test_a_log_level_that_does_not_exist_is_refused"],
        "ping": ["test_legacy test_ping_is_answered_with_an_empty_result"],
        "completion-complete": ["test_legacy test_completion_proposes_values"],
        "tools-list": ["test_legacy_tools test_every_tool_is_listed_with_a_schema"],
        "tools-call-simple-text": ["test_legacy_tools test_a_call_brings_each_kind_of_content"],
        "tools-call-image": ["test_legacy_tools test_a_call_brings_each_kind_of_content"],
        "tools-call-audio": ["test_legacy_tools test_a_call_brings_each_kind_of_content"],
        "tools-call-embedded-resource": ["test_legacy_tools test_a_call_brings_each_kind_of_content"],
        "tools-call-mixed-content": ["test_legacy_tools test_a_call_brings_each_kind_of_content"],
        "tools-call-with-logging": ["test_legacy_tools test_log_messages_of_a_call_arrive"],
        "tools-call-error": ["test_legacy_tools test_a_tools_own_error_is_a_result"],
        "tools-call-with-progress": ["test_legacy_tools test_progress_comes_in_order_before_the_result"],
        "tools-call-sampling": ["test_legacy_tools test_a_tool_samples_the_client_that_called"],
        "tools-call-elicitation": ["test_legacy_tools test_a_tool_asks_the_user"],
        "elicitation-sep1034-defaults": ["test_legacy_tools test_the_schema_of_a_question_arrives_whole"],
        "server-sse-multiple-streams": ["test_legacy test_streams_at_once_each_end_with_their_own_answer"],
        "elicitation-sep1330-enums": ["test_legacy_tools test_the_schema_of_a_question_arrives_whole"],
        "resources-list": ["test_legacy test_resources_are_listed"],
        "resources-read-text": ["test_legacy test_a_resource_is_read"],
        "resources-read-binary": ["test_legacy test_a_resource_is_read"],
        "resources-templates-read": ["test_legacy test_templates_are_listed_and_read"],
        "resources-subscribe": ["test_legacy test_updates_come_from_subscribing_to_unsubscribing"],
        "resources-unsubscribe": ["test_legacy test_updates_come_from_subscribing_to_unsubscribing"],
        "prompts-list": ["test_legacy test_prompts_are_listed_with_their_arguments"],
        "prompts-get-simple": ["test_legacy test_a_prompt_is_got"],
        "prompts-get-with-args": ["test_legacy test_a_prompt_is_got"],
        "prompts-get-embedded-resource": ["test_legacy test_a_prompt_is_got"],
        "prompts-get-with-image": ["test_legacy test_a_prompt_is_got"],
        "dns-rebinding-protection": ["test_legacy test_only_our_own_names_are_served"],
    },
    "2026-07-28": {
        "server-stateless": [
            "test_stateless test_discover_tells_what_is_spoken_and_offered test_nothing_has_to_come_first "
            "test_what_is_offered_is_there "
            "test_a_call_logs_from_the_level_that_it_asks_for test_a_capability_that_is_needed_and_not_declared",
            "test_stateless_transport test_requests_without_an_envelope test_methods_that_are_no_more "
            "test_versions_that_disagree_or_have_no_envelope",
            "test_stateless_bridge test_no_request_comes_on_the_stream_of_a_call "
            "test_what_is_not_in_the_capabilities_is_not_found test_only_what_the_server_can_tell_is_acknowledged",
            f"{MODERN} test_an_envelope_has_to_be_complete test_an_unknown_version_is_told_what_is_spoken "
            "test_headers_have_to_agree_with_the_body test_methods_that_the_era_lacks",
            "test_stateless_input test_a_retry_brings_what_was_asked",
            "test_stateless_listen test_the_first_message_says_what_will_be_told test_each_list_that_changes_is_told "
            "test_nothing_comes_that_was_not_asked_for",
        ],
        "completion-complete": ["test_stateless test_completion_proposes_values"],
        "tools-list": ["test_stateless test_every_page_of_the_tools"],
        "tools-call-simple-text": ["test_stateless test_a_call_brings_each_kind_of_content"],
        "tools-call-image": ["test_stateless test_a_call_brings_each_kind_of_content"],
        "tools-call-audio": ["test_stateless test_a_call_brings_each_kind_of_content"],
        "tools-call-embedded-resource": ["test_stateless test_a_call_brings_each_kind_of_content"],
        "tools-call-mixed-content": ["test_stateless test_a_call_brings_each_kind_of_content"],
        "tools-call-error": ["test_stateless test_a_tools_own_error_is_a_complete_result"],
        "tools-call-with-progress": ["test_stateless test_progress_comes_in_order_on_the_posts_own_stream"],
        "server-sse-multiple-streams": [f"{MODERN} test_the_same_id_at_once_on_many_connections"],
        "resources-list": ["test_stateless test_resources_and_templates_are_listed"],
        "resources-read-text": ["test_stateless test_a_resource_is_read"],
        "resources-read-binary": ["test_stateless test_a_resource_is_read"],
        "resources-templates-read": ["test_stateless test_a_resource_is_read"],
        "sep-2164-resource-not-found": ["test_stateless test_a_resource_that_does_not_exist"],
        "prompts-list": ["test_stateless test_a_prompt_is_got"],
        "prompts-get-simple": ["test_stateless test_a_prompt_is_got"],
        "prompts-get-with-args": ["test_stateless test_a_prompt_is_got"],
        "prompts-get-embedded-resource": ["test_stateless test_a_prompt_is_got"],
        "prompts-get-with-image": ["test_stateless test_a_prompt_is_got"],
        "dns-rebinding-protection": ["test_stateless_transport test_foreign_names_are_refused"],
        "caching": ["test_stateless test_every_result_has_its_type_and_no_session"],
        "input-required-result-basic-elicitation": [
            "test_stateless_input test_a_retry_brings_what_was_asked",
            "test_stateless_rounds test_a_question_is_answered_by_the_retry",
        ],
        "input-required-result-basic-sampling": [
            "test_stateless_input test_a_retry_brings_what_was_asked",
            "test_stateless_rounds test_a_question_is_answered_by_the_retry",
        ],
        "input-required-result-basic-list-roots": [
            "test_stateless_input test_a_retry_brings_what_was_asked",
            "test_stateless_rounds test_a_question_is_answered_by_the_retry",
        ],
        "input-required-result-request-state": ["test_stateless_rounds test_a_question_is_answered_by_the_retry"],
        "input-required-result-multiple-input-requests": ["test_stateless_rounds test_several_questions_at_once"],
        "input-required-result-multi-round": ["test_stateless_rounds test_round_after_round"],
        "input-required-result-missing-input-response": [
            "test_stateless_input test_a_retry_without_the_answer_is_asked_again"
        ],
        "input-required-result-non-tool-request": ["test_stateless_rounds test_a_prompt_can_ask"],
        "input-required-result-result-type": ["test_stateless_input test_an_interim_result_is_not_cacheable"],
        "input-required-result-unsupported-methods": [
            "test_stateless test_every_result_has_its_type_and_no_session"
        ],
        "input-required-result-tampered-state": ["test_stateless_input test_a_state_that_was_changed_is_refused"],
        "input-required-result-capability-check": [
            "test_stateless_rounds test_nothing_is_asked_that_was_not_declared"
        ],
        "input-required-result-ignore-extra-params": ["test_stateless_input test_what_was_not_asked_is_ignored"],
        "input-required-result-validate-input": [
            "test_stateless_input test_responses_that_cannot_be_read_are_refused"
        ],
    },
}  # fmt: skip

UNSCORED: dict[str, dict[str, list[str]]] = {
    "2025-11-25": {
        "server-session-lifecycle": ["test_legacy test_a_session_ends_when_its_client_says_so"],
        "json-schema-2020-12": ["test_legacy_tools test_no_keyword_of_a_schema_is_lost"],
        "server-sse-polling": [
            "test_legacy test_a_stream_is_taken_up_after_the_last_event_that_was_seen "
            "test_a_call_whose_server_wants_its_client_to_poll_is_answered"
        ],
    },
    "2026-07-28": {
        "json-schema-2020-12": ["test_stateless test_every_page_of_the_tools"],
        "http-header-validation": [
            "test_stateless_transport test_headers_of_every_kind_of_request test_header_values_are_compared_exactly "
            "test_blanks_around_a_value_are_no_part_of_it"
        ],
        "http-custom-header-server-validation": [
            "test_stateless_transport test_arguments_in_headers test_an_encoded_name_is_decoded_before_it_is_compared",
            "test_stateless_bridge test_arguments_of_each_kind_in_headers",
        ],
    },
}
"""Those that the suite runs without counting them; its ten of the tasks extension need a server that has it."""
