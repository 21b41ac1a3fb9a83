//! Whether a function's policy lets a service of AWS's call it.

use super::registry::Function;
use serde_json::Value;

/// The service that wants to call, and for whom.
pub struct Asker<'a> {
    /// `apigateway.amazonaws.com`
    pub service: &'a str,
    pub account: &'a str,
    /// The ARNs it may be known by; one that a statement names is enough.
    pub sources: &'a [String],
}

impl Function {
    pub fn lets(&self, qualifier: Option<&str>, asker: &Asker) -> bool {
        match qualifier.filter(|one| *one != "$LATEST") {
            None => self.policy.values().any(|statement| allows(statement, asker)),
            Some(qualifier) => {
                let own = self.policies.get(qualifier).into_iter().flatten();
                own.map(|(_, statement)| statement).any(|statement| allows(statement, asker))
            }
        }
    }
}

fn allows(statement: &Value, asker: &Asker) -> bool {
    let principal = &statement["Principal"];
    let addressed = principal == "*" || principal["Service"] == asker.service;
    let action = statement["Action"].as_str().unwrap_or_default();
    let invokes = ["lambda:InvokeFunction", "lambda:*", "*"].contains(&action);
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let mut facts = conditions.flat_map(|(kind, facts)| {
        facts.as_object().into_iter().flatten().map(move |(key, value)| (kind.as_str(), key.as_str(), value))
    });
    let holds = facts.all(|(kind, key, value)| {
        let value = value.as_str().unwrap_or_default();
        match (kind, key) {
            ("StringEquals", "AWS:SourceAccount") => value == asker.account,
            ("ArnLike", "AWS:SourceArn") => asker.sources.iter().any(|source| like(value, source)),
            _ => false,
        }
    });
    addressed && invokes && holds
}

/// `*` stands for any text, `?` for one letter; neither goes beyond a colon of an ARN's first five parts.
fn like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<_>, Vec<_>) =
        (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    patterns.len() == parts.len()
        && patterns.iter().zip(&parts).all(|(pattern, part)| glob(pattern.as_bytes(), part.as_bytes()))
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star was, and what it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    at = before + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{Asker, allows, like};
    use serde_json::json;

    #[test]
    fn patterns_of_arns() {
        let arn = "arn:aws:execute-api:us-east-1:123456789012:abc/$default/GET/pets/{id}";
        for (pattern, expect) in [
            ("arn:aws:execute-api:us-east-1:123456789012:abc/*/*/pets/{id}", true),
            ("arn:aws:execute-api:us-east-1:123456789012:abc/*/*", true),
            ("arn:aws:execute-api:*:*:abc/*", true),
            ("arn:aws:execute-api:us-east-?:123456789012:*", true),
            ("arn:aws:execute-api:us-east-1:123456789012:abc/*/*/", false),
            ("arn:aws:execute-api:us-east-1:123456789012:abd/*", false),
            ("arn:aws:execute-api:us-east-2:123456789012:abc/*", false),
            ("arn:aws:*", false),
            ("*", false),
        ] {
            assert_eq!(like(pattern, arn), expect, "{pattern}");
        }
        assert!(like("arn:aws:execute-api:r:a:abc/*/*/", "arn:aws:execute-api:r:a:abc/dev/POST/"));
    }

    #[test]
    fn every_part_of_a_statement_has_to_fit() {
        let sources = ["arn:aws:execute-api:r:1:abc/dev/GET/".to_owned()];
        let asker = Asker { service: "apigateway.amazonaws.com", account: "1", sources: &sources };
        let whole = json!({
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Condition": {
                "ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:r:1:abc/*"},
                "StringEquals": {"AWS:SourceAccount": "1"},
            },
        });
        assert!(allows(&whole, &asker));
        for (pointer, value) in [
            ("/Principal/Service", "s3.amazonaws.com"),
            ("/Action", "lambda:GetFunction"),
            ("/Condition/ArnLike/AWS:SourceArn", "arn:aws:execute-api:r:1:abd/*"),
            ("/Condition/StringEquals/AWS:SourceAccount", "2"),
        ] {
            let mut other = whole.clone();
            *other.pointer_mut(pointer).expect(pointer) = value.into();
            assert!(!allows(&other, &asker), "{pointer}");
        }
        let mut other = whole;
        other["Condition"]["StringEquals"]["aws:PrincipalOrgID"] = "o".into();
        assert!(!allows(&other, &asker));
    }
}
