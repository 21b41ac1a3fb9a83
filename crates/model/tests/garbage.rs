//! Bytes and texts from outside that make no sense: refused, never a panic, never the end of the stack.

use crate::images::walk;
use crate::notation::item;
use crate::random::Random;
use model::expression::{Binder, Condition, KeyCondition, KeyNames, Projection, Update};
use model::{Item, Number, Value};
use std::sync::Arc;

/// Puts a text through everything that reads expressions, and runs what compiles.
fn all(text: &str) {
    let item = item("{a: 1, b: {c: [1, 'x']}, s: <'a'>, pk: 'k'}");
    let value = |name: &str| (name.to_owned(), Value::from("x"));
    let mut binder = Binder::new(
        Some(vec![("#a".to_owned(), "a".to_owned())]),
        Some(vec![
            value(":v"),
            (":n".to_owned(), Value::N(Number::from(1u64))),
            (":l".to_owned(), Value::L(vec![])),
        ]),
    )
    .unwrap();
    for condition in [Condition::compile(text), Condition::compile_filter(text)].into_iter().flatten() {
        if let Ok(bound) = binder.bind(&Arc::new(condition)) {
            bound.evaluate(Some(item.view())).unwrap();
            bound.evaluate(None).unwrap();
        }
    }
    if let Ok(projection) = Projection::compile(text)
        && let Ok(bound) = binder.bind(&Arc::new(projection))
    {
        bound.project(item.view()).unwrap();
    }
    if let Ok(key_condition) = KeyCondition::compile(text)
        && let Ok(bound) = binder.bind(&Arc::new(key_condition))
    {
        let _ = bound.resolve(KeyNames { hash: &["pk"], range: &["a", "b"] });
    }
    if let Ok(update) = Update::compile(text)
        && let Ok(bound) = binder.bind(&Arc::new(update))
    {
        let _ = (bound.apply(Some(&item), &item), bound.apply(None, &Item::new()));
        bound.touched(item.view()).unwrap();
    }
    let _ = Number::parse(text);
    walk(text.as_bytes());
    let _ = Item::decode(text.as_bytes());
}

#[test]
fn deep_texts() {
    for depth in [100, 4_096] {
        for unit in [
            "(",
            "NOT ",
            "size(",
            "f(",
            "a.",
            "a[",
            "a[0",
            "a IN (",
            "a BETWEEN ",
            "a AND ",
            "((a)",
            "if_not_exists(a,",
        ] {
            let count = (depth / unit.len()).max(1);
            let opened = unit.repeat(count);
            for prefix in ["", "a = ", "SET a = ", "REMOVE "] {
                for tail in ["", "a", "a = b", ":v"] {
                    let closed = ")".repeat(count);
                    all(&format!("{prefix}{opened}{tail}"));
                    let whole = format!("{prefix}{opened}{tail}{closed}");
                    if whole.len() <= 4_096 {
                        all(&whole);
                    }
                }
            }
        }
    }
    let nested = format!("SET a = {}:v{}", "if_not_exists(z,".repeat(240), ")".repeat(240));
    all(&nested);
    let nested = format!("a < {}b{}", "size(".repeat(680), ")".repeat(680));
    assert_eq!(
        Condition::compile(&nested).map(Arc::new).map(|program| Binder::new(None, None).unwrap().bind(&program).unwrap_err().message),
        Ok("Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: size, operand type: N".to_owned())
    );
}

/// Random sentences of the language's own words: many of them almost right.
#[test]
fn random_texts() {
    const WORDS: [&str; 50] = [
        "a",
        "b",
        "s",
        "pk",
        "#a",
        "#x",
        ":v",
        ":n",
        ":l",
        ":x",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "[0]",
        "[1]",
        ".",
        ".c",
        ",",
        ",",
        "=",
        "<>",
        "<",
        ">=",
        "+",
        "-",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "IN",
        "SET",
        "REMOVE",
        "ADD",
        "DELETE",
        "size(",
        "contains(",
        "begins_with(",
        "attribute_type(",
        "attribute_exists(",
        "if_not_exists(",
        "list_append(",
        "status",
        "1",
        "!",
        "ü",
        "\"",
        "\u{0}",
    ];
    let mut random = Random::new(10);
    for _ in 0..20_000 {
        let len = 1 + random.below(14);
        let mut text = random.pick(&["", "", "SET a =", "a =", "REMOVE b.c[0],", "ADD a"]).to_owned();
        for _ in 0..len {
            text.push_str(random.pick(&["", " "]));
            text.push_str(random.pick(&WORDS));
        }
        all(&text);
    }
}

/// Every seed of the corpus as it is, and many times with bytes changed. The fuzz targets start from the same seeds.
#[test]
fn corpus() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut random = Random::new(11);
    let mut seeds = 0;
    for target in ["expression", "number", "image", "key"] {
        for entry in std::fs::read_dir(root.join(target)).expect("the committed corpus") {
            let seed = std::fs::read(entry.unwrap().path()).unwrap();
            seeds += 1;
            for round in 0..100 {
                let mut bytes = seed.clone();
                for _ in 0..round.min(4) {
                    mutate(&mut bytes, &mut random);
                }
                all(&String::from_utf8_lossy(&bytes));
                walk(&bytes);
                let _ = Item::decode(&bytes);
                for kind in [model::key::KeyType::S, model::key::KeyType::N, model::key::KeyType::B] {
                    let _ = model::key::decode(kind, &bytes);
                }
                let _ = Number::from_bytes(&bytes);
            }
        }
    }
    assert!(seeds > 20, "{seeds}");
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(4) {
        0 => bytes.insert(at, random.next() as u8),
        1 if at < bytes.len() => bytes[at] = random.next() as u8,
        2 if at < bytes.len() => drop(bytes.remove(at)),
        _ => {
            let end = (at + random.below(8)).min(bytes.len());
            bytes.extend_from_within(at..end);
        }
    }
}
