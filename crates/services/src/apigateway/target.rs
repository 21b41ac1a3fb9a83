//! The functions behind APIs: which one is meant, whether it may be called, and calling it.

use crate::call::Caller;
use crate::lambda::{Asker, FunctionName, Registry};
use ::functions::{Functions, Invocation, InvokeError};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use world::World;

/// What may be sent to a function.
const PAYLOAD_BYTES_MAX: usize = 6_291_456;

const SERVICE: &str = "apigateway.amazonaws.com";

/// The function's ARN in an integration's URI: itself, or in the form of a REST API's.
pub(super) fn function_of(uri: &str) -> Option<&str> {
    let arn = match uri.split_once(":lambda:path/2015-03-31/functions/") {
        Some((_, rest)) => rest.strip_suffix("/invocations")?,
        None => uri,
    };
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", region, account, "function", name]
            if !region.is_empty() && !account.is_empty() && !name.is_empty() && !name.contains('/') =>
        {
            Some(arn)
        }
        _ => None,
    }
}

/// A text with `${stageVariables.name}` and `$stageVariables.name` filled in.
pub(super) fn with_variables(text: &str, variables: Option<&Value>) -> String {
    let mut out = text.to_owned();
    let variables = variables.and_then(Value::as_object).into_iter().flatten();
    let mut variables: Vec<_> = variables.collect();
    // Of names that begin alike the longer one is meant.
    variables.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, value) in variables {
        let value = value.as_str().unwrap_or_default();
        out = out.replace(&format!("${{stageVariables.{name}}}"), value);
        out = out.replace(&format!("$stageVariables.{name}"), value);
    }
    out
}

/// One call of a function by an API.
pub(super) struct Ask<'a> {
    pub account: &'a str,
    pub uri: &'a str,
    /// The ARNs under which its policy may know the API.
    pub sources: &'a [String],
    /// Whether the API calls with a role of its own, for which no policy of the function's is asked.
    pub by_role: bool,
    pub payload: Value,
    pub timeout: Duration,
}

pub(super) enum Told {
    Answer(Bytes),
    /// The function failed; its account of the error.
    Failed(Bytes),
    /// There is no such function, or it may not be called.
    Refused,
    Throttled,
    TimedOut,
    TooLarge,
}

pub(super) struct Targets {
    pub registry: Registry,
    pub functions: Functions,
    pub world: World,
}

impl Targets {
    pub async fn call(&self, ask: Ask<'_>) -> Told {
        let Some(arn) = function_of(ask.uri) else { return Told::Refused };
        let region = arn.split(':').nth(3).unwrap_or_default();
        let caller = Caller { account: ask.account.into(), region: region.into(), access_key: None };
        let found = FunctionName::parse(arn, &caller).and_then(|name| {
            let function = self.registry.pick(&caller, &name, self.world.random_u64())?;
            Ok((name, function))
        });
        let Ok((name, function)) = found else { return Told::Refused };
        let asker = Asker { service: SERVICE, account: ask.account, sources: ask.sources };
        if !ask.by_role && !function.lets(name.qualifier.as_deref(), &asker) {
            return Told::Refused;
        }
        let Some(config) = self.registry.config(&function, &caller) else { return Told::Refused };
        let payload = Bytes::from(ask.payload.to_string());
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Told::TooLarge;
        }
        let invocation = Invocation {
            request_id: self.world.uuid(),
            payload,
            client_context: None,
            function_arn: name.arn(&caller),
        };
        // The function goes on when nobody waits for it any more.
        let functions = self.functions.clone();
        let running = tokio::spawn(async move { functions.invoke(Arc::new(config), invocation).await });
        match tokio::time::timeout(ask.timeout, running).await {
            Err(_) => Told::TimedOut,
            Ok(Ok(Ok(done))) if done.failed => Told::Failed(done.payload),
            Ok(Ok(Ok(done))) => Told::Answer(done.payload),
            Ok(Ok(Err(InvokeError::Throttled { .. }))) => Told::Throttled,
            Ok(Ok(Err(InvokeError::Closed)) | Err(_)) => Told::TimedOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{function_of, with_variables};
    use serde_json::json;

    #[test]
    fn integrations_name_functions_in_two_ways() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
        assert_eq!(function_of(arn), Some(arn));
        let long = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations");
        assert_eq!(function_of(&long), Some(arn));
        for other in ["", "f", "https://a.example", "arn:aws:sqs:us-east-1:123456789012:q", &long[..90]] {
            assert_eq!(function_of(other), None, "{other}");
        }
    }

    #[test]
    fn variables_are_filled_in() {
        let variables = json!({"fn": "live", "fnx": "other"});
        for (text, expect) in [
            ("a:${stageVariables.fn}", "a:live"),
            ("a:$stageVariables.fnx/b", "a:other/b"),
            ("${stageVariables.none}", "${stageVariables.none}"),
        ] {
            assert_eq!(with_variables(text, Some(&variables)), expect);
        }
    }
}
