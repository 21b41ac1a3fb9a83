//! Constraint violations, all collected and told at once, in AWS's words.

use crate::{Operation, ServiceError};
use serde_json::Value;

#[derive(Clone, Debug, Default)]
pub struct Violations {
    code: &'static str,
    found: Vec<String>,
}

impl Violations {
    /// The error that tells them all, if there is one to tell.
    pub fn finish(self) -> Result<(), ServiceError> {
        let _ = (self.code, self.found);
        panic!("not yet")
    }
}

/// Checks an input against every constraint of its operation's model.
pub fn violations(input: &Value, operation: &Operation) -> Violations {
    let _ = (input, operation);
    panic!("not yet")
}
