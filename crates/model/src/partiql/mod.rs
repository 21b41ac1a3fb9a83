//! PartiQL, as far as the service speaks it: statements parsed from their text, and printed again.
//!
//! Nesting is bounded; what a statement means is for others to say.

mod parse;
mod print;
mod statement;
mod token;

pub use parse::parse;
pub use statement::{
    Assigned, Change, Comparison, Condition, Function, Literal, Order, Path, Returned, Select, Statement,
    Step, Target, Term,
};

/// Why a text is no statement. The message is the whole of what a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: String,
}

impl SyntaxError {
    fn new(what: impl AsRef<str>) -> SyntaxError {
        SyntaxError {
            message: format!("Statement wasn't well formed, can't be processed: {}", what.as_ref()),
        }
    }
}
