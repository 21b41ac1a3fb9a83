//! Conditions and filters.

use crate::notation::{binder, item};
use model::Image;
use model::expression::{Condition, ErrorKind};
use std::sync::Arc;

const ITEM: &str = "{a: 1, b: 2, c: 3, s: 'hello', bin: b'hi there', l: [1, 'x', {k: 5}, <1, 2>], m: {x: 1, y: [7, 8], and: {or: 2}},
    ss: <'p', 'q'>, ns: <1, 2>, bs: <b'u', b'v'>, t: true, z: null, s2: 'he'}";
const NAMES: &str = "{}";
const VALUES: &str = "{}";

fn run(text: &str, names: &str, values: &str) -> Result<bool, String> {
    let message = |error: model::expression::ExpressionError| {
        assert_eq!(error.kind, ErrorKind::Invalid);
        error.message
    };
    let program = Arc::new(Condition::compile(text).map_err(message)?);
    let mut binder = binder(names, values).map_err(message)?;
    let bound = binder.bind(&program).map_err(message)?;
    binder.finish().map_err(message)?;
    let item = item(ITEM);
    let image = Image::of(&item);
    let truth = bound.evaluate(Some(item.view())).map_err(message)?;
    assert_eq!(bound.evaluate(Some(image.view())), Ok(truth), "{text}: over the image");
    Ok(truth)
}

#[track_caller]
fn check(text: &str, values: &str, expect: bool) {
    assert_eq!(run(text, NAMES, values), Ok(expect), "{text} with {values}");
}

#[track_caller]
fn refuse(text: &str, names: &str, values: &str, expect: &str) {
    let expect = format!("Invalid ConditionExpression: {expect}");
    assert_eq!(run(text, names, values), Err(expect), "{text}");
}

#[test]
fn comparisons() {
    for (text, values, expect) in [
        ("a = :v", "{v: 1.0}", true),
        ("a = :v", "{v: '1'}", false),
        ("a = b", VALUES, false),
        ("a < b", VALUES, true),
        ("s = :v", "{v: 'hello'}", true),
        ("l = :v", "{v: [1, 'x', {k: 5}, <2, 1>]}", true),
        ("m = :v", "{v: {y: [7, 8], x: 1, and: {or: 2}}}", true),
        ("m = :v", "{v: {y: [7, 8], x: 1}}", false),
        ("ss = :v", "{v: <'q', 'p'>}", true),
        ("z = :v", "{v: null}", true),
        ("t = :v", "{v: false}", false),
        ("absent = :v", "{v: 1}", false),
        ("absent <> :v", "{v: 1}", true),
        ("absent <> gone", VALUES, true),
        ("absent < :v", "{v: 1}", false),
        ("absent >= gone", VALUES, false),
        ("a <> :v", "{v: 'x'}", true),
        ("a <> :v", "{v: 1}", false),
        ("a <= :v", "{v: 1}", true),
        ("a >= :v", "{v: 1}", true),
        ("a > :v", "{v: '0'}", false),
        ("l < :v", "{v: 1}", false),
        (":v < a", "{v: 0}", true),
        ("s > :v", "{v: 'hell'}", true),
        ("bin < :v", "{v: b'i'}", true),
        ("m.x < m.y[1]", VALUES, true),
        ("m.x = m.y[9]", VALUES, false),
        ("l[2].k = :v", "{v: 5}", true),
        ("a.b = :v", "{v: 5}", false),
        ("l.k = :v", "{v: 5}", false),
        ("b BETWEEN a AND c", VALUES, true),
        ("b between :x and :y", "{x: 2, y: 2}", true),
        ("b between :x and :y", "{x: 3, y: 4}", false),
        ("b between :x and :y", "{x: '2', y: '3'}", false),
        ("absent between a and c", VALUES, false),
        ("b between c and a", VALUES, false),
        ("b between l and :y", "{y: 9}", false),
        ("a in (:x, :y)", "{x: 'dog', y: 1}", true),
        ("a IN (b)", VALUES, false),
        ("absent in (absent2)", VALUES, false),
        ("(a) = (:v)", "{v: 1}", true),
        ("(m).x = :v", "{v: 1}", true),
        ("(m.y)[1] = :v", "{v: 8}", true),
    ] {
        check(text, values, expect);
    }
}

