//! Routes: which requests go to which integration.

use super::book::HttpApi;
use super::{Http, found, page, take_over};
use crate::fault::{bad, conflict, missing, refuse, too_many};
use crate::members::Members;
use crate::route_key::RouteKey;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::required;
use servicekit::ids;
use wire::ServiceError;

const ROUTES_MAX: usize = 300;

/// What belongs to WebSocket APIs, or is not built.
const REFUSED: &[&str] = &[
    "ApiKeyRequired",
    "ModelSelectionExpression",
    "RequestModels",
    "RequestParameters",
    "RouteResponseSelectionExpression",
];

const OWN: &[&str] =
    &["AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RouteKey", "Target"];

/// A new route as it is kept.
pub(super) fn made(id: &str, input: &Value, api: &HttpApi) -> Result<Members, ServiceError> {
    refuse(input, REFUSED)?;
    let mut told = Members::new();
    told.insert("ApiKeyRequired".to_owned(), false.into());
    told.insert("AuthorizationType".to_owned(), "NONE".into());
    told.insert("RouteId".to_owned(), id.into());
    take_over(&mut told, input, OWN);
    check(&told, api)?;
    Ok(told)
}

fn check(told: &Members, api: &HttpApi) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str);
    let key = member("RouteKey").unwrap_or_default();
    if RouteKey::parse(key).is_none() {
        return Err(bad(
            "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"",
        ));
    }
    let own = told.get("RouteId");
    let same = |other: &Members| {
        other.get("RouteKey").and_then(Value::as_str) == Some(key) && other.get("RouteId") != own
    };
    if api.routes.values().any(same) {
        return Err(conflict(format!("Route with key {key} already exists for this API")));
    }
    check_authorizer(told, api)?;
    match member("Target").map(|target| (target, target.strip_prefix("integrations/"))) {
        Some((_, Some(id))) if !api.integrations.contains_key(id) => {
            Err(missing(format!("Invalid Integration identifier specified {id}")))
        }
        Some((target, None)) => Err(bad(format!("Invalid target {target}: use integrations/<id>."))),
        _ => Ok(()),
    }
}

/// The authorizer is there and of the kind that the route asks for.
fn check_authorizer(told: &Members, api: &HttpApi) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = member("AuthorizationType").unwrap_or("NONE");
    let wanted = match kind {
        "JWT" => "JWT",
        "CUSTOM" => "REQUEST",
        "NONE" | "AWS_IAM" => match member("AuthorizerId") {
            None => return Ok(()),
            Some(_) => return Err(bad(format!("AuthorizerId goes with JWT or CUSTOM, not with {kind}"))),
        },
        other => return Err(bad(format!("Invalid AuthorizationType {other}"))),
    };
    let id = member("AuthorizerId")
        .ok_or_else(|| bad(format!("AuthorizerId is required for AuthorizationType {kind}")))?;
    let found = api.authorizers.get(id);
    let found = found.ok_or_else(|| missing(format!("Invalid Authorizer identifier specified {id}")))?;
    if found.get("AuthorizerType").and_then(Value::as_str) != Some(wanted) {
        return Err(bad(format!("Authorizer {id} is not of the type that {kind} asks for")));
    }
    Ok(())
}

impl Http {
    pub(super) async fn create_route(&self, call: &Call, input: &Value) -> Answer {
        let id = ids::small(&self.book.world, 7);
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            if api.routes.len() >= ROUTES_MAX {
                return Err(too_many(format!("An API has at most {ROUTES_MAX} routes.")));
            }
            let told = made(&id, input, api)?;
            api.routes.insert(id.clone(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_route(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "ApiId"))?;
        Ok(Value::Object(found(&mut api.routes, "Route", required(input, "RouteId"))?.clone()))
    }

    pub(super) fn get_routes(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "ApiId"))?.routes)
    }

    pub(super) async fn update_route(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, REFUSED)?;
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let mut told = found(&mut api.routes, "Route", required(input, "RouteId"))?.clone();
            take_over(&mut told, input, OWN);
            check(&told, api)?;
            api.routes.insert(required(input, "RouteId").to_owned(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_route(&self, call: &Call, input: &Value) -> Answer {
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let id = required(input, "RouteId");
            found(&mut api.routes, "Route", id)?;
            api.routes.remove(id);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }
}
