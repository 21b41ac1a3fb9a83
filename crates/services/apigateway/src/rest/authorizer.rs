//! Authorizers: functions that say who may call a method.

use super::book::RestApi;
use super::patch::{self, Rules};
use super::{Rest, page};
use crate::authorizer::{Form, FunctionAuthorizer, Source};
use crate::fault::{bad, conflict, missing, refuse, too_many};
use crate::members::{Members, take_over};
use crate::target;
use regex_lite::Regex;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::required;
use servicekit::ids;
use wire::ServiceError;

const AUTHORIZERS_MAX: usize = 10;
const TTL_S: u64 = 300;

const OWN: &[&str] = &[
    "authType",
    "authorizerCredentials",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "identitySource",
    "identityValidationExpression",
    "name",
    "type",
];

const PATCHED: Rules = Rules {
    texts: &[
        "authType",
        "authorizerCredentials",
        "authorizerUri",
        "identitySource",
        "identityValidationExpression",
        "name",
        "type",
    ],
    numbers: &["authorizerResultTtlInSeconds"],
    ..Rules::NONE
};

/// One that is made ready.
pub(super) fn ready(told: &Members) -> Option<FunctionAuthorizer> {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let form = match text("type") {
        "TOKEN" => Form::Token(expression(text("identityValidationExpression")).ok()?),
        _ => Form::Request { simple: false },
    };
    let names = ["authorizerUri", "authorizerCredentials", "authorizerResultTtlInSeconds"];
    Some(FunctionAuthorizer::of(told, text("id"), names, sources(text("identitySource"))?, form, TTL_S))
}

fn expression(text: &str) -> Result<Option<Regex>, regex_lite::Error> {
    if text.is_empty() { Ok(None) } else { Regex::new(&format!("^(?:{text})$")).map(Some) }
}

/// Separated by commas.
fn sources(text: &str) -> Option<Vec<Source>> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Source::parse).collect()
}

fn check(told: &Members, api: &RestApi) -> Result<(), ServiceError> {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let own = told.get("id");
    let same = |other: &Members| other.get("name") == told.get("name") && other.get("id") != own;
    if text("name").is_empty() {
        return Err(bad("Authorizer name cannot be empty"));
    }
    if api.authorizers.values().any(same) {
        return Err(conflict(
            "Authorizer name must be unique. Authorizer name already exists in this RestApi.",
        ));
    }
    let kind = text("type");
    if !["TOKEN", "REQUEST"].contains(&kind) {
        return Err(bad(format!("Authorizer type {kind} is not supported: use TOKEN or REQUEST.")));
    }
    if target::function_of(text("authorizerUri")).is_none() {
        return Err(bad(format!(
            "Invalid Authorizer URI: {}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.",
            text("authorizerUri")
        )));
    }
    let ttl_s = told.get("authorizerResultTtlInSeconds").and_then(Value::as_i64);
    if !(0..=3_600).contains(&ttl_s.unwrap_or(0)) {
        return Err(bad("Authorizer TTL must be between 0 and 3600 seconds"));
    }
    let found = sources(text("identitySource"));
    let found = found.filter(|_| !text("identitySource").contains('$'));
    let found = found.ok_or_else(|| bad(format!("Invalid identity source: {}", text("identitySource"))))?;
    if kind == "TOKEN" {
        if !matches!(found.as_slice(), [Source::Header(_)]) {
            return Err(bad(
                "Identity source for TOKEN authorizer must be a header: method.request.header.<name>",
            ));
        }
        if expression(text("identityValidationExpression")).is_err() {
            return Err(bad("Invalid identity validation expression"));
        }
        return Ok(());
    }
    if !text("identityValidationExpression").is_empty() {
        return Err(bad("Identity validation expression is supported for TOKEN authorizers only"));
    }
    if found.is_empty() && ttl_s != Some(0) {
        return Err(bad("Identity source is required when authorizer caching is enabled"));
    }
    Ok(())
}

impl RestApi {
    fn authorizer(&mut self, id: &str) -> Result<&mut Members, ServiceError> {
        self.authorizers.get_mut(id).ok_or_else(|| missing("Invalid Authorizer identifier specified"))
    }
}

impl Rest {
    pub(super) async fn create_authorizer(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["providerARNs"])?;
        let id = ids::small(&self.book.world, 6);
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            if api.authorizers.len() >= AUTHORIZERS_MAX {
                return Err(too_many(format!("An API has at most {AUTHORIZERS_MAX} authorizers.")));
            }
            let mut told = Members::new();
            told.insert("id".to_owned(), id.as_str().into());
            told.insert("authType".to_owned(), "custom".into());
            take_over(&mut told, input, OWN);
            check(&told, api)?;
            api.authorizers.insert(id.clone(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_authorizer(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "restApiId"))?;
        Ok(Value::Object(api.authorizer(required(input, "authorizerId"))?.clone()))
    }

    pub(super) fn get_authorizers(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "restApiId"))?.authorizers)
    }

    pub(super) async fn update_authorizer(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "authorizerId");
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let mut told = api.authorizer(id)?.clone();
            patch::apply(&mut told, &patch::all(input), &PATCHED)?;
            check(&told, api)?;
            api.authorizers.insert(id.to_owned(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_authorizer(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "authorizerId");
        let gone = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            api.authorizer(id)?;
            let mut methods = api.resources.values().flat_map(|resource| resource.methods.values());
            if methods.any(|method| method.get("authorizerId") == Some(&json!(id))) {
                return Err(conflict(format!(
                    "Cannot delete authorizer '{id}', is referenced in one or more methods"
                )));
            }
            api.authorizers.remove(id);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }

    /// What functions said is asked of them again.
    pub(super) fn flush_authorizers(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId"))?;
        if !api.stages.contains_key(required(input, "stageName")) {
            return Err(missing("Invalid stage identifier specified"));
        }
        // What is made ready anew has no answers yet.
        Ok(json!({}))
    }
}