#[test]
fn functions() {
    for (text, values, expect) in [
        ("attribute_exists(a)", VALUES, true),
        ("attribute_exists (m.x)", VALUES, true),
        ("attribute_exists(m.q)", VALUES, false),
        ("attribute_not_exists(q)", VALUES, true),
        ("attribute_not_exists(l[0])", VALUES, false),
        ("attribute_type(a, :t)", "{t: 'N'}", true),
        ("attribute_type(ss, :t)", "{t: 'SS'}", true),
        ("attribute_type(z, :t)", "{t: 'NULL'}", true),
        ("attribute_type(t, :t)", "{t: 'S'}", false),
        ("attribute_type(q, :t)", "{t: 'S'}", false),
        ("attribute_type(:x, :t)", "{x: 0, t: 'N'}", true),
        ("begins_with(s, :p)", "{p: 'hell'}", true),
        ("begins_with(s, :p)", "{p: ''}", true),
        ("begins_with(s, s2)", VALUES, true),
        ("begins_with(:x, s2)", "{x: 'hero'}", true),
        ("begins_with(bin, :p)", "{p: b'hi'}", true),
        ("begins_with(s, :p)", "{p: b'hell'}", false),
        ("begins_with(a, :p)", "{p: '1'}", false),
        ("contains(s, :p)", "{p: 'ell'}", true),
        ("contains(s, :p)", "{p: ''}", true),
        ("contains(s, :p)", "{p: 1}", false),
        ("contains(bin, :p)", "{p: b'here'}", true),
        ("contains(bin, :p)", "{p: b''}", true),
        ("contains(bin, :p)", "{p: b'dog'}", false),
        ("contains(ss, :p)", "{p: 'p'}", true),
        ("contains(ns, :p)", "{p: 2.0}", true),
        ("contains(bs, :p)", "{p: b'w'}", false),
        ("contains(l, :p)", "{p: 'x'}", true),
        ("contains(l, :p)", "{p: {k: 5}}", true),
        ("contains(l, :p)", "{p: <2, 1>}", true),
        ("contains(m, :p)", "{p: 'x'}", false),
        ("contains(a, :p)", "{p: 1}", false),
        ("size(s) = :n", "{n: 5}", true),
        // A text is as long as its UTF-16 form.
        ("size(:x) = :n", "{x: 'é𝄞', n: 3}", true),
        ("size(bin) = :n", "{n: 8}", true),
        ("size(l) = :n", "{n: 4}", true),
        ("size(m) = :n", "{n: 3}", true),
        ("size(ss) = :n", "{n: 2}", true),
        ("size(m.y) < a", VALUES, false),
        ("size(a) = :n", "{n: 1}", false),
        ("size(t) = :n", "{n: 1}", false),
        ("size(s) = :n", "{n: 'five'}", false),
        ("size(:x) = :n", "{x: 'abc', n: 3}", true),
        ("(size(s)) > :n", "{n: 4}", true),
        (":n < size(s)", "{n: 4}", true),
        ("size(s) between :x and :y", "{x: 5, y: 5}", true),
        ("size(s) in (:x, size(l))", "{x: 5}", true),
    ] {
        check(text, values, expect);
    }
}

#[test]
fn connectives() {
    for (text, expect) in [
        ("a < b AND b < c", true),
        ("a < b aNd c < b", false),
        ("b < a or b < c", true),
        ("b < a OR c < b", false),
        ("NOT b < a", true),
        ("NOT NOT NOT NOT a < b", true),
        ("not a < b and c < b", false),
        ("a < b OR c < b AND b < a", true),
        ("(a < b OR c < b) AND b < a", false),
        ("b BETWEEN a AND c AND a < b", true),
        ("NOT b BETWEEN a AND c OR a < b", true),
        ("(a < b OR b < a) AND (b < c AND (a < b OR b < c))", true),
        ("NOT (a < b AND NOT (b < a))", false),
        ("((a < b) AND b < c)", true),
        ("(attribute_exists(a)) AND (attribute_not_exists(q))", true),
        ("attribute_exists(a) AND NOT contains(ss, s)", true),
    ] {
        check(text, VALUES, expect);
    }
}

