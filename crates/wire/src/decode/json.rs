//! JSON bodies: parsed, then laid beside the model.
//!
//! What does not fit is told in the words of the Java services behind DynamoDB, which speak of the tokens they met and the
//! classes they wanted.

use crate::shape::{Kind, Shape, Structure};
use crate::{Protocol, Service, ServiceError, base64};
use serde_json::{Map, Number, Value};

pub(super) fn decode(service: &'static Service, body: &[u8], input: &Shape) -> Result<Value, ServiceError> {
    let fault = Fault { service };
    let tree = fault.parse(body)?;
    let Kind::Structure(structure) = &input.kind else {
        return Ok(tree);
    };
    match tree {
        Value::Object(members) => fault.structure(input, structure, members),
        // A body that is JSON and no object gets no words at all.
        _ => Err(fault.silent()),
    }
}

/// The words of one service's faults.
pub(super) struct Fault {
    pub service: &'static Service,
}

impl Fault {
    pub(super) fn parse(&self, body: &[u8]) -> Result<Value, ServiceError> {
        match serde_json::from_slice(body) {
            Ok(tree) => Ok(tree),
            // Our parser's own bound is far above the service's, whose error this is.
            Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
                let message = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit";
                Err(ServiceError::new(self.service.violation_code, message))
            }
            Err(error) if self.service.protocol == Protocol::RestJson => {
                let message = format!("Could not parse request body into json: {error}");
                Err(ServiceError::new("InvalidRequestContentException", message).with_status(400))
            }
            Err(_) => Err(self.silent()),
        }
    }

    /// Lays a parsed value beside its shape.
    pub(super) fn value(&self, shape: &Shape, value: Value) -> Result<Value, ServiceError> {
        match (&shape.kind, value) {
            (Kind::Document, value) => Ok(value),
            (Kind::Structure(structure), Value::Object(members)) => self.structure(shape, structure, members),
            (Kind::Structure(_), Value::Array(_)) => Err(self.collection(&self.class(shape))),
            (Kind::Structure(_), _) => Err(self.told("Unexpected value type in payload")),

            (Kind::List(list), Value::Array(elements)) => {
                let keep = |element: Value| self.element(list.member, element);
                Ok(Value::Array(elements.into_iter().map(keep).collect::<Result<_, _>>()?))
            }
            (Kind::List(_), Value::Object(_)) => Err(self.misplaced()),
            (Kind::List(_), _) => Err(self.told("Unexpected field type")),

            (Kind::Map(map), Value::Object(entries)) => {
                let mut kept = Map::with_capacity(entries.len());
                for (key, value) in entries {
                    kept.insert(key, self.element(map.value, value)?);
                }
                Ok(Value::Object(kept))
            }
            (Kind::Map(_), Value::Array(_)) => Err(self.collection(&self.class(shape))),
            (Kind::Map(_), _) => Err(self.told("Unexpected field type")),

            (Kind::String(_), value @ Value::String(_)) => Ok(value),
            (Kind::Boolean, value @ Value::Bool(_)) => Ok(value),
            (Kind::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(true.into()),
                "false" | "no" | "0" => Ok(false.into()),
                _ => Err(self.told("Unexpected token received from parser")),
            },
            (Kind::Integer(_), Value::Number(number)) => {
                whole(&number, i64::from(i32::MIN), i64::from(i32::MAX))
            }
            (Kind::Long(_), Value::Number(number)) => whole(&number, i64::MIN, i64::MAX),
            (Kind::Float(_) | Kind::Double(_), value @ Value::Number(_)) => Ok(value),
            (Kind::Timestamp(_), value @ Value::Number(_)) => Ok(value),
            (Kind::Timestamp(_), Value::String(text)) => match seconds(&text) {
                Some(number) => Ok(number),
                None => Err(self.told("STRING_VALUE cannot be converted to milliseconds since epoch")),
            },
            (Kind::Blob(_), Value::String(text)) => match base64::decode(&text) {
                Ok(_) => Ok(Value::String(text)),
                Err(fault) => Err(self.told(&fault.to_string())),
            },
            (Kind::Blob(_), Value::Array(_)) => Err(self.collection("class java.nio.ByteBuffer")),
            (Kind::Blob(_), value) if !value.is_object() => {
                Err(self.told("only base-64-encoded strings are convertible to bytes"))
            }

            (_, Value::Object(_)) => Err(self.misplaced()),
            (kind, Value::Array(_)) => Err(self.collection(&format!("class java.lang.{}", scalar(kind)))),
            (kind, value) => {
                let token = token(&value);
                Err(self.told(&format!("{token} cannot be converted to {}", scalar(kind))))
            }
        }
    }

    /// An element of a list or a value of a map. A null stays: what it means is for the operation to say.
    fn element(&self, shape: &Shape, value: Value) -> Result<Value, ServiceError> {
        let generic = matches!(shape.kind, Kind::List(_) | Kind::Map(_));
        match value {
            Value::Null => Ok(Value::Null),
            // A class with parameters is where DynamoDB's reader stumbles itself. [suite: dynalite]
            value if generic && self.is_dynamodb() && !(value.is_object() || value.is_array()) => {
                let class = "sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl";
                Err(self.told(&format!(
                    "class {class} cannot be cast to class java.lang.Class ({class} and java.lang.Class are in module java.base of loader 'bootstrap')"
                )))
            }
            value => self.value(shape, value),
        }
    }

    pub(super) fn structure(
        &self,
        _shape: &Shape,
        structure: &Structure,
        mut members: Map<String, Value>,
    ) -> Result<Value, ServiceError> {
        let mut kept = Map::with_capacity(members.len().min(structure.members.len()));
        // The clients' order is kept: some errors name entries in it.
        let names: Vec<String> = members.keys().cloned().collect();
        for name in names {
            let Some(member) = structure.members.iter().find(|member| member.wire_name == name) else {
                continue;
            };
            match members.get_mut(&name).map(Value::take) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    let kind = &member.shape.kind;
                    if matches!(kind, Kind::Structure(_)) && !(value.is_object() || value.is_array()) {
                        return Err(self.told("Unexpected field type"));
                    }
                    kept.insert(member.name.to_string(), self.value(member.shape, value)?);
                }
            }
        }
        Ok(Value::Object(kept))
    }

    /// The Java class that a structure's or map's values are read into.
    fn class(&self, shape: &Shape) -> String {
        let package = self.service.namespace;
        match &shape.kind {
            Kind::Map(map) => format!("java.util.Map<java.lang.String, {}>", self.class(map.value)),
            Kind::List(list) => format!("java.util.List<{}>", self.class(list.member)),
            Kind::Structure(_) if package.is_empty() => format!("class {}", shape.name),
            Kind::Structure(_) => format!("class {package}.{}", shape.name),
            kind => format!("java.lang.{}", scalar(kind)),
        }
        .replace("<class ", "<")
        .replace(", class ", ", ")
    }

    fn collection(&self, class: &str) -> ServiceError {
        self.told(&format!("Unrecognized collection type {class}"))
    }

    /// DynamoDB says it without the full stop of other services.
    fn misplaced(&self) -> ServiceError {
        let message = "Start of structure or map found where not expected.";
        self.told(if self.is_dynamodb() { message.trim_end_matches('.') } else { message })
    }

    fn is_dynamodb(&self) -> bool {
        self.service.target_prefix.starts_with("DynamoDB")
    }

    fn told(&self, message: &str) -> ServiceError {
        match self.service.protocol {
            Protocol::RestJson => ServiceError::new("SerializationException", message).with_status(400),
            _ => ServiceError::coral("SerializationException", message),
        }
    }

    fn silent(&self) -> ServiceError {
        ServiceError::silent("com.amazon.coral.service#SerializationException")
    }
}

fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn scalar(kind: &Kind) -> &'static str {
    match kind {
        Kind::Integer(_) => "Integer",
        Kind::Long(_) => "Long",
        Kind::Float(_) => "Float",
        Kind::Double(_) => "Double",
        Kind::Boolean => "Boolean",
        Kind::Timestamp(_) => "Date",
        Kind::Blob(_) => "ByteBuffer",
        _ => "String",
    }
}

/// Fractions are cut off and what is out of range is held to it, as Java's narrowing does.
fn whole(number: &Number, min: i64, max: i64) -> Result<Value, ServiceError> {
    let whole = match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(whole), _, _) => whole,
        (None, Some(_), _) => max,
        (None, None, fraction) => fraction.unwrap_or_default() as i64,
    };
    Ok(whole.clamp(min, max).into())
}

/// A timestamp written as text, in either of the forms that services read, as epoch seconds.
pub(super) fn seconds(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse::<f64>() {
        return Number::from_f64(number).map(Value::Number);
    }
    let time = world::Timestamp::parse_iso(text)?;
    match time.millis() % 1000 {
        0 => Some(time.seconds().into()),
        _ => Number::from_f64(time.seconds_f64()).map(Value::Number),
    }
}
