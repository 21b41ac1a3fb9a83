use super::{filled, gives, put, refuses, run};
use crate::tests::Bench;
use serde_json::{Value as Json, json};

fn keys(answer: &Json) -> Vec<String> {
    let text = |item: &Json| {
        format!("{}{}", item["pk"]["S"].as_str().unwrap_or("?"), item["sk"]["S"].as_str().unwrap_or("?"))
    };
    answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(text).collect()
}

#[track_caller]
fn selects(bench: &Bench, rest: &str, expect: &[&str]) {
    let answer = run(bench, &format!("SELECT * FROM {rest}"), json!([]));
    assert_eq!(keys(&answer), expect, "{rest}");
}

#[test]
fn selections_by_keys_and_conditions() {
    let bench = filled();
    for (rest, expect) in [
        ("Both WHERE pk = 'p'", &["p1", "p2", "p3"][..]),
        ("\"Both\" WHERE \"pk\" = 'p' AND \"sk\" = '2'", &["p2"]),
        ("Both WHERE 'p' = pk AND sk > '1'", &["p2", "p3"]),
        ("Both WHERE pk = 'p' AND sk BETWEEN '2' AND '3'", &["p2", "p3"]),
        ("Both WHERE pk = 'p' AND begins_with(sk, '3')", &["p3"]),
        ("Both WHERE pk = 'p' AND sk IN ['1', '3']", &["p1", "p3"]),
        ("Both WHERE pk = 'p' AND n >= 2 AND a = 'x'", &["p3"]),
        ("Both WHERE pk = 'p' AND (n = 1 OR a = 'y')", &["p1", "p2"]),
        ("Both WHERE pk = 'p' AND NOT (n = 1 OR a = 'y')", &["p3"]),
        ("Both WHERE pk = 'p' AND NOT n = 1", &["p2", "p3"]),
        ("Both WHERE pk = 'p' AND n NOT IN (1, 2)", &["p3"]),
        ("Both WHERE pk = 'p' AND n <> 1 AND n != 2", &["p3"]),
        ("Both WHERE pk IN ['q', 'p', 'q'] AND sk = '1'", &["q1", "p1"]),
        ("Both WHERE pk IN ('p', 'q') ORDER BY pk DESC", &["q1", "p1", "p2", "p3"]),
        ("Both WHERE pk IN ('q', 'p') ORDER BY pk, sk DESC", &["p3", "p2", "p1", "q1"]),
        ("Both WHERE pk = 'p' ORDER BY sk DESC", &["p3", "p2", "p1"]),
        ("Both WHERE pk = 'p' AND b IS MISSING AND a IS NOT MISSING", &["p1", "p2", "p3"]),
        ("Both WHERE pk = 'p' AND a IS NULL", &[]),
        ("Both WHERE pk = 'p' AND attribute_type(n, 'N') AND size(a) = 1", &["p1", "p2", "p3"]),
        ("Both WHERE pk = 'p' AND contains(a, 'y')", &["p2"]),
        ("Both.\"global-all\" WHERE a = 'y'", &["p2"]),
        ("Both.\"local-all\" WHERE pk = 'p' AND a = 'x' ORDER BY a DESC", &["p3", "p1"]),
    ] {
        selects(&bench, rest, expect);
    }
    let mut all = keys(&run(&bench, "SELECT * FROM Both", json!([])));
    all.sort_unstable();
    assert_eq!(all, ["p1", "p2", "p3", "q1"]);
    let mut some = keys(&run(&bench, "SELECT * FROM Both WHERE sk = '1'", json!([])));
    some.sort_unstable();
    assert_eq!(some, ["p1", "q1"]);
}

#[test]
fn lists_of_paths() {
    let bench = Bench::with_tables();
    let item = json!({
        "pk": { "S": "1" },
        "m": { "M": { "deep": { "S": "x" } } },
        "l": { "L": [{ "N": "1" }, { "N": "2" }] },
    });
    put(&bench, "Hash", item.clone());
    for (statement, expect) in [
        ("SELECT * FROM Hash WHERE pk = '1'", item),
        ("SELECT pk, absent FROM Hash WHERE pk = '1'", json!({ "pk": { "S": "1" } })),
        ("SELECT m.deep FROM Hash WHERE pk = '1'", json!({ "deep": { "S": "x" } })),
        (
            "SELECT m['deep'], l[1] FROM Hash WHERE pk = '1'",
            json!({ "deep": { "S": "x" }, "_2": { "N": "2" } }),
        ),
    ] {
        gives(&bench, statement, json!([expect]));
    }
}

