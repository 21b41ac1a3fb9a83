//! A message as it was sent: body and attributes, read from a request, kept, and shown.

use super::definition::MESSAGE_BYTES_MAX;
use super::fault::{self, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use servicekit::fields::{required, text};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub body: String,
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// `AWSTraceHeader` is the only one there is.
    #[serde(default)]
    pub system: BTreeMap<String, Attribute>,
    /// What a FIFO queue knows it again by.
    #[serde(default)]
    pub dedup: Option<String>,
    /// The tenant whose it is, in a standard queue, which has nothing to be unfair about here.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Where a redrive took it from.
    #[serde(default)]
    pub source: Option<String>,
}

/// One attribute: its declared type, and a text or bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub data_type: String,
    pub text: Option<String>,
    pub binary: Option<Vec<u8>>,
}

impl Attribute {
    pub fn string(value: impl Into<String>) -> Attribute {
        Attribute { data_type: "String".into(), text: Some(value.into()), binary: None }
    }

    fn bytes(&self) -> usize {
        let value = self.text.as_ref().map(String::len).or_else(|| self.binary.as_ref().map(Vec::len));
        self.data_type.len() + value.unwrap_or(0)
    }

    fn shown(&self) -> Value {
        match &self.binary {
            Some(bytes) => json!({"BinaryValue": wire::base64::encode(bytes), "DataType": self.data_type}),
            None => json!({"StringValue": self.text, "DataType": self.data_type}),
        }
    }
}

impl Message {
    /// The message in an input or in an entry of a batch.
    pub fn read(input: &Value) -> Result<Message, Fault> {
        let body = required(input, "MessageBody");
        if body.is_empty() {
            return Err(fault::missing("MessageBody"));
        }
        if let Some(odd) = body.chars().find(|char| !allowed(*char)) {
            let message = format!(
                "Invalid binary character '#x{:X}' was found in the message body, the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                u32::from(odd)
            );
            return Err(fault::new("InvalidMessageContents", message));
        }
        let attributes = attributes(input, "MessageAttributes")?;
        if attributes.len() > 10 {
            let message = format!(
                "Number of message attributes [{}] exceeds the allowed maximum [10].",
                attributes.len()
            );
            return Err(fault::value(message));
        }
        let system = attributes_of_system(input)?;
        Ok(Message { body: body.to_owned(), attributes, system, dedup: None, tenant: None, source: None })
    }

    pub fn bytes(&self) -> u64 {
        let attributes: usize = self.attributes.iter().map(|(name, value)| name.len() + value.bytes()).sum();
        (self.body.len() + attributes) as u64
    }

    /// The attributes asked for: by name, by `prefix.*`, or all.
    pub fn picked(&self, wanted: &[String]) -> BTreeMap<String, Attribute> {
        let asked = |name: &str| {
            wanted.iter().any(|want| match want.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => want == name || want == "All" || want == "*",
            })
        };
        self.attributes
            .iter()
            .filter(|(name, _)| asked(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

pub(crate) fn shown(attributes: &BTreeMap<String, Attribute>) -> Value {
    Value::Object(attributes.iter().map(|(name, value)| (name.clone(), value.shown())).collect::<Map<_, _>>())
}

pub(crate) fn too_long(limit: u64) -> Fault {
    let limit = limit.min(MESSAGE_BYTES_MAX);
    fault::value(format!(
        "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
    ))
}

fn allowed(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn attributes_of_system(input: &Value) -> Result<BTreeMap<String, Attribute>, Fault> {
    let system = attributes(input, "MessageSystemAttributes")?;
    match system.iter().find(|(name, value)| *name != "AWSTraceHeader" || value.data_type != "String") {
        Some((name, _)) => Err(fault::value(format!("Message system attribute name '{name}' is invalid."))),
        None => Ok(system),
    }
}

pub(crate) fn attributes(input: &Value, member: &str) -> Result<BTreeMap<String, Attribute>, Fault> {
    let given = input.get(member).and_then(Value::as_object);
    given.into_iter().flatten().map(|(name, value)| Ok((name.clone(), attribute(name, value)?))).collect()
}

fn attribute(name: &str, given: &Value) -> Result<Attribute, Fault> {
    let good_name = name.len() <= 256
        && !name.is_empty()
        && name.chars().all(|char| char.is_alphanumeric() || "_-.".contains(char))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if !good_name {
        return Err(fault::value(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters."
        )));
    }
    for member in ["StringListValues", "BinaryListValues"] {
        if given.get(member).and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
            return Err(fault::new(
                "UnsupportedOperation",
                "Message attribute list values are not supported.",
            ));
        }
    }
    let data_type = required(given, "DataType");
    let kind = data_type.split_once('.').map_or(data_type, |(kind, _)| kind);
    let empty = || {
        fault::value(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
        ))
    };
    match kind {
        "String" | "Number" => {
            let value = text(given, "StringValue").filter(|value| !value.is_empty()).ok_or_else(empty)?;
            if kind == "Number" && value.parse::<f64>().is_err() {
                return Err(fault::value(format!(
                    "Can't cast the value of message attribute '{name}' to a number."
                )));
            }
            Ok(Attribute { data_type: data_type.into(), text: Some(value.into()), binary: None })
        }
        "Binary" => {
            let value = text(given, "BinaryValue").filter(|value| !value.is_empty()).ok_or_else(empty)?;
            let bytes = wire::base64::decode(value).map_err(|_| empty())?;
            Ok(Attribute { data_type: data_type.into(), text: None, binary: Some(bytes) })
        }
        _ => Err(fault::value(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
        ))),
    }
}
