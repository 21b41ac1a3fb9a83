//! Event patterns: which events a filter lets pass, compiled once and run against an event's parts.
//!
//! A pattern has the shape of the events it describes, with a list of accepted values at each leaf. What an event is,
//! the reader of its parts decides ([`Node`]): no tree is built of it.

mod address;
mod attribute;
mod compile;
mod program;
mod wildcard;

pub use attribute::Attribute;
pub use compile::{Definition, InvalidPattern};

use crate::CorruptImage;
use std::borrow::Cow;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    root: program::Fields,
}

impl Pattern {
    pub fn compile(definition: &Definition) -> Result<Pattern, InvalidPattern> {
        compile::pattern(definition).map(|root| Pattern { root })
    }

    /// Whether the event is one of those the pattern describes.
    pub fn matches<'a, N: Node<'a>>(&self, event: N) -> Result<bool, CorruptImage> {
        program::fields(&self.root, Some(event.into()), event)
    }
}

/// A part of an event, by reference.
pub trait Node<'a>: Copy {
    fn seen(self) -> Result<Seen<'a>, CorruptImage>;

    /// The member of that name; none of what is not an object.
    fn member(self, name: &str) -> Result<Option<Self>, CorruptImage>;

    /// Whether any element of a list passes; false of what is not a list.
    fn any(self, test: &mut dyn FnMut(Self) -> Result<bool, CorruptImage>) -> Result<bool, CorruptImage>;
}

/// What a part of an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen<'a> {
    Object,
    List,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
}