#[test]
fn a_missing_item_has_no_attributes() {
    for (text, expect) in [
        ("attribute_not_exists(pk)", true),
        ("attribute_exists(pk)", false),
        ("pk <> q", true),
        ("pk = q", false),
        ("NOT pk = q", true),
    ] {
        let program = Arc::new(Condition::compile(text).unwrap());
        let bound = binder("{}", "{}").unwrap().bind(&program).unwrap();
        assert_eq!(bound.evaluate(None), Ok(expect), "{text}");
    }
}

#[test]
fn syntax_errors() {
    for (text, token, near) in [
        ("a-b", "-", "a-b"),
        ("attribute_exists(a) AND NOT #x", "<EOF>", "#x"),
        ("a", "<EOF>", "a"),
        (":v", "<EOF>", ":v"),
        ("a AND :v", "AND", "a AND :v"),
        ("a = b b", "b", "b b"),
        ("a > 4", "4", "> 4"),
        ("things are not", "are", "things are not"),
        ("attribute_exists(Pictures-RearView)", "-", "Pictures-RearView"),
        ("attribute_exists(\"Pictures\")", "\"", "(\"Pictures"),
        ("attribute_exists(a..b)", ".", "..b"),
        ("attribute_exists(a[b])", "b", "[b]"),
        ("a in b", "b", "in b"),
        ("a in ()", ")", "()"),
        ("a in (b,c,)", ")", ",)"),
        ("a > between", "between", "> between"),
        ("a != b", "!", "a !="),
        ("#$.b > a", "#", "#$"),
        ("a > :things.stuff", ".", ":things.stuff"),
        ("b[:a] > a", ":a", "[:a]"),
        ("b[#_] > a", "#_", "[#_]"),
        ("b[-1] > a", "-", "[-1"),
        ("ü > a", "ü", "ü >"),
        ("a = ü", "ü", "= ü"),
        ("size(a).b > a", ".", ").b"),
        ("(size(a)).b > a", ".", ").b"),
        ("size(a)[0] > a", "[", ")[0"),
        ("a = (b = c)", "=", "b = c"),
        ("(a = b) = c", "=", ") = c"),
        ("a = NOT b", "NOT", "= NOT b"),
        ("size()", ")", "()"),
        ("a + b = c", "+", "a + b"),
        ("_a = b", "_", "_a"),
        ("(a = b", "<EOF>", "b"),
        ("a = b)", ")", "b)"),
        ("a between b or c", "or", "b or c"),
        ("AND", "AND", "AND"),
        ("   ", "<EOF>", ""),
    ] {
        refuse(text, NAMES, VALUES, &format!("Syntax error; token: \"{token}\", near: \"{near}\""));
    }
}

