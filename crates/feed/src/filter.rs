//! Which records a mapping wants: event patterns, run against a record's parts as they lie in the log.

mod document;

pub use document::{Document, pattern};

use engine::stream::Record;
use model::CorruptImage;
use model::pattern::{Attribute, InvalidPattern, Node, Pattern, Seen};
use std::borrow::Cow;

/// Patterns, of which one is enough. Without any, every record is wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    patterns: Vec<Pattern>,
}

impl Filter {
    /// Compiles patterns in the form their owner wrote them in: JSON.
    pub fn compile(texts: &[String]) -> Result<Filter, InvalidPattern> {
        let patterns = texts.iter().map(|text| {
            let document = serde_json::from_str(text).map_err(|_| InvalidPattern)?;
            pattern(&document)
        });
        Ok(Filter { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// Whether the record is wanted. `region` is the stream's.
    pub fn wants(&self, record: &Record, region: &str) -> Result<bool, CorruptImage> {
        if self.patterns.is_empty() {
            return Ok(true);
        }
        for pattern in &self.patterns {
            if pattern.matches(Part::Record(record, region))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A part of a record, as a function would see it.
#[derive(Clone, Copy)]
enum Part<'a> {
    Record(&'a Record, &'a str),
    /// `dynamodb`
    Change(&'a Record),
    /// `userIdentity`
    Identity,
    EventId(&'a Record),
    SequenceNumber(&'a Record),
    Text(&'a str),
    Number(f64),
    Attribute(Attribute<'a>),
}

impl<'a> Node<'a> for Part<'a> {
    fn seen(self) -> Result<Seen<'a>, CorruptImage> {
        Ok(match self {
            Part::Record(..) | Part::Change(_) | Part::Identity => Seen::Object,
            Part::EventId(record) => Seen::Text(String::from(&*record.event_id()).into()),
            Part::SequenceNumber(record) => Seen::Text(record.sequence.to_string().into()),
            Part::Text(text) => Seen::Text(Cow::Borrowed(text)),
            Part::Number(number) => Seen::Number(number),
            Part::Attribute(attribute) => attribute.seen()?,
        })
    }

    fn member(self, name: &str) -> Result<Option<Part<'a>>, CorruptImage> {
        let map = |view| Part::Attribute(Attribute::Map(view));
        Ok(match (self, name) {
            (Part::Record(record, _), "eventID") => Some(Part::EventId(record)),
            (Part::Record(record, _), "eventName") => Some(Part::Text(record.event.as_str())),
            (Part::Record(..), "eventVersion") => Some(Part::Text("1.1")),
            (Part::Record(..), "eventSource") => Some(Part::Text("aws:dynamodb")),
            (Part::Record(_, region), "awsRegion") => Some(Part::Text(region)),
            (Part::Record(record, _), "dynamodb") => Some(Part::Change(record)),
            (Part::Record(record, _), "userIdentity") => record.service_delete.then_some(Part::Identity),
            (Part::Change(record), "ApproximateCreationDateTime") => {
                Some(Part::Number(record.created.seconds() as f64))
            }
            (Part::Change(record), "Keys") => Some(map(record.keys())),
            (Part::Change(record), "NewImage") => record.after().map(map),
            (Part::Change(record), "OldImage") => record.before().map(map),
            (Part::Change(record), "SequenceNumber") => Some(Part::SequenceNumber(record)),
            (Part::Change(record), "SizeBytes") => Some(Part::Number(record.size_bytes as f64)),
            (Part::Change(record), "StreamViewType") => Some(Part::Text(record.view.as_str())),
            (Part::Identity, "type") => Some(Part::Text("Service")),
            (Part::Identity, "principalId") => Some(Part::Text("dynamodb.amazonaws.com")),
            (Part::Attribute(attribute), name) => attribute.member(name)?.map(Part::Attribute),
            _ => None,
        })
    }

    fn any(self, test: &mut dyn FnMut(Part<'a>) -> Result<bool, CorruptImage>) -> Result<bool, CorruptImage> {
        match self {
            Part::Attribute(attribute) => attribute.any(&mut |element| test(Part::Attribute(element))),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
