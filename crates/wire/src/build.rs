//! Short constructors for the generated tables, so that a shape is a line and not a page.

use crate::shape::*;

pub const NONE: u64 = u64::MAX;

const fn shape(name: &'static str, kind: Kind) -> Shape {
    Shape { name, kind, sensitive: false }
}

pub const fn structure(name: &'static str, members: &'static [Member]) -> Shape {
    shape(name, Kind::Structure(Structure { members, payload: None }))
}

pub const fn with_payload(name: &'static str, payload: &'static str, members: &'static [Member]) -> Shape {
    shape(name, Kind::Structure(Structure { members, payload: Some(payload) }))
}

pub const fn list(
    name: &'static str,
    member: &'static Shape,
    member_name: &'static str,
    min: u64,
    max: u64,
) -> Shape {
    let length = Length { min, max };
    shape(name, Kind::List(List { member, member_name, flattened: false, length }))
}

pub const fn flat_list(
    name: &'static str,
    member: &'static Shape,
    member_name: &'static str,
    min: u64,
    max: u64,
) -> Shape {
    let length = Length { min, max };
    shape(name, Kind::List(List { member, member_name, flattened: true, length }))
}

pub const fn map(
    name: &'static str,
    key: &'static Shape,
    value: &'static Shape,
    names: (&'static str, &'static str),
    flattened: bool,
    (min, max): (u64, u64),
) -> Shape {
    let (key_name, value_name) = names;
    let length = Length { min, max };
    shape(name, Kind::Map(Map { key, value, key_name, value_name, flattened, length }))
}

pub const fn text(name: &'static str, min: u64, max: u64) -> Shape {
    shape(name, Kind::String(Text { length: Length { min, max }, pattern: None, one_of: &[] }))
}

pub const fn pattern(
    name: &'static str,
    min: u64,
    max: u64,
    text: &'static str,
    regex: &'static str,
) -> Shape {
    let pattern = Some(Pattern::new(text, regex));
    shape(name, Kind::String(Text { length: Length { min, max }, pattern, one_of: &[] }))
}

pub const fn one_of(name: &'static str, one_of: &'static [&'static str]) -> Shape {
    shape(name, Kind::String(Text { length: Length::ANY, pattern: None, one_of }))
}

pub const fn integer(name: &'static str, min: i64, max: i64) -> Shape {
    shape(name, Kind::Integer(Range { min, max }))
}

pub const fn long(name: &'static str, min: i64, max: i64) -> Shape {
    shape(name, Kind::Long(Range { min, max }))
}

pub const fn float(name: &'static str, min: i64, max: i64) -> Shape {
    shape(name, Kind::Float(Range { min, max }))
}

pub const fn double(name: &'static str, min: i64, max: i64) -> Shape {
    shape(name, Kind::Double(Range { min, max }))
}

pub const fn boolean(name: &'static str) -> Shape {
    shape(name, Kind::Boolean)
}

pub const fn blob(name: &'static str, min: u64, max: u64) -> Shape {
    shape(name, Kind::Blob(Length { min, max }))
}

pub const fn timestamp(name: &'static str, format: TimeFormat) -> Shape {
    shape(name, Kind::Timestamp(format))
}

pub const fn document(name: &'static str) -> Shape {
    shape(name, Kind::Document)
}

/// An optional member of the body.
pub const fn may(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, wire_name: name, location: Location::Body, required: false, shape, time_format: None }
}

/// A required member of the body.
pub const fn must(name: &'static str, shape: &'static Shape) -> Member {
    Member { required: true, ..may(name, shape) }
}

impl Member {
    pub const fn at(self, location: Location, wire_name: &'static str) -> Member {
        Member { location, wire_name, ..self }
    }

    pub const fn timed(self, format: TimeFormat) -> Member {
        Member { time_format: Some(format), ..self }
    }
}

// Those whose values errors do not repeat.

pub const fn secret_text(name: &'static str, min: u64, max: u64) -> Shape {
    let kind = Kind::String(Text { length: Length { min, max }, pattern: None, one_of: &[] });
    Shape { name, kind, sensitive: true }
}

pub const fn secret_pattern(
    name: &'static str,
    min: u64,
    max: u64,
    text: &'static str,
    regex: &'static str,
) -> Shape {
    let pattern = Some(Pattern::new(text, regex));
    let kind = Kind::String(Text { length: Length { min, max }, pattern, one_of: &[] });
    Shape { name, kind, sensitive: true }
}

pub const fn secret_blob(name: &'static str, min: u64, max: u64) -> Shape {
    Shape { name, kind: Kind::Blob(Length { min, max }), sensitive: true }
}
