//! A request to an HTTP API: stage, route, integration, answer.

use super::admit::{Door, Entry};
use super::authorizer::Authorizer;
use super::book::{Book, Served};
use super::{Http, cors};
use crate::members::Members;
use crate::reply::{self, message};
use crate::route_key::{RouteKey, select};
use crate::target::{function_of, with_variables};
use crate::throttle::{Limit, Throttle};
use crate::visit::{self, Visit};
use lambda::{Ask, ServiceCalls, Told};
use serde_json::{Value, json};
use servicekit::fields::texts;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use wire::{Request, Response, ServiceError};

/// An API made ready to serve.
pub(super) struct Live {
    account: String,
    region: String,
    disabled: bool,
    stages: HashMap<String, LiveStage>,
}

struct LiveStage {
    variables: Option<Value>,
    cors: Option<Value>,
    routes: Vec<LiveRoute>,
    keys: Vec<RouteKey>,
    throttle: Throttle,
}

struct LiveRoute {
    key: String,
    door: Door,
    integration: Option<Integration>,
    limit: Option<Limit>,
}

struct Integration {
    uri: String,
    /// Payload format 2.0, else 1.0.
    two: bool,
    timeout: Duration,
    by_role: bool,
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
    fn stage<'a>(&'a self, path: &'a str) -> Option<(&'a str, &'a LiveStage, &'a str)> {
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
    fn of(told: &Members) -> Integration {
        let member = |name: &str| told.get(name).and_then(Value::as_str);
        Integration {
            uri: member("IntegrationUri").unwrap_or_default().to_owned(),
            two: member("PayloadFormatVersion") != Some("1.0"),
            timeout: Duration::from_millis(
                told.get("TimeoutInMillis").and_then(Value::as_u64).unwrap_or(30_000),
            ),
            by_role: member("CredentialsArn").is_some(),
        }
    }
}

impl Http {
    /// The ARN of the route that a request takes, if that asks for a signature.
    pub fn signed(&self, id: &str, path: &str, request: &Request) -> Option<String> {
        let live = self.live.get(id, || Live::read(&self.book, id)).ok()??;
        let (name, stage, behind) = live.stage(path)?;
        let verb = request.method.as_str();
        let (at, _) = select(stage.keys.iter(), verb, behind)?;
        let Live { account, region, .. } = &*live;
        let arn = format!("arn:aws:execute-api:{region}:{account}:{id}/{name}/{verb}{behind}");
        matches!(stage.routes[at].door, Door::Signed).then_some(arn)
    }

    /// None when there is no such API.
    pub async fn serve(
        &self,
        targets: &ServiceCalls,
        id: &str,
        path: &str,
        request: &Request,
    ) -> Option<Response> {
        let live = match self.live.get(id, || Live::read(&self.book, id)) {
            Ok(live) => live?,
            Err(_) => return Some(message(500, "Internal Server Error")),
        };
        let request_id = visit::short_id(&targets.world);
        let response = match live.stage(path).filter(|_| !live.disabled) {
            Some((name, stage, behind)) => {
                let place = Place { live: &live, id, name, stage, path, behind };
                place.answer(targets, request, &request_id).await
            }
            None => message(404, "Not Found"),
        };
        Some(response.with_header("apigw-requestid", &request_id))
    }
}

/// Where in an API a request has come.
struct Place<'a> {
    live: &'a Live,
    id: &'a str,
    name: &'a str,
    stage: &'a LiveStage,
    path: &'a str,
    behind: &'a str,
}

