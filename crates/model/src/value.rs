//! A value of an attribute, as a tree.

use crate::{Item, Number, ValueView};
use std::cmp::Ordering;
use std::fmt;

/// How many levels of lists and maps a value may have below its item.
pub const DEPTH_MAX: usize = 32;

/// A value. Sets hold their elements sorted and distinct; build them with [`Value::string_set`] and its siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    S(String),
    N(Number),
    B(Vec<u8>),
    Bool(bool),
    Null,
    L(Vec<Value>),
    M(Item),
    Ss(Vec<String>),
    Ns(Vec<Number>),
    Bs(Vec<Vec<u8>>),
}

/// What kind of value it is. Displays as the descriptor that clients write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    S,
    N,
    B,
    Bool,
    Null,
    L,
    M,
    Ss,
    Ns,
    Bs,
}

/// Why elements do not make a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetFault {
    Empty,
    Duplicate,
}

impl Value {
    /// As errors show a scalar: `AttributeValue: {N:1}`.
    pub fn shown(&self) -> String {
        match self {
            Value::S(text) => format!("AttributeValue: {{S:{text}}}"),
            Value::N(number) => format!("AttributeValue: {{N:{number}}}"),
            Value::B(bytes) => format!("AttributeValue: {{B:{}}}", bytes.escape_ascii()),
            other => format!("AttributeValue: {{{}}}", other.kind()),
        }
    }

    /// A set of strings from elements in any order.
    pub fn string_set(elements: Vec<String>) -> Result<Value, SetFault> {
        distinct(elements).map(Value::Ss)
    }

    /// A set of numbers from elements in any order; `1` and `1.0` are the same element.
    pub fn number_set(elements: Vec<Number>) -> Result<Value, SetFault> {
        distinct(elements).map(Value::Ns)
    }

    /// A set of binaries from elements in any order.
    pub fn binary_set(elements: Vec<Vec<u8>>) -> Result<Value, SetFault> {
        distinct(elements).map(Value::Bs)
    }

    pub fn kind(&self) -> Type {
        match self {
            Value::S(_) => Type::S,
            Value::N(_) => Type::N,
            Value::B(_) => Type::B,
            Value::Bool(_) => Type::Bool,
            Value::Null => Type::Null,
            Value::L(_) => Type::L,
            Value::M(_) => Type::M,
            Value::Ss(_) => Type::Ss,
            Value::Ns(_) => Type::Ns,
            Value::Bs(_) => Type::Bs,
        }
    }

    /// What the value adds to its item's size, its name not counted.
    pub fn size_bytes(&self) -> usize {
        match self {
            Value::S(text) => text.len(),
            Value::N(number) => number.size_bytes(),
            Value::B(bytes) => bytes.len(),
            Value::Bool(_) | Value::Null => 1,
            Value::L(values) => 3 + values.iter().map(|value| 1 + value.size_bytes()).sum::<usize>(),
            Value::M(item) => 3 + item.len() + item.size_bytes(),
            Value::Ss(texts) => texts.iter().map(String::len).sum(),
            Value::Ns(numbers) => numbers.iter().map(Number::size_bytes).sum(),
            Value::Bs(binaries) => binaries.iter().map(Vec::len).sum(),
        }
    }

    /// Levels of lists and maps: 0 for a scalar, 1 for a list of scalars.
    pub fn depth(&self) -> usize {
        match self {
            Value::L(values) => 1 + values.iter().map(Value::depth).max().unwrap_or(0),
            Value::M(item) => 1 + item.depth(),
            _ => 0,
        }
    }

    /// Order of two strings, two numbers or two binaries; `None` for anything else.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::S(a), Value::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Value::N(a), Value::N(b)) => Some(a.cmp(b)),
            (Value::B(a), Value::B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The value by reference, in the form that trees and images share.
    pub fn view(&self) -> ValueView<'_> {
        ValueView::from(self)
    }
}

impl Type {
    /// The descriptor that clients write: `S`, `NULL`, `BOOL`, `SS` …
    pub const fn as_str(self) -> &'static str {
        match self {
            Type::S => "S",
            Type::N => "N",
            Type::B => "B",
            Type::Bool => "BOOL",
            Type::Null => "NULL",
            Type::L => "L",
            Type::M => "M",
            Type::Ss => "SS",
            Type::Ns => "NS",
            Type::Bs => "BS",
        }
    }

    pub fn parse(descriptor: &str) -> Option<Type> {
        Some(match descriptor {
            "S" => Type::S,
            "N" => Type::N,
            "B" => Type::B,
            "BOOL" => Type::Bool,
            "NULL" => Type::Null,
            "L" => Type::L,
            "M" => Type::M,
            "SS" => Type::Ss,
            "NS" => Type::Ns,
            "BS" => Type::Bs,
            _ => return None,
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::S(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::S(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::N(number)
    }
}

impl From<Item> for Value {
    fn from(item: Item) -> Value {
        Value::M(item)
    }
}

fn distinct<T: Ord>(mut elements: Vec<T>) -> Result<Vec<T>, SetFault> {
    if elements.is_empty() {
        return Err(SetFault::Empty);
    }
    elements.sort_unstable();
    match elements.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(SetFault::Duplicate),
        false => Ok(elements),
    }
}
