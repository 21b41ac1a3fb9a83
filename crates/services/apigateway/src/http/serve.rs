//! A request to an HTTP API: stage, route, integration, answer.

use super::admit::{Door, Entry};
use super::live::{Backend, Integration, Live, LiveStage};
use super::mapping::Given;
use super::{Http, cors};
use crate::outside::Outside;
use crate::reply::{self, message};
use crate::route_key::select;
use crate::target::{function_of, with_variables};
use crate::visit::{self, Visit};
use lambda::{Ask, ServiceCalls, Told};
use serde_json::{Value, json};
use wire::{Request, Response};

impl Http {
    /// The ARN of the route that a request takes, if that asks for a signature.
    pub fn signed(&self, id: &str, path: &str, request: &Request) -> Option<String> {
        let live = self.live.get(id, || Live::read(&self.book, id)).ok()??;
        let (name, stage, behind) = live.stage(path)?;
        let verb = request.method.as_str();
        let (at, _) = select(stage.keys.iter(), verb, behind)?;
        matches!(stage.routes[at].door, Door::Signed).then(|| live.arn(id, name, verb, behind))
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
                let place = Place { outside: &self.outside, live: &live, id, name, stage, path, behind };
                place.answer(targets, request, &request_id).await
            }
            None => message(404, "Not Found"),
        };
        Some(response.with_header("apigw-requestid", &request_id))
    }
}

/// What a function is asked.
struct Asked<'a> {
    two: bool,
    by_role: bool,
    key: &'a str,
    method: &'a str,
    payload: Value,
}

/// Where in an API a request has come.
pub(super) struct Place<'a> {
    pub outside: &'a Outside,
    live: &'a Live,
    id: &'a str,
    name: &'a str,
    pub stage: &'a LiveStage,
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
        let context = if integration.is_mapped() { context(&visit, &entry) } else { Value::Null };
        let given = Given { request, behind: self.behind, visit: &visit, context: &context, answer: None };
        let mapped = integration.requests.request(&given);
        let changed =
            Visit { request: &mapped.request, path: mapped.path.as_deref().unwrap_or(self.path), ..visit };
        let mut response = match &integration.backend {
            Backend::Function { two, by_role } => {
                let payload =
                    if *two { changed.event_2(entry.told(&visit)) } else { event_1(&changed, &entry) };
                let asked = Asked { two: *two, by_role: *by_role, key: &route.key, method, payload };
                self.function(targets, integration, asked).await
            }
            Backend::Server { method } => {
                self.server(integration, method.as_ref(), &changed, mapped.path.as_deref()).await
            }
        };
        if let Some(mapping) = integration.answers.get(&response.status.as_u16()) {
            let answer = response.clone();
            mapping.answer(&Given { answer: Some(&answer), ..given }, &mut response);
        }
        response
    }

    async fn function(
        &self,
        targets: &ServiceCalls,
        integration: &Integration,
        asked: Asked<'_>,
    ) -> Response {
        let uri = with_variables(&integration.uri, self.stage.variables.as_ref());
        let ask = Ask {
            account: &self.live.account,
            function: function_of(&uri).unwrap_or_default(),
            sources: &self.sources(asked.key, asked.method),
            by_role: asked.by_role,
            payload: asked.payload,
            timeout: integration.timeout,
        };
        match targets.call(ask).await {
            Told::Answer(payload) => {
                let response = if asked.two { reply::format_2(&payload) } else { reply::format_1(&payload) };
                response.unwrap_or_else(|| message(500, "Internal Server Error"))
            }
            Told::Failed(_) | Told::Refused => message(500, "Internal Server Error"),
            Told::Throttled | Told::TimedOut => message(503, "Service Unavailable"),
            Told::TooLarge => message(413, "Request Entity Too Large"),
        }
    }

    /// The ARNs that a function's policy may name: with the route's method, and with the request's.
    fn sources(&self, key: &str, method: &str) -> Vec<String> {
        let arn = |method: &str, path: &str| self.live.arn(self.id, self.name, method, path);
        match key.split_once(' ') {
            None => vec![arn(key, "")],
            Some((own, path)) => vec![arn(own, path), arn(method, path)],
        }
    }
}

/// What mappings are told of the request.
fn context(visit: &Visit<'_>, entry: &Entry) -> Value {
    let mut context = visit.context_2();
    context["authorizer"] = entry.told_1();
    context
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
