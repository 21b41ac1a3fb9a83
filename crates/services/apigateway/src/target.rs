//! The functions behind APIs: which one is meant.

use serde_json::Value;

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
