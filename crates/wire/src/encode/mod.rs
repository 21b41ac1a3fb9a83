//! From a tree of modelled member names to a response.

mod json;
mod storage;
mod xml;

use crate::shape::{Kind, Location, Member, Structure, TimeFormat};
use crate::{Operation, Protocol, Response, Service, ServiceError, percent};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use world::Timestamp;

static CRC: HeaderName = HeaderName::from_static("x-amz-crc32");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// As many as an answer has in JSON, those that the server adds included.
const HEADERS_USUAL: usize = 6;

/// A success, in the operation's protocol.
pub fn encode(operation: &Operation, output: Value, request_id: &str) -> Response {
    let service = operation.service;
    match service.protocol {
        Protocol::Json10 | Protocol::Json11 => {
            json_response(service, json::body(operation.output, &output), request_id)
        }
        Protocol::Query | Protocol::Ec2 => {
            let response = Response::new(200, xml::success(operation, &output, request_id));
            tagged(response.with_header("content-type", "text/xml"), service, request_id)
        }
        Protocol::RestJson => rest(operation, output, None, request_id),
        Protocol::RestXml => storage::success(operation, output, request_id),
    }
}

/// A success whose body is the given bytes; `output` fills headers and status.
pub fn encode_payload(operation: &Operation, output: Value, body: Bytes, request_id: &str) -> Response {
    rest(operation, output, Some(body), request_id)
}

/// A success of a JSON service whose body is already written.
pub fn json_response(service: &Service, body: Vec<u8>, request_id: &str) -> Response {
    json_answer(service, 200, body, request_id)
}

/// An error, in the service's protocol.
pub fn encode_error(service: &Service, error: ServiceError, request_id: &str) -> Response {
    let known = service.error(error.name());
    let status = error.status.or_else(|| Some(known?.status)).unwrap_or(400);
    match service.protocol {
        Protocol::Json10 | Protocol::Json11 => {
            let mut response = json_answer(service, status, json::error(service, &error), request_id);
            // Clients of queues go by the codes of the query protocol they once spoke.
            if service.target_prefix == "AmazonSQS" {
                let code = queue_error(error.name());
                let fault = if status < 500 { "Sender" } else { "Receiver" };
                response.set_header("x-amzn-query-error", &format!("{code};{fault}"));
            }
            response
        }
        Protocol::Query => {
            let code = known.map_or(error.name(), |known| known.code);
            let sender = known.map_or(status < 500, |known| known.sender);
            let body = xml::error(service, code, sender, &error, request_id);
            tagged(Response::new(status, body).with_header("content-type", "text/xml"), service, request_id)
        }
        Protocol::Ec2 => {
            let body = xml::plain_error(&error, request_id);
            tagged(Response::new(status, body).with_header("content-type", "text/xml"), service, request_id)
        }
        Protocol::RestXml => storage::error(status, &error, request_id),
        Protocol::RestJson => {
            let response = Response::new(status, json::rest_error(service, &error, status < 500))
                .with_header("content-type", "application/json")
                .with_header("x-amzn-errortype", error.name());
            tagged(response, service, request_id)
        }
    }
}

/// What the query protocol called an error of queues.
fn queue_error(name: &str) -> String {
    match name {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "QueueNameExists" => "QueueAlreadyExists".to_owned(),
        "BatchEntryIdsNotDistinct"
        | "BatchRequestTooLong"
        | "EmptyBatchRequest"
        | "InvalidBatchEntryId"
        | "MessageNotInflight"
        | "PurgeQueueInProgress"
        | "TooManyEntriesInBatchRequest"
        | "UnsupportedOperation" => {
            format!("AWS.SimpleQueueService.{name}")
        }
        _ => name.to_owned(),
    }
}

/// The answer to a request that belongs to no service.
pub(crate) fn encode_stray(error: ServiceError, request_id: &str) -> Response {
    let mut members = Map::new();
    members.insert("__type".into(), error.code.to_string().into());
    if let Some(message) = error.message {
        members.insert("message".into(), message.into());
    }
    Response::new(error.status.unwrap_or(400), Value::Object(members).to_string())
        .with_header("content-type", "application/x-amz-json-1.0")
        .with_header("x-amzn-requestid", request_id)
}

