//! Updates.

use crate::notation::{binder, item};
use model::Item;
use model::expression::{Bound, ErrorKind, Update};
use std::sync::Arc;

fn message(error: model::expression::ExpressionError) -> String {
    assert_eq!(error.kind, ErrorKind::Invalid);
    error.message
}

fn bind(text: &str, names: &str, values: &str) -> Result<Bound<Update>, String> {
    let program = Arc::new(Update::compile(text).map_err(message)?);
    let mut binder = binder(names, values).map_err(message)?;
    let bound = binder.bind(&program).map_err(message)?;
    binder.finish().map_err(message)?;
    Ok(bound)
}

fn run(text: &str, values: &str, old: &str) -> Result<Item, String> {
    let bound = bind(text, "{}", values)?;
    let old = item(old);
    let updated = bound.apply(Some(&old), &Item::new()).map_err(message)?;
    assert!(updated.exists);
    Ok(updated.item)
}

#[test]
fn effects() {
    for (text, values, old, expect) in [
        ("SET a = :v", "{v: 1}", "{}", "{a: 1}"),
        ("  set   a=:v  ", "{v: 1}", "{a: 0, b: 2}", "{a: 1, b: 2}"),
        ("SET a = b, b = a", "{}", "{a: 1, b: 2}", "{a: 2, b: 1}"),
        ("SET b = a REMOVE a", "{}", "{a: 1}", "{b: 1}"),
        ("REMOVE a SET b = a", "{}", "{a: 1}", "{b: 1}"),
        ("SET a = a + :v", "{v: 5}", "{a: 10}", "{a: 15}"),
        ("SET a = :v - a", "{v: 5}", "{a: 10}", "{a: -5}"),
        ("SET a = (a + :v)", "{v: 5}", "{a: 10}", "{a: 15}"),
        ("SET a = (a) - (:v)", "{v: 0.1}", "{a: 1}", "{a: 0.9}"),
        ("SET a = if_not_exists(a, :v) + :w", "{v: 0, w: 3}", "{}", "{a: 3}"),
        ("SET a = if_not_exists(a, :v) + :w", "{v: 0, w: 3}", "{a: 4}", "{a: 7}"),
        ("SET a = if_not_exists(b, if_not_exists(c, :v))", "{v: 3}", "{c: 1}", "{a: 1, c: 1}"),
        ("SET a = if_not_exists(b, c)", "{}", "{c: 'x'}", "{a: 'x', c: 'x'}"),
        ("SET a = list_append(a, :v)", "{v: ['c']}", "{a: ['a', 'b']}", "{a: ['a', 'b', 'c']}"),
        ("SET a = list_append(:v, a)", "{v: ['c']}", "{a: ['a', 'b']}", "{a: ['c', 'a', 'b']}"),
        ("SET a = list_append(if_not_exists(a, :e), :v)", "{e: [], v: [1]}", "{}", "{a: [1]}"),
        ("SET a.b = :v", "{v: 1}", "{a: {}}", "{a: {b: 1}}"),
        ("SET a.b.c[1].d = :v", "{v: 1}", "{a: {b: {c: [0, {d: 0}]}}}", "{a: {b: {c: [0, {d: 1}]}}}"),
        ("SET a.c = :v", "{v: 7}", "{a: {b: 3, c: {one: 1}}}", "{a: {b: 3, c: 7}}"),
        ("SET z = a.c[1]", "{}", "{a: {c: [1, 2]}}", "{a: {c: [1, 2]}, z: 2}"),
        ("SET a[7] = :v", "{v: 'n'}", "{a: [1, 2]}", "{a: [1, 2, 'n']}"),
        ("SET a[0] = :v", "{v: 'n'}", "{a: []}", "{a: ['n']}"),
        (
            "SET a[84] = :a, a[37] = :b, a[17] = :c, a[50] = :d, a[0] = :e",
            "{a: 1, b: 2, c: 3, d: 4, e: 5}",
            "{a: [0]}",
            "{a: [5, 3, 2, 4, 1]}",
        ),
        ("REMOVE a", "{}", "{b: 1}", "{b: 1}"),
        ("REMOVE a.x", "{}", "{a: {x: 1}}", "{a: {}}"),
        ("REMOVE a.y, b[7]", "{}", "{a: {x: 1}, b: [1]}", "{a: {x: 1}, b: [1]}"),
        ("REMOVE a[0]", "{}", "{a: [1]}", "{a: []}"),
        ("REMOVE a[1], a[3], a[0]", "{}", "{a: [0, 1, 2, 3, 4]}", "{a: [2, 4]}"),
        ("REMOVE a[2], a[10]", "{}", "{a: [0,1,2,3,4,5,6,7,8,9,10,11]}", "{a: [0,1,3,4,5,6,7,8,9,11]}"),
        ("REMOVE a[1] SET a[3] = :v", "{v: 17}", "{a: [2, 3, 4, 5, 6, 7]}", "{a: [2, 4, 17, 6, 7]}"),
        ("SET a[3] = :v REMOVE a[1]", "{v: 17}", "{a: [2, 3, 4, 5, 6, 7]}", "{a: [2, 4, 17, 6, 7]}"),
        (
            "REMOVE a.c[1].x.y[1], a.c[1].q",
            "{}",
            "{a: {c: ['hi', {x: {y: [3, 5, 7]}, q: 2}]}}",
            "{a: {c: ['hi', {x: {y: [3, 7]}}]}}",
        ),
        (
            "SET a.b = :x, a.c.d = :y, b.x = :z REMOVE a.x, b.y",
            "{x: 10, y: 'dog', z: 17}",
            "{a: {x: 3, y: 4, c: {y: 3}}, b: {x: 1, y: 2}}",
            "{a: {y: 4, b: 10, c: {y: 3, d: 'dog'}}, b: {x: 17}}",
        ),
        ("ADD a :v", "{v: 4}", "{a: 3}", "{a: 7}"),
        ("ADD a :v", "{v: -4}", "{}", "{a: -4}"),
        ("ADD a.b :v, c[0] :v", "{v: 1}", "{a: {}, c: [1]}", "{a: {b: 1}, c: [2]}"),
        ("ADD a :v", "{v: <'pig', 'cat'>}", "{a: <'cat', 'dog'>}", "{a: <'cat', 'dog', 'pig'>}"),
        ("ADD a :v", "{v: <1, 2>}", "{}", "{a: <1, 2>}"),
        ("DELETE a :v", "{v: <'cat', 'cow'>}", "{a: <'cat', 'dog'>}", "{a: <'dog'>}"),
        ("DELETE a :v", "{v: <'cat', 'dog'>}", "{a: <'cat', 'dog'>, b: 1}", "{b: 1}"),
        ("DELETE a :v", "{v: <1>}", "{b: 1}", "{b: 1}"),
        ("DELETE a[0] :v SET a[1] = :w", "{v: <1>, w: 'w'}", "{a: [<1>, 2, 3]}", "{a: ['w', 3]}"),
        (
            "ADD n :v DELETE d :d REMOVE r SET s = :v",
            "{v: 1, d: <b'x'>}",
            "{n: 1, d: <b'x', b'y'>, r: 1}",
            "{n: 2, d: <b'y'>, s: 1}",
        ),
    ] {
        assert_eq!(run(text, values, old), Ok(item(expect)), "{text} on {old}");
    }
}

