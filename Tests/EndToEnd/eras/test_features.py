"""The features of the everything servers that look alike in both eras, by the tests that every door has to pass."""

from __future__ import annotations

from features.test_asking_the_client import (
    test_completion_proposes_and_heeds_the_context,
    test_elicitation_brings_the_users_choice,
    test_roots_are_the_clients_own,
    test_sampling_is_answered_by_the_client_that_called,
    test_sampling_of_two_sessions_does_not_cross,
)
from features.test_calls import (
    test_a_blocked_tool_is_refused_with_the_reason_and_the_policy,
    test_a_call_returns_what_the_tool_said,
    test_a_slow_call_holds_up_no_other,
    test_a_tools_own_error_is_a_result_and_no_protocol_error,
    test_an_unknown_tool_is_the_upstreams_to_refuse,
    test_every_kind_of_content_and_the_results_meta_pass,
    test_fifty_concurrent_calls_each_get_their_own_answer,
    test_five_megabytes_come_back,
    test_five_megabytes_go_out,
    test_structured_output_arrives_beside_the_text,
    test_text_of_every_script_arrives_without_what_nobody_sees,
)
from features.test_lists import (
    test_a_bad_cursor_is_the_upstreams_to_refuse,
    test_every_page_of_the_tools_arrives_in_order,
    test_only_permitted_tools_are_listed,
    test_resources_templates_and_prompts_are_listed_and_read,
)
from features.test_progress_and_cancellation import (
    test_a_cancelled_call_is_cancelled_in_the_upstream,
    test_progress_arrives_in_order_and_before_the_result,
    test_progress_of_two_sessions_does_not_cross,
)

__all__ = [name for name in dir() if name.startswith("test_")]
