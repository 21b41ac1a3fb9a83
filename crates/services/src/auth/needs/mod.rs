//! What a call needs: permissions for actions on resources, and the circumstances that conditions may ask about.

mod dynamodb;
mod other;
mod stores;

use access::policy::Context;
use serde_json::Value;
use servicekit::call::Caller;

/// A permission that a call needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// `dynamodb:PutItem`
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
}

impl Need {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Need {
        Need { action: action.into(), resource: resource.into() }
    }
}

/// A call as far as its needs are concerned.
pub(crate) struct Asked<'a> {
    /// As our tables name it.
    pub service: &'a str,
    pub operation: &'a str,
    pub input: &'a Value,
    pub caller: &'a Caller,
    /// The hash key's name of a table, or of one of its indexes.
    pub hash_key: &'a (dyn Fn(&str, Option<&str>) -> Option<String> + Sync),
}

impl Asked<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Value::as_str)
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.caller.region, self.caller.account)
    }
}

/// Every permission that is needed; none for what everybody may. Circumstances go into `context`.
pub(crate) fn of(asked: &Asked<'_>, context: &mut Context) -> Vec<Need> {
    match asked.service {
        "dynamodb" | "dynamodbstreams" => dynamodb::needs(asked, context),
        _ => other::needs(asked, context),
    }
}

#[cfg(test)]
mod tests;