#[test]
fn faults_that_the_item_brings() {
    const PATH: &str = "The document path provided in the update expression is invalid for update";
    const MISSING: &str = "The provided expression refers to an attribute that does not exist in the item";
    const TYPE: &str = "An operand in the update expression has an incorrect data type";
    const OVERFLOW: &str =
        "Number overflow. Attempting to store a number with magnitude larger than supported range";
    for (text, values, old, expect) in [
        ("SET a.c = :v", "{v: 1}", "{a: 'hello'}", PATH),
        ("SET b.c = :v", "{v: 1}", "{b: ['hi']}", PATH),
        ("SET c.c = :v", "{v: 1}", "{}", PATH),
        ("SET a[0] = :v", "{v: 1}", "{a: 'hello'}", PATH),
        ("SET a[5].x = :v, a[9] = :m", "{v: 1, m: {}}", "{a: [1, 2, 3, 4, 5]}", PATH),
        ("REMOVE a.c", "{}", "{a: 'hello'}", PATH),
        ("REMOVE c.c", "{}", "{}", PATH),
        ("REMOVE a[0]", "{}", "{a: {}}", PATH),
        ("ADD c.c :v", "{v: 1}", "{}", PATH),
        ("SET a = b", "{}", "{}", MISSING),
        ("SET a = a + :v", "{v: 1}", "{}", MISSING),
        ("SET a = list_append(a, :v)", "{v: []}", "{}", MISSING),
        ("SET a = b[4]", "{}", "{b: [1]}", MISSING),
        ("SET a = a + :v", "{v: 1}", "{a: 'x'}", TYPE),
        ("SET a = list_append(a, :v)", "{v: []}", "{a: 'x'}", TYPE),
        ("ADD a :v", "{v: 1}", "{a: 'x'}", TYPE),
        ("ADD a :v", "{v: <1>}", "{a: <'x'>}", TYPE),
        ("ADD a :v", "{v: <1>}", "{a: [1]}", TYPE),
        ("DELETE a :v", "{v: <1>}", "{a: <'x'>}", TYPE),
        ("SET a = a + :v", "{v: 1}", "{a: 1e50}", OVERFLOW),
        ("ADD a :v", "{v: 9e125}", "{a: 9e125}", OVERFLOW),
    ] {
        assert_eq!(run(text, values, old), Err(expect.to_owned()), "{text} on {old}");
    }
    let deep = (0..32).fold("1".to_owned(), |inner, _| format!("[{inner}]"));
    assert!(run("SET a = :v", &format!("{{v: {deep}}}"), "{}").is_ok());
    let error = run("SET a.b = :v", &format!("{{v: {deep}}}"), "{a: {}}").unwrap_err();
    assert!(error.starts_with("Nesting Levels have exceeded supported limits"), "{error}");
}

