//! Mapping templates: the Velocity language as API Gateway has it, over the request or the answer.

mod evaluate;
mod expression;
mod methods;
mod parse;

use evaluate::Run;
use expression::Expression;
use parse::{Parser, Reference};
use serde_json::{Map, Value};

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Reference(Reference),
    Set(Reference, Expression),
    /// Conditions, each with what it guards, and what is left.
    If(Vec<(Expression, Vec<Node>)>, Vec<Node>),
    Foreach(String, Expression, Vec<Node>),
    Break,
    Stop,
}

/// What references look into.
pub(super) struct Facts<'a> {
    pub body: &'a [u8],
    /// The parameters of the request: `{"path", "querystring", "header"}`.
    pub params: &'a Value,
    pub context: &'a Value,
    pub stage_variables: Option<&'a Value>,
}

/// What became of a template.
pub(super) struct Filled {
    pub text: String,
    /// The context with what the template set in it.
    pub context: Value,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parser = Parser { rest: text, depth: 0 };
        Ok(Template(parser.nodes(&[""])?.0))
    }

    pub fn fill(&self, facts: &Facts<'_>) -> Filled {
        let mut run = Run::new(facts);
        run.nodes(&self.0);
        let context = run.variables.remove("context").unwrap_or(Value::Null);
        Filled { text: run.out, context }
    }
}

impl Facts<'_> {
    /// `$input.body`: nothing is told as an empty object.
    fn body_text(&self) -> String {
        match self.body.is_empty() {
            true => "{}".to_owned(),
            false => String::from_utf8_lossy(self.body).into_owned(),
        }
    }

    /// `$input.json(…)`, `$input.path(…)`, `$input.params(…)`.
    fn ask(&self, method: &str, arguments: &[Value]) -> Value {
        let name = arguments.first().map(plain);
        match (method, name) {
            ("json", Some(path)) => {
                at_path(self.body, &path).map_or_else(|| "\"\"".to_owned(), |found| found.to_string()).into()
            }
            ("path", Some(path)) => at_path(self.body, &path).unwrap_or(Value::Null),
            ("params", None) => self.params.clone(),
            ("params", Some(name)) => self.param(&name).unwrap_or(Value::Null),
            _ => Value::Null,
        }
    }

    /// A parameter of the path, the query or the headers.
    fn param(&self, name: &str) -> Option<Value> {
        let of = |place: &str| self.params.get(place)?.as_object();
        let header =
            || of("header")?.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let exact = |place: &str| of(place)?.get(name);
        exact("path").or_else(|| exact("querystring")).or_else(header).cloned()
    }
}

/// A value as text: a map as Java writes it, a list as JSON, nothing for what is not there.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Object(members) => {
            let member = |value: &Value| if value.is_null() { "null".to_owned() } else { plain(value) };
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("{name}={}", member(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// What a simple JSON path (`$.a.b[0]`, `$['a']`) names in a body. A body of nothing is an empty object.
pub(super) fn at_path(body: &[u8], path: &str) -> Option<Value> {
    let tree = match body.is_empty() {
        true => Value::Object(Map::new()),
        false => serde_json::from_slice(body).ok()?,
    };
    let mut at = &tree;
    let path = path.trim().strip_prefix('$').unwrap_or(path);
    for part in path.split(['.', '[']).map(|part| part.trim_end_matches(']').trim_matches(['\'', '"'])) {
        if part.is_empty() {
            continue;
        }
        at = match at {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            other => other.get(part)?,
        };
    }
    Some(at.clone())
}

#[cfg(test)]
mod tests;