fn json_answer(service: &Service, status: u16, body: Vec<u8>, request_id: &str) -> Response {
    let content_type = match service.protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    // The clients of DynamoDB check this sum, those of its streams and of other services do not ask for one.
    let crc = (service.target_prefix == "DynamoDB_20120810").then(|| crc32fast::hash(&body));
    let mut response = Response::new(status, body);
    response.headers.reserve(HEADERS_USUAL);
    response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(crc) = crc {
        response.headers.insert(CRC.clone(), HeaderValue::from(crc));
    }
    tagged(response, service, request_id)
}

fn tagged(mut response: Response, _service: &Service, request_id: &str) -> Response {
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers.insert(REQUEST_ID.clone(), id);
    }
    response
}

fn rest(operation: &Operation, output: Value, payload: Option<Bytes>, request_id: &str) -> Response {
    let mut response = Response::new(operation.status, Bytes::new());
    let structure = match operation.output.map(|shape| &shape.kind) {
        Some(Kind::Structure(structure)) => Some(structure),
        _ => None,
    };
    let mut members = match output {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    if let Some(structure) = structure {
        place_headers(structure, &mut members, &mut response);
    }
    let payload_member = structure.and_then(|structure| structure.member(structure.payload?));
    let (body, content_type) = match (payload, payload_member) {
        (Some(body), _) => (body, "application/json"),
        (None, Some(member)) => (payload_body(member, members.get(member.name)), "application/json"),
        // No output at all, as a deletion's 204, has no body either.
        (None, None) if operation.output.is_none() || response.status == 204 => (Bytes::new(), ""),
        (None, None) => (json::body(operation.output, &Value::Object(members)).into(), "application/json"),
    };
    if !content_type.is_empty() && !response.headers.contains_key("content-type") {
        response.set_header("content-type", content_type);
    }
    response.body = body;
    tagged(response, operation.service, request_id)
}

/// Takes the members that are not of the body out of the tree and puts them where they belong.
fn place_headers(structure: &Structure, members: &mut Map<String, Value>, response: &mut Response) {
    for member in structure.members {
        match member.location {
            Location::Header => {
                if let Some(value) = members.remove(member.name)
                    && let Some(text) = header_text(member, &value)
                {
                    response.set_header(member.wire_name, &text);
                }
            }
            Location::Headers => {
                for (name, value) in members.remove(member.name).iter().filter_map(Value::as_object).flatten()
                {
                    if let Some(text) = value.as_str() {
                        response.set_header(&format!("{}{name}", member.wire_name), text);
                    }
                }
            }
            Location::StatusCode => {
                let status = members.remove(member.name).and_then(|value| value.as_u64());
                if let Some(status) = status.and_then(|status| http::StatusCode::from_u16(status as u16).ok())
                {
                    response.status = status;
                }
            }
            Location::Body | Location::Uri | Location::QueryString => {}
        }
    }
}

fn header_text(member: &Member, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(header_safe(text)),
        Value::Number(_) if matches!(member.shape.kind, Kind::Timestamp(_)) => {
            Some(time_text(member.time_format.unwrap_or(TimeFormat::Rfc822), value))
        }
        other => Some(other.to_string()),
    }
}

/// Headers hold visible ASCII: the rest is percent-encoded.
fn header_safe(text: &str) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.to_string();
    }
    let mut out = String::new();
    let keep: Vec<u8> = (0x20..0x7f).collect();
    percent::encode_into(text.as_bytes(), &keep, &mut out);
    out
}

fn payload_body(member: &Member, value: Option<&Value>) -> Bytes {
    match (&member.shape.kind, value) {
        (_, None | Some(Value::Null)) => Bytes::new(),
        (Kind::Blob(_), Some(Value::String(text))) => crate::base64::decode(text).unwrap_or_default().into(),
        (Kind::String(_), Some(Value::String(text))) => text.clone().into(),
        (_, Some(value)) => json::body(Some(member.shape), value).into(),
    }
}

/// A timestamp, which is epoch seconds in the tree, in one of the written forms.
pub(crate) fn time_text(format: TimeFormat, seconds: &Value) -> String {
    let millis = (seconds.as_f64().unwrap_or_default() * 1000.0).round().max(0.0) as u64;
    let time = Timestamp::from_millis(millis);
    match format {
        TimeFormat::Epoch => seconds.to_string(),
        TimeFormat::Rfc822 => crate::time::rfc822(time),
        TimeFormat::Default | TimeFormat::Iso8601 if millis.is_multiple_of(1000) => {
            format!("{}Z", time.iso_seconds())
        }
        TimeFormat::Default | TimeFormat::Iso8601 => format!("{}Z", time.iso_millis()),
    }
}