#[test]
fn faults_of_the_expression() {
    let syntax = |token: &str, near: &str| format!("Syntax error; token: \"{token}\", near: \"{near}\"");
    let kind = |operator: &str, kind: &str| {
        format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
        )
    };
    let section = |section: &str, kind: &str| {
        format!("Incorrect operand type for operator or function; operator: {section}, operand type: {kind}")
    };
    let twice =
        |section: &str| format!("The \"{section}\" section can only be used once in an update expression;");
    let collide = |how: &str, one: &str, two: &str| {
        format!(
            "Two document paths {how} with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
        )
    };
    let misused = |function: &str| {
        format!("The function is not allowed to be used this way in an expression; function: {function}")
    };
    for (text, names, values, expect) in [
        ("", "{}", "{}", "The expression can not be empty;".to_owned()),
        ("INVALID SYNTAX HERE", "{}", "{v: 1}", syntax("INVALID", "INVALID SYNTAX")),
        ("ADD hits : incr", "{}", "{}", syntax(":", "hits : incr")),
        ("SET _123 = :v", "{}", "{}", syntax("_", "SET _123")),
        ("SET 123a = :v", "{}", "{}", syntax("123", "SET 123a")),
        ("SET a = :v, ", "{}", "{}", syntax("<EOF>", ",")),
        ("SET a = :v b = :w", "{}", "{}", syntax("b", ":v b =")),
        ("SET :a = :b", "{}", "{}", syntax(":a", "SET :a =")),
        ("SET a = :a + :b + :c", "{}", "{}", syntax("+", ":b + :c")),
        ("SET a = if_not_exists(c, :a+:b)", "{}", "{}", syntax("+", ":a+:b")),
        ("SET a = _f(b)", "{}", "{}", syntax("_", "= _f")),
        ("SET a", "{}", "{}", syntax("<EOF>", "a")),
        ("SET", "{}", "{}", syntax("<EOF>", "SET")),
        ("SET a = ", "{}", "{}", syntax("<EOF>", "=")),
        ("SET set = :v", "{}", "{}", syntax("set", "SET set =")),
        ("ADD a b", "{}", "{}", syntax("b", "a b")),
        ("REMOVE a = b", "{}", "{}", syntax("=", "a = b")),
        ("SET a[#x] = :v", "{}", "{}", syntax("#x", "[#x]")),
        ("SET a = b = c", "{}", "{}", syntax("=", "b = c")),
        ("SET a = b AND c", "{}", "{}", syntax("AND", "b AND c")),
        ("SET a = ((b))", "{}", "{}", "The expression has redundant parentheses;".to_owned()),
        (" set #c = :c set abOrt = true ", "{}", "{}", "Attribute name is a reserved keyword; reserved keyword: abOrt".to_owned()),
        ("set a = f(b, c, d)", "{}", "{}", "Invalid function name; function: f".to_owned()),
        ("set a = size(b)", "{}", "{}", misused("size")),
        ("set a = list_append(list_append(b, c), :v)", "{}", "{}", misused("list_append")),
        ("set a = #c set c = :d", "{}", "{}", twice("SET")),
        ("remove #d set a = b remove e", "{}", "{}", twice("REMOVE")),
        ("add #d :e set a = b add e :f", "{}", "{}", twice("ADD")),
        ("delete #d :e set a = b delete #e :f", "{}", "{}", twice("DELETE")),
        (
            "set a = :a, b = #c",
            "{}",
            "{}",
            "An expression attribute name used in the document path is not defined; attribute name: #c".to_owned(),
        ),
        (
            "SET a = :v, b = list_append(:s, c)",
            "{}",
            "{s: 'x'}",
            "An expression attribute value used in expression is not defined; attribute value: :v".to_owned(),
        ),
        ("set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)", "{c: 'c'}", "{}", collide("overlap", "[c, [1], a]", "[c]")),
        ("set #c[3].d = a, #c[3] = a", "{c: 'c'}", "{}", collide("overlap", "[c, [3], d]", "[c, [3]]")),
        ("remove a.#c set a[1] = d", "{c: 'c'}", "{}", collide("conflict", "[a, c]", "[a, [1]]")),
        ("SET a = :v REMOVE a", "{}", "{v: 1}", collide("overlap", "[a]", "[a]")),
        ("set b = list_append(:a, a), c = if_not_exists(a) add a.b :a", "{}", "{a: 'x'}", section("ADD", "STRING")),
        ("delete a.b :a", "{}", "{a: 1}", section("DELETE", "NUMBER")),
        ("add a.b :a", "{}", "{a: true}", section("ADD", "BOOLEAN")),
        ("add a.b :a", "{}", "{a: null}", section("ADD", "NULL")),
        ("delete a.b :a", "{}", "{a: b'x'}", section("DELETE", "BINARY")),
        ("add a.b :a", "{}", "{a: []}", section("ADD", "LIST")),
        ("add a.b :a", "{}", "{a: {}}", section("ADD", "MAP")),
        (
            "set a = if_not_exists(c)",
            "{}",
            "{}",
            "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1".to_owned(),
        ),
        (
            "set a = if_not_exists(:v, :w)",
            "{}",
            "{v: 1, w: 2}",
            "Operator or function requires a document path; operator or function: if_not_exists".to_owned(),
        ),
        ("set a = list_append(a, :b)", "{}", "{b: 1}", kind("list_append", "N")),
        ("set a = list_append(:b, a)", "{}", "{b: <'x'>}", kind("list_append", "SS")),
        ("set a = a + :a", "{}", "{a: 'x'}", kind("+", "S")),
        ("set a = :a - b", "{}", "{a: []}", kind("-", "L")),
    ] {
        let found = bind(text, names, values).map(drop);
        assert_eq!(found, Err(format!("Invalid UpdateExpression: {expect}")), "{text}");
    }
    for text in ["a", "a.b", "a[1]"] {
        let error =
            bind(&format!("SET {text} = :v"), "{}", "{v: 1}").unwrap().check_keys(&["k", "a"]).unwrap_err();
        assert_eq!(
            error.message,
            "One or more parameter values were invalid: Cannot update attribute a. This attribute is part of the key"
        );
    }
    assert_eq!(bind("SET b = a", "{}", "{}").unwrap().check_keys(&["a"]), Ok(()));
}

