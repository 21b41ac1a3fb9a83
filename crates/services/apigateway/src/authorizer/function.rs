//! Authorizers that are functions: what they are asked, and what becomes of what they say.

use super::Source;
use super::said::{Judgement, Kept, Said};
use crate::members::Members;
use crate::target::{function_of, with_variables};
use crate::visit::Visit;
use lambda::{Ask, ServiceCalls, Told};
use regex_lite::Regex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a function may take over it.
const ANSWER_MAX: Duration = Duration::from_secs(10);

pub(crate) struct FunctionAuthorizer {
    id: String,
    uri: String,
    by_role: bool,
    pub sources: Vec<Source>,
    ttl: Duration,
    pub form: Form,
    kept: Kept,
}

/// What a function is told, and in which form it answers.
pub(crate) enum Form {
    /// A REST API's: one header, which has to fit an expression before the function is asked.
    Token(Option<Regex>),
    /// The whole request, without its body. `simple`: the answer is a truth, not a policy.
    Request { simple: bool },
}

pub(crate) enum Outcome {
    Allowed(Arc<Said>),
    /// There is nothing to ask the function about, or it says so in AWS's way.
    Unauthorized,
    Denied {
        explicit: bool,
    },
    /// The function failed, or what it says cannot be understood.
    Failed,
    /// It is not there, or may not be called.
    Misconfigured,
}

/// A question about a request.
pub(crate) struct Asked<'a> {
    pub visit: &'a Visit<'a>,
    /// The method's or the route's, with the request's own path.
    pub method: &'a str,
    pub context: &'a Value,
}

impl FunctionAuthorizer {
    /// From what is kept of one; `names` are the two services' names for uri, role and time.
    pub fn of(
        told: &Members,
        id: &str,
        names: [&str; 3],
        sources: Vec<Source>,
        form: Form,
        ttl_s: u64,
    ) -> FunctionAuthorizer {
        let [uri, role, ttl] = names;
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        let ttl_s = told.get(ttl).and_then(Value::as_u64).unwrap_or(ttl_s);
        FunctionAuthorizer {
            id: id.to_owned(),
            uri: text(uri).to_owned(),
            by_role: !text(role).is_empty(),
            sources,
            ttl: Duration::from_secs(ttl_s),
            form,
            kept: Kept::default(),
        }
    }

    /// `event`: makes what the function is told from the identity that was found.
    pub async fn ask(
        &self,
        calls: &ServiceCalls,
        asked: Asked<'_>,
        event: impl FnOnce(&[String]) -> Value,
    ) -> Outcome {
        let found = self.sources.iter().map(|source| source.read(asked.visit, asked.context));
        let Some(identity) = found.collect::<Option<Vec<String>>>() else { return Outcome::Unauthorized };
        if let (Form::Token(Some(expression)), Some(token)) = (&self.form, identity.first())
            && !expression.is_match(token)
        {
            return Outcome::Unauthorized;
        }
        let now = calls.world.elapsed();
        let keeps = !self.ttl.is_zero() && !identity.is_empty();
        if let Some(said) = self.kept.get(&identity, now).filter(|_| keeps) {
            return judged(said, asked.method);
        }
        let Visit { account, region, api, stage_variables, .. } = *asked.visit;
        let uri = with_variables(&self.uri, stage_variables);
        let sources = [format!("arn:aws:execute-api:{region}:{account}:{api}/authorizers/{}", self.id)];
        let ask = Ask {
            account,
            function: function_of(&uri).unwrap_or_default(),
            sources: &sources,
            by_role: self.by_role,
            payload: event(&identity),
            timeout: ANSWER_MAX,
        };
        let answer: Value = match calls.call(ask).await {
            Told::Answer(payload) => serde_json::from_slice(&payload).unwrap_or_default(),
            Told::Failed(payload) => {
                // AWS's own way to say so: an exception with this one word.
                let told: Value = serde_json::from_slice(&payload).unwrap_or_default();
                let is_no = told["errorMessage"] == "Unauthorized";
                return if is_no { Outcome::Unauthorized } else { Outcome::Failed };
            }
            Told::Refused => return Outcome::Misconfigured,
            Told::Throttled | Told::TimedOut | Told::TooLarge => return Outcome::Failed,
        };
        let said = match self.form {
            Form::Request { simple: true } => Said::simple(&answer),
            _ => Said::policy(&answer),
        };
        let Some(said) = said.map(Arc::new) else { return Outcome::Failed };
        if keeps {
            self.kept.put(identity, said.clone(), now, self.ttl);
        }
        judged(said, asked.method)
    }
}

fn judged(said: Arc<Said>, method: &str) -> Outcome {
    match said.judge(method) {
        Judgement::Allowed => Outcome::Allowed(said),
        Judgement::Denied { explicit } => Outcome::Denied { explicit },
    }
}

impl Said {
    /// As format 1.0 and REST APIs tell it: every value a text, and who it is.
    pub fn as_texts(&self) -> Value {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let members = self.context.iter().map(|(name, value)| (name.clone(), text(value).into()));
        let mut told = Value::Object(members.collect());
        if let Some(principal) = &self.principal {
            told["principalId"] = principal.as_str().into();
        }
        told["integrationLatency"] = json!(0);
        told
    }
}
