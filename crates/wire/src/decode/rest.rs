//! REST calls: members from the path, the query, headers and the body.

use super::form;
use super::json::Fault;
use crate::route::{pair, segments};
use crate::shape::{Kind, Location, Member, Shape, Structure};
use crate::{Operation, Request, ServiceError, percent};
use serde_json::{Map, Value};

pub(super) fn decode(request: &Request, operation: &Operation, input: &Shape) -> Result<Value, ServiceError> {
    let Kind::Structure(structure) = &input.kind else {
        return Ok(Value::Object(Map::new()));
    };
    let fault = Fault { service: operation.service };
    let mut members = body(&fault, request, input, structure)?;
    labels(request, operation, structure, &mut members)?;
    outside(request, structure, &mut members)?;
    Ok(Value::Object(members))
}

/// The members that stand in the query and in headers.
pub(super) fn outside(
    request: &Request,
    structure: &Structure,
    members: &mut Map<String, Value>,
) -> Result<(), ServiceError> {
    for member in structure.members {
        let value = match member.location {
            Location::QueryString => from_query(member, &request.query)?,
            Location::Header => match request.header(member.wire_name) {
                // A date that is none counts for nothing.
                Some(text) if matches!(member.shape.kind, Kind::Timestamp(_)) => {
                    crate::time::parse_rfc822(text).map(Value::from)
                }
                Some(text) => Some(form::scalar(member.shape, text)?),
                None => None,
            },
            Location::Headers => from_headers(member, request),
            Location::Body | Location::Uri | Location::StatusCode => continue,
        };
        if let Some(value) = value {
            members.insert(member.name.to_string(), value);
        }
    }
    Ok(())
}

fn body(
    fault: &Fault,
    request: &Request,
    input: &Shape,
    structure: &Structure,
) -> Result<Map<String, Value>, ServiceError> {
    let mut members = Map::new();
    if let Some(payload) = structure.payload.and_then(|name| structure.member(name)) {
        // A blob is the body itself and stays where it is.
        if !request.body.is_empty() && !matches!(payload.shape.kind, Kind::Blob(_) | Kind::String(_)) {
            let tree = fault.parse(&request.body)?;
            members.insert(payload.name.to_string(), fault.value(payload.shape, tree)?);
        }
        return Ok(members);
    }
    let has_body = structure.members.iter().any(|member| member.location == Location::Body);
    if !has_body || request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(members);
    }
    let tree = fault.parse(&request.body)?;
    let Value::Object(found) = fault.value(input, tree)? else {
        return Ok(members);
    };
    for (name, value) in found {
        if structure.member(&name).is_some_and(|member| member.location == Location::Body) {
            members.insert(name, value);
        }
    }
    Ok(members)
}

fn labels(
    request: &Request,
    operation: &Operation,
    structure: &Structure,
    members: &mut Map<String, Value>,
) -> Result<(), ServiceError> {
    let mut found = Vec::new();
    pair(operation.uri, &segments(&request.path), |label, value| found.push((label, value)));
    for (label, value) in found {
        let member = structure
            .members
            .iter()
            .find(|member| member.location == Location::Uri && member.wire_name == label);
        if let Some(member) = member {
            let text = String::from_utf8_lossy(&percent::decode(&value)).into_owned();
            members.insert(member.name.to_string(), form::scalar(member.shape, &text)?);
        }
    }
    Ok(())
}

fn from_query(member: &Member, query: &str) -> Result<Option<Value>, ServiceError> {
    let decoded = |text: &str| String::from_utf8_lossy(&percent::decode_form(text)).into_owned();
    let mut values = percent::pairs(query).map(|(name, value)| (decoded(name), decoded(value)));
    match &member.shape.kind {
        Kind::List(list) => {
            let values: Vec<String> =
                values.filter(|(name, _)| name == member.wire_name).map(|(_, value)| value).collect();
            if values.is_empty() {
                return Ok(None);
            }
            let read: Result<Vec<_>, _> =
                values.iter().map(|value| form::scalar(list.member, value)).collect();
            Ok(Some(Value::Array(read?)))
        }
        // A map of strings takes every pair of the query.
        Kind::Map(_) => Ok(Some(Value::Object(values.map(|(name, value)| (name, value.into())).collect()))),
        _ => match values.find(|(name, _)| name == member.wire_name) {
            Some((_, value)) => form::scalar(member.shape, &value).map(Some),
            None => Ok(None),
        },
    }
}

fn from_headers(member: &Member, request: &Request) -> Option<Value> {
    let prefix = member.wire_name.to_ascii_lowercase();
    let found: Map<String, Value> = request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let rest = name.as_str().strip_prefix(&prefix)?;
            Some((rest.to_string(), value.to_str().ok()?.into()))
        })
        .collect();
    (!found.is_empty()).then_some(Value::Object(found))
}