#[test]
fn faults_of_the_whole_expression() {
    let unknown = |function: &str| format!("Invalid function name; function: {function}");
    let misused = |function: &str| {
        format!("The function is not allowed to be used this way in an expression; function: {function}")
    };
    let reserved = |word: &str| format!("Attribute name is a reserved keyword; reserved keyword: {word}");
    let redundant = "The expression has redundant parentheses;".to_owned();
    for (text, expect) in [
        ("", "The expression can not be empty;".to_owned()),
        ("a=b and a > ((views))", redundant.clone()),
        ("(a)between(((b.c)).d)and(c)", redundant.clone()),
        ("a > whatever((:things), ((a)))", redundant.clone()),
        ("a=b AND ((a=b AND a=b)) AND a=b", redundant.clone()),
        ("((a = b))", redundant.clone()),
        ("((a=b) AND ((c=b)))", redundant),
        ("a=a and whatever((:things)) > a", unknown("whatever")),
        ("attRIbute_exIsts((views), #a)", unknown("attRIbute_exIsts")),
        ("a=a and attribute_exists((views), (#a)) > b", misused("attribute_exists")),
        ("contains(:things, c) > b", misused("contains")),
        ("size(contains(a, b)) > a", misused("contains")),
        ("size(things)", misused("size")),
        ("a = b AND size(things)", misused("size")),
        ("NOT size(things)", misused("size")),
        ("a between b and attribute_exists(things)", misused("attribute_exists")),
        ("a in (b, attribute_exists(things))", misused("attribute_exists")),
        ("if_not_exists(a, a) = :v", misused("if_not_exists")),
        ("list_append(a, b)", misused("list_append")),
        ("attribute_exists(views, #a)", reserved("views")),
        (":a < abOrT", reserved("abOrT")),
        ("a.status = :v", reserved("status")),
        (
            "a[99999999999999] = b",
            "List index is not within the allowable range; index: [99999999999999]".to_owned(),
        ),
    ] {
        refuse(text, NAMES, VALUES, &expect);
    }
}

#[test]
fn faults_of_terms_come_in_the_order_of_the_text() {
    let undefined_name = |name: &str| {
        format!(
            "An expression attribute name used in the document path is not defined; attribute name: {name}"
        )
    };
    let undefined_value = |value: &str| {
        format!("An expression attribute value used in expression is not defined; attribute value: {value}")
    };
    let count = |function: &str, count: usize| {
        format!(
            "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: {count}"
        )
    };
    let kind = |operator: &str, kind: &str| {
        format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
        )
    };
    let distinct = |operator: &str, operand: &str| {
        format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {operand}"
        )
    };
    let path = |function: &str| {
        format!("Operator or function requires a document path; operator or function: {function}")
    };
    for (text, names, values, expect) in [
        ("attribute_exists(#P.R, :a) and a=a", "{}", "{}", undefined_name("#P")),
        ("begins_with(P.#R)", "{}", "{}", undefined_name("#R")),
        ("(#P between :lo and :hi) and (#PC in (:x))", "{}", "{}", undefined_name("#P")),
        ("begins_with(:hello, #a, #b)", "{}", "{}", undefined_value(":hello")),
        (":a < :b", "{}", "{}", undefined_value(":a")),
        ("attribute_exists(things, a) and a=a", "{}", "{}", count("attribute_exists", 2)),
        ("begins_with(things, size(a), b)", "{}", "{}", count("begins_with", 3)),
        ("size(things, a) > b", "{}", "{}", count("size", 2)),
        ("contains(things)", "{}", "{}", count("contains", 1)),
        ("a=a and b=:undefined", "{}", "{}", distinct("=", "[a]")),
        ("#n = b", "{n: 'b'}", "{}", distinct("=", "[b]")),
        ("a[1].b <> a[1].b", "{}", "{}", distinct("<>", "[a, [1], b]")),
        ("contains(a, a)", "{}", "{}", distinct("contains", "[a]")),
        ("attribute_exists(:v)", "{}", "{v: 1}", path("attribute_exists")),
        ("attribute_not_exists(size(a))", "{}", "{}", path("attribute_not_exists")),
        ("attribute_type(a, b)", "{}", "{}", kind("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")),
        ("attribute_type(a, size(a))", "{}", "{}", kind("attribute_type", "N")),
        ("attribute_type(a, :t)", "{}", "{t: null}", kind("attribute_type", "NULL")),
        (
            "attribute_type(a, :t)",
            "{}",
            "{t: 'DOG'}",
            "Invalid attribute type name found; type: DOG, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}".to_owned(),
        ),
        ("begins_with(a, :p)", "{}", "{p: 2}", kind("begins_with", "N")),
        ("begins_with(size(a), b)", "{}", "{}", kind("begins_with", "N")),
        ("size(:v) > a", "{}", "{v: 1}", kind("size", "N")),
        ("size(:v) > a", "{}", "{v: true}", kind("size", "BOOL")),
        ("size(size(a)) > b", "{}", "{}", kind("size", "N")),
        ("a < :v", "{}", "{v: [1]}", kind("<", "L")),
        (":v >= a", "{}", "{v: true}", kind(">=", "BOOL")),
        ("a between :v and b", "{}", "{v: [1]}", kind("BETWEEN", "L")),
        (
            "a between :x and :y",
            "{}",
            "{x: 1, y: 'a'}",
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}".to_owned(),
        ),
        (
            "a between :x and :y",
            "{}",
            "{x: 'b', y: 'a'}",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}".to_owned(),
        ),
    ] {
        refuse(text, names, values, &expect);
    }
}

