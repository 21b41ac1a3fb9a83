//! S3's answers: members in headers, the rest as an XML document whose root has a name of its own.

use super::{place_headers, xml};
use crate::shape::{Kind, Structure};
use crate::{Operation, Response, ServiceError};
use bytes::Bytes;
use serde_json::{Map, Value};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

pub(super) fn success(operation: &Operation, output: Value, request_id: &str) -> Response {
    let mut response = Response::new(operation.status, Bytes::new());
    let mut members = match output {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let structure = match operation.output.map(|shape| &shape.kind) {
        Some(Kind::Structure(structure)) => structure,
        _ => return tagged(response, request_id),
    };
    place_headers(structure, &mut members, &mut response);
    if let Some((body, content_type)) = body(operation, structure, &members) {
        response.body = body;
        response.set_header("content-type", content_type);
    }
    tagged(response, request_id)
}

fn body(
    operation: &Operation,
    structure: &Structure,
    members: &Map<String, Value>,
) -> Option<(Bytes, &'static str)> {
    let namespace = operation.service.namespace;
    if operation.name == "GetBucketLocation" {
        // Its one member is the document's text.
        let mut text = String::new();
        xml::escape(&xml::plain(members.get("LocationConstraint").unwrap_or(&Value::Null)), &mut text);
        let text = format!("{HEAD}<LocationConstraint xmlns=\"{namespace}\">{text}</LocationConstraint>");
        return Some((text.into(), "application/xml"));
    }
    let (root, shape, value) = match structure.payload.and_then(|name| structure.member(name)) {
        Some(member) => match (&member.shape.kind, members.get(member.name)) {
            (_, None | Some(Value::Null)) | (Kind::Blob(_), _) => return None,
            (Kind::String(_), Some(text)) => return Some((xml::plain(text).into(), "application/json")),
            (_, Some(value)) => (member.shape.name, member.shape, value.clone()),
        },
        None => {
            let in_body = |member: &crate::shape::Member| member.location == crate::shape::Location::Body;
            if !structure.members.iter().any(in_body) {
                return None;
            }
            let shape = operation.output?;
            (root_name(operation.name, shape.name), shape, Value::Object(members.clone()))
        }
    };
    let mut out = format!("{HEAD}<{root} xmlns=\"{namespace}\">");
    xml::members(shape, &value, &mut out);
    out.push_str(&format!("</{root}>"));
    Some((out.into(), "application/xml"))
}

/// The names of documents, which the model does not tell.
fn root_name<'a>(operation: &str, shape: &'a str) -> &'a str {
    match operation {
        "ListBuckets" => "ListAllMyBucketsResult",
        "ListObjects" | "ListObjectsV2" => "ListBucketResult",
        "ListObjectVersions" => "ListVersionsResult",
        "ListParts" => "ListPartsResult",
        "ListMultipartUploads" => "ListMultipartUploadsResult",
        "CreateMultipartUpload" => "InitiateMultipartUploadResult",
        "CompleteMultipartUpload" => "CompleteMultipartUploadResult",
        "DeleteObjects" => "DeleteResult",
        "GetBucketVersioning" => "VersioningConfiguration",
        "GetBucketTagging" | "GetObjectTagging" => "Tagging",
        "GetBucketLifecycleConfiguration" => "LifecycleConfiguration",
        _ => shape,
    }
}

pub(super) fn error(status: u16, error: &ServiceError, request_id: &str) -> Response {
    let mut out = format!("{HEAD}<Error>");
    xml::element("Code", &mut out, |out| xml::escape(error.name(), out));
    if let Some(message) = &error.message {
        xml::element("Message", &mut out, |out| xml::escape(message, out));
    }
    for (name, value) in error.members.iter() {
        xml::element(name, &mut out, |out| xml::escape(&xml::plain(value), out));
    }
    xml::element("RequestId", &mut out, |out| xml::escape(request_id, out));
    xml::element("HostId", &mut out, |out| xml::escape(request_id, out));
    out.push_str("</Error>");
    tagged(Response::new(status, out).with_header("content-type", "application/xml"), request_id)
}

fn tagged(response: Response, request_id: &str) -> Response {
    response.with_header("x-amz-request-id", request_id).with_header("x-amz-id-2", request_id)
}
