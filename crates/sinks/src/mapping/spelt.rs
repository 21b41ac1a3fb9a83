//! A mapping as a file would say it.

use super::{Column, From, Kind, Mapping, Others};
use crate::config::Form;
use serde_json::json;
use sql::Value;

impl Mapping {
    /// The pipeline's lines about columns.
    pub fn spelt(&self) -> String {
        let mut text = format!("key = {}\n", json!(self.key));
        let rest = self.columns.iter().find_map(|column| match column.from {
            From::Rest(form) => Some((&column.name, form)),
            _ => None,
        });
        match rest {
            Some((name, Form::Typed)) => text.push_str(&format!("rest = {{ column = {} }}\n", json!(name))),
            Some((name, Form::Plain)) => {
                text.push_str(&format!("rest = {{ column = {}, form = \"plain\" }}\n", json!(name)));
            }
            None if self.others == Others::Columns => text.push_str("rest = \"columns\"\n"),
            None => {}
        }
        if !self.drop.is_empty() {
            text.push_str(&format!("drop = {}\n", json!(self.drop)));
        }
        text.push_str("[pipeline.columns]\n");
        self.columns.iter().filter_map(column).for_each(|line| text.push_str(&line));
        text
    }
}

fn column(column: &Column) -> Option<String> {
    let mut parts = Vec::new();
    if column.kind != Kind::Same {
        parts.push(format!("type = \"{}\"", column.kind));
    }
    match &column.from {
        From::Attribute(path) => parts.push(format!("from = {}", json!(path.to_string()))),
        From::Constant(value) => parts.push(format!("constant = {}", literal(value, column.kind))),
        From::Rest(_) => return None,
        From::DeletedAt => return Some(format!("# {}: when an item was deleted\n", column.name)),
    }
    if let Some(default) = &column.default {
        parts.push(format!("default = {}", literal(default, column.kind)));
    }
    Some(format!("{} = {{ {} }}\n", key(&column.name), parts.join(", ")))
}

/// A name on the left: bare where TOML takes it so.
fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { name.to_owned() } else { json!(name).to_string() }
}

fn literal(value: &Value, kind: Kind) -> String {
    match value {
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Numeric(text) if kind == Kind::Same => text.clone(),
        Value::Numeric(text) => json!(text).to_string(),
        other => json!(other.as_text().unwrap_or_default()).to_string(),
    }
}
