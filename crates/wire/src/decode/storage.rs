//! S3's calls: bucket and name from the path, the rest from the query, headers and an XML body.

use super::{rest, xml};
use crate::route::bucket_and_key;
use crate::shape::{Kind, Location, Shape};
use crate::{Request, ServiceError};
use serde_json::{Map, Value};

pub(super) fn decode(request: &Request, input: &Shape) -> Result<Value, ServiceError> {
    let Kind::Structure(structure) = &input.kind else { return Ok(Value::Object(Map::new())) };
    let mut members = Map::new();
    let payload = structure.payload.and_then(|name| structure.member(name));
    if let Some(payload) = payload.filter(|_| !request.body.is_empty()) {
        match payload.shape.kind {
            // A blob is the body itself and stays where it is.
            Kind::Blob(_) => {}
            Kind::String(_) => {
                let text = String::from_utf8(request.body.to_vec()).map_err(|_| malformed())?;
                members.insert(payload.name.to_owned(), text.into());
            }
            _ => {
                let tree = crate::xml::parse(&request.body).ok_or_else(malformed)?;
                let value = xml::value(payload.shape, &tree).ok_or_else(malformed)?;
                members.insert(payload.name.to_owned(), value);
            }
        }
    }
    let (bucket, key) = bucket_and_key(&request.path);
    let labels = structure.members.iter().filter(|member| member.location == Location::Uri);
    for member in labels {
        let value = if member.wire_name == "Key" { &key } else { &bucket };
        members.insert(member.name.to_owned(), value.as_str().into());
    }
    rest::outside(request, structure, &mut members)
        .map_err(|error| ServiceError { code: "InvalidArgument".into(), ..error })?;
    Ok(Value::Object(members))
}

fn malformed() -> ServiceError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    ServiceError::new("MalformedXML", message).with_status(400)
}
