//! What implementations usually get wrong, and other tests here do not hold.

mod expressions;
mod map;
mod streams;
mod tables;
mod values;

use super::Bench;
use serde_json::{Value as Json, json};

/// The request fails with that error.
#[track_caller]
fn fails(bench: &Bench, operation: &str, input: Json, error: &str) {
    let answer = bench.ask(operation, input.clone());
    assert_eq!(answer["error"], error, "{operation} {input}: {answer}");
}

fn put(bench: &Bench, item: Json) {
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": item }), json!({}));
}

fn merged(mut base: Json, extra: Json) -> Json {
    if let (Some(base), Json::Object(extra)) = (base.as_object_mut(), extra) {
        base.extend(extra);
    }
    base
}
