//! An API made ready to serve.

use super::admit::Door;
use super::authorizer;
use super::book::{Book, RestApi, Snapshot};
use super::model;
use super::validation::Validation;
use crate::authorizer::FunctionAuthorizer;
use crate::members::Members;
use crate::route_key::{RouteKey, select};
use crate::throttle::{Limit, Throttle};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use wire::ServiceError;

pub(super) type Live = crate::live::Live<LiveStage>;

pub(super) struct LiveStage {
    pub deployment: String,
    pub variables: Option<Value>,
    pub binary: Vec<String>,
    pub responses: BTreeMap<String, Members>,
    pub throttle: Throttle,
    keys: Vec<RouteKey>,
    methods: Vec<LiveMethod>,
}

pub(super) struct LiveMethod {
    pub resource: String,
    /// The resource's.
    pub path: String,
    /// As it is declared, maybe `ANY`.
    pub method: String,
    pub door: Door,
    pub validation: Option<Validation>,
    pub integration: Value,
    pub limit: Option<Limit>,
    pub needs_key: bool,
}

impl Live {
    pub fn read(book: &Book, id: &str) -> Result<Option<Live>, ServiceError> {
        let Some(api) = book.apis.get(id)? else { return Ok(None) };
        let mut stages = HashMap::new();
        for (name, told) in &api.stages {
            let Some(deployment) = told.get("deploymentId").and_then(Value::as_str) else { continue };
            let Some(snapshot) = book.snapshots.get(&format!("{id}/{deployment}"))? else { continue };
            stages.insert(name.clone(), LiveStage::of(snapshot, deployment, told));
        }
        Ok(Some(Live::of(api, stages)))
    }

    pub fn of(api: RestApi, stages: HashMap<String, LiveStage>) -> Live {
        let disabled = api.told.get("disableExecuteApiEndpoint") == Some(&Value::Bool(true));
        Live { account: api.account, region: api.region, disabled, stages }
    }
}

impl LiveStage {
    pub fn of(snapshot: Snapshot, deployment: &str, told: &Members) -> LiveStage {
        let mut stage = LiveStage {
            deployment: deployment.to_owned(),
            variables: told.get("variables").cloned(),
            binary: snapshot.binary,
            responses: snapshot.responses,
            throttle: Throttle::default(),
            keys: Vec::new(),
            methods: Vec::new(),
        };
        let settings = told.get("methodSettings");
        // One authorizer for all methods: what it is told for one holds for all.
        let mut ready = HashMap::new();
        for (id, told) in &snapshot.authorizers {
            if let Some(authorizer) = authorizer::ready(told) {
                ready.insert(id.clone(), Arc::new(authorizer));
            }
        }
        let schemas = Arc::new(model::schemas(&snapshot.models));
        for (id, (path, resource)) in snapshot.resources {
            for (method, members) in resource.methods {
                let Some(key) = RouteKey::parse(&format!("{method} {path}")) else { continue };
                let own = |place: &str| settings.and_then(|all| all.get(place));
                let place = format!("{}/{method}", path.replace('/', "~1"));
                stage.keys.push(key);
                stage.methods.push(LiveMethod {
                    resource: id.clone(),
                    path: path.clone(),
                    door: door(&members, &ready),
                    validation: Validation::of(&members, &snapshot.validators, &schemas),
                    integration: members.get("methodIntegration").cloned().unwrap_or_default(),
                    limit: Limit::of(own(&place), own("*/*"), "throttlingRateLimit", "throttlingBurstLimit"),
                    needs_key: members.get("apiKeyRequired") == Some(&Value::Bool(true)),
                    method,
                });
            }
        }
        stage
    }

    /// The method that takes a request, and its path's variables. One slash at the end counts for nothing.
    pub fn find(&self, verb: &str, path: &str) -> Option<(&LiveMethod, Vec<(String, String)>)> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (at, variables) = select(self.keys.iter(), verb, path)?;
        Some((&self.methods[at], variables))
    }

    /// One resource's method, for a test of it.
    pub fn method(&self, resource: &str, method: &str) -> Option<&LiveMethod> {
        self.methods.iter().find(|one| one.resource == resource && one.method == method)
    }

    /// Whether a content type is one of those that are passed as bytes.
    pub fn is_binary(&self, kind: &str) -> bool {
        let kind = kind.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase();
        let fits = |own: &String| match own.split_once('/') {
            Some(("*", "*")) => true,
            Some((family, "*")) => kind.split_once('/').is_some_and(|(other, _)| other == family),
            _ => own.eq_ignore_ascii_case(&kind),
        };
        self.binary.iter().any(fits)
    }
}

fn door(method: &Members, ready: &HashMap<String, Arc<FunctionAuthorizer>>) -> Door {
    let member = |name: &str| method.get(name).and_then(Value::as_str);
    match member("authorizationType") {
        None | Some("NONE") => Door::Open,
        Some("AWS_IAM") => Door::Signed,
        _ => member("authorizerId")
            .and_then(|id| ready.get(id))
            .map_or(Door::Broken, |one| Door::Function(one.clone())),
    }
}
