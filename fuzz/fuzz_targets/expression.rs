//! No text makes the expression compilers, or what they compile, panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::expression::{Binder, Condition, KeyCondition, KeyNames, Projection, Update};
use model::{Item, Number, Value};
use std::sync::Arc;

fuzz_target!(|text: &str| {
    let item = Item::from_iter([
        ("a", Value::N(Number::from(1u64))),
        ("b", Value::M(Item::from_iter([("c", Value::L(vec![Value::Null, Value::from("x")]))]))),
        ("pk", Value::from("k")),
    ]);
    let names = vec![("#a".to_owned(), "a".to_owned())];
    let values = vec![
        (":l".to_owned(), Value::L(Vec::new())),
        (":n".to_owned(), Value::N(Number::from(1u64))),
        (":v".to_owned(), Value::from("x")),
    ];
    let Ok(mut binder) = Binder::new(Some(names), Some(values)) else { return };
    if let Ok(Ok(bound)) = Condition::compile(text).map(|program| binder.bind(&Arc::new(program))) {
        bound.evaluate(Some(item.view())).expect("an item that is not corrupt");
    }
    if let Ok(Ok(bound)) = Projection::compile(text).map(|program| binder.bind(&Arc::new(program))) {
        bound.project(item.view()).expect("an item that is not corrupt");
    }
    if let Ok(Ok(bound)) = KeyCondition::compile(text).map(|program| binder.bind(&Arc::new(program))) {
        let _ = bound.resolve(KeyNames { hash: &["pk"], range: &["a", "b"] });
    }
    if let Ok(Ok(bound)) = Update::compile(text).map(|program| binder.bind(&Arc::new(program))) {
        let _ = (bound.apply(Some(&item), &item), bound.apply(None, &item));
    }
});
