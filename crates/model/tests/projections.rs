//! Projections.

use crate::notation::{binder, item};
use model::Image;
use model::expression::Projection;
use std::sync::Arc;

const ITEM: &str =
    "{a: 1, b: {x: 1, y: [10, 20, 30], z: {q: 'deep', r: 1}}, c: [1, [2, 3], {k: 4}], d: <'s'>, size: 9}";

fn run(text: &str, names: &str) -> Result<model::Item, String> {
    let program = Arc::new(Projection::compile(text).map_err(|error| error.message)?);
    let mut binder = binder(names, "{}").map_err(|error| error.message)?;
    let bound = binder.bind(&program).map_err(|error| error.message)?;
    binder.finish().map_err(|error| error.message)?;
    let item = item(ITEM);
    let image = Image::of(&item);
    let projected = bound.project(item.view()).map_err(|error| error.message)?;
    assert_eq!(bound.project(image.view()).as_ref(), Ok(&projected), "{text}: over the image");
    if let Some(names) = bound.whole_attributes() {
        let names: Vec<&str> = names.collect();
        assert!(names.is_sorted());
        assert!(projected.names().all(|name| names.contains(&name)), "{text}");
    }
    Ok(projected)
}

#[test]
fn parts_keep_their_parents_shape() {
    for (text, names, expect) in [
        ("a", "{}", "{a: 1}"),
        ("d, a", "{}", "{a: 1, d: <'s'>}"),
        ("absent", "{}", "{}"),
        ("b.x", "{}", "{b: {x: 1}}"),
        ("b.z.q, b.x", "{}", "{b: {x: 1, z: {q: 'deep'}}}"),
        ("b.y[2], b.y[0]", "{}", "{b: {y: [10, 30]}}"),
        ("b.y[9]", "{}", "{}"),
        ("c[1][1], c[2].k", "{}", "{c: [[3], {k: 4}]}"),
        ("c[2].absent, c[0]", "{}", "{c: [1]}"),
        ("a.x", "{}", "{}"),
        ("a[0]", "{}", "{}"),
        ("b[0]", "{}", "{}"),
        ("#s", "{s: 'size'}", "{size: 9}"),
        ("#b.#b2", "{b: 'b', b2: 'x'}", "{b: {x: 1}}"),
        ("  a  ,\n b . x ", "{}", "{a: 1, b: {x: 1}}"),
    ] {
        assert_eq!(run(text, names), Ok(item(expect)), "{text}");
    }
}

#[test]
fn faults() {
    for (text, names, expect) in [
        ("", "{}", "The expression can not be empty;"),
        ("!!!", "{}", "Syntax error; token: \"!\", near: \"!!\""),
        ("a,", "{}", "Syntax error; token: \"<EOF>\", near: \",\""),
        ("a b", "{}", "Syntax error; token: \"b\", near: \"a b\""),
        ("a[]", "{}", "Syntax error; token: \"]\", near: \"[]\""),
        ("a[-1]", "{}", "Syntax error; token: \"-\", near: \"[-1\""),
        (":a", "{}", "Syntax error; token: \":a\", near: \":a\""),
        ("a, status", "{}", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("a, and", "{}", "Attribute name is a reserved keyword; reserved keyword: and"),
        ("a[99999999999999]", "{}", "List index is not within the allowable range; index: [99999999999999]"),
        (
            "#x, a, a",
            "{}",
            "An expression attribute name used in the document path is not defined; attribute name: #x",
        ),
        (
            "a, b.c, #a",
            "{a: 'a'}",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
        ),
        (
            "b.c, a[1], b",
            "{}",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [b, c], path two: [b]",
        ),
        (
            "a.b, a[1]",
            "{}",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]",
        ),
        (
            "a.b[1], z, a.b.c",
            "{}",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b, [1]], path two: [a, b, c]",
        ),
    ] {
        assert_eq!(run(text, names), Err(format!("Invalid ProjectionExpression: {expect}")), "{text}");
    }
    for text in ["a, b", "a.b, a.c", "a.b.d, a.b.e", "a[1], a[2]", "a.b, a.c[2]", "a1, a2, a11"] {
        assert!(run(text, "{}").is_ok(), "{text}");
    }
}