#[test]
fn pages() {
    let bench = filled();
    for statement in
        ["SELECT * FROM Both", "SELECT * FROM Both WHERE pk IN ['p', 'q']", "SELECT * FROM Both WHERE n > 0"]
    {
        for limit in 1..6 {
            let mut found = Vec::new();
            let mut input = json!({ "Statement": statement, "Limit": limit });
            loop {
                let answer = bench.ask("ExecuteStatement", input.clone());
                found.extend(keys(&answer));
                if answer["NextToken"].is_null() {
                    break;
                }
                assert!(answer["Items"].as_array().is_some_and(|items| items.len() <= limit), "{answer}");
                input["NextToken"] = answer["NextToken"].clone();
            }
            found.sort_unstable();
            assert_eq!(found, ["p1", "p2", "p3", "q1"], "{statement} {limit}");
        }
    }
    let first = bench.ask("ExecuteStatement", json!({ "Statement": "SELECT * FROM Both", "Limit": 1 }));
    let token = &first["NextToken"];
    assert!(first["LastEvaluatedKey"]["pk"]["S"].is_string(), "{first}");
    for (statement, token) in [
        ("SELECT * FROM Both WHERE n > 0", token.clone()),
        ("SELECT * FROM Both", json!("AAAA")),
        ("DELETE FROM Hash WHERE pk = 'x'", token.clone()),
    ] {
        let input = json!({ "Statement": statement, "NextToken": token });
        bench.refuses("ExecuteStatement", input, "NextToken does not match request");
    }
}

#[test]
fn capacity_and_consistency() {
    let bench = filled();
    let asked = |statement: &str, consistent: bool| {
        let input = json!({ "Statement": statement, "ConsistentRead": consistent, "ReturnConsumedCapacity": "TOTAL" });
        bench.ask("ExecuteStatement", input)["ConsumedCapacity"].clone()
    };
    let units = |units: f64| json!({ "TableName": "Both", "CapacityUnits": units });
    assert_eq!(asked("SELECT * FROM Both WHERE pk = 'p'", false), units(0.5));
    assert_eq!(asked("SELECT * FROM Both WHERE pk = 'p'", true), units(1.0));
    bench.refuses(
        "ExecuteStatement",
        json!({ "Statement": "SELECT * FROM Both.\"global-all\" WHERE a = 'x'", "ConsistentRead": true }),
        "Consistent reads are not supported on global secondary indexes",
    );
}

#[test]
fn insertions() {
    let bench = Bench::with_tables();
    gives(
        &bench,
        "INSERT INTO Hash VALUE {'pk': 'it''s', 't': TRUE, 'z': NULL, 'n': -1.50, 'l': [1, 'a'], 's': <<'b', 'a'>>, 'm': {'k': 2}}",
        json!([]),
    );
    gives(
        &bench,
        "SELECT * FROM Hash WHERE pk = 'it''s'",
        json!([{
            "pk": { "S": "it's" },
            "t": { "BOOL": true },
            "z": { "NULL": true },
            "n": { "N": "-1.5" },
            "l": { "L": [{ "N": "1" }, { "S": "a" }] },
            "s": { "SS": ["a", "b"] },
            "m": { "M": { "k": { "N": "2" } } },
        }]),
    );
    let duplicate = json!({ "Statement": "INSERT INTO Hash VALUE {'pk': 'it''s'}" });
    bench.check(
        "ExecuteStatement",
        duplicate.clone(),
        json!({ "error": "DuplicateItemException", "message": "Duplicate primary key exists in table" }),
    );
    let given = run(&bench, "INSERT INTO Hash VALUE ?", json!([{ "M": { "pk": { "S": "2" } } }]));
    assert_eq!(given, json!({ "Items": [] }));
    refuses(&bench, "INSERT INTO Hash VALUE 'x'", "VALUE takes a map");
    refuses(
        &bench,
        "INSERT INTO Hash VALUE {'pk': ?}",
        "Number of parameters in request and statement don't match.",
    );
}

