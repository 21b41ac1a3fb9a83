//! A tree as YAML: one member or item a line, texts always in quotes, in JSON's form.

use serde_json::Value;

pub fn write(tree: &Value) -> String {
    let mut out = String::new();
    below(tree, 0, &mut out);
    out
}

/// The lines of a tree; a text or another plain value is a line of its own.
fn below(tree: &Value, depth: usize, out: &mut String) {
    match tree {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                indent(depth, out);
                out.push_str(&key(name));
                out.push(':');
                rest(value, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                indent(depth, out);
                out.push('-');
                rest(item, depth, out);
            }
        }
        plain => {
            indent(depth, out);
            out.push_str(&plain.to_string());
            out.push('\n');
        }
    }
}

/// What follows a name or a dash: on its line, or on those below it.
fn rest(value: &Value, depth: usize, out: &mut String) {
    let has_lines = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if has_lines {
        out.push('\n');
        below(value, depth + 1, out);
    } else {
        out.push(' ');
        out.push_str(&value.to_string());
        out.push('\n');
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
}

/// A name without quotes, where nothing else could be meant.
fn key(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.{}$+".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/');
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    match begins && !is_word && name.bytes().all(is_plain) {
        true => name.to_owned(),
        false => Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::write;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again() {
        let tree = json!({
            "openapi": "3.0.1", "empty": {}, "none": [], "paths": { "/a/{b+}": { "get": { "200": [
                { "x": 1, "y": [["deep", true], {}] }, "a: b", "- c", "#", "\u{e9}\n\"q\"", null, 1.5, "012",
            ] } } }, "true": "no", "": "", "a b": "!Ref x",
        });
        let text = write(&tree);
        assert_eq!(parse(&text).expect("a document"), tree, "{text}");
        assert!(text.starts_with("openapi: \"3.0.1\"\n"), "{text}");
        assert_eq!(write(&json!("alone")), "\"alone\"\n");
    }
}
