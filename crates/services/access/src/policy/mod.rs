//! What policies say of a request. Pure: who asks, for what and under which circumstances comes in, a verdict goes out.

mod condition;
mod decide;
mod document;
mod pattern;

use std::collections::BTreeMap;

pub use decide::{Policies, Verdict, Why, decide};
pub use document::Document;

/// Circumstances by condition key; keys are found in lower case, for their case does not count.
#[derive(Clone, Debug, Default)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_ascii_lowercase(), vec![value.into()]);
    }

    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }

    pub fn values(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }

    /// The one value of a key that has one.
    fn value(&self, key: &str) -> Option<&str> {
        self.values(key).and_then(|values| match values {
            [one] => Some(one.as_str()),
            _ => None,
        })
    }
}

/// Who asks, in the ways in which policies of resources name somebody: a user, a role's session, the account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub account: String,
    pub arn: String,
    /// A session's role.
    pub role: Option<String>,
}

/// A question to policies.
pub struct Question<'a> {
    /// `dynamodb:PutItem`
    pub action: &'a str,
    /// An ARN, or `*` where an action concerns no resource.
    pub resource: &'a str,
    pub who: &'a Who,
    pub context: &'a Context,
}

#[cfg(test)]
mod tests;