#[test]
fn a_missing_item() {
    let key = item("{pk: 'k'}");
    for (text, values, expect, exists) in [
        ("SET a = :v", "{v: 1}", "{pk: 'k', a: 1}", true),
        ("ADD a :v", "{v: 1}", "{pk: 'k', a: 1}", true),
        ("REMOVE a", "{}", "{pk: 'k'}", false),
        ("REMOVE x.y, x[0]", "{}", "{pk: 'k'}", false),
        ("DELETE a :v", "{v: <1>}", "{pk: 'k'}", false),
        ("SET a = if_not_exists(a, :v) REMOVE b.c", "{v: 1}", "{pk: 'k', a: 1}", true),
    ] {
        if text.contains("x.y") {
            // The two paths conflict: one at a time.
            for text in ["REMOVE x.y", "REMOVE x[0]"] {
                let updated = bind(text, "{}", values).unwrap().apply(None, &key).unwrap();
                assert_eq!((updated.item, updated.exists), (item(expect), exists), "{text}");
            }
            continue;
        }
        let updated = bind(text, "{}", values).unwrap().apply(None, &key).unwrap();
        assert_eq!((updated.item, updated.exists), (item(expect), exists), "{text}");
    }
    // Its key is there to be read; nothing else is.
    let made = bind("SET a = pk", "{}", "{}").unwrap().apply(None, &key).unwrap();
    assert_eq!(made.item, item("{pk: 'k', a: 'k'}"));
    let error = bind("SET a = b", "{}", "{}").unwrap().apply(None, &key).unwrap_err();
    assert_eq!(
        error.message,
        "The provided expression refers to an attribute that does not exist in the item"
    );
}

