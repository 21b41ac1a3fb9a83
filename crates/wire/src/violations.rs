//! Constraint violations, all collected and told at once, in AWS's words.
//!
//! The words are those of the older validation layer (`Value 'ab' at 'tableName' …`), which most operations still speak. The
//! newer one names members as the model does and does not show values (`Value at 'TableName' …`); operations observed to speak
//! it say so themselves.

use crate::shape::{Kind, Length, List, Location, Map, Member, Range, Shape, Structure, Text};
use crate::{Operation, ServiceError};
use serde_json::Value;

/// More than this many are never told.
const TOLD_MAX: usize = 10;
/// Depth at which checking stops: far below what a parser lets through.
const DEPTH_MAX: usize = 128;

#[derive(Clone, Debug, Default)]
pub struct Violations {
    code: &'static str,
    /// Whether the service is one of `OF_INPUTS`.
    of_inputs: bool,
    found: Vec<String>,
}

impl Violations {
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The error that tells them all, if there is one to tell.
    pub fn finish(self) -> Result<(), ServiceError> {
        let count = self.found.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        let told = self.found.join("; ");
        Err(ServiceError::new(self.code, format!("{count} validation {errors} detected: {told}")))
    }

    fn missing(&mut self, path: &Path<'_>) {
        self.say("Value null", path, "Member must not be null");
    }

    fn tell(&mut self, shape: &Shape, value: &Value, path: &Path<'_>, rule: &str) {
        match shape.sensitive {
            true => self.say("Value", path, rule),
            false => self.say(&format!("Value '{}'", shown(shape, value)), path, rule),
        }
    }

    fn say(&mut self, what: &str, path: &Path<'_>, rule: &str) {
        if self.found.len() < TOLD_MAX {
            self.found.push(format!("{what} at '{path}' failed to satisfy constraint: {rule}"));
        }
    }
}

/// Services that name what is in a body by the operation's input, and tell of bodies first: `createRestApiInput.name`.
const OF_INPUTS: &[&str] = &["apigateway"];

/// Where a value is. It is spelt out only when something is wrong there.
enum Path<'a> {
    Root,
    /// The body, by the name of its operation.
    Body(&'a str),
    Member(&'a Path<'a>, &'a str),
    /// Counted from one.
    Element(&'a Path<'a>, usize),
    Entry(&'a Path<'a>, &'a str),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Body(operation) => write!(f, "{}Input", lowered(operation)),
            Path::Member(Path::Root, name) => f.write_str(&lowered(name)),
            Path::Member(parent, name) => write!(f, "{parent}.{}", lowered(name)),
            Path::Element(parent, at) => write!(f, "{parent}.{at}.member"),
            Path::Entry(parent, key) => write!(f, "{parent}.{key}.member"),
        }
    }
}

/// Checks an input against every constraint of its operation's model.
pub fn violations(input: &Value, operation: &Operation) -> Violations {
    let of_inputs = OF_INPUTS.contains(&operation.service.name);
    let code = operation.service.violation_code;
    let mut violations = Violations { code, of_inputs, found: Vec::new() };
    match operation.input {
        Some(Shape { kind: Kind::Structure(structure), .. }) if of_inputs => {
            for (location, path) in [(true, Path::Body(operation.name)), (false, Path::Root)] {
                let members =
                    structure.members.iter().filter(|one| (one.location == Location::Body) == location);
                members.for_each(|one| check_member(structure, one, input, &path, 0, &mut violations));
            }
        }
        Some(shape) => check(shape, input, &Path::Root, 0, &mut violations),
        None => {}
    }
    violations
}

fn check(shape: &Shape, value: &Value, path: &Path<'_>, depth: usize, violations: &mut Violations) {
    if depth > DEPTH_MAX {
        return;
    }
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(_)) => {
            for member in structure.members {
                check_member(structure, member, value, path, depth, violations);
            }
        }
        (Kind::List(list), Value::Array(elements)) => {
            let rules = length_rules(list.length, elements.len());
            tell_all(shape, value, path, rules, violations);
            check_elements(shape, list, value, elements, path, depth, violations);
        }
        (Kind::Map(map), Value::Object(entries)) => {
            let rules = length_rules(map.length, entries.len());
            tell_all(shape, value, path, rules, violations);
            check_entries(shape, map, value, entries, path, depth, violations);
        }
        _ => tell_all(shape, value, path, broken(shape, value), violations),
    }
}

