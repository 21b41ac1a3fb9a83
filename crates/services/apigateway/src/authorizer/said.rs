//! What an authorizer's function said of somebody, and how long that holds.

use access::policy::{Context, Document, Policies, Question, Verdict, Who, Why, decide};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many answers of one authorizer are kept.
const KEPT_MAX: usize = 4_096;

#[derive(Clone, Debug)]
pub(crate) struct Said {
    permission: Permission,
    pub principal: Option<String>,
    /// What the function behind the method is told.
    pub context: Map<String, Value>,
}

#[derive(Clone, Debug)]
enum Permission {
    All(bool),
    Policy(Document),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Allowed,
    /// `explicit`: a statement denies it; otherwise none allows it.
    Denied {
        explicit: bool,
    },
}

impl Said {
    /// `{"isAuthorized": …, "context": …}`.
    pub fn simple(answer: &Value) -> Option<Said> {
        let permission = Permission::All(answer.get("isAuthorized")?.as_bool()?);
        Some(Said { permission, principal: None, context: context(answer)? })
    }

    /// `{"principalId": …, "policyDocument": …, "context": …}`.
    pub fn policy(answer: &Value) -> Option<Said> {
        let principal = answer.get("principalId")?;
        let principal = principal.as_str().map_or_else(|| principal.to_string(), str::to_owned);
        let permission = Permission::Policy(Document::read(answer.get("policyDocument")?).ok()?);
        Some(Said { permission, principal: Some(principal), context: context(answer)? })
    }

    /// What it says of a method.
    pub(super) fn judge(&self, method: &str) -> Judgement {
        match &self.permission {
            Permission::All(true) => Judgement::Allowed,
            Permission::All(false) => Judgement::Denied { explicit: false },
            Permission::Policy(document) => {
                let account = method.split(':').nth(4).unwrap_or_default();
                let arn = format!("arn:aws:iam::{account}:root");
                let who = Who { account: account.to_owned(), arn, role: None };
                let context = Context::default();
                let policies = Policies { identity: vec![document.clone()], ..Policies::default() };
                let action = "execute-api:Invoke";
                match decide(&policies, &Question { action, resource: method, who: &who, context: &context })
                {
                    Verdict::Allowed => Judgement::Allowed,
                    Verdict::Denied(why) => Judgement::Denied { explicit: matches!(why, Why::DeniedBy(_)) },
                }
            }
        }
    }
}

fn context(answer: &Value) -> Option<Map<String, Value>> {
    match answer.get("context") {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(members)) => Some(members.clone()),
        Some(_) => None,
    }
}

/// Answers by what was asked, for a while.
#[derive(Default)]
pub(super) struct Kept(Mutex<Answers>);

/// Each with the time at which it ends.
type Answers = HashMap<Vec<String>, (Duration, Arc<Said>)>;

impl Kept {
    pub fn get(&self, asked: &[String], now: Duration) -> Option<Arc<Said>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(asked).filter(|(until, _)| *until > now).map(|(_, said)| said.clone())
    }

    pub fn put(&self, asked: Vec<String>, said: Arc<Said>, now: Duration, ttl: Duration) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (until, _)| *until > now);
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(asked, (now + ttl, said));
    }
}

#[cfg(test)]
mod tests {
    use super::{Judgement, Kept, Said};
    use serde_json::json;
    use std::sync::Arc;
    use std::time::Duration;

    fn policy(effect: &str, resource: &str) -> serde_json::Value {
        json!({"principalId": "me", "context": {"n": 1}, "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}]}})
    }

    #[test]
    fn an_answer_speaks_of_methods() {
        let get = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets";
        let denied = |explicit| Some(Judgement::Denied { explicit });
        for (answer, expected) in [
            (policy("Allow", get), Some(Judgement::Allowed)),
            (policy("Allow", "arn:aws:execute-api:*:*:abc/*/GET/*"), Some(Judgement::Allowed)),
            (policy("Allow", "arn:aws:execute-api:*:*:abc/*/POST/*"), denied(false)),
            (policy("Deny", "*"), denied(true)),
            (json!({"policyDocument": policy("Allow", "*")["policyDocument"]}), None),
            (json!({"principalId": "me", "policyDocument": {}}), None),
            (json!("no"), None),
        ] {
            assert_eq!(Said::policy(&answer).map(|said| said.judge(get)), expected, "{answer}");
        }
        for (answer, expected) in [
            (json!({"isAuthorized": true, "context": {"a": [1]}}), Some(Judgement::Allowed)),
            (json!({"isAuthorized": false}), denied(false)),
            (json!({"isAuthorized": "true"}), None),
            (json!({"isAuthorized": true, "context": "x"}), None),
        ] {
            assert_eq!(Said::simple(&answer).map(|said| said.judge(get)), expected, "{answer}");
        }
    }

    #[test]
    fn it_holds_for_a_while() {
        let (kept, asked) = (Kept::default(), vec!["token".to_owned()]);
        let second = Duration::from_secs;
        let said = Said::simple(&json!({"isAuthorized": true})).map(Arc::new).expect("an answer");
        kept.put(asked.clone(), said, second(1), second(10));
        assert!(kept.get(&asked, second(10)).is_some());
        assert!(kept.get(&asked, second(11)).is_none());
        assert!(kept.get(&["other".to_owned()], second(2)).is_none());
    }
}
