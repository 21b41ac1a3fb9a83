//! ListStreams.

use super::{limit, malformed};
use crate::names::Arn;
use crate::tree::Tree;
use crate::{Body, Dynamodb, scope};
use serde_json::{Value as Json, json};
use servicekit::call::Call;

const LIMIT_MAX: usize = 100;

pub(crate) fn list_streams(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = match input.text("TableName") {
        Some(given) => Some(crate::names::table(given, &call.caller)?),
        None => None,
    };
    let after = match input.text("ExclusiveStartStreamArn") {
        Some(arn) => Some(Arn::parse(arn).and_then(Arn::stream).ok_or_else(|| malformed(arn))?),
        None => None,
    };
    let limit = limit(input, LIMIT_MAX)?;
    let page = dynamodb.engine.list_streams(&scope(&call.caller), table, after, limit);
    let mut last = None;
    let mut streams = Vec::with_capacity(page.streams.len());
    for stream in &page.streams {
        let arn = stream.arn();
        streams.push(json!({
            "StreamArn": arn,
            "TableName": &**stream.table_name(),
            "StreamLabel": &**stream.label(),
        }));
        last = Some(arn);
    }
    let mut body = json!({ "Streams": streams });
    if let Some(last) = last.filter(|_| page.more) {
        body["LastEvaluatedStreamArn"] = Json::String(last);
    }
    Ok(body.to_string().into_bytes())
}
