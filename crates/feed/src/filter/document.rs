//! JSON documents: patterns in the form their owners write them in, and what patterns are run against.

use model::CorruptImage;
use model::pattern::{Definition, InvalidPattern, Node, Pattern, Seen};
use serde_json::Value;

/// Compiles a pattern.
pub fn pattern(document: &Value) -> Result<Pattern, InvalidPattern> {
    Pattern::compile(&definition(document))
}

fn definition(document: &Value) -> Definition {
    match document {
        Value::Null => Definition::Null,
        Value::Bool(truth) => Definition::Bool(*truth),
        Value::Number(number) => Definition::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Definition::Text(text.clone()),
        Value::Array(list) => Definition::List(list.iter().map(definition).collect()),
        Value::Object(members) => Definition::Object(
            members.iter().map(|(name, value)| (name.clone(), definition(value))).collect(),
        ),
    }
}

/// A document as patterns see it.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a>(pub &'a Value);

impl<'a> Node<'a> for Document<'a> {
    fn seen(self) -> Result<Seen<'a>, CorruptImage> {
        Ok(match self.0 {
            Value::Null => Seen::Null,
            Value::Bool(truth) => Seen::Bool(*truth),
            Value::Number(number) => Seen::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Seen::Text(text.as_str().into()),
            Value::Array(_) => Seen::List,
            Value::Object(_) => Seen::Object,
        })
    }

    fn member(self, name: &str) -> Result<Option<Document<'a>>, CorruptImage> {
        Ok(self.0.as_object().and_then(|members| members.get(name)).map(Document))
    }

    fn any(
        self,
        test: &mut dyn FnMut(Document<'a>) -> Result<bool, CorruptImage>,
    ) -> Result<bool, CorruptImage> {
        for element in self.0.as_array().into_iter().flatten() {
            if test(Document(element))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
