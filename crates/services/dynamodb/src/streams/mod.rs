//! DynamoDB Streams: listing, describing and reading the logs of changes.

mod describe_stream;
mod get_records;
mod get_shard_iterator;
mod list_streams;
mod token;

pub(super) use describe_stream::describe_stream;
pub(super) use get_records::{get_records, read};
pub(super) use get_shard_iterator::get_shard_iterator;
pub(super) use list_streams::list_streams;
pub(super) use token::Seal;

use super::fault::{Fault, constraint, data, no_stream, validation};
use super::names::Arn;
use super::tree::Tree;
use super::{Dynamodb, scope};
use engine::ErrorKind;
use engine::stream::{Shard, ShardId, Stream};
use servicekit::call::Caller;
use std::sync::Arc;

/// The stream that an ARN means to this caller.
fn stream(dynamodb: &Dynamodb, caller: &Caller, arn: &str) -> Result<Arc<Stream>, Fault> {
    let Some((parsed, (table, label))) = Arn::parse(arn).and_then(|parsed| Some((parsed, parsed.stream()?)))
    else {
        return Err(malformed(arn));
    };
    if parsed.account != &*caller.account || parsed.region != &*caller.region {
        return Err(no_stream(arn));
    }
    dynamodb.engine.stream(&scope(caller), table, label).map_err(|error| match error.kind {
        ErrorKind::StreamNotFound | ErrorKind::TableNotFound => no_stream(arn),
        _ => data(error),
    })
}

/// The Limit of a request, which is also what is given when none is asked for. The model does not state its upper bound.
fn limit(input: Tree<'_>, max: usize) -> Result<usize, Fault> {
    let Some(limit) = input.number("Limit") else {
        return Ok(max);
    };
    usize::try_from(limit).ok().filter(|limit| *limit <= max).ok_or_else(|| {
        let rule = format!("Member must have value less than or equal to {max}");
        constraint(&limit.to_string(), "limit", &rule)
    })
}

fn malformed(arn: &str) -> Fault {
    validation(format!("Invalid StreamArn: {arn}"))
}

/// A shard of a stream by its id as clients write it.
fn shard(stream: &Stream, id: &str) -> Result<Arc<Shard>, Fault> {
    let found = id.parse::<ShardId>().ok().and_then(|id| stream.shard(id));
    found.ok_or_else(|| {
        Fault::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: Shard does not exist: {id} in stream: {}", stream.arn()),
        )
    })
}
