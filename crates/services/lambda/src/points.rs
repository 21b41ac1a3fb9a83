//! What triggers and functions promise, point by point, and the tests that hold it. [reference: event-source-mapping,
//! dynamodb-streams, lambda-execution]

use std::path::Path;

const LANES: &str = "feed/src/lane/tests";
const FILTERS: &str = "feed/src/filter/tests.rs";
const MAPPINGS: &str = "services/src/tests/mappings.rs";
const LETTERS: &str = "services/lambda/src/letter/tests.rs";
const STREAMS: &str = "engine/tests/streams.rs";
const API: &str = "services/dynamodb/src/tests";
const FUNCTIONS: &str = "functions/tests";
const CALLS: &str = "services/src/tests/functions";
const WHOLE: &str = "millstream/tests";

/// Point, what it is about, and its tests: a file or folder below `crates`, and a function in it.
const MAP: &[(&str, &[(&str, &str)])] = &[
    // Event source mappings.
    (
        "the complete answer to a creation; every state and LastProcessingResult; a function that goes leaves its mapping",
        &[(MAPPINGS, "a_mapping_is_told_as_the_service_tells_it")],
    ),
    (
        "every refusal in the service's words, ranges, duplicates, and what is refused by name",
        &[(MAPPINGS, "refusals_have_the_words_of_the_service")],
    ),
    ("the order of the checks", &[(MAPPINGS, "the_first_of_several_faults_is_told")]),
    (
        "tags of mappings",
        &[(MAPPINGS, "mappings_have_tags"), (CALLS, "refusals_are_those_that_were_recorded")],
    ),
    (
        "BatchSize; without a window what is there goes at once",
        &[(LANES, "hands_over_whatever_is_there_and_cuts_at_the_batch_size")],
    ),
    (
        "MaximumBatchingWindowInSeconds; the next window begins when the invocation is over",
        &[
            (LANES, "waits_for_the_window_to_close_or_the_batch_to_fill"),
            (LANES, "the_next_window_opens_when_the_invocation_completes"),
        ],
    ),
    (
        "the 6 MB of an event, and a record that is larger alone",
        &[
            (LANES, "cuts_before_the_payload_grows_too_large"),
            (LANES, "a_record_larger_than_any_batch_goes_alone"),
        ],
    ),
    (
        "ParallelizationFactor: an item's order, positions of lanes, other divisions later",
        &[("feed/tests/simulator/mod.rs", "every_record_comes_to_its_end_whatever_happens")],
    ),
    ("BisectBatchOnFunctionError costs no attempt", &[(LANES, "bisects_down_to_the_culprit")]),
    (
        "MaximumRetryAttempts, for ever by default; doubling pauses",
        &[(LANES, "a_refused_batch_is_retried_at_doubling_intervals_for_ever"), (LANES, "attempts_run_out")],
    ),
    (
        "MaximumRecordAgeInSeconds, before an attempt and between two; eight attempts in a minute",
        &[
            (LANES, "old_records_are_dropped_before_an_attempt"),
            (LANES, "eight_attempts_fit_into_a_minute_of_age"),
        ],
    ),
    (
        "ReportBatchItemFailures: every form of success, part and failure; attempts count anew after a part",
        &[
            ("feed/src/verdict.rs", "answers_that_report_nothing_are_successes"),
            ("feed/src/verdict.rs", "reports_that_cannot_be_read_fail_the_batch"),
            (LANES, "what_a_partial_success_leaves_is_a_batch_of_its_own"),
            (LANES, "a_partial_success_with_bisect_splits_where_the_target_said"),
        ],
    ),
    ("throttles and absent functions cost no attempt", &[(LANES, "an_unreachable_target_costs_no_attempt")]),
    (
        "the filters' grammar, operator by operator",
        &[
            (FILTERS, "literals"),
            (FILTERS, "prefixes_suffixes_and_case"),
            (FILTERS, "anything_but"),
            (FILTERS, "numbers_and_addresses"),
            (FILTERS, "wildcards"),
            (FILTERS, "existence_is_of_leaves"),
            (FILTERS, "alternatives_stand_beside_fields"),
            (FILTERS, "lists_match_by_one_of_their_elements"),
            (FILTERS, "a_dot_in_a_name_is_a_step_down"),
            (FILTERS, "what_is_no_pattern_is_refused"),
        ],
    ),
    (
        "filtered records move the position, and do not fill batches",
        &[
            (LANES, "records_of_others_move_the_position_without_a_delivery"),
            (LANES, "filtered_records_count_once_nothing_before_them_is_unfinished"),
            (WHOLE, "filters_pass_what_their_patterns_describe"),
        ],
    ),
    (
        "TumblingWindowInSeconds: state, final and early ends, shards that end, restarts",
        &[
            (LANES, "a_window_hands_its_state_on_and_is_closed_by_a_later_record"),
            (LANES, "the_clock_closes_a_window_and_its_end_is_tried_until_it_is_taken"),
            (LANES, "a_state_that_is_too_large_ends_its_window_early"),
            (LANES, "the_end_of_a_shard_closes_its_window_and_a_stop_keeps_it"),
            (WHOLE, "windows_hand_their_state_on_over_a_restart"),
        ],
    ),
    (
        "OnFailure documents: a null functionError, RecordAgeExceeded without a response, sorted objects with the records",
        &[
            (LETTERS, "exhausted_retries_tell_of_the_last_run"),
            (LETTERS, "what_grew_too_old_has_no_response"),
            (LETTERS, "objects_have_sorted_members_and_the_records"),
        ],
    ),
    (
        "queues and buckets take what is given up",
        &[
            (WHOLE, "records_that_are_given_up_lie_in_the_queue"),
            (WHOLE, "a_bucket_takes_what_is_given_up_with_its_records"),
        ],
    ),
    (
        "read is delivered, filtered, dead-lettered and pending together, over crashes, restarts and pauses",
        &[
            ("feed/tests/simulator/mod.rs", "every_record_comes_to_its_end_whatever_happens"),
            (WHOLE, "nothing_acknowledged_is_lost"),
        ],
    ),
    (
        "what blocks a mapping is told, and a range is replayed",
        &[
            (LANES, "a_lane_says_what_it_is_stuck_at"),
            (WHOLE, "a_blocked_mapping_says_why_and_its_records_can_be_replayed"),
        ],
    ),
    (
        "a role without the stream's permissions is refused, and stops a mapping",
        &[(WHOLE, "a_trigger_needs_its_roles_permissions")],
    ),
    // Streams.
    (
        "writes that change nothing leave no record; every kind of write leaves the same ones",
        &[
            (STREAMS, "what_changes_nothing_leaves_no_record"),
            (API, "every_kind_of_write_makes_the_same_records"),
        ],
    ),
    (
        "view types and sizes of records",
        &[(STREAMS, "view_types_say_what_records_hold"), (STREAMS, "sizes_are_those_of_the_service")],
    ),
    (
        "deletions by time to live say who deleted",
        &[(API, "only_the_services_own_deletions_say_who_deleted")],
    ),
    (
        "shards roll over and split, parents before children",
        &[
            (STREAMS, "shards_roll_over_and_split_without_losing_order"),
            ("engine/tests/concurrency.rs", "who_has_read_a_shard_finds_its_children"),
        ],
    ),
    (
        "iterators: positions, fifteen minutes, forgeries",
        &[(API, "iterators_begin_where_they_are_told_to"), (API, "iterators_expire_and_cannot_be_made_up")],
    ),
    ("retention and trimming", &[(STREAMS, "what_is_old_is_trimmed")]),
    (
        "words and limits of the streams' operations",
        &[
            (API, "words_of_streams"),
            (API, "words_of_requests_about_streams"),
            (API, "shards_are_told_by_pages_and_by_their_parents"),
        ],
    ),
    (
        "streams that are disabled, and tables that are deleted",
        &[
            (API, "a_stream_outlives_its_being_enabled"),
            (STREAMS, "a_disabled_stream_is_closed_and_readable_and_its_successor_is_another"),
        ],
    ),
    // Functions.
    (
        "Python, Node.js, Ruby, Java and programs; each language's errors",
        &[
            (FUNCTIONS, "errors_have_pythons_shape"),
            (FUNCTIONS, "node_handlers_of_every_style"),
            (FUNCTIONS, "ruby_handlers_and_their_errors"),
            (FUNCTIONS, "java_handlers_of_every_form"),
            (FUNCTIONS, "a_bootstrap_is_any_program"),
        ],
    ),
    (
        "warm environments, time-outs, crashes, large answers, log lines",
        &[
            (FUNCTIONS, "a_python_function_answers_and_stays_warm"),
            (FUNCTIONS, "time_outs_large_answers_and_lines"),
        ],
    ),
    (
        "answers that stream",
        &[
            (FUNCTIONS, "the_first_bytes_come_before_the_function_ends"),
            (FUNCTIONS, "failures_in_the_middle_come_behind_what_was_sent"),
        ],
    ),
    (
        "layers, wrappers and extensions",
        &[
            (CALLS, "functions_stand_on_layers"),
            (FUNCTIONS, "a_wrapper_starts_the_runtime"),
            (FUNCTIONS, "an_extension_is_told_of_every_invocation_and_of_the_end"),
            (FUNCTIONS, "an_extension_that_fails_fails_the_function"),
        ],
    ),
    (
        "versions, aliases and reserved concurrency",
        &[
            (CALLS, "a_version_stays_as_it_was"),
            (CALLS, "an_alias_moves_and_shares"),
            (CALLS, "concurrency_is_of_all_versions_together_and_policies_of_each"),
        ],
    ),
    (
        "events: retries, destinations, dead letters",
        &[(CALLS, "settings_are_put_merged_and_listed"), (CALLS, "queues_take_failures_and_dead_letters")],
    ),
    ("addresses of functions", &[(CALLS, "a_request_is_an_event"), (CALLS, "an_answer_is_a_response")]),
    ("the recorded words of refusals", &[(CALLS, "refusals_are_those_that_were_recorded")]),
    (
        "hostile functions: files, processes, calls, memory",
        &[
            (FUNCTIONS, "files_of_others_are_out_of_reach"),
            (FUNCTIONS, "processes_of_others_are_out_of_reach"),
            (FUNCTIONS, "calls_of_administrators_are_refused"),
            (FUNCTIONS, "memory_is_bounded"),
        ],
    ),
    (
        "no process outlives the server",
        &[
            (WHOLE, "functions_end_with_the_server_however_it_ends"),
            (FUNCTIONS, "namespaces_look_like_aws_and_end_whole"),
        ],
    ),
];

#[test]
fn every_point_has_its_tests() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (point, tests) in MAP {
        assert!(!tests.is_empty(), "{point}");
        for (place, test) in *tests {
            let mut text = String::new();
            gather(&crates.join(place), &mut text);
            assert!(text.contains(&format!("fn {test}(")), "{point}: there is no {test} in {place}");
        }
    }
}

fn gather(path: &Path, text: &mut String) {
    if !path.is_dir() {
        text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
        return;
    }
    for entry in std::fs::read_dir(path).expect("the folder is there").flatten() {
        gather(&entry.path(), text);
    }
}
