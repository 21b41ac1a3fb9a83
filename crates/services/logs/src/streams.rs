//! Log streams.

use super::book::{Group, Stream, stream_key};
use super::{Logs, groups, invalid, no_stream};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{self, integer, object, required, text};
use store::Order;
use wire::ServiceError;

impl Logs {
    pub(super) async fn create_log_stream(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?;
        let stream = self.book.new_stream(required(input, "logStreamName"));
        self.book
            .streams()
            .edit(&stream_key(group.id, &stream.name), |old| match old {
                Some(_) => Err(ServiceError::new(
                    "ResourceAlreadyExistsException",
                    "The specified log stream already exists",
                )),
                None => Ok((Edit::Put(stream.clone()), ())),
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_log_stream(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?;
        let name = required(input, "logStreamName");
        let stream = self.book.streams().remove(&stream_key(group.id, name)).await?.ok_or_else(no_stream)?;
        self.book.forget(group.id);
        self.book.erase(group.id, Some(stream.id))?;
        Ok(json!({}))
    }

    pub(super) fn describe_log_streams(&self, call: &Call, input: &Value) -> Answer {
        if text(input, "logGroupName").is_some() && text(input, "logGroupIdentifier").is_some() {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            return Err(ServiceError::new("ValidationException", message));
        }
        let group = self.group(call, input)?;
        let prefix = text(input, "logStreamNamePrefix").unwrap_or_default();
        let by_time = text(input, "orderBy") == Some("LastEventTime");
        if by_time && !prefix.is_empty() {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        let mut shown = Vec::new();
        for stream in self.book.streams_of(&group, prefix)? {
            let (last_ms, members) = self.described(call, &group, &stream)?;
            // The page's marker is compared as text, so a time is written with a fixed width.
            let order = if by_time { format!("{last_ms:020}/{}", stream.name) } else { stream.name };
            shown.push((order, members));
        }
        shown.sort_by(|(left, _), (right, _)| left.cmp(right));
        let descending = input.get("descending").and_then(Value::as_bool).unwrap_or(false);
        let limit = integer(input, "limit").unwrap_or(50).max(1) as usize;
        let marker = text(input, "nextToken");
        let bad_token = || invalid("The specified nextToken is invalid.");
        let page = if descending {
            shown.reverse();
            page_down(shown, marker, limit).ok_or_else(bad_token)?
        } else {
            fields::page(shown, marker, limit, bad_token)?
        };
        Ok(object([("logStreams", Some(page.items.into())), ("nextToken", page.next.map(Value::from))]))
    }

    /// The time of a stream's last event (or of its making), and the stream as it is shown.
    fn described(&self, call: &Call, group: &Group, stream: &Stream) -> Result<(u64, Value), ServiceError> {
        let end = |order| self.book.events(group, stream.id, (0, 0), (u64::MAX, 0), order).next().transpose();
        let (first, last) = (end(Order::Forward)?, end(Order::Backward)?);
        let last_ms = last.as_ref().map_or(stream.created_ms, |event| event.place.time_ms);
        let arn = format!("{}:log-stream:{}", groups::arn(call, &group.name), stream.name);
        let members = object([
            ("logStreamName", Some(stream.name.clone().into())),
            ("creationTime", Some(stream.created_ms.into())),
            ("firstEventTimestamp", first.map(|event| event.place.time_ms.into())),
            ("lastEventTimestamp", last.as_ref().map(|event| event.place.time_ms.into())),
            ("lastIngestionTime", last.as_ref().map(|event| event.ingested_ms.into())),
            ("arn", Some(arn.into())),
            // The service has answered zero here since June 2019.
            ("storedBytes", Some(0.into())),
        ]);
        Ok((last_ms, members))
    }
}

/// A page of a list sorted downwards.
fn page_down(shown: Vec<(String, Value)>, marker: Option<&str>, limit: usize) -> Option<fields::Page<Value>> {
    let from = match marker {
        Some(token) => Some(String::from_utf8(wire::base64::decode(token).ok()?).ok()?),
        None => None,
    };
    let mut rest = shown.into_iter().skip_while(|(name, _)| from.as_ref().is_some_and(|from| name > from));
    let items = rest.by_ref().take(limit).map(|(_, members)| members).collect();
    let next = rest.next().map(|(name, _)| wire::base64::encode(name.as_bytes()));
    Some(fields::Page { items, next })
}
