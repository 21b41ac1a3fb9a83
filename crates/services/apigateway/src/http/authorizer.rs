//! Authorizers: functions and issuers of tokens that say who may call a route.

use super::book::{Book, HttpApi};
use super::{page, take_over};
use crate::authorizer::{Form, FunctionAuthorizer, Issuer, JwtAuthorizer, Source};
use crate::fault::{bad, conflict, missing, refuse};
use crate::guards::{Guarded, Words, check_ttl, has_namesake};
use crate::members::Members;
use crate::target;
use serde_json::{Value, json};
use servicekit::call::{Answer, Caller};
use servicekit::fields::{required, texts};
use std::collections::BTreeMap;
use wire::ServiceError;
use world::World;

/// What belongs to WebSocket APIs.
const REFUSED: &[&str] = &["IdentityValidationExpression"];

const OWN: &[&str] = &[
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerType",
    "AuthorizerUri",
    "EnableSimpleResponses",
    "IdentitySource",
    "JwtConfiguration",
    "Name",
];

/// One that is made ready.
pub(super) enum Authorizer {
    Jwt(JwtAuthorizer),
    /// `two`: payload format 2.0, else 1.0.
    Function {
        asks: FunctionAuthorizer,
        two: bool,
    },
}

impl Authorizer {
    pub fn of(told: &Members) -> Option<Authorizer> {
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        let sources = texts(&Value::Object(told.clone()), "IdentitySource");
        let sources: Option<Vec<Source>> = sources.iter().map(|text| Source::parse(text)).collect();
        let sources = sources?;
        if text("AuthorizerType") == "JWT" {
            let settings = told.get("JwtConfiguration")?;
            let issuer = Issuer::new(required(settings, "Issuer"));
            let source = sources.into_iter().next()?;
            return Some(Authorizer::Jwt(JwtAuthorizer {
                source,
                audience: texts(settings, "Audience"),
                issuer,
            }));
        }
        let simple = told.get("EnableSimpleResponses") == Some(&Value::Bool(true));
        let names = ["AuthorizerUri", "AuthorizerCredentialsArn", "AuthorizerResultTtlInSeconds"];
        let form = Form::Request { simple };
        let asks = FunctionAuthorizer::of(told, text("AuthorizerId"), names, sources, form, 0);
        Some(Authorizer::Function { asks, two: text("AuthorizerPayloadFormatVersion") == "2.0" })
    }
}

fn check(told: &Members, api: &HttpApi) -> Result<(), ServiceError> {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let given =
        |name: &str| told.get(name).is_some_and(|value| *value != Value::Bool(false) && *value != json!(0));
    if has_namesake(&api.authorizers, told, "Name", "AuthorizerId") {
        return Err(conflict(format!("An authorizer with name {} already exists", text("Name"))));
    }
    let sources = texts(&Value::Object(told.clone()), "IdentitySource");
    if let Some(wrong) = sources.iter().find(|text| !text.starts_with('$') || Source::parse(text).is_none()) {
        return Err(bad(format!("Invalid mapping expression specified: {wrong}")));
    }
    match text("AuthorizerType") {
        "JWT" => {
            let members = ["AuthorizerUri", "AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds"];
            let members = members.into_iter().chain(["AuthorizerCredentialsArn", "EnableSimpleResponses"]);
            if let Some(name) = members.into_iter().find(|name| given(name)) {
                return Err(bad(format!("{name} is not supported for a JWT authorizer")));
            }
            let settings = told.get("JwtConfiguration").cloned().unwrap_or_default();
            if sources.len() != 1 {
                return Err(bad("A JWT authorizer has one IdentitySource."));
            }
            if texts(&settings, "Audience").is_empty() {
                return Err(bad("Audience must be specified for a JWT authorizer"));
            }
            let issuer = required(&settings, "Issuer");
            if Issuer::is_reachable(issuer) {
                return Ok(());
            }
            Err(bad(format!("Invalid issuer: {issuer}. Issuer must be a valid URL: https://… or http://…")))
        }
        "REQUEST" => {
            if told.contains_key("JwtConfiguration") {
                return Err(bad("JwtConfiguration is not supported for a REQUEST authorizer"));
            }
            if target::function_of(text("AuthorizerUri")).is_none() {
                return Err(bad(format!("Invalid Authorizer URI: {}", text("AuthorizerUri"))));
            }
            let version = text("AuthorizerPayloadFormatVersion");
            if !["1.0", "2.0"].contains(&version) {
                return Err(bad(
                    "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer: 1.0 or 2.0",
                ));
            }
            if version == "1.0" && given("EnableSimpleResponses") {
                return Err(bad("EnableSimpleResponses is supported for payload format version 2.0 only"));
            }
            let ttl_s = told.get("AuthorizerResultTtlInSeconds").and_then(Value::as_i64).unwrap_or(0);
            check_ttl(Some(ttl_s), "AuthorizerResultTtlInSeconds must be between 0 and 3600")?;
            if ttl_s > 0 && sources.is_empty() {
                return Err(bad(
                    "IdentitySource is required when results are kept (AuthorizerResultTtlInSeconds)",
                ));
            }
            Ok(())
        }
        other => {
            Err(bad(format!("Invalid authorizer type specified: {other}. Must be one of REQUEST or JWT")))
        }
    }
}

impl Guarded for Book {
    type Api = HttpApi;
    const WORDS: Words = Words {
        api: "ApiId",
        authorizer: "AuthorizerId",
        id: "AuthorizerId",
        users: "by one or more routes",
    };

    fn world(&self) -> &World {
        &self.world
    }

    fn all(api: &mut HttpApi) -> &mut BTreeMap<String, Members> {
        &mut api.authorizers
    }

    fn missing(id: &str) -> ServiceError {
        missing(format!("Invalid Authorizer identifier specified {id}"))
    }

    fn uses(api: &HttpApi, id: &Value) -> bool {
        api.routes.values().any(|route| route.get("AuthorizerId") == Some(id))
    }

    fn take(told: &mut Members, input: &Value, _is_new: bool) -> Result<(), ServiceError> {
        refuse(input, REFUSED)?;
        take_over(told, input, OWN);
        Ok(())
    }

    fn check(told: &Members, api: &HttpApi) -> Result<(), ServiceError> {
        check(told, api)
    }

    fn page(input: &Value, all: BTreeMap<String, Members>) -> Answer {
        page(input, all)
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<HttpApi, ServiceError> {
        self.find(caller, id)
    }

    async fn change<R: Send>(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut HttpApi) -> Result<R, ServiceError> + Send,
    ) -> Result<R, ServiceError> {
        self.change(caller, id, change).await
    }
}