#[test]
fn touched_parts() {
    const OLD: &str = "{p: 'k', a: {b: 'dog', c: [1, 2, 3]}, d: 'cat'}";
    for (text, values, before, after) in [
        ("SET d = :v", "{v: 'x'}", "{d: 'cat'}", "{d: 'x'}"),
        ("SET fresh = :v", "{v: 'x'}", "{}", "{fresh: 'x'}"),
        ("REMOVE d", "{}", "{d: 'cat'}", "{}"),
        ("SET a.b = :v", "{v: 'x'}", "{a: {b: 'dog'}}", "{a: {b: 'x'}}"),
        ("SET a.c[1] = :v", "{v: 7}", "{a: {c: [2]}}", "{a: {c: [7]}}"),
        ("SET a.c[1] = :v, a.b = :w", "{v: 7, w: 'x'}", "{a: {b: 'dog', c: [2]}}", "{a: {b: 'x', c: [7]}}"),
        ("REMOVE a.c[1], a.c[3]", "{}", "{a: {c: [2]}}", "{a: {c: [3]}}"),
        ("SET a.x = :v", "{v: 8}", "{}", "{a: {x: 8}}"),
        // As the service does it: what is appended is not where the path says.
        ("SET a.c[100] = :v", "{v: 8}", "{}", "{}"),
        ("REMOVE a.c[1]", "{}", "{a: {c: [2]}}", "{a: {c: [3]}}"),
    ] {
        let (bound, old) = (bind(text, "{}", values).unwrap(), item(OLD));
        let new = bound.apply(Some(&old), &item("{p: 'k'}")).unwrap().item;
        assert_eq!(bound.touched(old.view()), Ok(item(before)), "{text}: before");
        assert_eq!(bound.touched(new.view()), Ok(item(after)), "{text}: after");
    }
}
