//! A request to a REST API: stage, method, integration, answer.

use super::Rest;
use super::admit::Door;
use super::fault::Fault;
use super::live::{Live, LiveMethod, LiveStage};
use super::plans::Plans;
use crate::outside::Outside;
use crate::reply;
use crate::visit::{self, Visit};
use lambda::ServiceCalls;
use serde_json::{Value, json};
use std::time::Duration;
use wire::{Request, Response};

/// A request that has found its method.
pub(super) struct Run<'a> {
    pub outside: &'a Outside,
    pub stage: &'a LiveStage,
    pub method: &'a LiveMethod,
    pub visit: Visit<'a>,
    /// The path behind the stage's name.
    pub behind: &'a str,
    pub context: Value,
}

impl Rest {
    /// The ARN of the method that a request is to, if that asks for a signature.
    pub fn signed(&self, id: &str, path: &str, request: &Request) -> Option<String> {
        let live = self.live.get(id, || Live::read(&self.book, id)).ok()??;
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (name, behind) = rest.split_once('/').unwrap_or((rest, ""));
        let verb = request.method.as_str();
        let (method, _) = live.stages.get(name)?.find(verb, &format!("/{behind}"))?;
        matches!(method.door, Door::Signed).then(|| live.arn(id, name, verb, &format!("/{behind}")))
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
            Err(_) => return Some(forbidden(500, "Internal server error")),
        };
        let (request_id, short) = (targets.world.uuid(), visit::short_id(&targets.world));
        let trace = visit::trace(request, &targets.world);
        let rest = path.strip_prefix('/').unwrap_or(path);
        let name = rest.split('/').next().unwrap_or_default();
        let response = match live.stages.get(name).filter(|_| !live.disabled) {
            None => forbidden(403, "Forbidden"),
            Some(stage) => {
                let behind = if rest.len() == name.len() { "/" } else { &rest[name.len()..] };
                let found = stage.find(request.method.as_str(), behind);
                let (method, variables) =
                    found.map_or((None, Vec::new()), |(method, variables)| (Some(method), variables));
                let visit = Visit {
                    request,
                    path,
                    account: &live.account,
                    region: &live.region,
                    api: id,
                    stage: name,
                    route: method.map_or("", |method| &method.path),
                    variables: &variables,
                    stage_variables: stage.variables.as_ref(),
                    signed: method.is_some_and(|method| matches!(method.door, Door::Signed)),
                    request_id: &request_id,
                    trace_id: &trace,
                    now: targets.world.now(),
                };
                let context = context(&visit, stage, method, &short);
                match method {
                    None => Fault::Token.response(stage, &visit, &context),
                    Some(method) => {
                        let outside = &self.outside;
                        let run = Run { outside, stage, method, visit, behind, context };
                        run.answer(targets, &self.plans).await
                    }
                }
            }
        };
        let traced = response.with_header("x-amzn-requestid", &request_id);
        Some(traced.with_header("x-amz-apigw-id", &short).with_header("x-amzn-trace-id", &trace))
    }
}

fn forbidden(status: u16, message: &str) -> Response {
    reply::message(status, message).with_header("x-amzn-errortype", "ForbiddenException")
}

/// What functions and templates are told of the request itself.
pub(super) fn context(
    visit: &Visit<'_>,
    stage: &LiveStage,
    method: Option<&LiveMethod>,
    extended: &str,
) -> Value {
    json!({
        "accountId": visit.account,
        "apiId": visit.api,
        "deploymentId": stage.deployment,
        "domainName": visit.domain(),
        "domainPrefix": visit.api,
        "extendedRequestId": extended,
        "httpMethod": visit.request.method.as_str(),
        "identity": visit.identity(),
        "path": visit.path,
        "protocol": "HTTP/1.1",
        "requestId": visit.request_id,
        "requestTime": visit::log_time(visit.now),
        "requestTimeEpoch": visit.now.millis(),
        "resourceId": method.map(|method| &method.resource),
        "resourcePath": method.map(|method| &method.path),
        "stage": visit.stage,
    })
}

impl Run<'_> {
    /// Lets the request in, and answers it.
    pub async fn answer(mut self, targets: &ServiceCalls, plans: &Plans) -> Response {
        match self.admit(targets).await {
            Ok(None) => {}
            Ok(Some(caller)) => self.context["authorizer"] = caller,
            Err(fault) => return fault.response(self.stage, &self.visit, &self.context),
        }
        if let Err(fault) = self.admit_key(plans) {
            return fault.response(self.stage, &self.visit, &self.context);
        }
        self.answer_inside(targets).await
    }

    /// Answers a request that has been let in.
    pub async fn answer_inside(&self, targets: &ServiceCalls) -> Response {
        let answer = self.try_answer(targets).await;
        answer.unwrap_or_else(|fault| fault.response(self.stage, &self.visit, &self.context))
    }

    async fn try_answer(&self, targets: &ServiceCalls) -> Result<Response, Fault> {
        let request = self.visit.request;
        if request.body.len() > visit::BODY_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        let place = format!("{} {}", self.method.method, self.method.path);
        if !self.stage.throttle.lets(&place, self.method.limit, targets.world.elapsed()) {
            return Err(Fault::Throttled);
        }
        self.validate()?;
        match self.member("type") {
            Some("AWS_PROXY") => self.proxy(targets).await,
            Some("AWS") => self.function(targets).await,
            Some("HTTP_PROXY") => self.upstream_as_it_is().await,
            Some("HTTP") => self.upstream().await,
            Some("MOCK") => self.mock(),
            _ => Err(Fault::Configuration),
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&str> {
        self.method.integration.get(name)?.as_str()
    }

    pub(super) fn timeout(&self) -> Duration {
        let millis = self.method.integration.get("timeoutInMillis").and_then(Value::as_u64);
        Duration::from_millis(millis.unwrap_or(29_000))
    }
}