#[test]
fn limits() {
    let too_long = format!("{} = b", "a".repeat(4093));
    refuse(
        &too_long,
        NAMES,
        VALUES,
        "Expression size has exceeded the maximum allowed size; expression size: 4097",
    );
    check(&too_long[1..], VALUES, false);

    let path = |levels: usize| format!("a{} = b", ".b".repeat(levels - 1));
    check(&path(32), VALUES, false);
    refuse(&path(33), NAMES, VALUES, "The document path has too many nesting levels; nesting levels: 33");

    let operators = |depth: usize| format!("a<b {}{}", "or (a<b ".repeat(depth), ")".repeat(depth));
    check(&operators(149), VALUES, true);
    for text in [
        operators(150),
        operators(454),
        format!("{}a<b", "NOT ".repeat(1000)),
        format!("a<b{}", " or a<b".repeat(500)),
    ] {
        refuse(&text, NAMES, VALUES, "The expression contains too many operators; operator count: 301");
    }
    check(&format!("{}a<b", "NOT ".repeat(299)), VALUES, false);

    let candidates = |count: usize| format!("a in ({})", vec!["b"; count].join(","));
    check(&candidates(100), VALUES, false);
    refuse(
        &candidates(101),
        NAMES,
        VALUES,
        "The IN operator is provided with too many operands; number of operands: 101",
    );
}

#[test]
fn placeholders() {
    let error = |names: &str, values: &str, text: &str| run(text, names, values).unwrap_err();
    assert_eq!(
        error("{b: 'x', a: 'y'}", "{v: 1}", "a = :v"),
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"
    );
    assert_eq!(
        error("{}", "{v: 1, w: 2}", "a = :v"),
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"
    );
    assert_eq!(
        error("{a-b: 'x'}", "{}", "a = b"),
        "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\""
    );
    let new = |names: Option<Vec<(String, String)>>, values: Option<Vec<(String, model::Value)>>| {
        model::expression::Binder::new(names, values).unwrap_err().message
    };
    assert_eq!(new(Some(vec![]), None), "ExpressionAttributeNames must not be empty");
    assert_eq!(new(None, Some(vec![])), "ExpressionAttributeValues must not be empty");
    assert_eq!(
        new(None, Some(vec![("v".to_owned(), model::Value::Null)])),
        "ExpressionAttributeValues contains invalid key: Syntax error; key: \"v\""
    );
    assert!(new(Some(vec![("#a".to_owned(), String::new())]), None).contains("Empty attribute name"));

    // Used in one of two expressions is used.
    let (one, two) = (
        Arc::new(Condition::compile("a = :v").unwrap()),
        Arc::new(Condition::compile_filter("#n = b").unwrap()),
    );
    let mut both = binder("{n: 'and'}", "{v: 1}").unwrap();
    both.bind(&one).unwrap();
    let filter = both.bind(&two).unwrap();
    both.finish().unwrap();
    assert_eq!(filter.roots().collect::<Vec<_>>(), [("and", false), ("b", false)]);
    let error = Condition::compile_filter("a-b").unwrap_err();
    assert!(error.message.starts_with("Invalid FilterExpression: Syntax error"), "{error}");
}
