//! Authorizers: functions and issuers of tokens that say who may call a route.

use super::book::HttpApi;
use super::{Http, found, page, take_over};
use crate::authorizer::{Form, FunctionAuthorizer, Issuer, JwtAuthorizer, Source};
use crate::fault::{bad, conflict, refuse, too_many};
use crate::members::Members;
use crate::target;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, texts};
use servicekit::ids;
use wire::ServiceError;

const AUTHORIZERS_MAX: usize = 10;

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
    let own = told.get("AuthorizerId");
    let same = |other: &Members| other.get("Name") == told.get("Name") && other.get("AuthorizerId") != own;
    if api.authorizers.values().any(same) {
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
            if !(0..=3_600).contains(&ttl_s) {
                return Err(bad("AuthorizerResultTtlInSeconds must be between 0 and 3600"));
            }
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

impl Http {
    pub(super) async fn create_authorizer(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, REFUSED)?;
        let id = ids::small(&self.book.world, 6);
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            if api.authorizers.len() >= AUTHORIZERS_MAX {
                return Err(too_many(format!("An API has at most {AUTHORIZERS_MAX} authorizers.")));
            }
            let mut told = Members::new();
            told.insert("AuthorizerId".to_owned(), id.as_str().into());
            take_over(&mut told, input, OWN);
            check(&told, api)?;
            api.authorizers.insert(id.clone(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_authorizer(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "ApiId"))?;
        let told = found(&mut api.authorizers, "Authorizer", required(input, "AuthorizerId"))?;
        Ok(Value::Object(told.clone()))
    }

    pub(super) fn get_authorizers(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "ApiId"))?.authorizers)
    }

    pub(super) async fn update_authorizer(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, REFUSED)?;
        let id = required(input, "AuthorizerId");
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let mut told = found(&mut api.authorizers, "Authorizer", id)?.clone();
            take_over(&mut told, input, OWN);
            check(&told, api)?;
            api.authorizers.insert(id.to_owned(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_authorizer(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "AuthorizerId");
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            found(&mut api.authorizers, "Authorizer", id)?;
            if api.routes.values().any(|route| route.get("AuthorizerId") == Some(&json!(id))) {
                return Err(conflict(format!(
                    "Cannot delete authorizer '{id}', is referenced by one or more routes"
                )));
            }
            api.authorizers.remove(id);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }
}