fn check_member(
    structure: &Structure,
    member: &Member,
    value: &Value,
    path: &Path<'_>,
    depth: usize,
    violations: &mut Violations,
) {
    let path = Path::Member(path, member.name);
    // A blob that is the whole body is not in the tree.
    let is_body = structure.payload == Some(member.name) && matches!(member.shape.kind, Kind::Blob(_));
    match value.get(member.name) {
        Some(Value::Null) | None if member.required && !is_body => violations.missing(&path),
        Some(Value::Null) | None => {}
        Some(value) => check(member.shape, value, &path, depth + 1, violations),
    }
}

/// A list's scalars are told of together, its structures one by one.
fn check_elements(
    shape: &Shape,
    list: &List,
    value: &Value,
    elements: &[Value],
    path: &Path<'_>,
    depth: usize,
    violations: &mut Violations,
) {
    if is_scalar(list.member) {
        if elements.iter().any(|element| !element.is_null() && !broken(list.member, element).is_empty()) {
            let mut rules = rules_of(list.member);
            // That an element must be there is left unsaid.
            rules.retain(|rule| !violations.of_inputs || rule != "Member must not be null");
            let rule = format!("Member must satisfy constraint: [{}]", rules.join(", "));
            violations.tell(shape, value, path, &rule);
        }
        return;
    }
    for (at, element) in elements.iter().enumerate().filter(|(_, element)| !element.is_null()) {
        check(list.member, element, &Path::Element(path, at + 1), depth + 1, violations);
    }
}

fn check_entries(
    shape: &Shape,
    map: &Map,
    value: &Value,
    entries: &serde_json::Map<String, Value>,
    path: &Path<'_>,
    depth: usize,
    violations: &mut Violations,
) {
    let is_bad_key = |key: &String| match &map.key.kind {
        Kind::String(text) => !text_rules(text, key).is_empty(),
        _ => false,
    };
    if entries.keys().any(is_bad_key) {
        let rule = format!("Map keys must satisfy constraint: [{}]", rules_of(map.key).join(", "));
        violations.tell(shape, value, path, &rule);
    }
    let is_bad = |value: &&Value| match (&map.value.kind, value) {
        (Kind::List(list), Value::Array(elements)) => !length_rules(list.length, elements.len()).is_empty(),
        (_, value) => is_scalar(map.value) && !value.is_null() && !broken(map.value, value).is_empty(),
    };
    if entries.values().any(|value| is_bad(&value)) {
        let rule = format!("Map value must satisfy constraint: [{}]", rules_of(map.value).join(", "));
        violations.tell(shape, value, path, &rule);
        return;
    }
    if is_scalar(map.value) {
        return;
    }
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        check(map.value, value, &Path::Entry(path, key), depth + 1, violations);
    }
}

fn tell_all(shape: &Shape, value: &Value, path: &Path<'_>, rules: Vec<String>, violations: &mut Violations) {
    for rule in rules {
        violations.tell(shape, value, path, &rule);
    }
}

fn is_scalar(shape: &Shape) -> bool {
    !matches!(shape.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map(_) | Kind::Document)
}

