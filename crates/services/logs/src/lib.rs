//! CloudWatch Logs: groups, streams, and the lines that functions write.
//! Never knows what wrote a line.

mod book;
mod groups;
mod pattern;
mod queue;
mod read;
mod streams;
mod write;

use serde_json::Value;
use servicekit::call::{Answer, Call, Pending};
use servicekit::fields::text;
use wire::{Response, ServiceError};
use world::World;

pub use book::LogBook;
pub use queue::LogQueue;

/// The longest name of a group or a stream.
const NAME_MAX: usize = 512;

pub struct Logs {
    world: World,
    book: LogBook,
}

impl Logs {
    pub fn over(book: &LogBook, world: &World) -> Logs {
        Logs { world: world.clone(), book: book.clone() }
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match call.input() {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        let is_long = |member| text(input, member).is_some_and(|name| name.len() > NAME_MAX);
        if is_long("logGroupName") || is_long("logStreamName") {
            return Err(invalid(&format!(
                "Invalid LogGroup or LogStream, both must have length less than or equal to {NAME_MAX}."
            )));
        }
        match call.operation.name {
            "CreateLogGroup" => self.create_log_group(call, input).await,
            "DeleteLogGroup" => self.delete_log_group(call, input).await,
            "DescribeLogGroups" => self.describe_log_groups(call, input),
            "PutRetentionPolicy" => self.put_retention_policy(call, input).await,
            "DeleteRetentionPolicy" => self.delete_retention_policy(call, input).await,
            "TagResource" => self.tag_resource(call, input).await,
            "UntagResource" => self.untag_resource(call, input).await,
            "ListTagsForResource" => self.list_tags_for_resource(call, input),
            // The older spellings of the three.
            "TagLogGroup" => self.tag_log_group(call, input).await,
            "UntagLogGroup" => self.untag_log_group(call, input).await,
            "ListTagsLogGroup" => self.list_tags_log_group(call, input),
            "CreateLogStream" => self.create_log_stream(call, input).await,
            "DeleteLogStream" => self.delete_log_stream(call, input).await,
            "DescribeLogStreams" => self.describe_log_streams(call, input),
            "PutLogEvents" => self.put_log_events(call, input).await,
            "GetLogEvents" => self.get_log_events(call, input),
            "FilterLogEvents" => self.filter_log_events(call, input),
            _ => Err(call.unknown()),
        }
    }
}

/// The group that a call names, by name or by ARN.
fn group_name(input: &Value) -> Result<&str, ServiceError> {
    if let Some(name) = text(input, "logGroupName") {
        return Ok(name);
    }
    let identifier = text(input, "logGroupIdentifier")
        .ok_or_else(|| invalid("Either logGroupName or logGroupIdentifier must be specified"))?;
    Ok(name_in_arn(identifier).unwrap_or(identifier))
}

/// `arn:aws:logs:<region>:<account>:log-group:<name>[:*]`
fn name_in_arn(arn: &str) -> Option<&str> {
    let name = arn.strip_prefix("arn:")?.split_once(":log-group:")?.1;
    Some(name.strip_suffix(":*").unwrap_or(name))
}

/// Refuses members that would have to do something, and do not here.
fn refuse(input: &Value, members: &[&str]) -> Result<(), ServiceError> {
    let given = |member: &&&str| input.get(**member).is_some_and(|value| *value != Value::Bool(false));
    match members.iter().find(given) {
        Some(member) => Err(invalid(&format!("{member} is not supported"))),
        None => Ok(()),
    }
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}

fn no_group() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

#[cfg(test)]
mod tests;
