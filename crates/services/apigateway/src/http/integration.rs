//! Integrations: the functions behind routes.

use super::book::HttpApi;
use super::{Http, found, page, take_over};
use crate::fault::{bad, conflict, refuse, too_many};
use crate::members::Members;
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
    "RequestParameters",
    "RequestTemplates",
    "ResponseParameters",
    "TemplateSelectionExpression",
    "TlsConfig",
];

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
    told.insert("IntegrationMethod".to_owned(), "POST".into());
    told.insert("TimeoutInMillis".to_owned(), 30_000.into());
    take_over(&mut told, input, OWN);
    check(&told)?;
    Ok(told)
}

fn check(told: &Members) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str);
    let kind = member("IntegrationType").unwrap_or_default();
    if kind != "AWS_PROXY" {
        return Err(bad(format!("IntegrationType {kind} is not supported: use AWS_PROXY with a function.")));
    }
    if member("ConnectionType") == Some("VPC_LINK") {
        return Err(bad("ConnectionType VPC_LINK is not supported."));
    }
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
