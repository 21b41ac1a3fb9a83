//! Authorizers: functions that say who may call a method.

use super::book::{Book, RestApi};
use super::patch::{self, Rules};
use super::{Rest, page};
use crate::authorizer::{Form, FunctionAuthorizer, Source};
use crate::fault::{bad, conflict, missing, refuse};
use crate::guards::{Guarded, Words, check_ttl, has_namesake};
use crate::members::{Members, take_over};
use crate::target;
use regex_lite::Regex;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::required;
use std::collections::BTreeMap;
use wire::ServiceError;
use world::World;

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
    if text("name").is_empty() {
        return Err(bad("Authorizer name cannot be empty"));
    }
    if has_namesake(&api.authorizers, told, "name", "id") {
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
    check_ttl(ttl_s, "Authorizer TTL must be between 0 and 3600 seconds")?;
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

impl Guarded for Book {
    type Api = RestApi;
    const WORDS: Words =
        Words { api: "restApiId", authorizer: "authorizerId", id: "id", users: "in one or more methods" };

    fn world(&self) -> &World {
        &self.world
    }

    fn all(api: &mut RestApi) -> &mut BTreeMap<String, Members> {
        &mut api.authorizers
    }

    fn missing(_id: &str) -> ServiceError {
        missing("Invalid Authorizer identifier specified")
    }

    fn uses(api: &RestApi, id: &Value) -> bool {
        let mut methods = api.resources.values().flat_map(|resource| resource.methods.values());
        methods.any(|method| method.get("authorizerId") == Some(id))
    }

    fn take(told: &mut Members, input: &Value, is_new: bool) -> Result<(), ServiceError> {
        if !is_new {
            return patch::apply(told, &patch::all(input), &PATCHED);
        }
        refuse(input, &["providerARNs"])?;
        told.insert("authType".to_owned(), "custom".into());
        take_over(told, input, OWN);
        Ok(())
    }

    fn check(told: &Members, api: &RestApi) -> Result<(), ServiceError> {
        check(told, api)
    }

    fn page(input: &Value, all: BTreeMap<String, Members>) -> Answer {
        page(input, all)
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<RestApi, ServiceError> {
        self.find(caller, id)
    }

    async fn change<R: Send>(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut RestApi) -> Result<R, ServiceError> + Send,
    ) -> Result<R, ServiceError> {
        self.change(caller, id, change).await
    }
}

impl Rest {
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