#[test]
fn updates_and_what_they_return() {
    let bench = Bench::with_tables();
    let item = json!({ "pk": { "S": "1" }, "n": { "N": "1" }, "l": { "L": [] }, "s": { "SS": ["a"] }, "x": { "S": "x" } });
    put(&bench, "Hash", item);
    gives(
        &bench,
        "UPDATE Hash SET n = n + 2 SET l = list_append(l, [7]) REMOVE x WHERE pk = '1' RETURNING MODIFIED NEW *",
        json!([{ "n": { "N": "3" }, "l": { "L": [{ "N": "7" }] } }]),
    );
    gives(
        &bench,
        "UPDATE Hash SET s = set_add(s, <<'b'>>), n = n - 1 WHERE pk = '1' AND n = 3 RETURNING MODIFIED OLD *",
        json!([{ "s": { "SS": ["a"] }, "n": { "N": "3" } }]),
    );
    gives(
        &bench,
        "UPDATE Hash SET s = set_delete(s, <<'a'>>) SET l[0] = 'z' WHERE pk = '1' RETURNING ALL NEW *",
        json!([{ "pk": { "S": "1" }, "n": { "N": "2" }, "l": { "L": [{ "S": "z" }] }, "s": { "SS": ["b"] } }]),
    );
    gives(&bench, "UPDATE Hash SET y = 1 WHERE pk = '1' AND (n = 9 OR n = 2)", json!([]));
    let failed =
        json!({ "error": "ConditionalCheckFailedException", "message": "The conditional request failed" });
    for statement in
        ["UPDATE Hash SET n = 1 WHERE pk = 'none'", "UPDATE Hash SET n = 1 WHERE pk = '1' AND n = 9"]
    {
        bench.check("ExecuteStatement", json!({ "Statement": statement }), failed.clone());
    }
    let shown = bench.ask(
        "ExecuteStatement",
        json!({
            "Statement": "UPDATE Hash SET n = 1 WHERE pk = '1' AND n = 9",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }),
    );
    assert_eq!(shown["Item"]["n"], json!({ "N": "2" }), "{shown}");
    let unpinned = "Where clause does not contain a mandatory equality on all key attributes";
    refuses(&bench, "UPDATE Hash SET n = 1 WHERE n = 2", unpinned);
    refuses(&bench, "UPDATE Both SET n = 1 WHERE pk = '1'", unpinned);
    refuses(&bench, "UPDATE Hash SET s = set_add(s, 'b') WHERE pk = '1'", "set_add takes a set, not S");
}

#[test]
fn deletions() {
    let bench = Bench::with_tables();
    let item = json!({ "pk": { "S": "1" }, "n": { "N": "1" } });
    put(&bench, "Hash", item.clone());
    bench.check(
        "ExecuteStatement",
        json!({ "Statement": "DELETE FROM Hash WHERE pk = '1' AND n = 2" }),
        json!({ "error": "ConditionalCheckFailedException", "message": "The conditional request failed" }),
    );
    gives(&bench, "DELETE FROM Hash WHERE pk = '1' AND (n = 1 OR n = 5) RETURNING ALL OLD *", json!([item]));
    gives(&bench, "DELETE FROM Hash WHERE pk = '1' AND n = 2 RETURNING ALL OLD *", json!([]));
    refuses(
        &bench,
        "DELETE FROM Hash WHERE pk = '1' RETURNING ALL NEW *",
        "DELETE can only return ALL OLD *",
    );
}

#[test]
fn what_is_no_statement() {
    let bench = filled();
    let malformed = "Statement wasn't well formed, can't be processed: ";
    for (statement, message) in [
        ("SELECTT * FROM Hash", "Expected data manipulation"),
        ("SELECT * FROM Hash WHERE", "Expected a value, found: the end"),
        ("SELECT * FROM Hash LIMIT 1", "Unexpected token after expression, found: LIMIT"),
        ("DELETE FROM Hash", "Expected WHERE, found: the end"),
        ("INSERT INTO Hash VALUE {pk: '1'}", "Expected a name in single quotes, found: pk"),
        ("SELECT * FROM Hash WHERE pk = 'x", "Unterminated string"),
    ] {
        refuses(&bench, statement, &format!("{malformed}{message}"));
    }
    for (statement, message) in [
        (
            "SELECT * FROM Both ORDER BY sk",
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ),
        (
            "SELECT * FROM Both WHERE n = 1 ORDER BY sk",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        (
            "SELECT * FROM Both WHERE pk = 'p' ORDER BY n",
            "Variable reference n in ORDER BY clause must be part of the primary key",
        ),
        ("SELECT * FROM Both.nothing WHERE pk = 'p'", "The table does not have the specified index"),
        (
            "EXISTS(SELECT * FROM Both WHERE pk = 'p' AND sk = '1')",
            "EXISTS is supported in transactions only",
        ),
    ] {
        refuses(&bench, statement, message);
    }
    bench.check(
        "ExecuteStatement",
        json!({ "Statement": "SELECT * FROM Nowhere WHERE pk = 'x'" }),
        json!({ "error": "ResourceNotFoundException", "message": "Requested resource not found" }),
    );
}
