mod differential;
mod statements;
mod transactions;

use super::Bench;
use serde_json::{Value as Json, json};

/// Runs a statement and gives its items, or its error.
fn run(bench: &Bench, statement: &str, parameters: Json) -> Json {
    let mut input = json!({ "Statement": statement });
    if parameters.as_array().is_some_and(|given| !given.is_empty()) {
        input["Parameters"] = parameters;
    }
    bench.ask("ExecuteStatement", input)
}

#[track_caller]
fn gives(bench: &Bench, statement: &str, items: Json) {
    assert_eq!(run(bench, statement, json!([])), json!({ "Items": items }), "{statement}");
}

#[track_caller]
fn refuses(bench: &Bench, statement: &str, message: &str) {
    bench.refuses("ExecuteStatement", json!({ "Statement": statement }), message);
}

fn put(bench: &Bench, table: &str, item: Json) {
    bench.check("PutItem", json!({ "TableName": table, "Item": item }), json!({}));
}

/// Items `1`, `2`, `3` under `p` and one under `q`, of the table with both keys.
fn filled() -> Bench {
    let bench = Bench::with_tables();
    for (pk, sk, a) in [("p", "1", "x"), ("p", "2", "y"), ("p", "3", "x"), ("q", "1", "x")] {
        put(
            &bench,
            "Both",
            json!({ "pk": { "S": pk }, "sk": { "S": sk }, "a": { "S": a }, "n": { "N": sk } }),
        );
    }
    bench
}
