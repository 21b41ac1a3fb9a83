//! The grammar's cases, as they are recorded from the service: a pattern, and events it matches and does not.

use super::*;
use serde_json::Value;

#[track_caller]
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let compiled = super::pattern(&serde_json::from_str(pattern).unwrap()).expect(pattern);
    for (events, expect) in [(matching, true), (others, false)] {
        for event in events {
            let event: Value = serde_json::from_str(event).unwrap();
            assert_eq!(compiled.matches(Document(&event)), Ok(expect), "{pattern} on {event}");
        }
    }
}

/// The leaf alone: of field `a`.
#[track_caller]
fn leaf(leaf: &str, matching: &[&str], others: &[&str]) {
    let wrap = |values: &[&str]| values.iter().map(|value| format!(r#"{{"a":{value}}}"#)).collect::<Vec<_>>();
    let (matching, others) = (wrap(matching), wrap(others));
    let refs =
        |events: &'_ [String]| events.iter().map(|event| event.to_owned().leak() as &str).collect::<Vec<_>>();
    check(&format!(r#"{{"a":{leaf}}}"#), &refs(&matching), &refs(&others));
}

#[test]
fn literals() {
    leaf(r#"["x"]"#, &[r#""x""#, r#"["y","x"]"#], &[r#""X""#, r#""xx""#, "null", r#"{"x":1}"#]);
    leaf("[300]", &["300", "300.0", "3.0e2"], &["301", r#""300""#]);
    leaf("[true, null]", &["true", "null"], &["false", r#""true""#, "[]"]);
    leaf(r#"[""]"#, &[r#""""#], &[r#"" ""#, "null"]);
    check(r#"{"a":["x"],"b":[1,2]}"#, &[r#"{"a":"x","b":2}"#], &[r#"{"a":"x"}"#, r#"{"a":"x","b":3}"#]);
}

#[test]
fn prefixes_suffixes_and_case() {
    leaf(r#"[{"prefix":"ab"}]"#, &[r#""abc""#, r#""ab""#], &[r#""a""#, r#""Abc""#, "1"]);
    leaf(r#"[{"prefix":""}]"#, &[r#""""#, r#""x""#], &["1", "null"]);
    leaf(r#"[{"suffix":".png"}]"#, &[r#""a.png""#], &[r#""a.PNG""#]);
    leaf(
        r#"[{"prefix":{"equals-ignore-case":"EventB"}}]"#,
        &[r#""eventBus""#, r#""EVENTB""#],
        &[r#""even""#],
    );
    leaf(r#"[{"suffix":{"equals-ignore-case":".PNG"}}]"#, &[r#""a.png""#], &[r#""a.jpg""#]);
    leaf(r#"[{"equals-ignore-case":"Straße"}]"#, &[r#""STRAßE""#], &[r#""strasse""#]);
}

#[test]
fn anything_but() {
    leaf(r#"[{"anything-but":"x"}]"#, &[r#""y""#, "1", "null", r#"["x","y"]"#], &[r#""x""#, "{}"]);
    check(r#"{"a":[{"anything-but":"x"}]}"#, &[], &["{}", r#"{"b":1}"#]);
    leaf(r#"[{"anything-but":[1,2]}]"#, &["3", r#""1""#], &["1", "2.0"]);
    leaf(r#"[{"anything-but":{"prefix":"ab"}}]"#, &[r#""xab""#, "1"], &[r#""abc""#]);
    leaf(r#"[{"anything-but":{"prefix":["ab","cd"]}}]"#, &[r#""x""#], &[r#""abc""#, r#""cd""#]);
    leaf(r#"[{"anything-but":{"suffix":"c"}}]"#, &[r#""ab""#], &[r#""abc""#]);
    leaf(r#"[{"anything-but":{"equals-ignore-case":["X","y"]}}]"#, &[r#""z""#], &[r#""x""#, r#""Y""#]);
    leaf(r#"[{"anything-but":{"wildcard":"*/lib/*"}}]"#, &[r#""a/b""#], &[r#""a/lib/b""#]);
    leaf(r#"[{"anything-but":["roses"]},{"exists":false}]"#, &[r#""tulips""#], &[r#""roses""#]);
    check(r#"{"a":[{"anything-but":["roses"]},{"exists":false}]}"#, &["{}"], &[]);
}

#[test]
fn numbers_and_addresses() {
    leaf(r#"[{"numeric":[">",0,"<=",5]}]"#, &["5", "0.1"], &["0", "5.1", r#""3""#, "null"]);
    leaf(r#"[{"numeric":["=",3]}]"#, &["3.0"], &["4"]);
    leaf(r#"[{"numeric":["<",-1.5]}]"#, &["-2"], &["-1.5"]);
    leaf(r#"[{"cidr":"10.0.0.0/24"}]"#, &[r#""10.0.0.255""#], &[r#""10.0.1.0""#, r#""x""#, "10", r#""::1""#]);
    leaf(r#"[{"cidr":"2001:db8::/32"}]"#, &[r#""2001:db8:1::""#], &[r#""2001:db9::""#]);
    leaf(r#"[{"cidr":"0.0.0.0/0"}]"#, &[r#""1.2.3.4""#], &[r#""::1""#]);
}

#[test]
fn wildcards() {
    leaf(r#"[{"wildcard":"a*c"}]"#, &[r#""ac""#, r#""abbc""#], &[r#""acd""#, r#""xac""#]);
    leaf(r#"[{"wildcard":"*"}]"#, &[r#""""#, r#""x""#], &["1"]);
    leaf(r#"[{"wildcard":""}]"#, &[r#""""#], &[r#""x""#]);
    leaf(r#"[{"wildcard":"*ab*ab"}]"#, &[r#""abab""#, r#""xabyab""#], &[r#""ab""#, r#""abxb""#]);
    leaf(r#"[{"wildcard":"a\\*b"}]"#, &[r#""a*b""#], &[r#""axb""#]);
}

#[test]
fn existence_is_of_leaves() {
    check(
        r#"{"a":[{"exists":true}]}"#,
        &[r#"{"a":1}"#, r#"{"a":null}"#],
        &["{}", r#"{"a":[]}"#, r#"{"a":{"b":1}}"#],
    );
    check(r#"{"a":[{"exists":false}]}"#, &["{}", r#"{"a":{"b":1}}"#, r#"{"a":[]}"#], &[r#"{"a":1}"#]);
    check(
        r#"{"a":{"b":[{"exists":false}]}}"#,
        &["{}", r#"{"a":1}"#, r#"{"a":{"c":1}}"#],
        &[r#"{"a":{"b":1}}"#, r#"{"a":[{"b":1},{"c":1}]}"#],
    );
}

#[test]
fn alternatives_stand_beside_fields() {
    let pattern = r#"{"t":["x"],"$or":[{"a":[1]},{"b":{"c":[2]}}]}"#;
    check(pattern, &[r#"{"t":"x","a":1}"#, r#"{"t":"x","b":{"c":2}}"#], &[r#"{"t":"x"}"#, r#"{"a":1}"#]);
    check(r#"{"d":{"$or":[{"a":[1]},{"b":[2]}]}}"#, &[r#"{"d":{"b":2}}"#], &[r#"{"d":{"a":2}}"#]);
}

#[test]
fn lists_match_by_one_of_their_elements() {
    check(r#"{"a":{"b":[1]}}"#, &[r#"{"a":[{"b":2},{"b":1}]}"#], &[r#"{"a":[{"b":2}]}"#, r#"{"a":[1]}"#]);
    // The fields of two elements do not add up.
    let both = r#"{"a":{"b":[1],"c":[2]}}"#;
    check(both, &[r#"{"a":[{"b":1,"c":2}]}"#], &[r#"{"a":[{"b":1},{"c":2}]}"#]);
}

#[test]
fn a_dot_in_a_name_is_a_step_down() {
    let (flat, deep) = (r#"{"d":{"state.status":"running"}}"#, r#"{"d":{"state":{"status":"running"}}}"#);
    check(r#"{"d":{"state.status":["running"]}}"#, &[flat, deep], &["{}"]);
    check(r#"{"d":{"state":{"status":["running"]}}}"#, &[flat, deep], &[]);
    check(r#"{"d":{"state.status":{"status":["running"]}}}"#, &[], &[flat, deep]);
    check(r#"{"d":{"state.status":[{"exists":false}]}}"#, &["{}"], &[flat, deep]);
}

#[test]
fn the_last_of_two_members_of_one_name_counts() {
    check(r#"{"a":["x"],"a":["y"]}"#, &[r#"{"a":"y"}"#], &[r#"{"a":"x"}"#]);
}

#[test]
fn what_is_no_pattern_is_refused() {
    let refused = [
        "",
        "x",
        "null",
        "[]",
        "{}",
        r#""a""#,
        r#"{"a":"x"}"#,
        r#"{"a":42}"#,
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        r#"{"a":[["x"]]}"#,
        r#"{"a":[{}]}"#,
        r#"{"a":[{"prefix":1}]}"#,
        r#"{"a":[{"prefix":["x"]}]}"#,
        r#"{"a":[{"prefix":{"x":"y"}}]}"#,
        r#"{"a":[{"suffix":null}]}"#,
        r#"{"a":[{"equals-ignore-case":["x"]}]}"#,
        r#"{"a":[{"equals-ignore-case":{"prefix":"x"}}]}"#,
        r#"{"a":[{"anything-but":null}]}"#,
        r#"{"a":[{"anything-but":["x",null]}]}"#,
        r#"{"a":[{"anything-but":[]}]}"#,
        r#"{"a":[{"anything-but":["x",1]}]}"#,
        r#"{"a":[{"anything-but":{"prefix":""}}]}"#,
        r#"{"a":[{"anything-but":{"suffix":1}}]}"#,
        r#"{"a":[{"anything-but":{"prefix":{"equals-ignore-case":"x"}}}]}"#,
        r#"{"a":[{"numeric":[">",0,">",0]}]}"#,
        r#"{"a":[{"numeric":[">"]}]}"#,
        r#"{"a":[{"numeric":5}]}"#,
        r#"{"a":[{"numeric":[]}]}"#,
        r#"{"a":[{"numeric":[">","0"]}]}"#,
        r#"{"a":[{"numeric":["=",1,"<",2]}]}"#,
        r#"{"a":[{"NUMERIC":[">",0]}]}"#,
        r#"{"a":[{"EXISTS":true}]}"#,
        r#"{"a":[{"exists":"true"}]}"#,
        r#"{"a":[{"exists":true,"prefix":"x"}]}"#,
        r#"{"a":[{"cidr":"10.0.0.0"}]}"#,
        r#"{"a":[{"cidr":"10.0.0.0/33"}]}"#,
        r#"{"a":[{"cidr":1}]}"#,
        r#"{"a":[{"wildcard":"a**b"}]}"#,
        r#"{"a":[{"wildcard":"*:*:*:*:*:event-bus/*"}]}"#,
        r#"{"a":[{"wildcard":["x"]}]}"#,
        r#"{"a":[{"wildcard":1}]}"#,
        r#"{"a":[{"wildcard":"\\x"}]}"#,
        r#"{"$or":[{"a":[1]}]}"#,
        r#"{"$or":{}}"#,
    ];
    for text in refused {
        assert!(Filter::compile(&[text.to_owned()]).is_err(), "{text}");
    }
    assert!(Filter::compile(&[]).is_ok());
}