impl Place<'_> {
    async fn answer(&self, targets: &ServiceCalls, request: &Request, request_id: &str) -> Response {
        let Some(cors) = &self.stage.cors else { return self.route(targets, request, request_id).await };
        if let Some(answer) = cors::preflight(cors, request) {
            return answer;
        }
        let mut response = self.route(targets, request, request_id).await;
        cors::grant(cors, request, &mut response);
        response
    }

    async fn route(&self, targets: &ServiceCalls, request: &Request, request_id: &str) -> Response {
        let method = request.method.as_str();
        let Some((at, variables)) = select(self.stage.keys.iter(), method, self.behind) else {
            return message(404, "Not Found");
        };
        let route = &self.stage.routes[at];
        if request.body.len() > visit::BODY_BYTES_MAX {
            return message(413, "Request Entity Too Large");
        }
        if !self.stage.throttle.lets(&route.key, route.limit, targets.world.elapsed()) {
            return message(429, "Too Many Requests");
        }
        let visit = Visit {
            request,
            path: self.path,
            account: &self.live.account,
            region: &self.live.region,
            api: self.id,
            stage: self.name,
            route: &route.key,
            variables: &variables,
            stage_variables: self.stage.variables.as_ref(),
            signed: matches!(route.door, Door::Signed),
            request_id,
            trace_id: &visit::trace(request, &targets.world),
            now: targets.world.now(),
        };
        let entry = match route.door.admit(targets, &visit, self.behind).await {
            Ok(entry) => entry,
            Err(refused) => return refused,
        };
        let Some(integration) = &route.integration else { return message(500, "Internal Server Error") };
        let payload =
            if integration.two { visit.event_2(entry.told(&visit)) } else { event_1(&visit, &entry) };
        let uri = with_variables(&integration.uri, self.stage.variables.as_ref());
        let ask = Ask {
            account: &self.live.account,
            function: function_of(&uri).unwrap_or_default(),
            sources: &self.sources(&route.key, method),
            by_role: integration.by_role,
            payload,
            timeout: integration.timeout,
        };
        match targets.call(ask).await {
            Told::Answer(payload) => {
                let response =
                    if integration.two { reply::format_2(&payload) } else { reply::format_1(&payload) };
                response.unwrap_or_else(|| message(500, "Internal Server Error"))
            }
            Told::Failed(_) | Told::Refused => message(500, "Internal Server Error"),
            Told::Throttled | Told::TimedOut => message(503, "Service Unavailable"),
            Told::TooLarge => message(413, "Request Entity Too Large"),
        }
    }

    /// The ARNs that a function's policy may name: with the route's method, and with the request's.
    fn sources(&self, key: &str, method: &str) -> Vec<String> {
        let Live { account, region, .. } = self.live;
        let arn = format!("arn:aws:execute-api:{region}:{account}:{}/{}", self.id, self.name);
        match key.split_once(' ') {
            None => vec![format!("{arn}/{key}")],
            Some((own, path)) => vec![format!("{arn}/{own}{path}"), format!("{arn}/{method}{path}")],
        }
    }
}

/// Payload format 1.0, with what an HTTP API has of it.
pub(super) fn event_1(visit: &Visit<'_>, entry: &Entry) -> Value {
    let resource = visit.route.split_once(' ').map_or(visit.route, |(_, path)| path);
    let context = json!({
        "accountId": visit.account,
        "apiId": visit.api,
        "authorizer": entry.told_1(),
        "domainName": visit.domain(),
        "domainPrefix": visit.api,
        "extendedRequestId": visit.request_id,
        "httpMethod": visit.request.method.as_str(),
        "identity": visit.identity(),
        "path": visit.path,
        "protocol": "HTTP/1.1",
        "requestId": visit.request_id,
        "requestTime": visit::log_time(visit.now),
        "requestTimeEpoch": visit.now.millis(),
        "resourceId": null,
        "resourcePath": resource,
        "stage": visit.stage,
    });
    let mut event = json!({
        "version": "1.0",
        "resource": resource,
        "path": visit.path,
        "httpMethod": visit.request.method.as_str(),
    });
    if let (Value::Object(event), Value::Object(rest)) =
        (&mut event, visit.event_1(false, visit::is_text, context))
    {
        event.extend(rest);
    }
    event
}
