//! Whether a request may take a route: signatures, tokens, functions.

use super::authorizer::Authorizer;
use crate::authorizer::{Asked, Bearer, Outcome, Refused, Said};
use crate::reply;
use crate::visit::Visit;
use lambda::ServiceCalls;
use serde_json::{Value, json};
use std::sync::Arc;
use wire::Response;

/// What a route asks of who calls it.
pub(super) enum Door {
    Open,
    /// A signature.
    Signed,
    Jwt {
        authorizer: Arc<Authorizer>,
        scopes: Vec<String>,
    },
    Function(Arc<Authorizer>),
    /// Of an authorizer that is not there.
    Broken,
}

/// Who has been let in.
pub(super) enum Entry {
    Anybody,
    Signed,
    Token(Bearer),
    Function(Arc<Said>),
}

impl Door {
    pub async fn admit(
        &self,
        calls: &ServiceCalls,
        visit: &Visit<'_>,
        behind: &str,
    ) -> Result<Entry, Response> {
        match self {
            Door::Open => Ok(Entry::Anybody),
            Door::Signed if wire::sigv4::scope(visit.request).is_some() => Ok(Entry::Signed),
            Door::Signed => Err(reply::message(403, "Forbidden")),
            Door::Jwt { authorizer, scopes } => token(authorizer, calls, visit, scopes).await,
            Door::Function(authorizer) => function(authorizer, calls, visit, behind).await,
            Door::Broken => Err(reply::message(500, "Internal Server Error")),
        }
    }
}

async fn token(
    authorizer: &Authorizer,
    calls: &ServiceCalls,
    visit: &Visit<'_>,
    scopes: &[String],
) -> Result<Entry, Response> {
    let Authorizer::Jwt(jwt) = authorizer else { return Err(reply::message(500, "Internal Server Error")) };
    let why = match jwt.judge(&calls.world, visit, &visit.context_2(), scopes).await {
        Ok(bearer) => return Ok(Entry::Token(bearer)),
        Err(why) => why,
    };
    let all = scopes.join(" ");
    let (status, message, header) = match why {
        Refused::Missing => (401, "Unauthorized", "Bearer".to_owned()),
        Refused::Invalid(words) => {
            let header =
                format!("Bearer scope=\"{all}\" error=\"invalid_token\" error_description=\"{words}\"");
            (401, "Unauthorized", header)
        }
        Refused::Scope => (403, "Forbidden", format!("Bearer scope=\"{all}\" error=\"insufficient_scope\"")),
    };
    Err(reply::message(status, message).with_header("www-authenticate", &header))
}

async fn function(
    authorizer: &Authorizer,
    calls: &ServiceCalls,
    visit: &Visit<'_>,
    behind: &str,
) -> Result<Entry, Response> {
    let Authorizer::Function { asks, two } = authorizer else {
        return Err(reply::message(500, "Internal Server Error"));
    };
    let Visit { account, region, api, stage, .. } = *visit;
    let verb = visit.request.method.as_str();
    let arn = format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}/{verb}{behind}");
    let context = visit.context_2();
    let asked = Asked { visit, method: &arn, context: &context };
    let outcome = asks.ask(calls, asked, |identity| match two {
        true => event_2(visit, &arn, identity),
        false => event_1(visit, &arn, identity),
    });
    match outcome.await {
        Outcome::Allowed(said) => Ok(Entry::Function(said)),
        Outcome::Unauthorized => Err(reply::message(401, "Unauthorized")),
        Outcome::Denied { .. } => Err(reply::message(403, "Forbidden")),
        Outcome::Failed | Outcome::Misconfigured => Err(reply::message(500, "Internal Server Error")),
    }
}

fn event_2(visit: &Visit<'_>, arn: &str, identity: &[String]) -> Value {
    let mut event = visit.event_2(None);
    without_body(&mut event);
    event["type"] = "REQUEST".into();
    event["routeArn"] = arn.into();
    event["identitySource"] = json!(identity);
    event
}

fn event_1(visit: &Visit<'_>, arn: &str, identity: &[String]) -> Value {
    let mut event = super::serve::event_1(visit, &Entry::Anybody);
    without_body(&mut event);
    let identity = identity.join(",");
    event["type"] = "REQUEST".into();
    event["methodArn"] = arn.into();
    event["identitySource"] = identity.as_str().into();
    event["authorizationToken"] = identity.into();
    event
}

fn without_body(event: &mut Value) {
    if let Some(members) = event.as_object_mut() {
        members.shift_remove("body");
        members.shift_remove("isBase64Encoded");
    }
}

impl Entry {
    /// What the function behind the route is told of who calls; nothing of who may be anybody.
    pub fn told(&self, visit: &Visit<'_>) -> Option<Value> {
        match self {
            Entry::Anybody => None,
            Entry::Signed => Some(json!({ "iam": visit.iam() })),
            Entry::Token(bearer) => Some(json!({ "jwt": bearer.told() })),
            Entry::Function(said) => Some(json!({ "lambda": said.context })),
        }
    }

    /// The same in payload format 1.0.
    pub fn told_1(&self) -> Value {
        match self {
            Entry::Anybody | Entry::Signed => json!({ "claims": null, "scopes": null }),
            Entry::Token(bearer) => bearer.told(),
            Entry::Function(said) => said.as_texts(),
        }
    }
}
