//! XML bodies of the query protocol.

use super::time_text;
use crate::shape::{Kind, Member, Shape, Structure, TimeFormat};
use crate::{Operation, Protocol, Service, ServiceError};
use serde_json::Value;

pub(super) fn success(operation: &Operation, output: &Value, request_id: &str) -> String {
    let name = operation.name;
    if operation.service.protocol == Protocol::Ec2 {
        return plain_success(operation, output, request_id);
    }
    let mut out = format!("<{name}Response xmlns=\"{}\">", operation.service.namespace);
    // Operations without an output have no result either.
    if let Some(shape) = operation.output {
        out.push_str(&format!("<{name}Result>"));
        members(shape, output, &mut out);
        out.push_str(&format!("</{name}Result>"));
    }
    out.push_str("<ResponseMetadata><RequestId>");
    escape(request_id, &mut out);
    out.push_str(&format!("</RequestId></ResponseMetadata></{name}Response>"));
    out
}

/// EC2's: the members stand right below the root, after the request's id. What has no output says that it is done.
fn plain_success(operation: &Operation, output: &Value, request_id: &str) -> String {
    let name = operation.name;
    let mut out = format!("<{name}Response xmlns=\"{}\">", operation.service.namespace);
    element("requestId", &mut out, |out| escape(request_id, out));
    match operation.output {
        Some(shape) => members(shape, output, &mut out),
        None => out.push_str("<return>true</return>"),
    }
    out.push_str(&format!("</{name}Response>"));
    out
}

/// EC2's form of an error.
pub(super) fn plain_error(error: &ServiceError, request_id: &str) -> String {
    let mut out = "<Response><Errors><Error>".to_owned();
    element("Code", &mut out, |out| escape(error.name(), out));
    element("Message", &mut out, |out| escape(error.message.as_deref().unwrap_or_default(), out));
    out.push_str("</Error></Errors>");
    element("RequestID", &mut out, |out| escape(request_id, out));
    out.push_str("</Response>");
    out
}

pub(super) fn error(
    service: &Service,
    code: &str,
    sender: bool,
    error: &ServiceError,
    request_id: &str,
) -> String {
    let kind = if sender { "Sender" } else { "Receiver" };
    let mut out = format!("<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>", service.namespace);
    escape(code, &mut out);
    out.push_str("</Code>");
    if let Some(message) = &error.message {
        out.push_str("<Message>");
        escape(message, &mut out);
        out.push_str("</Message>");
    }
    for (name, value) in error.members.iter() {
        element(name, &mut out, |out| escape(&plain(value), out));
    }
    // Queues have a place for more, and nothing to put there. [suite: recorded answers]
    if service.name == "sqs" {
        out.push_str("<Detail/>");
    }
    out.push_str("</Error><RequestId>");
    escape(request_id, &mut out);
    out.push_str("</RequestId></ErrorResponse>");
    out
}

pub(super) fn element(name: &str, out: &mut String, content: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    content(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

pub(super) fn members(shape: &Shape, value: &Value, out: &mut String) {
    let Kind::Structure(structure) = &shape.kind else {
        return;
    };
    for member in structure.members.iter().filter(|member| !is_attribute(member)) {
        match value.get(member.name) {
            None | Some(Value::Null) => {}
            Some(value) => write(member.wire_name, member.shape, member.time_format, value, out),
        }
    }
}

/// The one attribute there is in all models is of another namespace than the elements.
fn is_attribute(member: &Member) -> bool {
    member.wire_name.starts_with("xsi:")
}

fn attributes(structure: &Structure, value: &Value) -> String {
    let mut out = String::new();
    for member in structure.members.iter().filter(|member| is_attribute(member)) {
        if let Some(value) = value.get(member.name).filter(|value| !value.is_null()) {
            out.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ");
            out.push_str(member.wire_name);
            out.push_str("=\"");
            escape(&plain(value), &mut out);
            out.push('"');
        }
    }
    out
}

fn write(name: &str, shape: &Shape, time_format: Option<TimeFormat>, value: &Value, out: &mut String) {
    match (&shape.kind, value) {
        (Kind::Structure(structure), _) => {
            let opening = out.len() + 1 + name.len();
            element(name, out, |out| members(shape, value, out));
            out.insert_str(opening, &attributes(structure, value));
        }
        (Kind::List(list), Value::Array(elements)) if list.flattened => {
            for value in elements {
                write(name, list.member, None, value, out);
            }
        }
        (Kind::List(list), Value::Array(elements)) => element(name, out, |out| {
            for value in elements {
                write(list.member_name, list.member, None, value, out);
            }
        }),
        (Kind::Map(map), Value::Object(entries)) => {
            let entry_name = if map.flattened { name } else { "entry" };
            let mut entries_out = String::new();
            for (key, value) in entries {
                element(entry_name, &mut entries_out, |out| {
                    element(map.key_name, out, |out| escape(key, out));
                    write(map.value_name, map.value, None, value, out);
                });
            }
            match map.flattened {
                true => out.push_str(&entries_out),
                false => element(name, out, |out| out.push_str(&entries_out)),
            }
        }
        (Kind::Timestamp(format), Value::Number(_)) => {
            let text = time_text(time_format.unwrap_or(*format), value);
            element(name, out, |out| escape(&text, out));
        }
        _ => element(name, out, |out| escape(&plain(value), out)),
    }
}

pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Escapes text for XML 1.0, which has no way at all to write most control characters: they become the replacement character.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}
