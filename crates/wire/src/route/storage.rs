//! Which of S3's operations a request is for. Most share a path: queries and headers that must be there part them.

use super::{Route, RouteError, not_implemented, unknown_operation};
use crate::shape::{Kind, Location, Member};
use crate::{Operation, Request, Service, percent};

/// The two parts of a path: the bucket, and the object's name, which may hold and end with slashes. Both decoded.
pub fn bucket_and_key(path: &str) -> (String, String) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let text = |part: &str| String::from_utf8_lossy(&percent::decode(part)).into_owned();
    (text(bucket), text(key))
}

/// Finds the operation of a service of buckets and objects; buckets are the path's first part.
pub fn route(request: &Request, service: &'static Service) -> Result<Route, RouteError> {
    let (bucket, key) = bucket_and_key(&request.path);
    let depth = usize::from(!bucket.is_empty()) + usize::from(!key.is_empty());
    let fits = |uri: &str, verb: &str| {
        (verb == request.method.as_str() && depth_of(uri) == depth)
            .then(|| fixed(uri, &request.query))
            .flatten()
    };
    let operation = service
        .operations
        .iter()
        .filter_map(|operation| {
            let fixed = fits(operation.uri, operation.method)?;
            Some((fixed + needed(operation, request)?, operation))
        })
        .max_by_key(|(fixed, _)| *fixed);
    let other = service
        .refused
        .iter()
        .filter_map(|other| Some((fits(other.uri, other.method)?, other)))
        .max_by_key(|(fixed, _)| *fixed);
    match (operation, other) {
        (Some((fixed, operation)), other) if other.as_ref().is_none_or(|(others, _)| *others <= fixed) => {
            Ok(Route { service, operation })
        }
        (_, Some((_, other))) => {
            Err(RouteError { service: Some(service), error: not_implemented(service, other.name) })
        }
        _ => Err(RouteError { service: Some(service), error: unknown_operation(service) }),
    }
}

/// 0 for the service, 1 for a bucket, 2 for an object.
fn depth_of(uri: &str) -> usize {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    match path {
        "/" => 0,
        path if path.contains("{Key+}") => 2,
        path if path.contains("{Bucket}") => 1,
        // A form of another host.
        _ => usize::MAX,
    }
}

/// How many parts of the query the form fixes, where the query has them all.
fn fixed(uri: &str, query: &str) -> Option<usize> {
    let fixed = uri.split_once('?').map_or("", |(_, fixed)| fixed);
    percent::pairs(fixed)
        .all(|wanted| percent::pairs(query).any(|given| given == wanted))
        .then(|| percent::pairs(fixed).count())
}

/// How many members the operation cannot do without in queries and headers, where the request has them all.
fn needed(operation: &Operation, request: &Request) -> Option<usize> {
    let members = match operation.input.map(|shape| &shape.kind) {
        Some(Kind::Structure(structure)) => structure.members,
        _ => &[],
    };
    let is_there = |member: &Member| match member.location {
        Location::QueryString => percent::pairs(&request.query).any(|(name, _)| name == member.wire_name),
        _ => request.headers.contains_key(member.wire_name),
    };
    let mut needed = members.iter().filter(|member| {
        member.required && matches!(member.location, Location::QueryString | Location::Header)
    });
    let count = needed.clone().count();
    needed.all(is_there).then_some(count)
}
