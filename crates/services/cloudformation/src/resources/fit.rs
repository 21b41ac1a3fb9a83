//! Templates write numbers and truths as texts, and texts as numbers; services' models say what is meant.

use serde_json::{Map, Value};
use wire::shape::{Kind, Shape};

/// An input with its scalars as the operation's model has them. A member the model does not have is refused.
pub(super) fn fit(service: &str, operation: &str, input: Value) -> Result<Value, String> {
    let known = api::SERVICES.iter().find(|known| known.name == service);
    match known.and_then(|known| known.operation(operation)).and_then(|operation| operation.input) {
        Some(shape) => fit_to(shape, input),
        None => Ok(input),
    }
}

fn fit_to(shape: &Shape, value: Value) -> Result<Value, String> {
    Ok(match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            let mut fitted = Map::new();
            for (name, value) in members {
                let member = structure.member(&name).ok_or_else(|| {
                    format!(
                        "Model validation failed (#/{}: extraneous key [{name}] is not permitted)",
                        shape.name
                    )
                })?;
                fitted.insert(name, fit_to(member.shape, value)?);
            }
            Value::Object(fitted)
        }
        (Kind::List(list), Value::Array(items)) => {
            items.into_iter().map(|item| fit_to(list.member, item)).collect::<Result<Value, _>>()?
        }
        (Kind::Map(map), Value::Object(members)) => {
            let mut fitted = Map::new();
            for (name, value) in members {
                fitted.insert(name, fit_to(map.value, value)?);
            }
            Value::Object(fitted)
        }
        (Kind::String(_), Value::Number(number)) => number.to_string().into(),
        (Kind::String(_), Value::Bool(truth)) => truth.to_string().into(),
        (Kind::Integer(_) | Kind::Long(_), Value::String(text)) => {
            text.parse::<i64>().map_or(text.into(), Value::from)
        }
        (Kind::Float(_) | Kind::Double(_), Value::String(text)) => {
            text.parse::<f64>().map_or(text.into(), Value::from)
        }
        (Kind::Boolean, Value::String(text)) => match text.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => text.into(),
        },
        (
            Kind::Structure(_) | Kind::List(_) | Kind::Map(_),
            other @ (Value::String(_) | Value::Number(_) | Value::Bool(_)),
        ) => {
            return Err(format!("Model validation failed (#/{}: unexpected {other})", shape.name));
        }
        (_, value) => value,
    })
}
