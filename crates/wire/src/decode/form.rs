//! Query calls: `Action=CreateRole&Tags.member.1.Key=a`.

use crate::shape::{Kind, Shape, TimeFormat};
use crate::{Protocol, Request, ServiceError, base64, percent};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How deep names may nest; the model's own depth is far below.
const DEPTH_MAX: usize = 32;

pub(super) fn decode(request: &Request, protocol: Protocol, input: &Shape) -> Result<Value, ServiceError> {
    let body = std::str::from_utf8(&request.body).map_err(|_| malformed("The request body is not UTF-8"))?;
    let text = if body.is_empty() { request.query.as_str() } else { body };
    let mut root = Node::default();
    for (name, value) in percent::pairs(text) {
        let name = utf8(percent::decode_form(name))?;
        let value = utf8(percent::decode_form(value))?;
        root.insert(name.split('.'), value, DEPTH_MAX)?;
    }
    let form = Form { plain: protocol == Protocol::Ec2 };
    Ok(form.read(input, &root)?.unwrap_or_else(|| Value::Object(Map::new())))
}

/// A form's names, split at their dots.
#[derive(Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert<'a>(
        &mut self,
        mut path: impl Iterator<Item = &'a str>,
        value: String,
        depth: usize,
    ) -> Result<(), ServiceError> {
        match path.next() {
            None => self.value = Some(value),
            Some(_) if depth == 0 => return Err(malformed("A parameter's name has too many parts")),
            Some(part) => {
                self.children.entry(part.to_string()).or_default().insert(path, value, depth - 1)?
            }
        }
        Ok(())
    }

    /// The children that are numbered, in the order of their numbers.
    fn numbered(&self) -> Vec<&Node> {
        let mut found: Vec<(u64, &Node)> =
            self.children.iter().filter_map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, node)| node).collect()
    }
}

/// How a protocol names the parts of a form.
#[derive(Clone, Copy)]
struct Form {
    /// EC2's: every name begins with a capital, every list is flat.
    plain: bool,
}

impl Form {
    fn child<'a>(self, node: &'a Node, name: &str) -> Option<&'a Node> {
        match name.as_bytes() {
            [first, ..] if self.plain && first.is_ascii_lowercase() => {
                let capital = char::from(first.to_ascii_uppercase());
                node.children.get(&format!("{capital}{}", &name[1..]))
            }
            _ => node.children.get(name),
        }
    }

    fn read(self, shape: &Shape, node: &Node) -> Result<Option<Value>, ServiceError> {
        Ok(match &shape.kind {
            Kind::Structure(structure) => {
                let mut members = Map::new();
                for member in structure.members {
                    if let Some(child) = self.child(node, member.wire_name)
                        && let Some(value) = self.read(member.shape, child)?
                    {
                        members.insert(member.name.to_string(), value);
                    }
                }
                Some(Value::Object(members))
            }
            Kind::List(list) => {
                let is_flat = self.plain || list.flattened;
                let inner = node.children.get(list.member_name).filter(|_| !is_flat);
                let elements = inner.unwrap_or(node).numbered();
                // An empty list comes as a bare name with an empty value.
                let read: Result<Vec<_>, _> =
                    elements.into_iter().map(|node| self.read(list.member, node)).collect();
                Some(Value::Array(read?.into_iter().flatten().collect()))
            }
            Kind::Map(map) => {
                let inner = node.children.get("entry").filter(|_| !map.flattened).unwrap_or(node);
                let mut entries = Map::new();
                for entry in inner.numbered() {
                    let key = entry.children.get(map.key_name).and_then(|node| node.value.clone());
                    let value = entry
                        .children
                        .get(map.value_name)
                        .map(|node| self.read(map.value, node))
                        .transpose()?;
                    if let (Some(key), Some(Some(value))) = (key, value) {
                        entries.insert(key, value);
                    }
                }
                Some(Value::Object(entries))
            }
            _ => match &node.value {
                Some(text) => Some(scalar(shape, text)?),
                None => None,
            },
        })
    }
}

/// A value that came as text: in a form, a header, a path or a query.
pub(super) fn scalar(shape: &Shape, text: &str) -> Result<Value, ServiceError> {
    let wrong = |kind: &str| malformed(&format!("Invalid {kind} value: '{text}'"));
    Ok(match &shape.kind {
        Kind::Boolean => match text {
            "true" | "True" | "TRUE" | "1" => Value::Bool(true),
            "false" | "False" | "FALSE" | "0" => Value::Bool(false),
            _ => return Err(wrong("boolean")),
        },
        Kind::Integer(_) => text.parse::<i32>().map_err(|_| wrong("integer"))?.into(),
        Kind::Long(_) => text.parse::<i64>().map_err(|_| wrong("long"))?.into(),
        Kind::Float(_) | Kind::Double(_) => {
            let number = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            Value::Number(number.ok_or_else(|| wrong("number"))?)
        }
        Kind::Timestamp(TimeFormat::Rfc822) => {
            crate::time::parse_rfc822(text).ok_or_else(|| wrong("timestamp"))?.into()
        }
        Kind::Timestamp(_) => super::json::seconds(text).ok_or_else(|| wrong("timestamp"))?,
        Kind::Blob(_) => {
            base64::decode(text).map_err(|fault| malformed(&fault.to_string()))?;
            text.into()
        }
        _ => text.into(),
    })
}

fn utf8(bytes: Vec<u8>) -> Result<String, ServiceError> {
    String::from_utf8(bytes).map_err(|_| malformed("A parameter is not UTF-8"))
}

fn malformed(message: &str) -> ServiceError {
    ServiceError::new("MalformedInput", message).with_status(400)
}
