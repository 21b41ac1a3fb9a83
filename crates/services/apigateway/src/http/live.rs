//! An HTTP API made ready to serve.

use super::admit::Door;
use super::authorizer::Authorizer;
use super::book::{Book, Served};
use super::mapping::{self, Mapping};
use crate::members::Members;
use crate::route_key::RouteKey;
use crate::throttle::{Limit, Throttle};
use http::Method;
use serde_json::Value;
use servicekit::fields::texts;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use wire::ServiceError;

pub(super) type Live = crate::live::Live<LiveStage>;

pub(super) struct LiveStage {
    pub variables: Option<Value>,
    pub cors: Option<Value>,
    pub routes: Vec<LiveRoute>,
    pub keys: Vec<RouteKey>,
    pub throttle: Throttle,
}

pub(super) struct LiveRoute {
    pub key: String,
    pub door: Door,
    pub integration: Option<Integration>,
    pub limit: Option<Limit>,
}

pub(super) struct Integration {
    pub uri: String,
    pub timeout: Duration,
    pub backend: Backend,
    /// What is changed of requests.
    pub requests: Mapping,
    /// What is changed of answers, by their status.
    pub answers: BTreeMap<u16, Mapping>,
}

pub(super) enum Backend {
    Function {
        /// Payload format 2.0, else 1.0.
        two: bool,
        by_role: bool,
    },
    Server {
        /// None for the request's own.
        method: Option<Method>,
    },
}

impl Live {
    pub fn read(book: &Book, id: &str) -> Result<Option<Live>, ServiceError> {
        let Some(api) = book.apis.get(id)? else { return Ok(None) };
        let mut stages = HashMap::new();
        for (name, told) in &api.stages {
            // One authorizer for all routes of a stage: what it is told for one holds for all.
            let mut ready = HashMap::new();
            let Some(deployment) = told.get("DeploymentId").and_then(Value::as_str) else { continue };
            let snapshot = book.snapshots.get(&format!("{id}/{deployment}"))?.unwrap_or_default();
            let mut stage = LiveStage {
                variables: told.get("StageVariables").cloned(),
                cors: snapshot.cors,
                routes: Vec::new(),
                keys: Vec::new(),
                throttle: Throttle::default(),
            };
            for served in &snapshot.routes {
                if let Some(key) = served.key() {
                    stage.keys.push(key);
                    stage.routes.push(LiveRoute::of(served, told, &mut ready));
                }
            }
            stages.insert(name.clone(), stage);
        }
        let disabled = api.told.get("DisableExecuteApiEndpoint") == Some(&Value::Bool(true));
        Ok(Some(Live { account: api.account, region: api.region, disabled, stages }))
    }

    /// The stage that a path names first, else `$default`; and the path behind its name.
    pub fn stage<'a>(&'a self, path: &'a str) -> Option<(&'a str, &'a LiveStage, &'a str)> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let name = rest.split('/').next().unwrap_or_default();
        if let Some((own, stage)) = self.stages.get_key_value(name).filter(|(own, _)| *own != "$default") {
            let behind = &rest[name.len()..];
            return Some((own, stage, if behind.is_empty() { "/" } else { behind }));
        }
        let (own, stage) = self.stages.get_key_value("$default")?;
        Some((own, stage, path))
    }
}

impl LiveRoute {
    fn of(served: &Served, stage: &Members, ready: &mut Ready) -> LiveRoute {
        let key = served.route.get("RouteKey").and_then(Value::as_str).unwrap_or_default();
        let own = stage.get("RouteSettings").and_then(|all| all.get(key));
        LiveRoute {
            key: key.to_owned(),
            door: door(served, ready),
            integration: served.integration.as_ref().map(Integration::of),
            limit: Limit::of(
                own,
                stage.get("DefaultRouteSettings"),
                "ThrottlingRateLimit",
                "ThrottlingBurstLimit",
            ),
        }
    }
}

/// Authorizers by their ids.
type Ready = HashMap<String, Arc<Authorizer>>;

fn door(served: &Served, ready: &mut Ready) -> Door {
    let member = |name: &str| served.route.get(name).and_then(Value::as_str);
    let kind = member("AuthorizationType").unwrap_or("NONE");
    match kind {
        "NONE" => return Door::Open,
        "AWS_IAM" => return Door::Signed,
        _ => {}
    }
    let id = member("AuthorizerId").unwrap_or_default();
    if !ready.contains_key(id)
        && let Some(made) = served.authorizer.as_ref().and_then(Authorizer::of)
    {
        ready.insert(id.to_owned(), Arc::new(made));
    }
    let Some(authorizer) = ready.get(id).cloned() else { return Door::Broken };
    match kind {
        "JWT" => {
            let scopes = texts(&Value::Object(served.route.clone()), "AuthorizationScopes");
            Door::Jwt { authorizer, scopes }
        }
        _ => Door::Function(authorizer),
    }
}

impl Integration {
    pub fn is_mapped(&self) -> bool {
        !self.requests.is_empty() || !self.answers.is_empty()
    }

    fn of(told: &Members) -> Integration {
        let member = |name: &str| told.get(name).and_then(Value::as_str);
        let backend = match member("IntegrationType") {
            Some("HTTP_PROXY") => {
                let verb = member("IntegrationMethod").filter(|verb| *verb != "ANY");
                Backend::Server { method: verb.and_then(|verb| verb.parse().ok()) }
            }
            _ => Backend::Function {
                two: member("PayloadFormatVersion") != Some("1.0"),
                by_role: member("CredentialsArn").is_some(),
            },
        };
        Integration {
            uri: member("IntegrationUri").unwrap_or_default().to_owned(),
            timeout: Duration::from_millis(
                told.get("TimeoutInMillis").and_then(Value::as_u64).unwrap_or(30_000),
            ),
            backend,
            requests: told
                .get("RequestParameters")
                .and_then(|all| Mapping::of_requests(all).ok())
                .unwrap_or_default(),
            answers: told
                .get("ResponseParameters")
                .and_then(|all| mapping::of_answers(all).ok())
                .unwrap_or_default(),
        }
    }
}
