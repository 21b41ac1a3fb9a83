//! Expressions: compiled once from their text, bound to a request's names and values, then run over items.
//!
//! ```text
//! Condition::compile(text) -> Condition           cacheable: holds no name or value of a request
//! Binder::new(names, values) -> Binder            the request's placeholders
//! binder.bind(&Arc<Condition>) -> Bound<Condition>    every operand resolved and its type checked
//! binder.finish()                                 every placeholder used
//! bound.evaluate(Some(item.view()))
//! ```

use crate::{Item, Value, View};
use std::sync::Arc;

/// A condition or a filter.
#[derive(Debug)]
pub struct Condition(());

/// Which parts of an item to give back.
#[derive(Debug)]
pub struct Projection(());

/// Changes to an item.
#[derive(Debug)]
pub struct Update(());

/// Which keys a query reads.
#[derive(Debug)]
pub struct KeyCondition(());

/// A program together with the names and values of one request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bound<P>(Arc<P>);

/// The names and values of one request, and which of them its expressions have used.
#[derive(Debug)]
pub struct Binder(());

/// What is wrong, in the service's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    pub kind: ErrorKind,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: a ValidationException.
    Invalid,
    /// The stored item is damaged: nothing the client could do about it.
    Corrupt,
}

/// Where a value lies in an item: `a.b[2]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Name(String),
    Index(u32),
}

/// What an update did.
#[derive(Clone, Debug, PartialEq)]
pub struct Updated {
    pub item: Item,
    pub touched: Vec<Path>,
}

/// The keys a query reads: all of one hash key, or a range of them.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyQuery {
    pub hash: Value,
    pub range: Option<RangeCondition>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RangeCondition {
    Equal(Value),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
    Between(Value, Value),
    BeginsWith(Value),
}

impl Condition {
    /// Compiles a ConditionExpression.
    pub fn compile(_text: &str) -> Result<Condition, ExpressionError> {
        unimplemented!()
    }

    /// Compiles a FilterExpression: the same language, told of by its own name.
    pub fn compile_filter(_text: &str) -> Result<Condition, ExpressionError> {
        unimplemented!()
    }
}

impl Projection {
    pub fn compile(_text: &str) -> Result<Projection, ExpressionError> {
        unimplemented!()
    }
}

impl Update {
    pub fn compile(_text: &str) -> Result<Update, ExpressionError> {
        unimplemented!()
    }
}

impl KeyCondition {
    pub fn compile(_text: &str) -> Result<KeyCondition, ExpressionError> {
        unimplemented!()
    }
}

impl Binder {
    /// `None` where the request has no such member: an empty map is an error of its own.
    pub fn new(
        _names: Option<Vec<(String, String)>>,
        _values: Option<Vec<(String, Value)>>,
    ) -> Result<Binder, ExpressionError> {
        unimplemented!()
    }

    /// Resolves a program's placeholders and checks what their values must be.
    pub fn bind<P>(&mut self, _program: &Arc<P>) -> Result<Bound<P>, ExpressionError> {
        unimplemented!()
    }

    /// Every name and value given must have been used.
    pub fn finish(self) -> Result<(), ExpressionError> {
        unimplemented!()
    }
}

impl Bound<Condition> {
    /// Whether the item satisfies the condition; `None` is an item that does not exist.
    pub fn evaluate(&self, _item: Option<View<'_>>) -> Result<bool, ExpressionError> {
        unimplemented!()
    }
}

impl Bound<Projection> {
    /// The parts of the item that the projection names, in their parents' shape.
    pub fn project(&self, _item: View<'_>) -> Result<Item, ExpressionError> {
        unimplemented!()
    }
}

impl Bound<Update> {
    /// Refuses an update of a key attribute.
    pub fn check_keys(&self, _keys: &[&str]) -> Result<(), ExpressionError> {
        unimplemented!()
    }

    /// The item after the update. Every right-hand side reads the old item.
    pub fn apply(&self, _old: Option<&Item>, _key: &Item) -> Result<Updated, ExpressionError> {
        unimplemented!()
    }
}

impl Bound<KeyCondition> {
    /// The keys to read, given the names of the table's or index's key attributes.
    pub fn resolve(&self, _hash: &str, _range: Option<&str>) -> Result<KeyQuery, ExpressionError> {
        unimplemented!()
    }
}

/// The touched parts of an item, in their parents' shape: what UPDATED_OLD and UPDATED_NEW return.
pub fn project_paths(_paths: &[Path], _item: &Item) -> Item {
    unimplemented!()
}