/// The rules a scalar breaks.
fn broken(shape: &Shape, value: &Value) -> Vec<String> {
    match (&shape.kind, value) {
        (Kind::String(text), Value::String(value)) => text_rules(text, value),
        (Kind::Blob(length), Value::String(value)) => length_rules(*length, decoded_length(value)),
        (Kind::Integer(range) | Kind::Long(range), Value::Number(number)) => {
            let number = number.as_i64().unwrap_or_default();
            let rules = range_rules(*range, number > range.max, number < range.min);
            rules.into_iter().flatten().collect()
        }
        (Kind::Float(range) | Kind::Double(range), Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            let rules = range_rules(*range, number > range.max as f64, number < range.min as f64);
            rules.into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}

fn text_rules(text: &Text, value: &str) -> Vec<String> {
    if !text.one_of.is_empty() {
        return if text.one_of.contains(&value) { Vec::new() } else { vec![enum_rule(text)] };
    }
    // Java counts in UTF-16.
    let length = if value.is_ascii() { value.len() } else { value.encode_utf16().count() };
    let mut rules = length_rules(text.length, length);
    if let Some(pattern) = &text.pattern
        && !pattern.matches(value)
    {
        rules.push(pattern_rule(pattern.text));
    }
    rules
}

fn enum_rule(text: &Text) -> String {
    format!("Member must satisfy enum value set: [{}]", text.one_of.join(", "))
}

fn pattern_rule(text: &str) -> String {
    format!("Member must satisfy regular expression pattern: {text}")
}

fn length_rules(length: Length, actual: usize) -> Vec<String> {
    let actual = actual as u64;
    let mut rules = Vec::new();
    if actual > length.max {
        rules.push(format!("Member must have length less than or equal to {}", length.max));
    }
    if actual < length.min {
        rules.push(format!("Member must have length greater than or equal to {}", length.min));
    }
    rules
}

/// The words of a range's bounds, of those that are asked for.
fn range_rules(range: Range, max: bool, min: bool) -> [Option<String>; 2] {
    [
        max.then(|| format!("Member must have value less than or equal to {}", range.max)),
        min.then(|| format!("Member must have value greater than or equal to {}", range.min)),
    ]
}

/// Every rule of a shape, broken or not: how the elements of lists and maps are told of.
fn rules_of(shape: &Shape) -> Vec<String> {
    let length = |length: Length| {
        let is_bounded = length != Length::ANY;
        let max = (length.max != u64::MAX)
            .then(|| format!("Member must have length less than or equal to {}", length.max));
        let min =
            is_bounded.then(|| format!("Member must have length greater than or equal to {}", length.min));
        max.into_iter().chain(min).collect::<Vec<_>>()
    };
    match &shape.kind {
        Kind::String(text) if !text.one_of.is_empty() => {
            vec![enum_rule(text), "Member must not be null".to_string()]
        }
        Kind::String(text) => {
            let mut rules = length(text.length);
            rules.extend(text.pattern.as_ref().map(|pattern| pattern_rule(pattern.text)));
            rules
        }
        Kind::List(list) => length(list.length),
        Kind::Map(map) => length(map.length),
        Kind::Blob(bound) => length(*bound),
        Kind::Integer(range) | Kind::Long(range) => {
            range_rules(*range, range.max != i64::MAX, range.min != i64::MIN).into_iter().flatten().collect()
        }
        // Told with a fraction. [suite: recorded answers]
        Kind::Float(range) | Kind::Double(range) => {
            let rules = range_rules(*range, range.max != i64::MAX, range.min != i64::MIN);
            let rules = rules.into_iter().flatten().map(|rule| rule + ".0");
            rules.chain(["Member must not be null".to_string()]).collect()
        }
        _ => Vec::new(),
    }
}

/// A value as Java prints it.
fn shown(shape: &Shape, value: &Value) -> String {
    let mut out = String::new();
    show(shape, value, &mut out);
    out
}

fn show(shape: &Shape, value: &Value, out: &mut String) {
    let mut first = true;
    let mut comma = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push_str(", ");
        }
    };
    match (&shape.kind, value) {
        (_, value) if shape.sensitive && !value.is_null() => out.push_str("***"),
        (Kind::Structure(structure), Value::Object(members)) => {
            out.push_str(shape.name);
            out.push('(');
            for member in structure.members {
                comma(out);
                out.push_str(&lowered(member.name));
                out.push('=');
                show(member.shape, members.get(member.name).unwrap_or(&Value::Null), out);
            }
            out.push(')');
        }
        (Kind::List(list), Value::Array(elements)) => {
            out.push('[');
            for element in elements {
                comma(out);
                show(list.member, element, out);
            }
            out.push(']');
        }
        (Kind::Map(map), Value::Object(entries)) => {
            out.push('{');
            for (key, value) in entries {
                comma(out);
                out.push_str(key);
                out.push('=');
                show(map.value, value, out);
            }
            out.push('}');
        }
        (Kind::Blob(_), Value::String(text)) => {
            let length = decoded_length(text);
            out.push_str(&format!("java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]"));
        }
        (_, Value::String(text)) => out.push_str(text),
        (Kind::Float(_) | Kind::Double(_), Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            out.push_str(&format!("{number:?}"));
        }
        (_, Value::Null) => out.push_str("null"),
        (_, other) => out.push_str(&other.to_string()),
    }
}

fn decoded_length(text: &str) -> usize {
    text.len() / 4 * 3 - text.bytes().rev().take(2).filter(|byte| *byte == b'=').count().min(text.len() / 4)
}

/// `TableName` → `tableName`; `KMSKeyArn` → `kMSKeyArn`, `SSESpecification` → `sSESpecification`, as Java beans are named.
fn lowered(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_ascii_lowercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}
