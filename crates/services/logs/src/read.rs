//! Reading events back: one stream in either direction, or a whole group filtered and merged by time.

use super::book::{Event, Group, Place, Stream};
use super::pattern::Pattern;
use super::{Logs, invalid, refuse};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, required, text, texts};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use store::Order;
use wire::ServiceError;

/// What one page may hold.
const PAGE_EVENTS_MAX: usize = 10_000;
const PAGE_BYTES_MAX: usize = 1_048_576;
/// How many events one call looks at before it answers with a token instead.
const EXAMINED_MAX: usize = 200_000;

impl Logs {
    pub(super) fn get_log_events(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["unmask"])?;
        let group = self.group(call, input)?;
        let stream = self.book.stream(&group, required(input, "logStreamName"))?;
        let start = (time(input, "startTime").unwrap_or(0), 0);
        let end = (time(input, "endTime").unwrap_or(u64::MAX), 0);
        let token = text(input, "nextToken").map(Token::parse).transpose()?;
        let from_head = input.get("startFromHead").and_then(Value::as_bool).unwrap_or(false);
        let (from, to, order) = match token {
            Some(Token { forward: true, at }) => (start.max(at), end, Order::Forward),
            Some(Token { forward: false, at }) => (start, end.min(at), Order::Backward),
            None if from_head => (start, end, Order::Forward),
            None => (start, end, Order::Backward),
        };
        let limit = integer(input, "limit").map_or(PAGE_EVENTS_MAX, |limit| limit.max(1) as usize);
        let mut events = Vec::new();
        let mut bytes = 0;
        for event in self.book.events(&group, stream.id, from, to, order) {
            let event = event?;
            bytes += event.message.len() + 26;
            events.push(event);
            if events.len() >= limit || bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
        if order == Order::Backward {
            events.reverse();
        }
        // Of an empty page both tokens stay where the caller was.
        let here = match token {
            Some(token) => token.at,
            None if from_head => from,
            None => (to.0.min(self.world.now().millis()), to.1),
        };
        let first = events.first().map_or(here, |event| (event.place.time_ms, event.place.number));
        let last = events.last().map_or(here, |event| (event.place.time_ms, event.place.number + 1));
        let shown = events.iter().map(|event| {
            json!({
                "timestamp": event.place.time_ms,
                "message": event.message,
                "ingestionTime": event.ingested_ms,
            })
        });
        Ok(json!({
            "events": shown.collect::<Vec<_>>(),
            "nextForwardToken": Token { forward: true, at: last }.to_string(),
            "nextBackwardToken": Token { forward: false, at: first }.to_string(),
        }))
    }

    pub(super) fn filter_log_events(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["unmask"])?;
        let group = self.group(call, input)?;
        let pattern =
            Pattern::parse(text(input, "filterPattern").unwrap_or_default()).map_err(|why| invalid(&why))?;
        let streams = self.wanted_streams(&group, input)?;
        let start_ms = time(input, "startTime").unwrap_or(0);
        let end_ms = time(input, "endTime").map_or(u64::MAX, |end_ms| end_ms.saturating_add(1));
        if start_ms >= end_ms {
            return Err(invalid("End time should be greater than or equal to start time."));
        }
        let after = match text(input, "nextToken") {
            Some(token) => {
                Some(Place::parse(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?)
            }
            None => None,
        };
        let limit = integer(input, "limit").map_or(PAGE_EVENTS_MAX, |limit| limit.max(1) as usize);

        let mut merge = Merge::default();
        for stream in &streams {
            let from = after.map_or((start_ms, 0), |after| resume(after, stream.id).max((start_ms, 0)));
            let events = self.book.events(&group, stream.id, from, (end_ms, 0), Order::Forward);
            merge.add(stream, Box::new(events))?;
        }
        let mut shown = Vec::new();
        let (mut bytes, mut examined, mut next) = (0, 0, None);
        while let Some((stream, event)) = merge.next()? {
            examined += 1;
            if pattern.matches(&event.message) {
                bytes += event.message.len() + 26;
                shown.push(json!({
                    "logStreamName": stream.name,
                    "timestamp": event.place.time_ms,
                    "message": event.message,
                    "ingestionTime": event.ingested_ms,
                    "eventId": event.place.event_id(),
                }));
            }
            if shown.len() >= limit || bytes >= PAGE_BYTES_MAX || examined >= EXAMINED_MAX {
                next = merge.is_more().then(|| event.place.event_id());
                break;
            }
        }
        Ok(object([
            ("events", Some(shown.into())),
            ("searchedLogStreams", Some(json!([]))),
            ("nextToken", next.map(Value::from)),
        ]))
    }

    fn wanted_streams(&self, group: &Group, input: &Value) -> Result<Vec<Stream>, ServiceError> {
        let names = texts(input, "logStreamNames");
        match text(input, "logStreamNamePrefix") {
            Some(_) if !names.is_empty() => {
                Err(invalid("logStreamNamePrefix and logStreamNames are mutually exclusive parameters."))
            }
            prefix if names.is_empty() => self.book.streams_of(group, prefix.unwrap_or_default()),
            _ => names.iter().map(|name| self.book.stream(group, name)).collect(),
        }
    }
}

fn time(input: &Value, member: &str) -> Option<u64> {
    Some(integer(input, member)?.max(0) as u64)
}

/// Where a stream goes on after the last event that was looked at, which may be another stream's.
fn resume(after: Place, stream: u64) -> (u64, u64) {
    match stream.cmp(&after.stream) {
        std::cmp::Ordering::Less => (after.time_ms + 1, 0),
        std::cmp::Ordering::Equal => (after.time_ms, after.number + 1),
        std::cmp::Ordering::Greater => (after.time_ms, 0),
    }
}

/// Where a reader of one stream stands, and which way it looks.
#[derive(Clone, Copy)]
struct Token {
    forward: bool,
    at: (u64, u64),
}

impl Token {
    fn parse(text: &str) -> Result<Token, ServiceError> {
        let parsed = || {
            let (way, digits) = text.split_once('/')?;
            let place = Place::parse(digits)?;
            let forward = match way {
                "f" => true,
                "b" => false,
                _ => return None,
            };
            Some(Token { forward, at: (place.time_ms, place.number) })
        };
        parsed().ok_or_else(|| invalid("The specified nextToken is invalid."))
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = if self.forward { 'f' } else { 'b' };
        let place = Place { time_ms: self.at.0, stream: 0, number: self.at.1 };
        write!(f, "{way}/{}", place.event_id())
    }
}

type Events = Box<dyn Iterator<Item = Result<Event, ServiceError>>>;

/// Several streams as one, in the order of places.
#[derive(Default)]
struct Merge<'a> {
    heads: BinaryHeap<Reverse<(Place, usize)>>,
    streams: Vec<(&'a Stream, Option<Event>, Events)>,
}

impl<'a> Merge<'a> {
    fn add(&mut self, stream: &'a Stream, mut events: Events) -> Result<(), ServiceError> {
        if let Some(head) = events.next().transpose()? {
            self.heads.push(Reverse((head.place, self.streams.len())));
            self.streams.push((stream, Some(head), events));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(&'a Stream, Event)>, ServiceError> {
        let Some(Reverse((_, index))) = self.heads.pop() else { return Ok(None) };
        let (stream, head, events) = &mut self.streams[index];
        let event = head.take();
        *head = events.next().transpose()?;
        if let Some(next) = head {
            self.heads.push(Reverse((next.place, index)));
        }
        Ok(event.map(|event| (*stream, event)))
    }

    fn is_more(&self) -> bool {
        !self.heads.is_empty()
    }
}
