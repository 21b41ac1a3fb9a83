//! The whole way of a request's bytes through the wire, with the laws that hold for any of them. Shared with the fuzz target.

use api::dynamodb::{
    BatchGetItem, BatchWriteItem, DeleteItem, GetItem, PutItem, Query, Scan, TransactGetItems,
    TransactWriteItems, UpdateItem,
};
use wire::{Request, decode, encode_error, route, sigv4, violations};
use world::Timestamp;

/// A request as text: `METHOD target`, headers, an empty line, the body.
pub fn parse(bytes: &[u8]) -> Request {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]);
    let body = bytes.get(end + 2..).unwrap_or_default().to_vec();
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or_default();
    let mut request = Request { body: body.into(), ..Request::default() }.with_target(target);
    request.method = method.parse().unwrap_or_default();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.with_header(name, value);
    }
    request
}

/// Answers the request; panics where a law is broken.
pub fn answer(bytes: &[u8]) {
    let request = parse(bytes);
    let route = match route(&request, api::SERVICES) {
        Ok(route) => route,
        Err(unknown) => return drop(unknown.into_response("id")),
    };
    let secrets = |_: &str, _: Option<&str>| Some("secret".to_string());
    let now = Timestamp::from_seconds(1_795_222_923);
    for checked in
        [sigv4::lenient(&request, route.service), sigv4::verify(&request, route.service, &secrets, now)]
    {
        if let Err(error) = checked {
            assert!(encode_error(route.service, error, "id").status.is_client_error());
        }
    }
    let checked = decode(&request, route.operation).and_then(|tree| {
        violations(&tree, route.operation).finish()?;
        Ok(())
    });
    let body = &request.body;
    let is_read = match route.operation.name {
        _ if route.service.name != "dynamodb" => false,
        "PutItem" => PutItem::read(body).is_some(),
        "GetItem" => GetItem::read(body).is_some(),
        "UpdateItem" => UpdateItem::read(body).is_some(),
        "DeleteItem" => DeleteItem::read(body).is_some(),
        "Query" => Query::read(body).is_some(),
        "Scan" => Scan::read(body).is_some(),
        "BatchGetItem" => BatchGetItem::read(body).is_some(),
        "BatchWriteItem" => BatchWriteItem::read(body).is_some(),
        "TransactGetItems" => TransactGetItems::read(body).is_some(),
        "TransactWriteItems" => TransactWriteItems::read(body).is_some(),
        _ => false,
    };
    if let Err(error) = checked {
        // What the fast path reads, the other path finds nothing wrong with.
        assert!(!is_read, "{error}");
        assert!(encode_error(route.service, error, "id").status.is_client_error());
    }
}
