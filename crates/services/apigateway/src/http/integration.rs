//! Integrations: the functions and servers behind routes.

use super::book::HttpApi;
use super::mapping::{self, Mapping};
use super::{Http, found, page, take_over};
use crate::fault::{bad, conflict, refuse, too_many};
use crate::members::Members;
use crate::outside::Place;
use crate::target;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::ids;
use wire::ServiceError;

const INTEGRATIONS_MAX: usize = 300;

/// What belongs to WebSocket APIs, or is not built.
const REFUSED: &[&str] = &[
    "ConnectionId",
    "ContentHandlingStrategy",
    "IntegrationSubtype",
    "PassthroughBehavior",
    "RequestTemplates",
    "TemplateSelectionExpression",
    "TlsConfig",
];

const METHODS: &[&str] = &["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

const OWN: &[&str] = &[
    "ConnectionType",
    "CredentialsArn",
    "Description",
    "IntegrationMethod",
    "IntegrationType",
    "IntegrationUri",
    "PayloadFormatVersion",
    "TimeoutInMillis",
];

/// A new integration as it is kept.
pub(super) fn made(id: &str, input: &Value) -> Result<Members, ServiceError> {
    refuse(input, REFUSED)?;
    let mut told = Members::new();
    told.insert("ConnectionType".to_owned(), "INTERNET".into());
    told.insert("IntegrationId".to_owned(), id.into());
    let server = text(input, "IntegrationType") == Some("HTTP_PROXY");
    told.insert("IntegrationMethod".to_owned(), if server { "ANY" } else { "POST" }.into());
    if server {
        told.insert("PayloadFormatVersion".to_owned(), "1.0".into());
    }
    told.insert("TimeoutInMillis".to_owned(), 30_000.into());
    take_over(&mut told, input, OWN);
    lay_over(&mut told, input);
    check(&told)?;
    Ok(told)
}

fn check(told: &Members) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str);
    if member("ConnectionType") == Some("VPC_LINK") {
        return Err(bad("ConnectionType VPC_LINK is not supported."));
    }
    match member("IntegrationType").unwrap_or_default() {
        "AWS_PROXY" => check_function(told)?,
        "HTTP_PROXY" => check_server(told)?,
        kind => {
            return Err(bad(format!(
                "IntegrationType {kind} is not supported: use AWS_PROXY or HTTP_PROXY."
            )));
        }
    }
    told.get("RequestParameters").map_or(Ok(()), |all| Mapping::of_requests(all).map(drop)).map_err(bad)?;
    told.get("ResponseParameters").map_or(Ok(()), |all| mapping::of_answers(all).map(drop)).map_err(bad)
}

fn check_function(told: &Members) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str);
    let uri = member("IntegrationUri").ok_or_else(|| bad("IntegrationUri is required for AWS_PROXY."))?;
    if target::function_of(uri).is_none() {
        return Err(bad(format!("Invalid function ARN or invalid uri: {uri}")));
    }
    match member("PayloadFormatVersion") {
        Some("1.0" | "2.0") => {}
        None => return Err(bad("PayloadFormatVersion is a required parameter for integration")),
        Some(other) => {
            return Err(bad(format!("PayloadFormatVersion {other} is not supported: use 1.0 or 2.0.")));
        }
    }
    match member("IntegrationMethod") {
        Some("POST") => Ok(()),
        _ => Err(bad("IntegrationMethod of a function must be POST.")),
    }
}

fn check_server(told: &Members) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str);
    let uri = member("IntegrationUri").ok_or_else(|| bad("IntegrationUri is required for HTTP_PROXY."))?;
    if Place::example(uri).is_none() {
        return Err(bad(format!("Invalid HTTP endpoint specified for URI: {uri}")));
    }
    let method = member("IntegrationMethod").unwrap_or_default();
    if !METHODS.contains(&method) {
        return Err(bad(format!("IntegrationMethod {method} is not one of {}.", METHODS.join(", "))));
    }
    match member("PayloadFormatVersion") {
        Some("1.0") => Ok(()),
        _ => Err(bad("PayloadFormatVersion of an HTTP_PROXY integration must be 1.0.")),
    }
}

/// Laid over those there are: an empty one takes its predecessor away.
fn lay_over(told: &mut Members, input: &Value) {
    for member in ["RequestParameters", "ResponseParameters"] {
        let Some(new) = input.get(member).and_then(Value::as_object) else { continue };
        let all = told.entry(member).or_insert_with(|| json!({}));
        let Some(all) = all.as_object_mut() else { continue };
        for (key, value) in new {
            let empty = value == "" || value.as_object().is_some_and(serde_json::Map::is_empty);
            match empty {
                true => drop(all.shift_remove(key)),
                false => drop(all.insert(key.clone(), value.clone())),
            }
        }
        if all.is_empty() {
            told.shift_remove(member);
        }
    }
}

impl Http {
    pub(super) async fn create_integration(&self, call: &Call, input: &Value) -> Answer {
        let id = ids::small(&self.book.world, 7);
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            if api.integrations.len() >= INTEGRATIONS_MAX {
                return Err(too_many(format!("An API has at most {INTEGRATIONS_MAX} integrations.")));
            }
            let told = made(&id, input)?;
            api.integrations.insert(id.clone(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_integration(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "ApiId"))?;
        let told = found(&mut api.integrations, "Integration", required(input, "IntegrationId"))?;
        Ok(Value::Object(told.clone()))
    }

    pub(super) fn get_integrations(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "ApiId"))?.integrations)
    }

    pub(super) async fn update_integration(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, REFUSED)?;
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let told = found(&mut api.integrations, "Integration", required(input, "IntegrationId"))?;
            take_over(told, input, OWN);
            lay_over(told, input);
            // An empty role takes the role away.
            if text(input, "CredentialsArn") == Some("") {
                told.shift_remove("CredentialsArn");
            }
            check(told)?;
            Ok(told.clone())
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_integration(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "IntegrationId");
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            found(&mut api.integrations, "Integration", id)?;
            if let Some(route) = user(api, id) {
                return Err(conflict(format!(
                    "Cannot delete Integration '{id}' as it is referenced by Route '{route}'"
                )));
            }
            api.integrations.remove(id);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }
}

/// A route that leads to an integration.
fn user(api: &HttpApi, id: &str) -> Option<String> {
    let target = json!(format!("integrations/{id}"));
    let uses = |told: &Members| told.get("Target") == Some(&target);
    api.routes.iter().find(|(_, told)| uses(told)).map(|(route, _)| route.clone())
}
