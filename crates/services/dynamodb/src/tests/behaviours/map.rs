//! What implementations of the service usually get wrong, point by point, and the tests that hold it here.

use std::path::Path;

const SERVICE: &str = "services/dynamodb/src/tests";
const STREAMS: &str = "services/dynamodb/src/tests/behaviours/streams.rs";
const TABLES: &str = "services/dynamodb/src/tests/behaviours/tables.rs";
const EXPRESSIONS: &str = "services/dynamodb/src/tests/behaviours/expressions.rs";
const VALUES: &str = "services/dynamodb/src/tests/behaviours/values.rs";

/// Point, what it is about, and its tests: a file or folder below `crates`, and a function in it.
const MAP: &[(&str, &[(&str, &str)])] = &[
    (
        "1. a disabled stream stays listed, closed and readable; its successor has a new ARN",
        &[
            (SERVICE, "a_stream_outlives_its_being_enabled"),
            (
                "engine/tests/streams.rs",
                "a_disabled_stream_is_closed_and_readable_and_its_successor_is_another",
            ),
        ],
    ),
    (
        "2. sequence numbers of iterators: needed for two types, refused for the others; unknown shards",
        &[
            (SERVICE, "iterators_begin_where_they_are_told_to"),
            (STREAMS, "an_open_shard_has_a_beginning_and_no_end"),
        ],
    ),
    (
        "3. malformed and unknown ARNs of streams",
        &[(SERVICE, "words_of_streams"), (STREAMS, "words_of_requests_about_streams")],
    ),
    (
        "4. limits of ListStreams and GetRecords; pages and children of DescribeStream",
        &[
            (SERVICE, "words_of_streams"),
            (STREAMS, "words_of_requests_about_streams"),
            (STREAMS, "shards_are_told_by_pages_and_by_their_parents"),
        ],
    ),
    (
        "5. a stream that is enabled is not enabled again, and view types are checked by CreateTable",
        &[(STREAMS, "words_of_requests_about_streams")],
    ),
    (
        "6. an open shard has no end; ids of shards are long enough",
        &[
            (STREAMS, "an_open_shard_has_a_beginning_and_no_end"),
            ("engine/tests/streams.rs", "ids_are_spelt_as_clients_expect"),
        ],
    ),
    (
        "7. writing the same item makes no record; every kind of write makes the same ones",
        &[
            (STREAMS, "every_kind_of_write_makes_the_same_records"),
            ("engine/tests/streams.rs", "what_changes_nothing_leaves_no_record"),
        ],
    ),
    (
        "8. only the service's own deletions say who deleted",
        &[
            (STREAMS, "only_the_services_own_deletions_say_who_deleted"),
            ("engine/tests/expiry.rs", "what_is_over_goes_with_a_record_that_says_who_deleted_it"),
        ],
    ),
    (
        "9. records keep their order and numbers over restarts; checkpoints are not ahead of them",
        &[
            ("engine/tests/streams.rs", "numbers_and_records_survive_a_restart"),
            ("millstream/tests/crash.rs", "nothing_acknowledged_is_lost"),
            ("feed/tests/simulator/mod.rs", "every_record_comes_to_its_end_whatever_happens"),
        ],
    ),
    ("10. time to live is switched once", &[(TABLES, "time_to_live_is_switched_once")]),
    (
        "11. indexes are filled with what fits, and later writes must fit",
        &[(TABLES, "an_index_is_filled_with_what_fits_and_later_writes_must_fit")],
    ),
    (
        "12. indexes are made and deleted one at a time",
        &[(TABLES, "indexes_are_made_and_deleted_one_at_a_time")],
    ),
    (
        "13. local indexes fetch what they do not hold, global ones refuse it",
        &[(SERVICE, "indexes_give_what_they_hold"), (TABLES, "a_global_index_gives_only_what_it_holds")],
    ),
    (
        "14. a deletion tells no schema; TagResource answers nothing; tags have limits",
        &[(TABLES, "a_deletion_tells_no_schema_and_tags_have_limits")],
    ),
    ("15. names of attributes have limits", &[(TABLES, "names_of_attributes_have_limits")]),
    (
        "16. keys of global indexes of several attributes",
        &[
            (SERVICE, "indexes_of_several_key_attributes"),
            ("engine/tests/indexes.rs", "global_indexes_may_have_several_key_attributes"),
        ],
    ),
    (
        "17. updates of items that are not there",
        &[(EXPRESSIONS, "an_update_that_only_removes_makes_no_item_and_one_that_does_nothing_makes_its_key")],
    ),
    (
        "18. only what was touched is given back, in its parents' shape",
        &[
            (SERVICE, "touched_parts_come_in_the_shape_of_their_parents"),
            ("model/tests/updates.rs", "touched_parts"),
        ],
    ),
    (
        "19. constants of an impossible type are errors",
        &[(EXPRESSIONS, "constants_of_an_impossible_type_are_errors_and_not_false")],
    ),
    (
        "20. expressions have limits",
        &[(EXPRESSIONS, "expressions_have_limits"), ("model/tests/garbage.rs", "deep_texts")],
    ),
    ("21. names, list_append and sums in updates", &[(EXPRESSIONS, "words_of_updates")]),
    (
        "22. placeholders that are unused or undefined, paths that overlap, key attributes",
        &[
            (EXPRESSIONS, "words_of_updates"),
            (SERVICE, "expressions_and_what_they_do_not_mix_with"),
            ("model/tests/conditions.rs", "placeholders"),
        ],
    ),
    (
        "23. checksums are right; members that are unknown, null or of the wrong type",
        &[
            ("api/tests/encode.rs", "json_bodies"),
            (VALUES, "members_that_are_unknown_null_or_of_the_wrong_type"),
            ("api/tests/decode.rs", "json_that_does_not_fit_is_told_as_java_tells_it"),
        ],
    ),
    (
        "24. sets, empty values, numbers",
        &[
            (SERVICE, "values_that_are_none"),
            (VALUES, "empty_values_are_values_except_in_keys"),
            (VALUES, "numbers_have_a_range_and_one_form"),
        ],
    ),
    (
        "25. signatures that are missing, incomplete, wrong, unknown or expired",
        &[
            ("wire/src/sigv4/tests.rs", "faults_are_told_in_the_words_of_the_protocol"),
            ("services/access/src/tests.rs", "every_key_is_told_in_the_words_of_its_protocol"),
        ],
    ),
];

#[test]
fn every_point_has_its_tests() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (at, (point, tests)) in MAP.iter().enumerate() {
        assert!(point.starts_with(&format!("{}. ", at + 1)) && !tests.is_empty(), "{point}");
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
